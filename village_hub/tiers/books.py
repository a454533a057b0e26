"""Sends the lines that are written for hubs beside this one, and takes theirs (core's books.py).

    books.takers["checkpoint"] = take      # (session, peer, body): in the line's own transaction

What a line says is checked before anything is done with it. One that cannot be used is written into
the audit log and passed over: it holds up nothing behind it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from pydantic import ValidationError

from village_core.books import BookLine, BookLines, BookTaken
from village_core.clock import Clock
from village_core.line import PARENT_ERRORS
from village_core.uplink import Call, Reply, Route
from village_hub.audit import making
from village_hub.catalogue import audit, books, hubs
from village_hub.catalogue.store import Catalogue, CatalogueError, Session
from village_hub.errors import BadChild, Conflict, HubError
from village_hub.tiers.children import Children
from village_hub.tiers.from_above import told
from village_hub.tiers.parent import Upward

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between looks for lines that somebody wrote
AGAIN = 5.0  # seconds after a hub did not take any
KEPT_MS = 7 * 24 * 3600 * 1000  # for a hub that is restored from a copy
FORGET_EVERY = 3600.0  # seconds
ASK_WITHIN = 10.0  # seconds
LINES = "/api/v1/node/lines"
SEND_ERRORS = (*PARENT_ERRORS, HubError, CatalogueError, ValidationError)

Taker = Callable[[Session, str, Mapping[str, Any]], None]
"""(session, the hub that wrote it, the line's body). Raises CannotTake, or pydantic's
ValidationError, before it has changed anything."""


class CannotTake(Exception):  # noqa: N818 - what happened
    """The line is not used; the word says why."""


class Books:
    def __init__(
        self, upward: Upward, children: Children, catalogue: Catalogue, clock: Clock
    ) -> None:
        self.takers: dict[str, Taker] = {}
        self._upward = upward
        self._children = children
        self._catalogue = catalogue
        self._clock = clock
        self._not_before: dict[str, float] = {}  # by hub, after a failure
        self._forgot = clock.monotonic()
        self._soon = asyncio.Event()

    def peers(self, session: Session) -> list[str]:
        """The hubs beside this one."""
        tie = self._upward.tie
        return [*([tie.hub] if tie else []), *(row.id for row in hubs.living(session))]

    async def run(self) -> None:
        """A job."""
        while True:
            sent = await self._send_all()
            if self._clock.monotonic() - self._forgot >= FORGET_EVERY:
                self._forgot = self._clock.monotonic()
                await self._catalogue.write(books.forget, self._clock.utc_ms() - KEPT_MS)
            if not sent:
                await self._pause()

    def soon(self) -> None:
        """Lines were written that are not to wait for the next look."""
        self._soon.set()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._soon.wait()
        self._soon.clear()

    async def take(self, peer: str, said: BookLines) -> BookTaken:
        """Lines of a hub beside this one."""

        def all_of_them(session: Session) -> BookTaken:
            now = self._clock.utc_ms()
            one, lost = partial(self._one, peer=peer), partial(self._lost, session, peer)
            return books.take(session, peer, said, now, one, lost)

        return await self._catalogue.write(all_of_them)

    @property
    def routes(self) -> list[Route]:
        """For the hub above."""
        return [Route("PUT", "/lines", told(self._take_from_above))]

    async def _take_from_above(self, call: Call) -> Reply:
        tie = self._upward.tie
        if tie is None:
            raise Conflict("this hub has joined no other", code="no_parent")
        return Reply(200, await self.take(tie.hub, BookLines.model_validate(call.body)))

    def _one(self, session: Session, line: BookLine, *, peer: str) -> None:
        taker = self.takers.get(line.kind)
        try:
            if taker is None:
                raise CannotTake("unknown_kind")  # noqa: TRY301 - as any other reason
            taker(session, peer, line.body)
        except (CannotTake, ValidationError) as error:
            why = str(error) if isinstance(error, CannotTake) else "malformed"
            log.warning("line %d (%s) of hub %s is not used: %s", line.number, line.kind, peer, why)
            about = {"hub": peer, "line": line.number, "kind": line.kind, "why": why}
            audit.append(session, making.system(self._clock, "line_not_used", about=about))

    def _lost(self, session: Session, peer: str, first: int, last: int) -> None:
        log.error("lines %d to %d of hub %s never came and are gone", first, last, peer)
        about = {"hub": peer, "from": first, "to": last, "lines": last - first + 1}
        audit.append(session, making.system(self._clock, "lines_lost", about=about))

    async def _send_all(self) -> bool:
        """Whether there may be more to send at once."""
        now = self._clock.monotonic()
        found = await self._catalogue.read(books.waiting)
        ready = [
            peer for peer in found if self._reached(peer) and self._not_before.get(peer, now) <= now
        ]
        sent = await asyncio.gather(*[self._send(peer) for peer in ready])
        return any(sent)

    def _reached(self, peer: str) -> bool:
        tie = self._upward.tie
        if tie is not None and tie.hub == peer:
            return self._upward.connected
        return self._children.online(peer)

    async def _send(self, peer: str) -> bool:
        try:
            said = await self._catalogue.read(books.batch, peer)
            if said is None:
                return False
            answer = await self._ask(peer, said)
            late = await self._catalogue.write(books.answered, peer, answer)
        except SEND_ERRORS as error:
            log.info("hub %s did not take lines: %s", peer, error)
            self._not_before[peer] = self._clock.monotonic() + AGAIN
            return False
        if late:
            log.warning("%d lines for hub %s go under new numbers: an older copy?", late, peer)
        self._not_before.pop(peer, None)
        if answer.last < said.lines[0].number and not late:
            self._not_before[peer] = self._clock.monotonic() + AGAIN  # it took none: no haste
            return False
        return True

    async def _ask(self, peer: str, said: BookLines) -> BookTaken:
        tie = self._upward.tie
        if tie is not None and tie.hub == peer:
            return await self._upward.parent().ask("PUT", LINES, said, BookTaken)
        answer = await self._children.ask(peer, "PUT", "/lines", said, deadline=ASK_WITHIN)
        if answer.status != 200:
            raise BadChild(f"it answered {answer.status}")
        return BookTaken.model_validate(answer.body)
