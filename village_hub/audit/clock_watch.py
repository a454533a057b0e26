"""The log's times are no better than the clock: when that is set, the log says so (AUD-8)."""

import logging

from village_core.clock import Clock
from village_hub.audit import making
from village_hub.audit.log import AuditLog

log = logging.getLogger(__name__)

LOOKS_EVERY = 10.0  # seconds
NOTED, ALARM = 1000, 5000  # ms


class ClockWatch:
    """Compares the wall clock with the one that nobody sets; `run` is its job."""

    def __init__(self, book: AuditLog, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._before = self._drift()

    async def run(self) -> None:
        while True:
            await self._clock.sleep(LOOKS_EVERY)
            await self.look()

    async def look(self) -> None:
        """One entry for each step: `clock_set` over 1 s, `clock_alarm` over 5 s."""
        drift = self._drift()
        step, self._before = drift - self._before, drift
        if abs(step) <= NOTED:
            return
        alarm = abs(step) > ALARM
        if alarm:
            log.error("the clock was set by %+d ms: is NTP running?", step)
        action = "clock_alarm" if alarm else "clock_set"
        await self._book.put(making.system(self._clock, action, about={"step_ms": step}))

    def _drift(self) -> int:
        return self._clock.utc_ms() - round(self._clock.monotonic() * 1000)
