"""The ticks that publishers, streams and viewers want, from one job that sleeps while it can.

A wake-up of the event loop costs more than a packet, so nobody is ticked for nothing: those that
wait for something say so (`soon`), the rest is looked at every LOOKS.
"""

import asyncio
from collections.abc import Callable, Iterable

from village_core.clock import Clock
from village_core.media.viewer import Viewer
from village_hub.media.feed import Feed

BEAT = 0.005  # seconds: a burst is held no longer, a paced leg sends that often
LOOKS = 0.25  # between looks at what is not urgent: reports, ladders, stalls


class Pulse:
    """`run` is a job."""

    def __init__(
        self,
        feeds: Callable[[], Iterable[Feed]],
        viewers: Callable[[], Iterable[Viewer]],
        clock: Clock,
    ) -> None:
        self._feeds = feeds
        self._viewers = viewers
        self._clock = clock
        self._look_at = 0.0
        self._soon = asyncio.Event()

    def soon(self) -> None:
        """Something waits: beat within BEAT."""
        self._soon.set()

    async def run(self) -> None:
        while True:
            self._soon.clear()
            if not self.beat(self._clock.monotonic()):
                await self._rest()
            await self._clock.sleep(BEAT)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOKS):
                await self._soon.wait()
        except TimeoutError:
            pass

    def beat(self, now: float) -> bool:
        """One round; whether something still waits."""
        look = now >= self._look_at
        waits = False
        for feed in self._feeds():
            publisher = feed.publishing.publisher if feed.publishing is not None else None
            if publisher is not None and (look or publisher.restless):
                publisher.tick(now)
                waits = waits or publisher.restless
            if look or feed.stream.slow or feed.audio.slow:
                feed.stream.tick(now)
                feed.audio.tick(now)
                waits = waits or bool(feed.stream.slow or feed.audio.slow)
        if look:
            self._look_at = now + LOOKS
            for viewer in list(self._viewers()):
                viewer.tick(now)
        return waits
