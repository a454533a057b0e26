"""How much the line to the hub above carries, and who gives way when that is too little: pure.

Nothing is configured, for no number that is written down is true of a village's line. Until the
line was full it is taken to have room; when legs lose packets for as long as two looks, what
arrived is what it carries, and the least urgent give way until they fit: others before an SOS, a
main picture before a sub one, the last who came first. While nothing is lost it is tried again,
a little more each time. Rates are bits per second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from village_core.permits import Purpose, Quality

LOOK_EVERY = 2.0  # seconds
LOSS = 0.10  # from here on a line is full (design.md, Slow legs)
LOOKS = 2  # so many in a row
KEPT = 0.9  # of what arrived, is what may be sent: a full line has a queue to empty
GROWS = 1.01  # a look without loss: a third more in a minute
OPEN = float("inf")
USUAL = {Quality.MAIN: 2_500_000.0, Quality.SUB: 500_000.0}  # of a camera that was never measured


class Rank(IntEnum):
    """Who gives way first stands first."""

    OTHER = 0
    DUTY = 1
    URGENT = 2


URGENT = frozenset({Purpose.SOS, Purpose.EMERGENCY})
DUTY = frozenset({Purpose.PUBLIC_SECURITY, Purpose.CASE, Purpose.GUARD_HOME, Purpose.CARE})


def rank_of(purposes: Iterable[Purpose]) -> Rank:
    """Of a leg that serves all of these."""
    found = frozenset(purposes)
    if found & URGENT:
        return Rank.URGENT
    return Rank.DUTY if found & DUTY else Rank.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One push up. `loss` 0..1 as the hub above reports it; `began` on the monotonic clock."""

    id: str
    rank: Rank
    quality: Quality
    began: float
    rate: float
    loss: float

    @property
    def firmness(self) -> tuple[int, bool, float]:
        """The lowest gives way first."""
        return self.rank, self.quality is Quality.SUB, -self.began


class Room:
    def __init__(self) -> None:
        self.carries = OPEN
        self._full = 0  # looks in a row

    def look(self, legs: Sequence[Leg]) -> list[str]:
        """Ids of the legs that are to give way now. One that is alone stays, however little of it
        arrives: its own pace is for the leg."""
        if not any(leg.loss >= LOSS for leg in legs):
            self._full = 0
            self.carries *= GROWS
            return []
        self._full += 1
        if self._full < LOOKS:
            return []
        self._full = 0
        self.carries = KEPT * sum(leg.rate * (1 - leg.loss) for leg in legs)
        return self._too_many(legs, 0)

    def admits(self, legs: Sequence[Leg], rank: Rank, rate: float) -> bool:
        """Whether one more of this rate fits, if need be in the place of less urgent ones."""
        firm = sum(leg.rate for leg in legs if leg.rank >= rank)
        return rank is Rank.URGENT or firm + rate <= self.carries

    def make_way(self, legs: Sequence[Leg], rank: Rank, rate: float) -> list[str]:
        """Ids of those less urgent than `rank` that are to go for one more of this rate."""
        return self._too_many([leg for leg in legs if leg.rank < rank], rate + _firm(legs, rank))

    def _too_many(self, legs: Sequence[Leg], besides: float) -> list[str]:
        """The least firm of these, until the rest fits `besides` what else is sent."""
        left = sorted(legs, key=lambda leg: leg.firmness)
        gone = []
        last = 0 if besides else 1
        while len(left) > last and besides + sum(leg.rate for leg in left) > self.carries:
            gone.append(left.pop(0).id)
        return gone


def _firm(legs: Iterable[Leg], rank: Rank) -> float:
    return sum(leg.rate for leg in legs if leg.rank >= rank)
