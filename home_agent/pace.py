"""The ticks that streams and viewers want: pacing of slow legs, sender reports, the ladder."""

from collections.abc import Callable, Iterable

from village_core.clock import Clock
from village_core.media.stream import Stream
from village_core.media.viewer import Viewer

PACED = 0.005  # seconds while a leg is paced
WATCHED = 0.02  # while anyone watches: so soon a leg that became slow is noticed
IDLE = 0.25


class Pace:
    """`run` is a job; whoever makes a viewer adds it to `viewers` and takes it out at its end."""

    def __init__(self, streams: Callable[[], Iterable[Stream]], clock: Clock) -> None:
        self.viewers: set[Viewer] = set()
        self._streams = streams
        self._clock = clock
        self._all_at = 0.0

    async def run(self) -> None:
        while True:
            await self._clock.sleep(self.tick(self._clock.monotonic()))

    def tick(self, now: float) -> float:
        """Seconds until the next."""
        pause = WATCHED if self.viewers else IDLE
        everything = now >= self._all_at
        for stream in self._streams():
            if stream.slow:
                pause = PACED
            if stream.slow or everything:
                stream.tick(now)
        if everything:
            self._all_at = now + IDLE
            for viewer in tuple(self.viewers):
                viewer.tick(now)
        return pause
