"""WHEP: watching a camera (draft-ietf-wish-whep; MED-1 to MED-16)."""

from aiohttp import web

from village_core.permits import Action, Quality
from village_core.transport import signalling
from village_hub import keys
from village_hub.access.facts import Permit, Said
from village_hub.access.guard import CALLER
from village_hub.access.identity import MediaCaller, admits
from village_hub.access.matrix import Code
from village_hub.api import media
from village_hub.api.contract import operation
from village_hub.cases.matter import Person
from village_hub.catalogue import cameras
from village_hub.catalogue.rows import CameraRow
from village_hub.errors import Forbidden, TooMany

routes = web.RouteTableDef()


@routes.post("/whep/{camera}", name="whep")
@operation(text=signalling.SDP, status=201, content=(signalling.SDP,), errors=media.OPENING)
@admits(MediaCaller)
async def watch(request: web.Request) -> web.Response:
    """Offer in, 201 with the answer out. 403 with the reason code of the decision, 409 while
    nothing comes from the camera, 429, 503."""
    caller = _viewer(request)
    media.user(request)
    quality = media.quality_of(request)
    offer = await media.read_offer(request)
    said = Said(caller.purpose, caller.reason)
    permit, camera = await _permit(request, caller, quality, said)
    opened = await request.app[keys.LIVE].watch(permit, camera, offer, caller.credential)
    if permit.basis == Code.S:
        await request.app[keys.ALARMS].looked(permit.ref, Person.of(permit.subject))
    return media.created(request, opened, "/whep")


@routes.get("/whep/{camera}", name="whep_get", allow_head=False)
@operation()
@admits(MediaCaller)
async def get(_request: web.Request) -> web.Response:
    """Nothing to show (MED-5)."""
    return web.Response(status=204)


@routes.head("/whep/{camera}", name="whep_head")
@operation(status=200)
@admits(MediaCaller)
async def head(_request: web.Request) -> web.Response:
    """What a POST is answered with (MED-5)."""
    return web.Response(headers={"Content-Type": signalling.SDP})


@routes.options("/whep/{camera}", name="whep_preflight")
@operation(status=200)
async def preflight(request: web.Request) -> web.Response:
    """MED-4; public, since browsers bring no token."""
    return await media.preflight(request)


@routes.patch("/whep/sessions/{session}", name="whep_session_patch")
@operation(text=signalling.SDPFRAG, also=(200,), errors=media.PATCHING)
@admits(MediaCaller, expired_ok=True)
async def patch(request: web.Request) -> web.Response:
    """MED-7."""
    return await media.patch_session(request)


@routes.delete("/whep/sessions/{session}", name="whep_session_delete")
@operation(status=200, errors=(TooMany,))
@admits(MediaCaller, expired_ok=True)
async def delete(request: web.Request) -> web.Response:
    """MED-6."""
    return await media.delete_session(request)


@routes.options("/whep/sessions/{session}", name="whep_session_preflight")
@operation(status=200)
async def session_preflight(request: web.Request) -> web.Response:
    """MED-4; public, since browsers bring no token."""
    return await media.preflight(request)


async def _permit(
    request: web.Request, caller: MediaCaller, quality: Quality, said: Said
) -> tuple[Permit, CameraRow]:
    """By this hub, or by the one below that owns the camera."""
    name = request.match_info["camera"]
    camera = await request.app[keys.CATALOGUE].read(cameras.find, name)
    if camera is None:
        return await request.app[keys.BORROWING].permit(caller, name, quality, said)
    quality = camera.nearest(quality)
    permit = await request.app[keys.GUARD].permit(caller, camera, quality, caller.action, said)
    return permit, camera


def _viewer(request: web.Request) -> MediaCaller:
    caller, camera = request[CALLER], request.match_info["camera"]
    if isinstance(caller, MediaCaller) and (caller.camera, caller.action) == (camera, Action.LIVE):
        return caller
    raise Forbidden("this token is for something else", code="token_elsewhere")
