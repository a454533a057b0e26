"""What the pages show of cameras: the same rows, rules and states as the API."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import person
from village_hub.api import cameras
from village_hub.catalogue.rows import CameraRow
from village_hub.pages.render import CameraCard
from village_hub.tiers.presence import presence


class PageCameras:
    """village_hub/pages/views.py calls it `Cameras`."""

    async def all(self, request: web.Request) -> list[CameraCard]:
        rows = await cameras.visible(request, person(request))
        return [_card(request.app, row) for row in rows]

    async def one(self, request: web.Request, camera: str) -> CameraCard:
        """Raises NotFound."""
        return _card(request.app, await cameras.known(request, person(request), camera))


def _card(app: web.Application, row: CameraRow) -> CameraCard:
    now = presence(row, app[keys.CHILDREN], app[keys.LIVE])
    encodings = {"main": row.main, "sub": row.sub}
    return CameraCard(
        id=row.id,
        name=row.name,
        online=now.online,
        trouble=now.trouble,
        audio=row.audio is not None,
        sizes={name: (note.width, note.height) for name, note in encodings.items() if note},
    )
