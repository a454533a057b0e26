"""What WHIP and WHEP endpoints share over HTTP: reading requests, writing answers, CORS.

The rules of a session's URL are in village_core/transport/signalling.py.
"""

from aiohttp import web

from village_core.permits import Quality
from village_core.transport import signalling
from village_hub import keys, problems
from village_hub.access.guard import CALLER
from village_hub.access.identity import MediaCaller, PublishCaller, TicketCaller
from village_hub.api import bodies
from village_hub.catalogue import cameras
from village_hub.catalogue.rows import CameraRow
from village_hub.errors import (
    BadRequest,
    ChildTimeout,
    Conflict,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TooMany,
    Unauthorized,
    UnsupportedMedia,
)
from village_hub.media.service import Opened

SDP = signalling.SDP
PREFIXES = ("/whip/", "/whep/")
CODES = {
    404: "not_found",
    412: "precondition_failed",
    415: "unsupported_media_type",
    422: "unprocessable",
    428: "precondition_required",
}
OPENING = (Conflict, ChildTimeout, TooMany)
PATCHING = (PreconditionFailed, PreconditionRequired, TooMany)
MediaUser = MediaCaller | TicketCaller | PublishCaller


async def cors(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare: any page may use these endpoints; what counts is the Bearer token."""
    if request.path.startswith(PREFIXES):
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
        response.headers.setdefault("Access-Control-Expose-Headers", signalling.EXPOSED)


def created(request: web.Request, opened: Opened, place: str) -> web.Response:
    """201 with the answer (MED-1, MED-8, MED-11); `place` is "/whip" or "/whep"."""
    response = web.Response(status=201, body=opened.answer.encode(), content_type=SDP)
    response.headers["Location"] = f"{place}/sessions/{opened.session_id}"
    response.headers["ETag"] = opened.etag
    response.headers["Accept-Patch"] = signalling.SDPFRAG
    response.headers["Cache-Control"] = "no-store"
    for server in request.app[keys.TURN].servers():
        response.headers.add("Link", server.link())
    return response


def user(request: web.Request) -> MediaUser:
    """Who opened, or opens, the session: what `admits` let in here. Raises Unauthorized."""
    caller = request[CALLER]
    if not isinstance(caller, MediaUser):
        raise Unauthorized("this address takes media tokens, tickets and publish tokens")
    request.app[keys.THROTTLES].media.spend(caller.credential)
    return caller


def reply(request: web.Request, said: signalling.Reply) -> web.Response:
    """An answer as the session's rules word it."""
    headers = dict(said.headers)
    if said.status >= 400:
        code = CODES.get(said.status, "bad_fragment")
        return problems.problem(request, said.status, code, said.detail, headers)
    return web.Response(status=said.status, text=said.body or None, headers=headers)


async def patch_session(request: web.Request) -> web.Response:
    """Trickle ICE (204) or an ICE restart (200), MED-7."""
    live, caller = request.app[keys.LIVE], user(request)
    session = live.session(request.match_info["session"], caller.credential)
    body = await bodies.read_text(request)
    kind = request.headers.get("Content-Type", "")
    said = await live.patch(session, kind, request.headers.get("If-Match"), body)
    return reply(request, said)


async def delete_session(request: web.Request) -> web.Response:
    """200, and then 404 (MED-6)."""
    live, caller = request.app[keys.LIVE], user(request)
    session = live.session(request.match_info["session"], caller.credential)
    await live.end(session, "ended by its client")
    return web.Response(status=200)


async def preflight(_request: web.Request) -> web.Response:
    """OPTIONS, without a token and without TURN credentials (MED-3, MED-4)."""
    said = signalling.preflight()
    return web.Response(status=said.status, headers=dict(said.headers))


async def read_offer(request: web.Request) -> str:
    """The SDP of a POST. Raises UnsupportedMedia, BadRequest, TooLarge."""
    wrong = signalling.post_type(request.headers.get("Content-Type", ""))
    if wrong is not None:
        raise UnsupportedMedia(wrong.detail, headers=dict(wrong.headers))
    text = await bodies.read_text(request)
    if not text.strip():
        raise BadRequest("the offer is empty", code="bad_sdp")
    return text


def quality_of(request: web.Request) -> Quality:
    """?quality=main|sub, main unless said. Raises BadRequest."""
    try:
        return Quality(request.query.get("quality", Quality.MAIN))
    except ValueError as error:
        raise BadRequest("quality is main or sub", code="bad_quality") from error


async def camera_of(request: web.Request) -> CameraRow:
    """The camera in the path, which the token named as well. Raises NotFound."""
    row = await request.app[keys.CATALOGUE].read(cameras.find, request.match_info["camera"])
    if row is None:
        raise NotFound("there is no such camera", code="no_such_camera")
    return row
