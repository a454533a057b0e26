"""One timeline out of a source's restarts: extended RTP timestamps that never run back."""

from village_core.clock import Clock
from village_core.media import rtp

LARGEST_STEP = 10  # seconds between two pictures; more is a new start of the source's clock
REORDERED = 2  # seconds that B-frames may go back


class Timeline:
    """Extends 32-bit timestamps of `rate` Hz. `restart` is called before a source starts anew.

    It begins at the monotonic clock's reading, so that another source's timeline goes on from it.
    """

    def __init__(self, rate: int, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._raw: int | None = None
        self._extended = 0

    def restart(self) -> None:
        self._raw = None

    def extend(self, raw: int) -> int:
        """The timestamp that goes on from the last one, by the time passed when `raw` jumps."""
        step = 0 if self._raw is None else rtp.signed(raw - self._raw, 32)
        jumped = not -REORDERED < step / self._rate < LARGEST_STEP
        if self._raw is None or jumped:
            now = int(self._clock.monotonic() * self._rate)
            self._extended = max(now, self._extended + self._rate // 100)
        else:
            self._extended += step
        self._raw = raw
        return self._extended
