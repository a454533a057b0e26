"""My cameras: list and state, stills, and the token that opens a live view."""

from email.utils import formatdate

from aiohttp import web
from pydantic import Field

from village_core.messages import PRINTABLE, EncodingNote
from village_core.permits import Action, Purpose, Quality
from village_hub import keys
from village_hub.access.facts import Said
from village_hub.access.guard import person
from village_hub.access.identity import PersonCaller
from village_hub.api import bodies
from village_hub.api.contract import NO_STORE, Shape, read_query
from village_hub.catalogue import cameras, people
from village_hub.catalogue.rows import CameraRow
from village_hub.errors import NotFound
from village_hub.tiers.presence import presence

routes = web.RouteTableDef()


class Look(Shape):
    """Why somebody wants to see: a word of the closed list of purposes, and for those who have to
    say more a sentence."""

    purpose: str = Field(default=Purpose.OWN_VIEW.value, max_length=40)
    reason: str = Field(default="", max_length=400, pattern=PRINTABLE)


@routes.get("/api/v1/cameras", name="cameras")
async def list_cameras(request: web.Request) -> web.Response:
    """Those the caller may see, in the order they were added."""
    rows = await visible(request, person(request))
    found = [describe(request.app, row) for row in rows]
    return web.json_response({"cameras": found}, headers=NO_STORE)


@routes.get("/api/v1/cameras/{camera}", name="camera")
async def get_camera(request: web.Request) -> web.Response:
    """One of them and its state: `online`, and `trouble` as a word of the closed list."""
    row = await known(request, person(request), request.match_info["camera"])
    return web.json_response(describe(request.app, row), headers=NO_STORE)


@routes.get("/api/v1/cameras/{camera}/still", name="still", allow_head=False)
async def still(request: web.Request) -> web.Response:
    """One picture now, image/jpeg. 409 agent_offline, 504 when none comes in time."""
    caller = person(request)
    said = _said(read_query(request, Look))
    row = await known(request, caller, request.match_info["camera"])
    permit = await request.app[keys.GUARD].permit(caller, row, Quality.MAIN, Action.STILL, said)
    picture = await request.app[keys.LIVE].still(permit)
    now = request.app[keys.CLOCK].utc_ms() / 1000
    headers = {**NO_STORE, "Last-Modified": formatdate(now, usegmt=True)}
    return web.Response(body=picture, content_type="image/jpeg", headers=headers)


@routes.post("/api/v1/cameras/{camera}/media-token", name="media_token")
async def media_token(request: web.Request) -> web.Response:
    """A token for one WHEP POST on this camera (at most 5 min), and the ICE servers to use."""
    caller = person(request)
    said = _said(await bodies.read(request, Look) if request.can_read_body else Look())
    row = await known(request, caller, request.match_info["camera"])
    if said.purpose is None:  # refused, and written down, like any look without a basis
        await request.app[keys.GUARD].permit(caller, row, Quality.MAIN, Action.LIVE, said)
    token, lifetime = request.app[keys.SIGN_INS].media_token(caller, row.id, Action.LIVE, said)
    servers = [
        {"urls": server.url, "username": server.username, "credential": server.credential}
        for server in request.app[keys.TURN].servers()
    ]
    found = {"token": token, "expires_in": lifetime, "ice_servers": servers}
    return web.json_response(found, headers=NO_STORE)


async def visible(request: web.Request, caller: PersonCaller) -> list[CameraRow]:
    """The cameras that the caller may know of."""
    catalogue, guard = request.app[keys.CATALOGUE], request.app[keys.GUARD]
    row = await catalogue.read(people.person, caller.subject.id)
    near = await catalogue.read(cameras.of_households, row.households if row else ())
    return [camera for camera in near if await guard.may(caller, camera)]


async def known(request: web.Request, caller: PersonCaller, name: str) -> CameraRow:
    """The camera of this id; NotFound also when the caller may not know of it."""
    row = await request.app[keys.CATALOGUE].read(cameras.find, name)
    if row is None or not await request.app[keys.GUARD].may(caller, row):
        raise NotFound("there is no such camera", code="no_such_camera")
    return row


def _said(look: Look) -> Said:
    try:
        return Said(Purpose(look.purpose), look.reason)
    except ValueError:  # PRM-15: a decision like any other, and audited as one
        return Said(None, look.reason)


def describe(app: web.Application, row: CameraRow) -> dict[str, object]:
    """A camera as the API shows it."""
    now = presence(row, app[keys.CHILDREN], app[keys.LIVE])
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind.value,
        "online": now.online,
        "trouble": now.trouble.value if now.trouble else None,
        "main": _encoding(row.main),
        "sub": _encoding(row.sub),
        "audio": row.audio,
        "masked": row.masked,
        "transcoded": row.transcoded,
    }


def _encoding(note: EncodingNote | None) -> dict[str, object] | None:
    return {"width": note.width, "height": note.height, "fps": note.fps} if note else None
