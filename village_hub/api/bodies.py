"""Request bodies, read strictly: the right type, within limits, nothing unknown in them."""

import asyncio
import json
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from village_core.messages import LARGEST_WHOLE
from village_hub.errors import BadRequest, TooLarge, TooSlow, Unprocessable, UnsupportedMedia

M = TypeVar("M", bound=BaseModel)
LARGEST_BODY = 64 * 1024  # bytes of JSON or SDP
LONGEST_NUMBER = 17  # characters
WITHIN = 10.0  # seconds for all of a body


async def read(request: web.Request, model: type[M]) -> M:
    """The JSON body as `model`. Raises one of errors.py that says what is wrong."""
    if request.content_type != "application/json":
        raise UnsupportedMedia("the body is to be application/json")
    text = await read_text(request)
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=_whole, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON", code="bad_json") from error
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise Unprocessable(first_error(error), code="bad_body") from error


async def read_text(request: web.Request) -> str:
    """The body as text in UTF-8. Raises BadRequest, TooLarge, TooSlow, UnsupportedMedia."""
    if "Content-Encoding" in request.headers:  # nothing of ours is so large, and bombs are
        raise UnsupportedMedia("the body is to come as it is, not packed")
    try:
        async with asyncio.timeout(WITHIN):
            return (await request.read()).decode()
    except TimeoutError as error:
        raise TooSlow(f"the body took over {WITHIN:.0f} s") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"the body has over {LARGEST_BODY} bytes") from error
    except UnicodeDecodeError as error:
        raise BadRequest("the body is not text in UTF-8", code="bad_text") from error


async def read_large(
    request: web.Request, largest: int, what: str, within: float = WITHIN
) -> bytes:
    """A body that is no text: a scan, a picture. Raises TooLarge, TooSlow."""
    if (request.content_length or 0) > largest:
        raise TooLarge(f"{what} has at most {largest} bytes")
    if request.content.at_eof():  # read before, for whom its token was for
        return await request.read()
    found = bytearray()
    try:
        async with asyncio.timeout(within):
            async for chunk in request.content.iter_chunked(64 * 1024):
                found += chunk
                if len(found) > largest:
                    raise TooLarge(f"{what} has at most {largest} bytes")
    except TimeoutError as error:
        raise TooSlow(f"{what} took over {within:.0f} s") from error
    return bytes(found)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of two equal names one reader takes the first, another the last: neither is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _whole(digits: str) -> int:
    """What every reader reads alike, and every database takes (RFC 7493 section 2.2)."""
    if len(digits) > LONGEST_NUMBER or abs(number := int(digits)) > LARGEST_WHOLE:
        raise ValueError("a number beyond 2^53")
    return number


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def first_error(error: ValidationError) -> str:
    """One sentence, without the value that was sent: it may be a secret."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{place}: {first['msg']}"
