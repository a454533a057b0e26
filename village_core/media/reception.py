"""What a receiver reports back: loss, jitter, the sender's report (RFC 3550 section 6.4.1)."""

from village_core.media.ntp import middle
from village_core.media.rtcp import ReportBlock


class Reception:
    """The statistics of one source, from its first packet on."""

    def __init__(self, ssrc: int, first: int, transit: float) -> None:
        self.received = 0
        self._ssrc = ssrc
        self._first = first  # 16 bits, as the source counts
        self._transit = transit
        self._jitter = 0.0
        self._before = (0, 0)  # expected and received at the last report
        self._sender_report: tuple[int, float] | None = None

    def arrived(self, transit: float) -> None:
        """`transit`: arrival minus timestamp, in the codec's clock (RFC 3550 appendix A.8)."""
        self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def take_sender_report(self, ntp: int, now: float) -> None:
        """Its time is given back with our delay, so that the sender can tell the round trip."""
        self._sender_report = (middle(ntp), now)

    def report(self, highest: int, now: float) -> ReportBlock:
        """The block since the last one; `highest` is the source's number, not cut to 16 bits."""
        expected = highest - self._first + 1
        interval = expected - self._before[0]
        lost = interval - (self.received - self._before[1])
        self._before = (expected, self.received)
        last_report, since = self._sender_report or (0, now)
        return ReportBlock(
            ssrc=self._ssrc,
            fraction_lost=min(255, max(0, lost) * 256 // interval) if interval > 0 else 0,
            lost=expected - self.received,
            highest=highest & 0xFFFFFFFF,
            jitter=int(self._jitter),
            last_report=last_report,
            delay=int((now - since) * 65536) & 0xFFFFFFFF,
        )
