"""Strangers turned away: counted by network and minute, so that nobody fills the disk (AUD-3)."""

from collections import Counter
from collections.abc import Iterator

from village_core.clock import Clock
from village_hub.access.throttle import network_of
from village_hub.audit import making
from village_hub.audit.entry import Entry, EntryKind

MINUTE_MS = 60_000
MOST_NETWORKS = 50  # of a minute; all further ones are counted as one
OTHERS = "others"
ANYTHING, SIGN_IN = "refuse_strangers", "refuse_sign_in"  # what they tried


class Strangers:
    """Pure but for the clock it is given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[int, Counter[tuple[str, str]]] = {}

    def note(self, address: str, tried: str = ANYTHING) -> None:
        """Somebody without credentials that are good here was refused."""
        counts = self._counts.setdefault(self._clock.utc_ms() // MINUTE_MS, Counter())
        place = (tried, network_of(address))
        known = place in counts or len(counts) < MOST_NETWORKS
        counts[place if known else (tried, OTHERS)] += 1

    def of_past_minutes(self) -> Iterator[Entry]:
        """An entry for each network and minute that is over; they are told once."""
        minute = self._clock.utc_ms() // MINUTE_MS
        yield from self._take([each for each in self._counts if each != minute])

    def all(self) -> Iterator[Entry]:
        yield from self._take(list(self._counts))

    def _take(self, minutes: list[int]) -> Iterator[Entry]:
        for minute in minutes:
            for (tried, network), count in self._counts.pop(minute).items():
                yield making.system(
                    self._clock,
                    tried,
                    kind=EntryKind.REFUSAL_COUNT,
                    result="unauthorized",
                    source=network,
                    about={"count": count, "minute_ms": minute * MINUTE_MS},
                )
