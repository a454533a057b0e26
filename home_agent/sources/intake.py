"""RTP of one camera's tracks in, access units and audio out; RTCP for its clock (pure)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from home_agent.sources.contract import AccessUnit
from home_agent.sources.timeline import Timeline
from village_core.clock import Clock
from village_core.media import h264, rtcp, rtp
from village_core.media.packet import Packet
from village_core.media.rfc6184 import Depacketiser, Unpacked

NTP_TO_UNIX = 2_208_988_800  # seconds between 1900 and 1970
FAR = 3000  # numbers; a larger jump is a new start (RFC 3550 appendix A.1)
MOST_LOOSE = 16  # NAL units that wait for their picture


@dataclass(slots=True)
class Counts:
    packets: int = 0
    lost: int = 0
    torn: int = 0  # pictures with a missing part, not handed on
    strange: int = 0  # not RTP, or of another payload type


@dataclass(slots=True)
class Numbers:
    """Extends the numbers of one track and keeps what a receiver report needs."""

    payload_type: int
    ssrc: int | None = None
    first: int = 0
    last: int = 0
    counts: Counts = field(default_factory=Counts)
    _reported: tuple[int, int] = (0, 0)

    def take(self, data: bytes) -> tuple[rtp.Parsed, int, bool] | None:
        """The packet, its extended number, and whether the track began anew with it."""
        parsed = rtp.parse(data)
        if parsed is None or parsed.payload_type != self.payload_type:
            self.counts.strange += 1
            return None
        number = rtp.nearest(parsed.number, self.last, 16)
        anew = parsed.ssrc != self.ssrc or abs(number - self.last) > FAR
        if anew:
            self.ssrc, self.first = parsed.ssrc, parsed.number
            number = self.last = parsed.number
            self._reported = (0, 0)
        elif number > self.last:
            self.counts.lost += number - self.last - 1
            self.last = number
        self.counts.packets += 1
        return parsed, number, anew

    def report(self, ssrc: int) -> bytes | None:
        """A receiver report (RFC 3550 section 6.4.2), None before the first packet."""
        if self.ssrc is None:
            return None
        lost, packets = self.counts.lost, self.counts.packets
        newly_lost, newly = lost - self._reported[0], packets - self._reported[1]
        self._reported = (lost, packets)
        fraction = min(255, 256 * newly_lost // max(newly_lost + newly, 1))
        block = rtcp.ReportBlock(self.ssrc, fraction, lost, self.last & 0xFFFFFFFF, 0, 0, 0)
        return rtcp.build(rtcp.ReceiverReport(ssrc, (block,)))


class VideoIntake:
    """H.264 packets in, access units to `hand_on`; a picture with a hole in it is dropped."""

    def __init__(
        self,
        numbers: Numbers,
        parameter_sets: list[bytes],
        timeline: Timeline,
        hand_on: Callable[[AccessUnit], None],
    ) -> None:
        self.numbers = numbers
        self._parameter_sets = parameter_sets
        self._depacketiser = Depacketiser(list(parameter_sets))
        self._loose: list[bytes] = []
        self._timeline = timeline
        self._hand_on = hand_on

    def take(self, data: bytes) -> None:
        taken = self.numbers.take(data)
        if taken is None:
            return
        parsed, number, anew = taken
        if anew:
            self._timeline.restart()
            self._depacketiser = Depacketiser(list(self._parameter_sets))
        packet = Packet(number, parsed.timestamp, parsed.marker, parsed.payload)
        for unpacked in self._depacketiser.feed(packet):
            self._finish(unpacked)

    def _finish(self, unpacked: Unpacked) -> None:
        if not unpacked.whole:
            self.numbers.counts.torn += 1
            return
        nals = self._loose + unpacked.nals
        if not any(1 <= h264.nal_type(nal) <= h264.IDR for nal in nals):
            # Some cameras mark the parameter sets as if they were a picture of their own.
            self._loose = nals[-MOST_LOOSE:]
            return
        self._loose = []
        timestamp = self._timeline.extend(unpacked.timestamp)
        self._hand_on(AccessUnit(nals, timestamp, h264.is_keyframe(nals)))


class AudioIntake:
    """Audio packets in, payloads out as they are."""

    def __init__(
        self, numbers: Numbers, timeline: Timeline, hand_on: Callable[[bytes, int], None]
    ) -> None:
        self.numbers = numbers
        self._timeline = timeline
        self._hand_on = hand_on

    def take(self, data: bytes) -> None:
        taken = self.numbers.take(data)
        if taken is None or not taken[0].payload:
            return
        if taken[2]:
            self._timeline.restart()
        self._hand_on(taken[0].payload, self._timeline.extend(taken[0].timestamp))


def clock_skew_ms(compound: bytes, clock: Clock) -> int | None:
    """The camera's clock minus ours by a sender report in `compound`.

    None without a report, or when its clock only counts from its start (before 1970).
    """
    try:
        packets = rtcp.parse(compound)
    except rtcp.RtcpError:
        return None
    for packet in packets:
        if isinstance(packet, rtcp.SenderReport) and packet.ntp >> 32 >= NTP_TO_UNIX:
            camera = (packet.ntp * 1000 >> 32) - NTP_TO_UNIX * 1000
            return camera - clock.utc_ms()
    return None
