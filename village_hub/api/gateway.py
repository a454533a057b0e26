"""What the SMS and voice gateway tells us: receipts, and keys that somebody pressed during a call.

Both answer without a sign-in: every call is signed with the gateway's secret, at most five minutes
old, and carried out once (docs/guide/notices.md). No key can say yes to anything (PRM-23).
"""

from typing import Literal

from aiohttp import web
from pydantic import Field

from village_hub import keys
from village_hub.api import bodies
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.errors import Conflict, Forbidden, NotFound
from village_hub.notices.carriers import Result

routes = web.RouteTableDef()

RESULTS = {
    "delivered": Result.ARRIVED,  # a text message
    "answered": Result.ARRIVED,  # a call
    "failed": Result.BOUNCED,
    "busy": Result.BOUNCED,
    "no_answer": Result.BOUNCED,
    "wrong_number": Result.IMPOSSIBLE,
}


class Receipt(Shape):
    """What became of one message or call."""

    reference: str = Field(max_length=120)
    result: Literal["delivered", "answered", "failed", "busy", "no_answer", "wrong_number"]


class Receipts(Shape):
    receipts: list[Receipt] = Field(max_length=200)


class Pressed(Shape):
    """A key during a call, or the single digit of a text message sent back."""

    reference: str = Field(max_length=120)
    key: str = Field(pattern=r"^[0-9*#]$")


class Spoken(Shape):
    """What to say in the call."""

    say: str


@routes.post("/api/v1/gateway/receipts", name="gateway_receipts")
@operation(body=Receipts, errors=(Forbidden, NotFound, Conflict))
async def receipts(request: web.Request) -> web.Response:
    """What became of messages and calls. The same receipt again changes nothing."""
    call = await _check(request)
    body = await bodies.read(request, Receipts)
    notices = request.app[keys.NOTICES]
    for one in body.receipts:
        await notices.receipt(one.reference, RESULTS[one.result])
    notices.carried_out(call)
    return done()


@routes.post("/api/v1/gateway/keys", name="gateway_keys")
@operation(body=Pressed, answer=Spoken, errors=(Forbidden, NotFound, Conflict))
async def pressed(request: web.Request) -> web.Response:
    """Somebody pressed a key: stop, no, or "I am coming" to an SOS; anything else does nothing."""
    call = await _check(request)
    body = await bodies.read(request, Pressed)
    notices = request.app[keys.NOTICES]
    say = await notices.phone_keys.pressed(body.reference, body.key)
    notices.carried_out(call)
    return reply(Spoken(say=say))


async def _check(request: web.Request) -> str:
    """The call's id; raises what forged, old and repeated calls get."""
    body = (await bodies.read_text(request)).encode()
    return request.app[keys.NOTICES].check_gateway(request.headers, body)
