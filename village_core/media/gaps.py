"""What a receiver misses: when to ask for it, when to go on without it (RFC 4585 section 6.2.1)."""

from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_WAIT = 0.150  # seconds a gap may hold back what came after it
LATEST = 1.0  # seconds after which a packet that was given up is not taken any more
MOST_ASKED = 6  # times one packet is asked for
FASTEST, SLOWEST = 0.020, 0.100  # seconds between two of them, by the round trip
FIRST_ROUND_TRIP = 0.050


@dataclass(slots=True)
class Missing:
    noticed: float
    ask_at: float
    asked: int


class Gaps:
    """Numbers of packets that did not come. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.round_trip = FIRST_ROUND_TRIP
        self._missing: dict[int, Missing] = {}
        self._given_up: dict[int, float] = {}
        self._asking: list[int] = []

    def __bool__(self) -> bool:
        """Whether anything is waited for."""
        return bool(self._missing)

    def __contains__(self, number: int) -> bool:
        """Whether this number would still be taken."""
        return number in self._missing or number in self._given_up

    def open(self, numbers: Iterable[int], now: float) -> None:
        """New gaps: asked for at once."""
        for number in numbers:
            self._missing[number] = Missing(now, now + self._pause, 1)
            self._asking.append(number)

    def fill(self, number: int, now: float) -> bool:
        """The packet came; False when it was not missing."""
        missing = self._missing.pop(number, None)
        if missing is None:
            return False
        if missing.asked == 1:  # else nobody can tell which request it answers
            self.round_trip += (now - missing.noticed - self.round_trip) / 8
        return True

    def fill_late(self, number: int) -> bool:
        """The packet came after it was given up; False when it was not, or too long ago."""
        return self._given_up.pop(number, None) is not None

    def overdue(self, number: int, now: float) -> bool:
        return now - self._missing[number].noticed >= LONGEST_WAIT

    def give_up(self, numbers: Iterable[int], now: float) -> None:
        for number in numbers:
            del self._missing[number]
            self._given_up[number] = now
        for number in [each for each, at in self._given_up.items() if now - at > LATEST]:
            del self._given_up[number]

    def ask_again(self, now: float) -> None:
        for number, missing in self._missing.items():
            if now >= missing.ask_at and missing.asked < MOST_ASKED:
                missing.asked += 1
                missing.ask_at = now + self._pause
                self._asking.append(number)

    def take_asking(self) -> list[int]:
        """The numbers to ask for now; each is given once."""
        asking, self._asking = self._asking, []
        return asking

    def clear(self) -> None:
        self._missing.clear()
        self._given_up.clear()
        self._asking.clear()

    def shift(self, count: int) -> None:
        """All numbers not yet handed on are higher from now on; older ones are forgotten."""
        self._missing = {number + count: missing for number, missing in self._missing.items()}
        self._asking = [number + count for number in self._asking]
        self._given_up.clear()

    @property
    def _pause(self) -> float:
        return min(max(self.round_trip, FASTEST), SLOWEST)
