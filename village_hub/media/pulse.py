"""The ticks that publishers, streams and viewers want, from one job."""

from collections.abc import Callable, Iterable

from village_core.clock import Clock
from village_core.media.viewer import Viewer
from village_hub.media.feed import Feed

BEAT = 0.005  # seconds: a burst is held no longer, a paced leg sends that often
IDLE = 0.05  # while nothing flows
LOOKS = 0.25  # between looks at what is not urgent: reports, ladders


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

    async def run(self) -> None:
        while True:
            await self._clock.sleep(self.beat(self._clock.monotonic()))

    def beat(self, now: float) -> float:
        """Seconds until the next."""
        pause = IDLE
        look = now >= self._look_at
        for feed in self._feeds():
            if feed.publishing is not None:
                feed.publishing.publisher.tick(now)
                pause = BEAT
            if look or feed.stream.slow or feed.audio.slow:
                feed.stream.tick(now)
                feed.audio.tick(now)
        if look:
            self._look_at = now + LOOKS
            for viewer in list(self._viewers()):
                viewer.tick(now)
        return pause
