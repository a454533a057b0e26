"""`Idempotency-Key`: the same key again gives the first answer again and does nothing twice.

For operations marked `creates`. A key belongs to its caller and operation, for a day. Such an
answer is kept as it was given, so no operation that answers with a secret is marked so.
"""

import hashlib
import re

from aiohttp import web
from aiohttp.typedefs import Handler

from village_hub import keys
from village_hub.access.guard import CALLER, SOURCE
from village_hub.access.identity import PersonCaller
from village_hub.access.throttle import network_of
from village_hub.api import bodies
from village_hub.api.contract import operation_of
from village_hub.catalogue import once
from village_hub.catalogue.once import Given
from village_hub.errors import BadRequest, Conflict, HubError, Unprocessable

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{8,120}")
KEPT = 24 * 3600 * 1000  # ms


@web.middleware
async def only_once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Innermost: who calls is known, nothing is done yet."""
    said = operation_of(request.match_info.handler)
    key = request.headers.get(HEADER)
    if key is None or said is None or not said.creates:
        return await handler(request)
    if not KEY.fullmatch(key):
        raise BadRequest(f"{HEADER} is to be 8 to 120 visible ASCII characters", code="bad_key")
    name, asked = _name(request, key), await _asked(request)
    catalogue, now = request.app[keys.CATALOGUE], request.app[keys.CLOCK].utc_ms()
    given = await catalogue.write(once.begin, name, asked, now)
    if given is not None:
        return _again(given, asked)
    try:
        response = await handler(request)
    except (HubError, web.HTTPException):  # refused: nothing was done
        await catalogue.write(once.forget, name)
        raise
    await catalogue.write(once.keep, name, _given(asked, response))
    return response


def _name(request: web.Request, key: str) -> str:
    caller = request.get(CALLER)
    source = network_of(request[SOURCE].address)
    who = caller.credential if isinstance(caller, PersonCaller) else f"source {source}"
    return _digest(who, request.method, request.path, key)


async def _asked(request: web.Request) -> str:
    return _digest(request.query_string, await bodies.read_text(request))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def _given(asked: str, response: web.StreamResponse) -> Given:
    body = response.body if isinstance(response, web.Response) else b""
    return Given(
        request=asked,
        status=response.status,
        kind=response.content_type,
        location=response.headers.get("Location", ""),
        body=body if isinstance(body, bytes) else b"",
    )


def _again(given: Given, asked: str) -> web.Response:
    if given.request != asked:
        raise Unprocessable("this key was used for another request", code="key_reused")
    if given.status is None:
        raise Conflict(
            "the first request with this key has no answer yet: look whether it was done",
            code="key_running",
        )
    response = web.Response(status=given.status, body=given.body or None)
    response.headers.update({"Idempotency-Replayed": "true", "Cache-Control": "no-store"})
    if given.body:
        response.content_type = given.kind
    if given.location:
        response.headers["Location"] = given.location
    return response
