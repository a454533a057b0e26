"""Rate limits: how often one source may do a thing. Pure but for the clock it is given."""

import ipaddress
import math
from collections import OrderedDict

from village_core.clock import Clock
from village_hub.errors import TooMany

MOST_SOURCES = 10_000  # remembered at a time; the one longest quiet is forgotten first


class Throttle:
    """A bucket a source: `burst` at once, refilled at `burst` per `seconds` (MED-10, IDN-11)."""

    def __init__(self, burst: int, seconds: float, clock: Clock) -> None:
        self._burst = burst
        self._rate = burst / seconds
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, source: str) -> None:
        """Raises TooMany when nothing is left, without taking anything."""
        left = self._left(source)
        if left < 1:
            wait = math.ceil((1 - left) / self._rate)
            raise TooMany("too many attempts; wait a little", retry_after=max(1, wait))

    def take(self, source: str) -> None:
        """One less is left."""
        self._levels[source] = (max(0.0, self._left(source) - 1), self._clock.monotonic())
        self._levels.move_to_end(source)
        if len(self._levels) > MOST_SOURCES:
            self._levels.popitem(last=False)

    def spend(self, source: str) -> None:
        """`check`, then `take`."""
        self.check(source)
        self.take(source)

    def give_back(self, source: str) -> None:
        """What was taken did not count."""
        if source in self._levels:
            self._levels[source] = (self._left(source) + 1, self._clock.monotonic())

    def _left(self, source: str) -> float:
        level, at = self._levels.get(source, (float(self._burst), 0.0))
        return min(self._burst, level + (self._clock.monotonic() - at) * self._rate)


def network_of(address: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 that one IPv6 line is given."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
