"""Kiosks: the two calls of RFC 8628 for the screen, and opening it by somebody on duty.

The screen's two are public: it has no rights yet. They speak OAuth (RFC 6749 errors), not
problem+json, and are limited by source and by the poll interval.
"""

from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import Field, StringConstraints

from village_core.messages import NAMING
from village_hub import keys
from village_hub.access.devices import POLL_EVERY, VALID
from village_hub.access.guard import SOURCE, by_hand
from village_hub.access.identity import PersonCaller
from village_hub.access.origin import Source, check_same_origin
from village_hub.api import bodies
from village_hub.api.coming_in import give_cookie
from village_hub.api.contract import NO_STORE, Shape, done, operation, reply
from village_hub.catalogue.device_grants import Word
from village_hub.catalogue.rows import Capacity
from village_hub.errors import Conflict, Forbidden, NotFound, Refused, TooMany

routes = web.RouteTableDef()

M = TypeVar("M", bound=Shape)

CLIENT = "kiosk"  # the only client_id; it proves nothing, so it gives nothing
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
FORM = "application/x-www-form-urlencoded"

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NAMING)
]
UserCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Screen(Shape):
    """What a screen says of itself: what it is called and where it stands."""

    client_id: str = Field(max_length=40)
    scope: str = Field(default="", max_length=200)
    device_name: Name
    place: str = Field(default="", max_length=80, pattern=NAMING)


class Authorization(Shape):
    """RFC 8628 section 3.2."""

    device_code: str = Field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class Poll(Shape):
    client_id: str = Field(max_length=40)
    grant_type: str = Field(max_length=100)
    device_code: str = Field(max_length=100, repr=False)


class ScreenToken(Shape):
    """RFC 6749 section 5.1. The token is for looking and short; the cookie that comes with it is
    the screen's session."""

    access_token: str = Field(repr=False)
    token_type: str = "Bearer"  # noqa: S105 - no secret
    expires_in: int


class Code(Shape):
    user_code: UserCode


class Verdict(Code):
    opens: bool


class ScreenShown(Shape):
    """What to compare before opening it; `expires` in UTC ms."""

    device_name: str
    place: str
    expires: int


@routes.post("/api/v1/device/authorize", name="device_authorize")
@operation(answer=Authorization, text=FORM, errors=(TooMany, Forbidden))
async def authorize(request: web.Request) -> web.Response:
    """A screen asks to be opened: RFC 8628 section 3.1, with `device_name` and `place` besides."""
    source = _own_page(request)
    screen = await _form(request, Screen)
    if screen is None or screen.client_id != CLIENT:
        return _error("invalid_client" if screen else "invalid_request")
    shown = await request.app[keys.DEVICES].authorize(screen.device_name, screen.place, source)
    page = f"{request.app[keys.NODE].url}/device"
    answer = Authorization(
        device_code=shown.device_code,
        user_code=shown.user_code,
        verification_uri=page,
        verification_uri_complete=f"{page}#code={shown.user_code}",
        expires_in=VALID,
        interval=POLL_EVERY,
    )
    return reply(answer)


@routes.post("/api/v1/device/token", name="device_token")
@operation(answer=ScreenToken, text=FORM, errors=(Forbidden,))
async def token(request: web.Request) -> web.Response:
    """A screen asks whether it was opened: RFC 8628 section 3.4, its errors those of 3.5."""
    _own_page(request)
    poll = await _form(request, Poll)
    if poll is None:
        return _error("invalid_request")
    if poll.grant_type != GRANT_TYPE:
        return _error("unsupported_grant_type")
    found = await request.app[keys.DEVICES].poll(poll.device_code)
    if isinstance(found, Word):
        return _error(found.value)
    access, lifetime = request.app[keys.SIGN_INS].access_token(found.caller)
    response = reply(ScreenToken(access_token=access, expires_in=lifetime))
    left = (found.expires - request.app[keys.CLOCK].utc_ms()) // 1000
    await give_cookie(request, response, found.secret, max(1, left))
    return response


@routes.post("/api/v1/devices/look", name="look_device")
@operation(body=Code, answer=ScreenShown, errors=(NotFound, Refused, TooMany))
async def look(request: web.Request) -> web.Response:
    """Which screen shows this code: its name and place, to compare with the one before you."""
    caller = _on_duty(request)
    body = await bodies.read(request, Code)
    row = await request.app[keys.DEVICES].look(caller.subject, body.user_code)
    return reply(ScreenShown(device_name=row.name, place=row.place, expires=row.expires))


@routes.post("/api/v1/devices/answer", name="answer_device")
@operation(body=Verdict, errors=(NotFound, Refused, Conflict, TooMany))
async def answer(request: web.Request) -> web.Response:
    """Open it for my own shift, or refuse it. 409 no_shift."""
    caller = _on_duty(request)
    body = await bodies.read(request, Verdict)
    devices = request.app[keys.DEVICES]
    await devices.answer(caller.subject, body.user_code, opens=body.opens)
    return done()


def _on_duty(request: web.Request) -> PersonCaller:
    caller = by_hand(request)
    if caller.capacity is not Capacity.DUTY:
        raise Refused("only somebody on duty opens a screen", code="on_duty_only")
    return caller


async def _form(request: web.Request, model: type[M]) -> M | None:
    """None: this is no such form."""
    if request.content_type != FORM:
        return None
    text = await bodies.read_text(request)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=10)
        return model.model_validate(dict(pairs)) if len(dict(pairs)) == len(pairs) else None
    except ValueError:  # pydantic's is one
        return None


def _own_page(request: web.Request) -> Source:
    """Another site must not make a browser a screen of ours. Raises Forbidden."""
    source = request[SOURCE]
    if "Origin" in request.headers:
        check_same_origin(request, source)
    return source


def _error(word: str) -> web.Response:
    """RFC 6749 section 5.2."""
    return web.json_response({"error": word}, status=400, headers=NO_STORE)
