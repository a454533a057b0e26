"""When a leg is too much for its line: pace it, take the smaller picture, skip to a keyframe.

Pure decisions from receiver reports, REMB and what waits unsent (design.md, Slow legs).
"""

from collections import deque
from enum import Enum, auto

HEAVY_LOSS = 0.10
CLEAN_LOSS = 0.02
WINDOW = 2.0  # seconds
CLEAN_FOR = 30.0  # seconds until the larger picture is tried
LONGEST_CLEAN = 240.0  # where trying it failed again and again
FEWEST = 20  # packets on which a loss is judged
BEHIND_DOWN = 0.5  # seconds of unsent packets
BEHIND_SKIP = 1.0
SKIP_EVERY = 4.0
FAILED_SOON = 30.0  # going down again so soon after going up counts as a failed try


class Step(Enum):
    STAY = auto()
    PACE = auto()
    DOWN = auto()  # to the smaller picture; paced until then
    SKIP = auto()  # to the next keyframe
    UP = auto()


class Ladder:
    """Fed with reports, asked for a `step` every 250 ms or so."""

    def __init__(self) -> None:
        self.loss: float | None = None  # over the last window
        self._samples: deque[tuple[float, int, int]] = deque()
        self._heavy = False
        self._clean_since: float | None = None
        self._clean_for = CLEAN_FOR
        self._short_since: float | None = None
        self._troubled_at: float | None = None
        self._skipped_at = -SKIP_EVERY
        self._up_at: float | None = None

    def report(self, highest: int, lost: int, now: float) -> None:
        """One receiver report: extended highest number, and packets lost since the beginning."""
        samples = self._samples
        if samples and highest < samples[-1][1]:
            samples.clear()
        samples.append((now, highest, lost))
        while len(samples) > 2 and now - samples[1][0] >= WINDOW:
            samples.popleft()
        began, first, before = samples[0]
        if now - began >= WINDOW and highest - first >= FEWEST:
            self._judge((lost - before) / (highest - first), now)

    def limit(self, bits: int, needed: float, now: float) -> None:
        """One REMB. It counts as heavy loss when it stays far below what is sent for a window.

        Only downwards: an estimate hardly exceeds what was sent, so it cannot speak for more.
        """
        if bits >= 0.7 * needed:
            self._short_since = None
        elif self._short_since is None:
            self._short_since = now
        elif now - self._short_since >= WINDOW:
            self._heavy, self._clean_since, self._short_since = True, None, None

    def step(self, now: float, behind: float, *, can_go_down: bool, can_go_up: bool) -> Step:
        """What to do now. `behind`: seconds since which something waits unsent."""
        heavy, self._heavy = self._heavy, False
        if heavy or behind > BEHIND_DOWN:
            self._clean_since = None
            return self._worse(now, behind, heavy=heavy, can_go_down=can_go_down)
        clean = now - self._clean_since if self._clean_since is not None else 0.0
        if not can_go_up or clean < self._clean_for:
            return Step.STAY
        self._clean_since, self._up_at = None, now
        return Step.UP

    def moved(self) -> None:
        """The leg takes another stream: what was reported before says nothing of it."""
        self._samples.clear()
        self._heavy = False
        self._clean_since = self._short_since = self._troubled_at = None

    def _judge(self, loss: float, now: float) -> None:
        self.loss = loss
        if loss >= HEAVY_LOSS:
            self._heavy = True
            newest = self._samples[-1]
            self._samples.clear()
            self._samples.append(newest)  # the next verdict needs a window of its own
        if loss > CLEAN_LOSS:
            self._clean_since = None
        elif self._clean_since is None:
            self._clean_since = now

    def _worse(self, now: float, behind: float, *, heavy: bool, can_go_down: bool) -> Step:
        if can_go_down:
            self._note_failed_try(now)
            return Step.DOWN
        again = heavy and self._troubled_at is not None
        if heavy and self._troubled_at is None:
            self._troubled_at = now
        if (again or behind > BEHIND_SKIP) and now - self._skipped_at >= SKIP_EVERY:
            self._skipped_at = now
            return Step.SKIP
        return Step.PACE

    def _note_failed_try(self, now: float) -> None:
        if self._up_at is not None and now - self._up_at < FAILED_SOON:
            self._clean_for = min(2 * self._clean_for, LONGEST_CLEAN)
        else:
            self._clean_for = CLEAN_FOR
        self._up_at = None
