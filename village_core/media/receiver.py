"""The receiving half for one source: order, repair, report, and make bursts (RFC 3550, 4585, 4588).

Numbers are never made anew: a packet's number in the stream is the source's plus a constant, so
that what stayed lost on the home's line is a gap that viewers see and ask for.
"""

from dataclasses import dataclass
from typing import Protocol

from village_core.media import rtp
from village_core.media.h264 import payload_begins_keyframe
from village_core.media.packet import (
    HEADER,
    LONGEST_HOLD,
    MOST_BYTES,
    MOST_PACKETS,
    VIDEO_CLOCK,
    Burst,
    Kind,
    Packet,
)
from village_core.media.rtcp import ReportBlock

LONGEST_WAIT = 0.150  # seconds a gap may hold back what came after it
LATEST = 1.0  # seconds after which a packet given up is not taken any more
MOST_MISSING = 1000  # a larger jump is not asked for again
RESTART_JUMP = 3000  # RFC 3550 appendix A.1, MAX_DROPOUT: the source began anew
MOST_NACKS = 6  # times one packet is asked for
FASTEST_NACK, SLOWEST_NACK = 0.020, 0.100  # seconds between two of them, by the round trip
RETIREMENT = 5.0  # seconds for which a replaced SSRC is not taken back
FIRST_ROUND_TRIP = 0.050


class Into(Protocol):
    """Where the bursts go: a stream's inlet."""

    def begin(self) -> tuple[int, int]:
        """The source begins (anew): number and timestamp that its next packet continues with."""
        ...

    def feed(self, burst: Burst) -> None: ...


@dataclass(slots=True)
class Missing:
    noticed: float
    ask_at: float
    asked: int


@dataclass(slots=True)
class Counters:
    packets: int = 0
    octets: int = 0
    lost: int = 0  # given up after LONGEST_WAIT
    repaired: int = 0  # came after they were asked for
    duplicates: int = 0
    strange: int = 0  # malformed, or of no payload type of ours
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Receiving:
    """How one kind of media was negotiated with a publisher."""

    payload_type: int
    clock_rate: int = VIDEO_CLOCK
    rtx_payload_type: int | None = None
    kind: Kind = Kind.VIDEO


class Receiver:
    """Takes the RTP of one source. `feed` and `tick` call `into` with bursts, in order.

    `take_nacks` gives the 16-bit numbers to ask for now. Times are monotonic seconds.
    """

    def __init__(self, receiving: Receiving, into: Into) -> None:
        self.counters = Counters()
        self.ssrc: int | None = None
        self.last_packet_at: float | None = None
        self._receiving = receiving
        self._into = into
        self._payload_type = receiving.payload_type
        self._shift = 0  # number in the stream minus the source's
        self._first = 0
        self._next = 0  # the number to hand on next
        self._next_raw = -1  # the same as the source counts it, 16 bits
        self._raw_timestamp = -1
        self._timestamp = 0
        self._transit = 0.0
        self._jitter = 0.0
        self._open: list[Packet] = []
        self._open_octets = 0
        self._opened_at = 0.0
        self._keyframe_timestamp: int | None = None
        self._held: dict[int, Packet] = {}
        self._highest = 0  # of the held, when there are any
        self._missing: dict[int, Missing] = {}
        self._given_up: dict[int, float] = {}
        self._nacks: list[int] = []
        self._round_trip = FIRST_ROUND_TRIP
        self._retired: dict[int, float] = {}
        self._suspect: tuple[rtp.Parsed, int] | None = None
        self._reported = (0, 0)  # expected and received at the last report
        self._received = 0
        self._sender_report: tuple[int, float] | None = None

    def feed(self, datagrams: list[bytes], now: float) -> None:
        """RTP packets as they arrived; never raises, whatever they hold."""
        self.last_packet_at = now
        for data in datagrams:
            if len(data) > HEADER:
                first, second, raw, timestamp, ssrc = rtp.FIXED.unpack_from(data)
                if (
                    raw == self._next_raw
                    and ssrc == self.ssrc
                    and first == rtp.PLAIN
                    and second & 0x7F == self._payload_type
                    and not self._held
                ):
                    if timestamp != self._raw_timestamp:
                        self._turn_timestamp(timestamp, now)
                    self._received += 1
                    self._hand_on(
                        Packet(self._next, self._timestamp, second > 0x7F, data[HEADER:]), now
                    )
                    continue
            self._take_unusual(data, now)
        if self._open and now - self._opened_at >= LONGEST_HOLD:
            self._flush()

    def tick(self, now: float) -> None:
        """Every 5 ms or so: ends holds, gives gaps up, and asks again for what is missing."""
        if self._missing:
            self._ask_again(now)
            self._give_up_old(now)
        if self._open and now - self._opened_at >= LONGEST_HOLD:
            self._flush()

    def take_nacks(self) -> list[int]:
        nacks, self._nacks = self._nacks, []
        return nacks

    def take_sender_report(self, ntp: int, now: float) -> None:
        """Remembers when the source's report came, for the delay that ours give back."""
        self._sender_report = (ntp >> 16 & 0xFFFFFFFF, now)

    def extended_timestamp(self, raw: int) -> int:
        """The stream's timestamp for one that the source's sender report names."""
        return rtp.nearest(raw, self._raw_timestamp, 32) - self._raw_timestamp + self._timestamp

    def report(self, now: float) -> ReportBlock | None:
        """The report block of RFC 3550 section 6.4.1 since the last one; None before a packet."""
        if self.ssrc is None:
            return None
        highest = self._newest - self._shift
        expected = self._newest - self._first + 1
        before_expected, before_received = self._reported
        self._reported = (expected, self._received)
        interval = expected - before_expected
        lost = interval - (self._received - before_received)
        last_report, since = self._sender_report or (0, now)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(255, max(0, lost) * 256 // interval) if interval > 0 else 0,
            lost=expected - self._received,
            highest=highest & 0xFFFFFFFF,
            jitter=int(self._jitter),
            last_report=last_report,
            delay=int((now - since) * 65536) & 0xFFFFFFFF,
        )

    @property
    def _newest(self) -> int:
        return self._highest if self._held else self._next - 1

    def _hand_on(self, packet: Packet, now: float) -> None:
        """`packet` is the next in order."""
        octets = len(packet.payload)
        if self._open and (
            packet.timestamp != self._open[0].timestamp
            or self._open_octets + octets > MOST_BYTES - MOST_PACKETS * HEADER
        ):
            self._flush()
        opened = self._open
        if not opened:
            self._opened_at = now
        opened.append(packet)
        self._open_octets += octets
        self._next = packet.number + 1
        self._next_raw = (self._next - self._shift) & 0xFFFF
        if packet.marker or len(opened) >= MOST_PACKETS:
            self._flush()

    def _flush(self) -> None:
        packets, self._open = self._open, []
        octets, self._open_octets = self._open_octets, 0
        self.counters.packets += len(packets)
        self.counters.octets += octets
        self._into.feed(
            Burst(self._receiving.kind, packets, self._is_keyframe(packets), None, octets)
        )

    def _is_keyframe(self, packets: list[Packet]) -> bool:
        timestamp = packets[0].timestamp
        if self._receiving.kind is not Kind.VIDEO or timestamp == self._keyframe_timestamp:
            return False
        for packet in packets:
            verdict = payload_begins_keyframe(packet.payload)
            if verdict is not None:
                if verdict:
                    self._keyframe_timestamp = timestamp
                return verdict
        return False

    def _turn_timestamp(self, raw: int, now: float) -> None:
        """A new picture: extends its timestamp and updates the jitter (RFC 3550 appendix A.8).

        Once a picture, since the packets of one share its timestamp.
        """
        self._timestamp += rtp.signed(raw - self._raw_timestamp, 32)
        self._raw_timestamp = raw
        transit = now * self._receiving.clock_rate - self._timestamp
        self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def _take_unusual(self, data: bytes, now: float) -> None:
        """All but the next packet in its plainest form."""
        parsed = rtp.parse(data)
        if parsed is None:
            self.counters.strange += 1
            return
        if parsed.payload_type == self._receiving.rtx_payload_type:
            self._take_repair(parsed, now)
        elif parsed.payload_type != self._payload_type:
            self.counters.strange += 1
        elif parsed.ssrc == self.ssrc:
            self._take(parsed, now)
        elif now - self._retired.get(parsed.ssrc, -RETIREMENT) >= RETIREMENT:
            self._restart(parsed, now)
            self._take(parsed, now)

    def _take_repair(self, parsed: rtp.Parsed, now: float) -> None:
        """A retransmission in its own stream (RFC 4588 section 4); an empty one is a probe."""
        if self.ssrc is None or len(parsed.payload) < 2:
            return
        number = int.from_bytes(parsed.payload[:2])
        self._take(parsed._replace(number=number, ssrc=self.ssrc, payload=parsed.payload[2:]), now)

    def _take(self, parsed: rtp.Parsed, now: float) -> None:
        newest = self._newest
        number = rtp.nearest(parsed.number, newest - self._shift, 16) + self._shift
        ahead = number - newest
        if abs(ahead) >= RESTART_JUMP:
            self._take_far(parsed, number, now)
            return
        self._suspect = None
        if number < self._next:
            self._take_late(parsed, number, now)
        elif number in self._held:
            self.counters.duplicates += 1
        else:
            self._place(parsed, number, now)

    def _take_far(self, parsed: rtp.Parsed, number: int, now: float) -> None:
        """Two packets in a row that far away: the source began anew (RFC 3550 appendix A.1)."""
        if self._suspect is None or number != self._suspect[1] + 1:
            self._suspect = (parsed, number)
            return
        first, _ = self._suspect
        self._restart(first, now)
        self._take(first, now)
        self._take(parsed, now)

    def _restart(self, parsed: rtp.Parsed, now: float) -> None:
        """The first packet of a source, or the first after it began anew."""
        if self.ssrc is not None:
            self._release_all(now)
            self.counters.restarts += 1
            self._retire(self.ssrc, now)
        self._retired.pop(parsed.ssrc, None)
        self.ssrc = parsed.ssrc
        number, self._timestamp = self._into.begin()
        self._shift = number - parsed.number
        self._first = self._next = number
        self._next_raw = parsed.number
        self._raw_timestamp = parsed.timestamp
        self._transit = now * self._receiving.clock_rate - self._timestamp
        self._reported, self._received = (0, 0), 0
        self._suspect = self._sender_report = self._keyframe_timestamp = None
        self._given_up.clear()

    def _retire(self, ssrc: int, now: float) -> None:
        """Late packets of an SSRC that was replaced must not bring it back."""
        kept = {old: since for old, since in self._retired.items() if now - since < RETIREMENT}
        self._retired = {**kept, ssrc: now} if len(kept) < 16 else {ssrc: now}

    def _packet(self, parsed: rtp.Parsed, number: int, now: float) -> Packet:
        if parsed.timestamp == self._raw_timestamp:
            timestamp = self._timestamp
        elif number > self._newest:
            self._turn_timestamp(parsed.timestamp, now)
            timestamp = self._timestamp
        else:
            timestamp = self.extended_timestamp(parsed.timestamp)
        return Packet(number, timestamp, parsed.marker, parsed.payload)

    def _place(self, parsed: rtp.Parsed, number: int, now: float) -> None:
        """A number not seen before, not below the next."""
        self._received += 1
        newest = self._newest
        packet = self._packet(parsed, number, now)
        if number == self._next:
            self._hand_on(packet, now)
            self._fill(number, now)
            return
        if number - newest > MOST_MISSING or len(self._held) >= 2 * MOST_MISSING:
            self._release_all(now)
            self.counters.lost += number - self._next
            self._hand_on(packet, now)
            return
        self._held[number] = packet
        self._repaired(number, now)
        if number > newest:
            self._miss(range(newest + 1, number), now)
            self._highest = number

    def _miss(self, numbers: range, now: float) -> None:
        for number in numbers:
            self._missing[number] = Missing(now, now + self._nack_pause, 1)
            self._nacks.append((number - self._shift) & 0xFFFF)

    @property
    def _nack_pause(self) -> float:
        return min(max(self._round_trip, FASTEST_NACK), SLOWEST_NACK)

    def _repaired(self, number: int, now: float) -> None:
        missing = self._missing.pop(number, None)
        if missing is None:
            return
        self.counters.repaired += 1
        if missing.asked == 1:  # else nobody can tell which request it answers
            self._round_trip += (now - missing.noticed - self._round_trip) / 8

    def _fill(self, number: int, now: float) -> None:
        """`number` was handed on: so can be what was held behind it."""
        self._repaired(number, now)
        held = self._held
        while (packet := held.pop(self._next, None)) is not None:
            self._hand_on(packet, now)

    def _take_late(self, parsed: rtp.Parsed, number: int, now: float) -> None:
        if self._given_up.pop(number, None) is None:
            self.counters.duplicates += 1
            return
        self._received += 1
        self.counters.lost -= 1
        self.counters.repaired += 1
        packet = self._packet(parsed, number, now)
        self._into.feed(Burst(self._receiving.kind, [packet], octets=len(packet.payload)))

    def _ask_again(self, now: float) -> None:
        for number, missing in self._missing.items():
            if now >= missing.ask_at and missing.asked < MOST_NACKS:
                missing.asked += 1
                missing.ask_at = now + self._nack_pause
                self._nacks.append((number - self._shift) & 0xFFFF)

    def _give_up_old(self, now: float) -> None:
        """Goes on behind gaps older than LONGEST_WAIT."""
        while self._held:
            missing = self._missing[self._next]
            if now - missing.noticed < LONGEST_WAIT:
                return
            self._skip_gap(now)

    def _skip_gap(self, now: float) -> None:
        """Leaves the gap before the lowest held packet in the numbers, and goes on from there."""
        for number in range(self._next, min(self._held)):
            del self._missing[number]
            self._given_up[number] = now
            self.counters.lost += 1
        self._forget_given_up(now)
        resume = min(self._held)
        self._hand_on(self._held.pop(resume), now)
        self._fill(resume, now)

    def _forget_given_up(self, now: float) -> None:
        for number in [n for n, since in self._given_up.items() if now - since > LATEST]:
            del self._given_up[number]

    def _release_all(self, now: float) -> None:
        while self._held:
            self._skip_gap(now)
        if self._open:
            self._flush()
