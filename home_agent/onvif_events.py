"""What a camera's alarm inputs do, heard through a helper process that goes on speaking.

A camera tells it by ONVIF's Real-time Pull-Point: a subscription is kept and asked again and again.
That, and all reading of XML, is done by the helper (`home_agent.onvif_helper.listening`), which
loads no service descriptions and ends when its stdin does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError

from home_agent import onvif
from home_agent.onvif import Heard, Listen
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from home_agent.sources.child import end_child, start_child
from village_core.troubles import Trouble

HELPER = "home_agent.onvif_helper.listening"
SILENT = 60.0  # seconds without a word after which the helper counts as lost; it speaks every 10


class Ears:
    """A camera's answers, one after the other. Raises SourceFailure when there are no more."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def __aiter__(self) -> "Ears":
        return self

    async def __anext__(self) -> Heard:
        try:
            async with asyncio.timeout(SILENT):
                line = await self._reader.readline()
        except TimeoutError as error:
            raise SourceFailure(
                Trouble.STALLED, f"Nothing was heard of the camera's events for {SILENT:.0f} s."
            ) from error
        except ValueError as error:  # a line longer than the pipe's limit
            raise SourceFailure(Trouble.PROTOCOL, "The ONVIF helper said too much.") from error
        return _read(line)


def _read(line: bytes) -> Heard:
    try:
        heard = Heard.model_validate_json(line)
    except ValidationError as error:
        raise SourceFailure(Trouble.PROTOCOL, "The ONVIF helper has ended.") from error
    if heard.trouble is not None:
        raise SourceFailure(heard.trouble, heard.sentence)
    return heard


@asynccontextmanager
async def ears(address: str, credentials: Credentials | None) -> AsyncIterator[Ears]:
    """A subscription that is kept while the context is open. Raises SourceFailure."""
    service = await onvif.find_events(address, credentials)
    asked = Listen(
        address=address,
        service=service,
        user=credentials.user if credentials else "",
        password=credentials.password if credentials else "",
    )
    async with run_helper(asked.model_dump_json().encode() + b"\n") as reader:
        yield Ears(reader)


@asynccontextmanager
async def run_helper(question: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """What the helper says; it ends its subscription and itself with the context."""
    process = await start_child(HELPER)
    assert process.stdin is not None  # noqa: S101 - asked for
    assert process.stdout is not None  # noqa: S101 - asked for
    try:
        process.stdin.write(question)
        with contextlib.suppress(OSError):  # it has ended: then it says nothing, either
            await process.stdin.drain()
        yield process.stdout
    finally:
        await end_child(process)
