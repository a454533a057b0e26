"""Passkeys: signing in with one, adding a first one with a code, and one's own.

The first five routes are public: they are how somebody comes in. Each is limited and slow to say no
like signing in by a code, and tells nobody who has a key.
"""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from village_core.messages import NAMING
from village_core.permits import Role
from village_hub import keys
from village_hub.access.credentials import SESSION_LIFE
from village_hub.access.guard import SOURCE, by_hand
from village_hub.access.identity import PersonCaller
from village_hub.access.origin import Source, check_same_origin
from village_hub.access.passkeys import ToChoose
from village_hub.access.sign_in import SignedIn
from village_hub.api import bodies
from village_hub.api.coming_in import give_cookie
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.catalogue import passkeys, people
from village_hub.catalogue.rows import Capacity
from village_hub.catalogue.staff_rows import PasskeyRow
from village_hub.errors import Conflict, Forbidden, NotFound, Refused, TooMany

routes = web.RouteTableDef()

FRESH_MS = 15 * 60 * 1000  # a key for duty is added this soon after signing in, or not

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NAMING)
]


class CeremonyBegun(Shape):
    """`options` are for navigator.credentials, in WebAuthn's own JSON form."""

    ceremony: str
    options: dict[str, Any]


class CeremonyAnswer(BaseModel):
    """`credential`: PublicKeyCredential.toJSON()."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ceremony: str = Field(max_length=100, repr=False)
    credential: dict[str, Any] = Field(repr=False)


class NewKeyAnswer(CeremonyAnswer):
    name: Name


class EnrolmentCode(Shape):
    code: str = Field(min_length=1, max_length=200, repr=False)


class WayShown(Shape):
    """One way to come in: null is at home."""

    appointment: str | None
    unit_name: str = ""
    role: Role | None = None


class PasskeySignIn(Shape):
    """Signed in, or with several ways: then say which with `ticket`."""

    signed_in: bool
    ticket: str | None = Field(default=None, repr=False)
    ways: list[WayShown] = Field(default_factory=list)


class CapacityChosen(Shape):
    ticket: str = Field(max_length=100, repr=False)
    appointment: str | None = Field(max_length=80)


class PasskeyShown(Shape):
    """`duty`: opens sessions on duty. Times in UTC ms."""

    id: str
    name: str
    duty: bool
    transports: list[str]
    created: int
    used: int | None


class PasskeysShown(Shape):
    passkeys: list[PasskeyShown]


class NewName(Shape):
    name: Name


@routes.post("/api/v1/passkeys/sign-in/begin", name="passkey_sign_in_begin")
@operation(answer=CeremonyBegun, errors=(Conflict, TooMany))
async def begin_sign_in(request: web.Request) -> web.Response:
    """A challenge for whichever key the device has. 409 no_dns_name, 429."""
    begun = await request.app[keys.PASSKEYS].begin_sign_in(_own_page(request))
    return reply(CeremonyBegun(ceremony=begun[0], options=begun[1]))


@routes.post("/api/v1/passkeys/sign-in/finish", name="passkey_sign_in_finish")
@operation(body=CeremonyAnswer, answer=PasskeySignIn, errors=(Forbidden, TooMany))
async def finish_sign_in(request: web.Request) -> web.Response:
    """The key's answer -> a session cookie, or the ways to choose from. 403 bad_passkey, 429."""
    source = _own_page(request)
    body = await bodies.read(request, CeremonyAnswer)
    found = await request.app[keys.PASSKEYS].finish_sign_in(
        body.ceremony, body.credential, _device(request), source
    )
    if isinstance(found, ToChoose):
        ways = [WayShown(appointment=None)] if found.home else []
        ways += [
            WayShown(appointment=row.id, unit_name=row.unit_name, role=row.role)
            for row in found.duties
        ]
        return reply(PasskeySignIn(signed_in=False, ticket=found.ticket, ways=ways))
    return await _come_in(request, found)


@routes.post("/api/v1/passkeys/sign-in/choose", name="passkey_sign_in_choose")
@operation(body=CapacityChosen, answer=PasskeySignIn, errors=(Forbidden, NotFound))
async def choose(request: web.Request) -> web.Response:
    """At home (null), or on duty by one appointment. 404 ceremony_over, 403 no_appointment."""
    _own_page(request)
    body = await bodies.read(request, CapacityChosen)
    found = await request.app[keys.PASSKEYS].choose(body.ticket, body.appointment, _device(request))
    return await _come_in(request, found)


@routes.post("/api/v1/passkeys/enrol/begin", name="passkey_enrol_begin")
@operation(body=EnrolmentCode, answer=CeremonyBegun, errors=(NotFound, Conflict, TooMany))
async def begin_enrolling(request: web.Request) -> web.Response:
    """With the code that two persons made for a member of staff. 404 bad_code, 429."""
    source = _own_page(request)
    body = await bodies.read(request, EnrolmentCode)
    begun = await request.app[keys.PASSKEYS].begin_enrolling(body.code, source)
    return reply(CeremonyBegun(ceremony=begun[0], options=begun[1]))


@routes.post("/api/v1/passkeys/enrol/finish", name="passkey_enrol_finish")
@operation(
    body=NewKeyAnswer, answer=PasskeyShown, status=201, errors=(NotFound, Forbidden, Conflict)
)
async def finish_enrolling(request: web.Request) -> web.Response:
    """The new key; the code is then spent, and the key signs in."""
    _own_page(request)
    body = await bodies.read(request, NewKeyAnswer)
    row = await request.app[keys.PASSKEYS].finish_adding(body.ceremony, body.credential, body.name)
    return reply(_shown(row), status=201)


@routes.get("/api/v1/me/passkeys", name="my_passkeys")
@operation(answer=PasskeysShown, errors=(Refused,))
async def listed(request: web.Request) -> web.Response:
    """My keys."""
    caller = by_hand(request)
    rows = await request.app[keys.CATALOGUE].read(passkeys.of_person, caller.subject.id)
    return reply(PasskeysShown(passkeys=[_shown(row) for row in rows]))


@routes.post("/api/v1/me/passkeys/begin", name="begin_my_passkey")
@operation(answer=CeremonyBegun, errors=(Refused, Conflict))
async def begin_adding(request: web.Request) -> web.Response:
    """A challenge for a further key. On duty only within 15 minutes of signing in (403
    sign_in_again)."""
    caller = by_hand(request)
    on_duty = caller.capacity is Capacity.DUTY
    if on_duty:
        await _check_fresh(request, caller)
    begun = await request.app[keys.PASSKEYS].begin_adding(
        caller.subject, caller.sign_in, duty=on_duty
    )
    return reply(CeremonyBegun(ceremony=begun[0], options=begun[1]))


@routes.post("/api/v1/me/passkeys", name="add_my_passkey")
@operation(body=NewKeyAnswer, answer=PasskeyShown, status=201, errors=(NotFound, Refused, Conflict))
async def add(request: web.Request) -> web.Response:
    """The new key, answered in the session that it was begun in."""
    caller = by_hand(request)
    body = await bodies.read(request, NewKeyAnswer)
    row = await request.app[keys.PASSKEYS].finish_adding(
        body.ceremony, body.credential, body.name, caller.sign_in
    )
    return reply(_shown(row), status=201)


@routes.patch("/api/v1/me/passkeys/{passkey}", name="rename_my_passkey")
@operation(body=NewName, errors=(NotFound, Refused))
async def rename(request: web.Request) -> web.Response:
    """Call one of my keys something else."""
    caller = by_hand(request)
    row = await _mine(request, caller)
    body = await bodies.read(request, NewName)
    await request.app[keys.PASSKEYS].rename(caller.subject, row, body.name)
    return done()


@routes.delete("/api/v1/me/passkeys/{passkey}", name="end_my_passkey")
@operation(errors=(NotFound, Refused, Conflict))
async def end(request: web.Request) -> web.Response:
    """One of my keys opens nothing any more, and what it opened ends, this session too if it was
    the one. 409 last_passkey: without one nobody is on duty."""
    caller = by_hand(request)
    row = await _mine(request, caller)
    await request.app[keys.PASSKEYS].end(caller.subject, row)
    request.app[keys.RENEWAL].look_soon()
    return done()


async def _mine(request: web.Request, caller: PersonCaller) -> PasskeyRow:
    """Raises NotFound; Refused when a key for duty is touched from home."""
    name = request.match_info["passkey"]
    row = await request.app[keys.CATALOGUE].read(passkeys.find, name)
    if row is None or row.person != caller.subject.id:
        raise NotFound("you have no such key", code="no_such_passkey")
    if row.duty and caller.capacity is not Capacity.DUTY:
        raise Refused("this key is for duty: sign in on duty to change it", code="on_duty_only")
    return row


async def _check_fresh(request: web.Request, caller: PersonCaller) -> None:
    """Whoever finds an open session must not make themselves a key. Raises Refused."""
    now = request.app[keys.CLOCK].utc_ms()
    rows = await request.app[keys.CATALOGUE].read(people.sign_ins, caller.subject.id, now)
    here = next((row for row in rows if row.id == caller.sign_in), None)
    if here is None or now - here.created > FRESH_MS:
        raise Refused("sign in again first, then add the key", code="sign_in_again")


def _own_page(request: web.Request) -> Source:
    """Another site must not sign anybody in here. Raises Forbidden."""
    source = request[SOURCE]
    if "Origin" in request.headers:
        check_same_origin(request, source)
    return source


def _device(request: web.Request) -> str:
    return request.headers.get("User-Agent", "")


async def _come_in(request: web.Request, found: SignedIn) -> web.Response:
    response = reply(PasskeySignIn(signed_in=True))
    now = request.app[keys.CLOCK].utc_ms()
    age = min(SESSION_LIFE, found.expires - now) // 1000
    await give_cookie(request, response, found.secret, age)
    return response


def _shown(row: PasskeyRow) -> PasskeyShown:
    return PasskeyShown(
        id=row.id,
        name=row.name,
        duty=row.duty,
        transports=list(row.transports),
        created=row.created,
        used=row.used,
    )
