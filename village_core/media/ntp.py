"""NTP time as RTCP uses it (RFC 3550 section 4)."""

from village_core.clock import Clock

_EPOCH = 2_208_988_800  # seconds from 1900 to 1970


class NtpTime:
    """Maps our monotonic clock to NTP time, fixed when made: reports never step."""

    def __init__(self, clock: Clock) -> None:
        self._offset = clock.utc_ms() / 1000 + _EPOCH - clock.monotonic()

    def at(self, now: float) -> int:
        """The 64-bit NTP time at `now`."""
        return int((now + self._offset) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF

    def seconds(self, ntp: int) -> float:
        """The monotonic time of a 64-bit NTP time of this mapping."""
        return ntp / (1 << 32) - self._offset


def middle(ntp: int) -> int:
    """The middle 32 bits, in 1/65,536 s, as reports give it back."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip(now_ntp: int, last_report: int, delay: int) -> float | None:
    """Seconds of RFC 3550 section 6.4.1's A - LSR - DLSR; None when it cannot be."""
    if not last_report:
        return None
    ticks = (middle(now_ntp) - last_report - delay) & 0xFFFFFFFF
    return ticks / 65536 if ticks < 1 << 31 else None
