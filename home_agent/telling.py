"""What the hub is told besides the status: the list of grants, and the home's own log (AUD-2).

On connect and on every change; what could not be told is told again. The hub's word on what was
stopped there is taken up here (stopped anywhere is stopped).
"""

import asyncio
import logging
from collections.abc import Sequence

from home_agent.boxclock import BoxClock
from home_agent.consent import Consent
from home_agent.hublink import HubLink
from home_agent.journal import Journal
from home_agent.state import State, StateError, Stored
from village_core.jobs import Supervisor
from village_core.line import PARENT_ERRORS, ParentError
from village_core.messages import MOST_LINES, LogBatch, LogLine

log = logging.getLogger(__name__)

FILE = "told.json"
SETTLE = 0.3  # seconds in which changes are gathered
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0  # seconds
LARGEST_BATCH = 48 * 1024  # bytes of lines in one call: the hub takes 64 KiB


class Told(Stored):
    """told.json: how far a hub has read the log."""

    agent: str = ""
    line: int = 0


class Telling:
    def __init__(
        self, state: State, consent: Consent, journal: Journal, link: HubLink, clock: BoxClock
    ) -> None:
        self._state = state
        self._consent = consent
        self._journal = journal
        self._link = link
        self._clock = clock
        self._grants = Retry(clock)
        self._lines = Retry(clock)
        consent.on_change = self._grants.wake
        journal.on_line = self._lines.wake
        link.on_up = self._up

    def start(self, supervisor: Supervisor) -> None:
        supervisor.start("grants", self._tell_grants_forever, expected=(StateError,))
        supervisor.start("permit log", self._tell_log_forever, expected=(StateError,))

    def _up(self) -> None:
        self._grants.wake()
        self._lines.wake()

    async def _tell_grants_forever(self) -> None:
        while True:
            await self._grants.due()
            try:
                await self.tell_grants()
            except PARENT_ERRORS as error:
                await self._grants.later("the list of grants", error)

    async def _tell_log_forever(self) -> None:
        while True:
            await self._lines.due()
            try:
                await self.tell_log()
            except PARENT_ERRORS as error:
                await self._lines.later("the permit log", error)

    async def tell_grants(self) -> None:
        """Raises one of PARENT_ERRORS, or StateError."""
        if not self._link.connected:
            return
        for part in self._consent.lists():
            answer = await self._link.parent().tell_grants(part)
            await self._consent.heard_stopped(answer.stopped)
        self._grants.done()

    async def tell_log(self) -> None:
        """Everything that the hub has not read yet. Raises one of PARENT_ERRORS, or StateError."""
        while self._link.connected:
            parent = self._link.parent()
            agent = parent.enrolment.agent
            told = await asyncio.to_thread(self._state.read, FILE, Told) or Told()
            if told.agent != agent:
                # What was let out under another enrolment is not this hub's to read.
                told = Told(agent=agent, line=self._journal.last if told.agent else 0)
                await asyncio.to_thread(self._state.write, FILE, told)
            lines = await asyncio.to_thread(self._journal.after, told.line, MOST_LINES)
            if not lines:
                break
            lines = fitting(lines)
            answer = await parent.tell_log(LogBatch(lines=tuple(lines)))
            if not told.line < answer.last <= lines[-1].number:
                raise ParentError("the hub names a line of the log that it was not told")
            told = told.model_copy(update={"line": answer.last})
            await asyncio.to_thread(self._state.write, FILE, told)
        self._lines.done()


def fitting(lines: Sequence[LogLine]) -> list[LogLine]:
    """As many of the first as one call may carry; at least one."""
    room, count = LARGEST_BATCH, 0
    for line in lines:
        room -= len(line.model_dump_json().encode())
        if room < 0:
            break
        count += 1
    return list(lines[: max(count, 1)])


class Retry:
    """Wakes for a change, and again after a while when it could not be told."""

    def __init__(self, clock: BoxClock) -> None:
        self._clock = clock
        self._changed = asyncio.Event()
        self._pause = FIRST_RETRY

    def wake(self) -> None:
        self._changed.set()

    async def due(self) -> None:
        await self._changed.wait()
        await self._clock.sleep(SETTLE)
        self._changed.clear()

    def done(self) -> None:
        self._pause = FIRST_RETRY

    async def later(self, what: str, error: Exception) -> None:
        log.info("%s could not be told: %s", what, error)
        await self._clock.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_RETRY)
        self._changed.set()
