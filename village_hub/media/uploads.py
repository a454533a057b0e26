"""Stills on their way up: whoever asked for one waits, the agent brings it by one ticketed PUT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from village_core.ids import new_secret
from village_core.messages import Ticketed
from village_hub.access.identity import TicketCaller
from village_hub.access.tickets import Tickets
from village_hub.errors import ChildTimeout, NotFound, Overloaded

LARGEST_STILL = 4 * 1024 * 1024  # bytes; a 12-megapixel JPEG at home quality
MOST_WAITING = 64  # uploads at a time: what they may hold in memory is bounded by it


@dataclass(frozen=True, slots=True)
class Expected:
    """One still that was asked for: tell the child `to`, then wait for `picture()`."""

    camera: str
    to: Ticketed
    arrived: asyncio.Future[bytes]

    async def picture(self, deadline: float) -> bytes:
        """The JPEG; raises ChildTimeout after `deadline` seconds."""
        try:
            async with asyncio.timeout(deadline):
                return await asyncio.shield(self.arrived)
        except TimeoutError as error:
            raise ChildTimeout("no picture came in time", code="still_timeout") from error


class Uploads:
    """Which uploads are expected, by the secret last part of their URL."""

    def __init__(self, url: str, tickets: Tickets) -> None:
        self._url = url
        self._tickets = tickets
        self._expected: dict[str, Expected] = {}

    @asynccontextmanager
    async def expect(self, camera: str) -> AsyncIterator[Expected]:
        """An upload is accepted while the context is open, once. Raises Overloaded."""
        if len(self._expected) >= MOST_WAITING:
            raise Overloaded("too many stills at a time", retry_after=2)
        name = new_secret()
        to = Ticketed(
            url=f"{self._url}/api/v1/uploads/{name}", ticket=self._tickets.for_upload(camera, name)
        )
        arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._expected[name] = Expected(camera, to, arrived)
        try:
            yield self._expected[name]
        finally:
            del self._expected[name]
            arrived.cancel()

    def find(self, name: str, ticket: TicketCaller) -> Expected:
        """The expected upload of this name; raises NotFound when the ticket is for another."""
        expected = self._expected.get(name)
        right = expected and ticket.push == name and ticket.camera == expected.camera
        if not expected or not right or expected.arrived.done():
            raise NotFound("no upload is expected here")
        return expected
