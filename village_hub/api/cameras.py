"""My cameras: list and state, stills, and the token that opens a live view."""

from email.utils import formatdate

from aiohttp import web
from pydantic import Field

from village_core.messages import PRINTABLE, EncodingNote
from village_core.permits import Action, Purpose, Quality
from village_core.troubles import Trouble
from village_hub import keys
from village_hub.access.below import Shown
from village_hub.access.facts import Said
from village_hub.access.guard import Known, person
from village_hub.access.identity import PersonCaller
from village_hub.api import bodies
from village_hub.api.contract import NO_STORE, Shape, operation, read_query, reply
from village_hub.catalogue import cameras
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.errors import BadChild, ChildTimeout, Conflict, NotFound
from village_hub.tiers.presence import presence

routes = web.RouteTableDef()


class Look(Shape):
    """Why somebody wants to see: a word of the closed list of purposes, and for those who have to
    say more a sentence."""

    purpose: str = Field(default=Purpose.OWN_VIEW.value, max_length=40)
    reason: str = Field(default="", max_length=400, pattern=PRINTABLE)


class Size(Shape):
    width: int
    height: int
    fps: float | None


class OpensShown(Shape):
    """What the caller may look at it for, live, just now; `reason`: say why in words as well."""

    purpose: Purpose
    reason: bool


class CameraShown(Shape):
    """A camera and its state; `trouble` is a word of a closed list. `opens` is empty when the
    caller may know of it and see nothing."""

    id: str
    name: str
    kind: CameraKind
    online: bool
    trouble: Trouble | None
    main: Size | None
    sub: Size | None
    audio: str | None
    masked: bool
    transcoded: bool
    opens: list[OpensShown]


class CamerasShown(Shape):
    cameras: list[CameraShown]


class IceServer(Shape):
    urls: str
    username: str | None
    credential: str | None = Field(repr=False)


class MediaToken(Shape):
    """`expires_in` is in seconds."""

    token: str = Field(repr=False)
    expires_in: int
    ice_servers: list[IceServer]


@routes.get("/api/v1/cameras", name="cameras")
@operation(answer=CamerasShown)
async def list_cameras(request: web.Request) -> web.Response:
    """Those the caller may know of, in the order they were added."""
    found = await visible(request, person(request))
    return reply(CamerasShown(cameras=[describe(request.app, each) for each in found]))


@routes.get("/api/v1/cameras/{camera}", name="camera")
@operation(answer=CameraShown)
async def get_camera(request: web.Request) -> web.Response:
    """One of them, or of the hubs below, and its state: `online`, and `trouble` as a word of the
    closed list. What a camera below sends is known once somebody watches."""
    caller, name = person(request), request.match_info["camera"]
    below = await request.app[keys.BORROWING].show(caller.subject, name)
    if below is not None:
        return reply(_describe_below(below))
    return reply(describe(request.app, await find(request, caller, name)))


@routes.get("/api/v1/cameras/{camera}/still", name="still", allow_head=False)
@operation(query=Look, content=("image/jpeg",), errors=(Conflict, BadChild, ChildTimeout))
async def still(request: web.Request) -> web.Response:
    """One picture now, image/jpeg. 409 agent_offline, 504 when none comes in time."""
    caller = person(request)
    said = _said(read_query(request, Look))
    row = await known(request, caller, request.match_info["camera"])
    permit = await request.app[keys.GUARD].permit(caller, row, Quality.MAIN, Action.STILL, said)
    picture = await request.app[keys.LIVE].still(permit, row)
    now = request.app[keys.CLOCK].utc_ms() / 1000
    headers = {**NO_STORE, "Last-Modified": formatdate(now, usegmt=True)}
    return web.Response(body=picture, content_type="image/jpeg", headers=headers)


@routes.post("/api/v1/cameras/{camera}/media-token", name="media_token")
@operation(body=Look, body_required=False, answer=MediaToken)
async def media_token(request: web.Request) -> web.Response:
    """A token for one WHEP POST on this camera (at most 5 min), and the ICE servers to use."""
    caller = person(request)
    said = _said(await bodies.read(request, Look) if request.can_read_body else Look())
    name = request.match_info["camera"]
    below = await request.app[keys.BORROWING].find(caller.subject, name)
    if below is None:
        row = await known(request, caller, name)
        if said.purpose is None:  # refused, and written down, like any look without a basis
            await request.app[keys.GUARD].permit(caller, row, Quality.MAIN, Action.LIVE, said)
    elif said.purpose is None:
        raise await request.app[keys.BORROWING].no_purpose(caller.subject, below)
    token, lifetime = request.app[keys.SIGN_INS].media_token(caller, name, Action.LIVE, said)
    servers = [
        IceServer(urls=server.url, username=server.username, credential=server.credential)
        for server in request.app[keys.TURN].servers()
    ]
    return reply(MediaToken(token=token, expires_in=lifetime, ice_servers=servers))


async def visible(request: web.Request, caller: PersonCaller) -> list[Known]:
    """The cameras that the caller may know of, in the order they were added."""
    return await request.app[keys.GUARD].known(caller)


async def known(request: web.Request, caller: PersonCaller, name: str) -> CameraRow:
    """The camera of this id; NotFound also when the caller may not know of it."""
    return (await find(request, caller, name)).row


async def find(request: web.Request, caller: PersonCaller, name: str) -> Known:
    """The same, with what the caller may look at it for."""
    row = await request.app[keys.CATALOGUE].read(cameras.find, name)
    found = await request.app[keys.GUARD].know(caller, row) if row else None
    if found is None:
        raise NotFound("there is no such camera", code="no_such_camera")
    return found


def _said(look: Look) -> Said:
    try:
        return Said(Purpose(look.purpose), look.reason)
    except ValueError:  # PRM-15: a decision like any other, and audited as one
        return Said(None, look.reason)


def describe(app: web.Application, found: Known) -> CameraShown:
    """A camera as the API shows it."""
    row = found.row
    now = presence(row, app[keys.CHILDREN], app[keys.LIVE])
    return CameraShown(
        id=row.id,
        name=row.name,
        kind=row.kind,
        online=now.online,
        trouble=now.trouble,
        main=_size(row.main),
        sub=_size(row.sub),
        audio=row.audio,
        masked=row.masked,
        transcoded=row.transcoded,
        opens=[OpensShown(purpose=each.purpose, reason=each.reason) for each in found.opens()],
    )


def _describe_below(found: Shown) -> CameraShown:
    return CameraShown(
        id=found.row.id,
        name=found.row.name,
        kind=CameraKind.AGENT,
        online=found.online,
        trouble=found.trouble,
        main=None,
        sub=None,
        audio=None,
        masked=False,
        transcoded=False,
        opens=[OpensShown(purpose=each.purpose, reason=each.reason) for each in found.opens],
    )


def _size(note: EncodingNote | None) -> Size | None:
    return Size(width=note.width, height=note.height, fps=note.fps) if note else None
