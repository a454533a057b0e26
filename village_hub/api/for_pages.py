"""What the pages show of cameras: the same rows, rules and states as the API."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import Known, person
from village_hub.api import cameras
from village_hub.catalogue.remote_search import Asked
from village_hub.pages.render import BelowCard, BelowList, CameraCard
from village_hub.tiers.presence import presence

MOST_BELOW = 50  # on one page; a name finds the others


class PageCameras:
    """village_hub/pages/views.py calls it `Cameras`."""

    async def all(self, request: web.Request) -> list[CameraCard]:
        found = await cameras.visible(request, person(request))
        return [_card(request.app, each) for each in found]

    async def one(self, request: web.Request, camera: str) -> CameraCard:
        """Of this hub or of one below. Raises NotFound."""
        caller = person(request)
        below = await request.app[keys.BORROWING].show(caller.subject, camera)
        if below is not None:
            return CameraCard(
                id=below.row.id,
                name=below.row.name,
                online=below.online,
                trouble=below.trouble,
                opens={each.purpose.value: each.reason for each in below.opens},
                sizes={},
            )
        return _card(request.app, await cameras.find(request, caller, camera))

    async def below(self, request: web.Request, name: str) -> BelowList | None:
        """Cameras of the hubs below whose name has `name` in it; None for whom there are none."""
        caller = person(request)
        if not caller.subject.roles or caller.subject.place is None:
            return None
        asked = Asked(name=name, limit=MOST_BELOW + 1)
        rows = await request.app[keys.GUARD].known_below(caller, asked)
        if not rows and not name:
            return None
        cards = [
            BelowCard(
                id=row.id, name=row.name, place=row.place, now=row.now.value, trouble=row.trouble
            )
            for row in rows[:MOST_BELOW]
        ]
        return BelowList(name=name, cards=tuple(cards), more=len(rows) > MOST_BELOW)


def _card(app: web.Application, known: Known) -> CameraCard:
    row = known.row
    now = presence(row, app[keys.CHILDREN], app[keys.LIVE])
    encodings = {"main": row.main, "sub": row.sub}
    return CameraCard(
        id=row.id,
        name=row.name,
        online=now.online,
        trouble=now.trouble,
        audio=row.audio is not None,
        opens={each.purpose.value: each.reason for each in known.opens()},
        sizes={name: (note.width, note.height) for name, note in encodings.items() if note},
    )
