"""What the pages show of cameras: the same rows, rules and states as the API."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import Known, person
from village_hub.api import cameras
from village_hub.pages.render import CameraCard
from village_hub.tiers.presence import presence


class PageCameras:
    """village_hub/pages/views.py calls it `Cameras`."""

    async def all(self, request: web.Request) -> list[CameraCard]:
        found = await cameras.visible(request, person(request))
        return [_card(request.app, each) for each in found]

    async def one(self, request: web.Request, camera: str) -> CameraCard:
        """Raises NotFound."""
        return _card(request.app, await cameras.find(request, person(request), camera))


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
