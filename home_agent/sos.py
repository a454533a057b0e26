"""SOS raised at home (PRM-6): it opens the household's chosen cameras here, and is told to the hub
again and again until the hub has taken it. Whether it was sent is said aloud: nobody is to wait for
help that was never called.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from home_agent.boxclock import BoxClock
from home_agent.consent import Consent
from home_agent.journal import Event, Journal
from home_agent.parent import Parent
from home_agent.state import State, StateError, Stored
from village_core.ids import new_id
from village_core.line import PARENT_ERRORS, ParentError
from village_core.messages import SosRaised

log = logging.getLogger(__name__)

FILE = "sos.json"
AGAIN = 60.0  # seconds in which a second press is the same call
GIVE_UP = 24 * 3600 * 1000  # ms: what was not sent in a day is told to nobody any more
FIRST_RETRY, LONGEST_RETRY = 1.0, 10.0  # seconds
TRY_FOR = 8.0  # seconds one attempt may take
SHOWN = 30 * 60 * 1000  # ms for which the page says what became of it

By = Literal["button", "lan", "command", "alarm"]


class Raised(Stored):
    """sos.json: the last one."""

    id: str
    raised_ms: int
    cameras: tuple[str, ...]
    by: By
    grant: str = ""
    sent: bool = False


class Sos:
    """`run` is the job that tells the hub."""

    def __init__(
        self,
        state: State,
        clock: BoxClock,
        consent: Consent,
        journal: Journal,
        parent: Callable[[], Parent],
        changed: Callable[[], None],
    ) -> None:
        self._state = state
        self._clock = clock
        self._consent = consent
        self._journal = journal
        self._parent = parent
        self._changed = changed
        self._wake = asyncio.Event()
        self._pressed = float("-inf")
        self.trouble = ""  # why it is not sent, in words
        self.last = _stored(state)

    @property
    def pending(self) -> Raised | None:
        """One that is not sent yet."""
        last = self.last
        if last is None or last.sent or self._clock.utc_ms() - last.raised_ms > GIVE_UP:
            return None
        return last

    @property
    def shown(self) -> Raised | None:
        """What people at home are to see of it now."""
        last = self.last
        if last is None or self._clock.utc_ms() - last.raised_ms > SHOWN:
            return self.pending
        return last

    async def press(self, by: By) -> Raised:
        """Somebody at home calls for help. Never fails: what cannot be kept is called all the same.
        A second press within a minute is the same call."""
        now = self._clock.monotonic()
        if self.last is not None and (now - self._pressed < AGAIN or self._still_calling()):
            return self.last
        self._pressed = now
        grant, cameras = self._consent.standing_sos()
        self.last = Raised(
            id=new_id(self._clock),
            raised_ms=self._clock.utc_ms(),
            cameras=tuple(sorted(cameras)),
            by=by,
            grant=grant,
        )
        self.trouble = ""
        log.warning("SOS %s is raised (%s); %d cameras open", self.last.id, by, len(cameras))
        self._consent.raise_sos(self.last.id, by)
        self._wake.set()
        self._changed()
        raised = self.last
        await self._keep(raised)
        await self._consent.openings_file.save()
        await self._journal.note(Event("sos", ref=raised.id, why=by))
        return raised

    def _still_calling(self) -> bool:
        """Not sent, and what it opened is open still: pressing again is the same call."""
        last = self.pending
        return last is not None and self._consent.openings.get(last.id) is not None

    async def run(self) -> None:
        """Ends never; each pause is short while a call waits."""
        pause = FIRST_RETRY
        while True:
            if self.pending is None:
                await self._wake.wait()
                pause = FIRST_RETRY
            self._wake.clear()
            if await self._send():
                continue
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY)

    async def _send(self) -> bool:
        raised = self.pending
        if raised is None:
            return True
        said = SosRaised(
            id=raised.id,
            raised_ms=raised.raised_ms,
            cameras=raised.cameras,
            by=raised.by,
            grant=raised.grant,
        )
        try:
            async with asyncio.timeout(TRY_FOR):
                await self._parent().tell_sos(said)
        except (*PARENT_ERRORS, ParentError) as error:
            self.trouble = str(error) or "the hub does not answer"
            log.error("SOS %s is not sent yet: %s", raised.id, self.trouble)  # noqa: TRY400
            return False
        log.warning("SOS %s is sent", raised.id)
        self.trouble = ""
        if self.last is not None and self.last.id == raised.id:
            self.last = self.last.model_copy(update={"sent": True})
            await self._keep(self.last)
        self._changed()
        return True

    async def _keep(self, raised: Raised) -> None:
        try:
            await asyncio.to_thread(self._state.write, FILE, raised)
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400


def _stored(state: State) -> Raised | None:
    try:
        return state.read(FILE, Raised)
    except StateError as error:
        log.error("%s", error)  # noqa: TRY400
        return None
