"""Who I am, where I am signed in, and a token for programs that keep no cookies."""

from typing import Literal

from aiohttp import web
from pydantic import Field

from village_core.permits import Role
from village_hub import keys
from village_hub.access.guard import by_hand, person
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.catalogue import people
from village_hub.catalogue.rows import Capacity
from village_hub.errors import NotFound, Refused

routes = web.RouteTableDef()


class HubShown(Shape):
    id: str
    name: str
    tier: Literal["village", "township", "bureau"]


class DutyShown(Shape):
    """The appointment that a session on duty stands on; `place` is a prefix of place codes."""

    appointment: str
    unit: str
    unit_name: str
    roles: list[Role]
    place: str


class Me(Shape):
    id: str
    name: str | None
    hub: HubShown
    duty: DutyShown | None  # null at home


class SignInShown(Shape):
    """A browser that is signed in; times in UTC ms."""

    id: str
    device: str
    created: int
    used: int
    expires: int
    this: bool  # the one that asks
    capacity: Capacity
    kiosk: bool


class SignInsShown(Shape):
    sign_ins: list[SignInShown]


class AccessToken(Shape):
    """`expires_in` is in seconds."""

    token: str = Field(repr=False)
    expires_in: int


@routes.get("/api/v1/me", name="me")
@operation(answer=Me)
async def me(request: web.Request) -> web.Response:
    """The person signed in, the appointment they are on duty by, and the hub they are at."""
    caller = person(request)
    row = await request.app[keys.CATALOGUE].read(people.person, caller.subject.id)
    node = request.app[keys.NODE]
    hub = HubShown(id=node.id, name=node.name, tier=request.app[keys.CONFIG].tier)
    name = row.name if row else None
    return reply(Me(id=caller.subject.id, name=name, hub=hub, duty=await _duty(request)))


async def _duty(request: web.Request) -> DutyShown | None:
    caller, now = person(request), request.app[keys.CLOCK].utc_ms()
    row = await request.app[keys.CATALOGUE].read(people.duty_of_sign_in, caller.sign_in, now)
    if row is None:
        return None
    return DutyShown(
        appointment=row.id,
        unit=row.unit,
        unit_name=row.unit_name,
        roles=[row.role],
        place=row.place,
    )


@routes.get("/api/v1/me/sign-ins", name="my_sign_ins")
@operation(answer=SignInsShown)
async def sign_ins(request: web.Request) -> web.Response:
    """The browsers I am signed in with; times in UTC ms."""
    caller = person(request)
    now = request.app[keys.CLOCK].utc_ms()
    rows = await request.app[keys.CATALOGUE].read(people.sign_ins, caller.subject.id, now)
    found = [
        SignInShown(
            id=row.id,
            device=row.device,
            created=row.created,
            used=row.used,
            expires=row.expires,
            this=row.id == caller.sign_in,
            capacity=row.capacity,
            kiosk=row.kiosk,
        )
        for row in rows
    ]
    return reply(SignInsShown(sign_ins=found))


@routes.delete("/api/v1/me/sign-ins/{sign_in}", name="end_my_sign_in")
@operation()
async def end_sign_in(request: web.Request) -> web.Response:
    """Sign one of them out; 404 when it is not mine."""
    caller = person(request)
    name = request.match_info["sign_in"]
    if not await request.app[keys.SIGN_INS].end(caller.subject, name):
        raise NotFound("there is no such sign-in")
    request.app[keys.RENEWAL].look_soon()
    return done()


@routes.delete("/api/v1/me/sign-ins", name="end_my_other_sign_ins")
@operation(errors=(Refused,))
async def end_other_sign_ins(request: web.Request) -> web.Response:
    """Sign all of them out but this one, screens too; codes not yet used open nothing any more."""
    caller = by_hand(request)
    await request.app[keys.SIGN_INS].end_others(caller.sign_in, caller.subject)
    request.app[keys.RENEWAL].look_soon()
    return done()


@routes.post("/api/v1/me/access-token", name="access_token")
@operation(answer=AccessToken)
async def access_token(request: web.Request) -> web.Response:
    """An access token (RFC 9068) of at most 15 minutes; it ends with this sign-in."""
    token, lifetime = request.app[keys.SIGN_INS].access_token(by_hand(request))
    return reply(AccessToken(token=token, expires_in=lifetime))
