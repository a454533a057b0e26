"""A child's own calls: its uplink, its status, its own log, and the stills it was asked for."""

from aiohttp import web

from village_core.messages import AgentStatus, LogAnswer, LogBatch
from village_core.permits import Action
from village_hub import keys
from village_hub.access.guard import CALLER
from village_hub.access.identity import HubCaller, NodeCaller, TicketCaller, admits
from village_hub.api import bodies
from village_hub.api.contract import operation, reply
from village_hub.audit import home_log
from village_hub.catalogue import cameras, hubs
from village_hub.catalogue.rows import NodeRow
from village_hub.consent import leaving
from village_hub.errors import (
    Conflict,
    Forbidden,
    TooMany,
    Unauthorized,
    UnsupportedMedia,
)
from village_hub.media.uploads import LARGEST_STILL

routes = web.RouteTableDef()

JPEG = b"\xff\xd8\xff"  # how every JPEG begins (SOI and the next marker)


@routes.get("/uplink", name="uplink", allow_head=False)
@operation(status=101)
@admits(NodeCaller, HubCaller)
async def uplink(request: web.Request) -> web.StreamResponse:
    """The WebSocket that a child keeps open. A browser, which says where its page is from, has
    none."""
    if "Origin" in request.headers:
        raise Forbidden("an uplink is a box's, not a page's", code="other_origin")
    caller = request[CALLER]
    child = caller.hub.id if isinstance(caller, HubCaller) else _node(request).id
    return await request.app[keys.CHILDREN].serve(request, child)


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


@routes.post("/api/v1/node/log", name="node_log")
@operation(body=LogBatch, answer=LogAnswer, errors=(TooMany,))
@admits(NodeCaller)
async def log(request: web.Request) -> web.Response:
    """Lines of the home's own log (AUD-2), in order. Told again, they are answered again. `last` is
    the last of them: the home needs to tell none up to there any more."""
    node = _node(request)
    said = await bodies.read(request, LogBatch)
    catalogue, clock = request.app[keys.CATALOGUE], request.app[keys.CLOCK]
    await request.app[keys.AUDIT].look()  # what the hub itself has still to write is no news then
    if not await catalogue.write(home_log.take_in, node, said.lines, clock):
        raise TooMany("this home tells too many lines a day", code="too_many_lines")
    return reply(LogAnswer(last=said.lines[-1].number))


@routes.delete("/api/v1/node", name="node_leaves")
@operation()
@admits(NodeCaller, HubCaller)
async def leave(request: web.Request) -> web.Response:
    """The box was erased (DEV-10): it is no part of this village any more, and what it signed is
    over. Or a hub leaves the tier above it: nothing of what it told stays."""
    caller, clock, catalogue = request[CALLER], request.app[keys.CLOCK], request.app[keys.CATALOGUE]
    if isinstance(caller, HubCaller):
        await catalogue.write(hubs.leave, caller.hub.id, clock.utc_ms())
        await request.app[keys.CHILDREN].revoke(caller.hub.id)
        return web.Response(status=204)
    node = _node(request)
    await catalogue.write(leaving.leave, node, clock)
    request.app[keys.CONSENT].post.ended()
    await request.app[keys.CHILDREN].revoke(node.id)
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
    picture = await bodies.read_large(request, LARGEST_STILL, "a still")
    if not picture.startswith(JPEG):
        raise UnsupportedMedia("this is no JPEG")
    return picture


def _node(request: web.Request) -> NodeRow:
    caller = request[CALLER]
    if not isinstance(caller, NodeCaller):
        raise Unauthorized("an agent's own token is needed here")
    return caller.node
