"""An agent's own calls: its uplink, its status, and the stills it was asked for."""

import asyncio

from aiohttp import web

from village_core.messages import AgentStatus
from village_core.permits import Action
from village_hub import keys
from village_hub.access.guard import CALLER
from village_hub.access.identity import NodeCaller, TicketCaller, admits
from village_hub.api import bodies
from village_hub.api.contract import operation
from village_hub.catalogue import cameras
from village_hub.catalogue.rows import NodeRow
from village_hub.errors import (
    Conflict,
    Forbidden,
    TooLarge,
    TooSlow,
    Unauthorized,
    UnsupportedMedia,
)
from village_hub.media.uploads import LARGEST_STILL

routes = web.RouteTableDef()

JPEG = b"\xff\xd8\xff"  # how every JPEG begins (SOI and the next marker)


@routes.get("/uplink", name="uplink", allow_head=False)
@operation(status=101)
@admits(NodeCaller)
async def uplink(request: web.Request) -> web.StreamResponse:
    """The WebSocket that a child keeps open."""
    return await request.app[keys.CHILDREN].serve(request, _node(request))


@routes.put("/api/v1/node/status", name="node_status")
@operation(body=AgentStatus, errors=(Conflict,))
@admits(NodeCaller)
async def status(request: web.Request) -> web.Response:
    """AgentStatus, on connect and on every change. 409 camera_elsewhere changes nothing."""
    node = _node(request)
    body = await bodies.read(request, AgentStatus)
    now = request.app[keys.CLOCK].utc_ms()
    try:
        await request.app[keys.CATALOGUE].write(cameras.apply_status, node.id, body, now)
    except cameras.CameraElsewhere as error:
        raise Conflict(str(error), code="camera_elsewhere") from error
    return web.Response(status=204)


@routes.put("/api/v1/uploads/{upload}", name="upload")
@operation(text="image/jpeg")
@admits(TicketCaller)
async def upload(request: web.Request) -> web.Response:
    """One JPEG that somebody waits for; its ticket is spent."""
    ticket = request[CALLER]
    if not isinstance(ticket, TicketCaller) or ticket.action is not Action.STILL:
        raise Forbidden("this ticket is for something else", code="token_elsewhere")
    expected = request.app[keys.UPLOADS].find(request.match_info["upload"], ticket)
    if request.content_type != "image/jpeg":
        raise UnsupportedMedia("a still is to be sent as image/jpeg")
    request.app[keys.TICKETS].spend(ticket)
    picture = await _read_still(request)
    if not expected.arrived.done():
        expected.arrived.set_result(picture)
    return web.Response(status=204)


async def _read_still(request: web.Request) -> bytes:
    """Raises TooLarge, TooSlow, UnsupportedMedia."""
    if (request.content_length or 0) > LARGEST_STILL:
        raise TooLarge(f"a still has at most {LARGEST_STILL} bytes")
    picture = bytearray()
    try:
        async with asyncio.timeout(bodies.WITHIN):
            async for chunk in request.content.iter_chunked(64 * 1024):
                picture += chunk
                if len(picture) > LARGEST_STILL:
                    raise TooLarge(f"a still has at most {LARGEST_STILL} bytes")
    except TimeoutError as error:
        raise TooSlow(f"the still took over {bodies.WITHIN:.0f} s") from error
    if not picture.startswith(JPEG):
        raise UnsupportedMedia("this is no JPEG")
    return bytes(picture)


def _node(request: web.Request) -> NodeRow:
    caller = request[CALLER]
    if not isinstance(caller, NodeCaller):
        raise Unauthorized("an agent's own token is needed here")
    return caller.node
