"""The time of a box that may have booted with a wrong clock (design.md, Reaching it).

Until NTP has set the system's clock, a clock that is off runs on its parent's time, which comes
authenticated: with the vouch of the pinned key and with every hello of the uplink. What the hub's
clock decides (ends of permits, tokens' times) is always counted on the hub's time.
"""

import ctypes
import logging
from collections.abc import Callable

from village_core.clock import SYSTEM_CLOCK, Clock

log = logging.getLogger(__name__)

CLOSE_ENOUGH = 2_000  # ms: the vouch tells whole seconds
ALARMING = 5_000  # ms; AUD-8
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # struct timex has 208 on 64-bit Linux


def ntp_has_set_the_clock() -> bool:
    """Whether the kernel knows its clock as synchronised (adjtimex with modes = 0)."""
    buffer = ctypes.create_string_buffer(TIMEX_BYTES)
    try:
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):  # not Linux: believe the system
        return True
    return state not in (-1, TIME_ERROR)


class BoxClock:
    """A Clock: the system's when it is right, else the parent's."""

    def __init__(
        self,
        system: Clock = SYSTEM_CLOCK,
        synchronised: Callable[[], bool] = ntp_has_set_the_clock,
    ) -> None:
        self._system = system
        self._synchronised = synchronised
        self._parent: tuple[int, float] | None = None  # UTC ms, on the monotonic clock at
        self._use_parent = False

    def learn(self, parent_utc_ms: int) -> None:
        """The parent just said what time it is."""
        self._parent = (parent_utc_ms, self._system.monotonic())
        off = self._system.utc_ms() - parent_utc_ms
        right = abs(off) <= CLOSE_ENOUGH or self._synchronised()
        if abs(off) > ALARMING and (right or not self._use_parent):
            log.warning("this box's clock and its hub's differ by %.0f s", off / 1000)
        self._use_parent = not right

    @property
    def is_known(self) -> bool:
        """Whether anybody has said what time it is since the start: NTP, or the parent."""
        return self._parent is not None or self._synchronised()

    def utc_ms(self) -> int:
        return self.hub_utc_ms() if self._use_parent else self._system.utc_ms()

    def hub_utc_ms(self) -> int:
        """The hub's clock as last learned; the system's before."""
        if self._parent is None:
            return self._system.utc_ms()
        at, heard = self._parent
        return at + round((self._system.monotonic() - heard) * 1000)

    def until(self, utc_ms: int) -> float:
        """The monotonic second at which the hub's clock reads `utc_ms`."""
        return self._system.monotonic() + (utc_ms - self.hub_utc_ms()) / 1000

    def monotonic(self) -> float:
        return self._system.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._system.sleep(seconds)


class HubTime:
    """The hub's time as a Clock, for tokens that the hub checks by its own."""

    def __init__(self, clock: BoxClock) -> None:
        self._clock = clock

    def utc_ms(self) -> int:
        return self._clock.hub_utc_ms()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
