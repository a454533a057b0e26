"""Keeps what is open over a restart of the agent or the box: openings.json (PRM-6, PRM-7).

Written at every change and, while something is open, every 20 s: so long at most one lasts over
what it should, if a box is switched off and then believes a wrong time.
"""

import asyncio
import logging
from pathlib import Path

from home_agent.boxclock import BoxClock
from home_agent.openings import Kept, Openings
from home_agent.state import State, StateError

log = logging.getLogger(__name__)

FILE = "openings.json"
LOOKS_EVERY = 20.0  # seconds
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4): another at every boot


class OpeningsFile:
    """`run` is its job. What cannot be written is open all the same: it is somebody's SOS."""

    def __init__(self, state: State, openings: Openings, clock: BoxClock, boot: str | None) -> None:
        """`boot`: this boot's name, for tests. Reads the file at once."""
        self._state = state
        self._openings = openings
        self._clock = clock
        self._boot = _boot_id() if boot is None else boot
        self._alone = asyncio.Lock()  # the later one is written last
        self._load()

    def _load(self) -> None:
        try:
            kept = self._state.read(FILE, Kept)
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400 - the box is to start all the same
            self._openings.count_as_full()
            return
        if kept is not None:
            self._openings.restore(kept, self._boot)

    async def save(self) -> None:
        async with self._alone:
            kept = self._openings.kept(self._boot)
            try:
                await asyncio.to_thread(self._state.write, FILE, kept)
            except StateError as error:
                log.error("%s", error)  # noqa: TRY400 - the sentence says it all

    async def run(self) -> None:
        """A job."""
        while True:
            await self._clock.sleep(LOOKS_EVERY)
            if self._openings.running() or self._openings.sweep():
                await self.save()


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
