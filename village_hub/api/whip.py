"""WHIP: pictures coming in (RFC 9725; MED-1 to MED-16): agents with a ticket, push cameras with
their publish token."""

from aiohttp import web

from village_core.permits import Action, Quality
from village_core.transport import signalling
from village_hub import keys
from village_hub.access.identity import PublishCaller, TicketCaller, admits
from village_hub.api import media
from village_hub.api.contract import operation
from village_hub.errors import Forbidden, TooMany

routes = web.RouteTableDef()


@routes.post("/whip/{camera}", name="whip")
@operation(text=signalling.SDP, status=201, content=(signalling.SDP,), errors=media.OPENING)
@admits(TicketCaller, PublishCaller)
async def publish(request: web.Request) -> web.Response:
    """Offer in, 201 with the answer out; it takes the place of what came before."""
    caller = media.user(request)
    quality = media.quality_of(request)
    offer = await media.read_offer(request)
    name, live = request.match_info["camera"], request.app[keys.LIVE]
    _check(caller, name, quality)
    camera = live.awaited(name) or await media.camera_of(request)
    if isinstance(caller, TicketCaller):
        request.app[keys.TICKETS].spend(caller)
    push = caller.push if isinstance(caller, TicketCaller) else None
    opened = await live.publish(camera, quality, offer, caller.credential, push)
    return media.created(request, opened, "/whip")


@routes.get("/whip/{camera}", name="whip_get", allow_head=False)
@operation()
@admits(TicketCaller, PublishCaller)
async def get(_request: web.Request) -> web.Response:
    """Nothing to show (MED-5)."""
    return web.Response(status=204)


@routes.head("/whip/{camera}", name="whip_head")
@operation(status=200)
@admits(TicketCaller, PublishCaller)
async def head(_request: web.Request) -> web.Response:
    """What a POST is answered with (MED-5)."""
    return web.Response(headers={"Content-Type": signalling.SDP})


@routes.options("/whip/{camera}", name="whip_preflight")
@operation(status=200)
async def preflight(request: web.Request) -> web.Response:
    """MED-4; public, since browsers bring no token."""
    return await media.preflight(request)


@routes.patch("/whip/sessions/{session}", name="whip_session_patch")
@operation(text=signalling.SDPFRAG, also=(200,), errors=media.PATCHING)
@admits(TicketCaller, PublishCaller, expired_ok=True)
async def patch(request: web.Request) -> web.Response:
    """MED-7."""
    return await media.patch_session(request)


@routes.delete("/whip/sessions/{session}", name="whip_session_delete")
@operation(status=200, errors=(TooMany,))
@admits(TicketCaller, PublishCaller, expired_ok=True)
async def delete(request: web.Request) -> web.Response:
    """MED-6."""
    return await media.delete_session(request)


@routes.options("/whip/sessions/{session}", name="whip_session_preflight")
@operation(status=200)
async def session_preflight(request: web.Request) -> web.Response:
    """MED-4; public, since browsers bring no token."""
    return await media.preflight(request)


def _check(caller: media.MediaUser, camera: str, quality: Quality) -> None:
    """A ticket is for one camera, quality and action; a publish token for one camera."""
    right = isinstance(caller, PublishCaller) and caller.camera == camera
    if isinstance(caller, TicketCaller):
        said = (caller.camera, caller.quality, caller.action)
        right = said == (camera, quality, Action.LIVE)
    if not right:
        raise Forbidden("this token is for something else", code="token_elsewhere")
