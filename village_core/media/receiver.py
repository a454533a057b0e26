"""The receiving half for one source: order, repair, report, and make bursts (RFC 3550, 4585, 4588).

Numbers are never made anew: a packet's number in the stream is the source's plus a constant, so
that what stayed lost on the home's line is a gap that viewers see and ask for.
"""

from village_core.media import h264, rtp
from village_core.media.gaps import Gaps
from village_core.media.packet import (
    HEADER,
    LONGEST_HOLD,
    MOST_BYTES,
    MOST_PACKETS,
    Burst,
    Kind,
    Packet,
)
from village_core.media.receiving import Counters, Into, Receiving
from village_core.media.reception import Reception
from village_core.media.rfc6184 import packetise
from village_core.media.rtcp import ReportBlock

MOST_MISSING = 1000  # a larger jump is not asked for again
MOST_HELD = 2000  # packets behind a gap; more, and the gap is given up at once
RESTART_JUMP = 3000  # RFC 3550 appendix A.1, MAX_DROPOUT: the source began anew
RETIREMENT = 5.0  # seconds for which a replaced SSRC is not taken back
MOST_OCTETS = MOST_BYTES - MOST_PACKETS * HEADER  # of payload in one burst


class Receiver:
    """Takes the RTP of one source. `feed` and `tick` call `into` with bursts, in order.

    Times are monotonic seconds. Nothing that arrives makes it raise.
    """

    def __init__(self, receiving: Receiving, into: Into) -> None:
        self.counters = Counters()
        self.ssrc: int | None = None
        self.parameter_sets = list(receiving.parameter_sets)
        self._receiving = receiving
        self._into = into
        self._payload_type = receiving.payload_type
        self._reception = Reception(0, 0, 0.0)
        self._gaps = Gaps()
        self._shift = 0  # number in the stream minus the source's
        self._next = 0  # the number to hand on next
        self._next_raw = -1  # the same as the source counts it, 16 bits
        self._raw_timestamp = -1  # of the newest picture
        self._timestamp = 0  # the same in the stream
        self._open: list[Packet] = []  # the burst being made
        self._open_octets = 0
        self._opened_at = 0.0
        self._judged_timestamp: int | None = None  # of the picture known to be a keyframe or not
        self._held: dict[int, Packet] = {}  # behind a gap
        self._newest_held = 0
        self._retired: dict[int, float] = {}
        self._suspect: tuple[rtp.Parsed, int, int] | None = None

    def feed(self, datagrams: list[bytes], now: float) -> None:
        """RTP packets as they arrived."""
        if not self._open and not self._held and self._take_picture(datagrams, now):
            return
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
                    self._reception.received += 1
                    self._hand_on(
                        Packet(self._next, self._timestamp, second > 0x7F, data[HEADER:]), now
                    )
                    continue
            self._take_unusual(data, now)
        self._flush_old(now)

    def _take_picture(self, datagrams: list[bytes], now: float) -> bool:
        """A whole picture, next in order and in its plainest form; False when it is not that.

        The ordinary case, since senders with segmentation offload write a picture at once: a third
        of the time of packet after packet.
        """
        count, first = len(datagrams), self._next_raw
        octets = sum(map(len, datagrams)) - count * HEADER
        if (
            not 0 < count <= MOST_PACKETS
            or not 0 <= first <= 0x10000 - count
            or octets > MOST_OCTETS
            or min(map(len, datagrams)) <= HEADER
        ):
            return False
        heads = list(map(rtp.FIXED.unpack_from, datagrams))
        timestamp, kind, ssrc, last = heads[0][3], self._payload_type, self.ssrc, first + count - 1
        wanted = [(rtp.PLAIN, kind, raw, timestamp, ssrc) for raw in range(first, last)]
        if heads != [*wanted, (rtp.PLAIN, kind | 0x80, last, timestamp, ssrc)]:
            return False
        if timestamp != self._raw_timestamp:
            self._turn_timestamp(timestamp, now)
        number, stamp = self._next, self._timestamp
        self._open = [
            Packet(number + index, stamp, index == count - 1, data[HEADER:])
            for index, data in enumerate(datagrams)
        ]
        self._open_octets, self._opened_at = octets, now
        self._reception.received += count
        self._next, self._next_raw = number + count, first + count & 0xFFFF
        self._flush()
        return True

    @property
    def restless(self) -> bool:
        """Whether it waits for something, so that ticks are wanted."""
        return bool(self._open or self._held or self._gaps)

    def tick(self, now: float) -> None:
        """Every 5 ms or so while `restless`: ends holds, gives gaps up, asks again for packets."""
        if self._gaps:
            self._gaps.ask_again(now)
            while self._held and self._gaps.overdue(self._next, now):
                self._skip_gap(now)
        self._flush_old(now)

    def begin_anew(self, now: float) -> None:
        """Its next packet begins a source again, wherever `into` then continues."""
        self._release_all(now)
        self.ssrc = None

    def take_nacks(self) -> list[int]:
        """The 16-bit numbers to ask for now."""
        return [number - self._shift & 0xFFFF for number in self._gaps.take_asking()]

    def take_sender_report(self, ntp: int, now: float) -> None:
        self._reception.take_sender_report(ntp, now)

    def extended_timestamp(self, raw: int) -> int:
        """The stream's timestamp for one of the source's near the newest."""
        return self._timestamp + rtp.signed(raw - self._raw_timestamp, 32)

    def report(self, now: float) -> ReportBlock | None:
        """The report block since the last one (RFC 3550 section 6.4.1); None before a packet."""
        if self.ssrc is None:
            return None
        return self._reception.report(self._newest - self._shift, now)

    # In order.

    @property
    def _newest(self) -> int:
        return self._newest_held if self._held else self._next - 1

    def _hand_on(self, packet: Packet, now: float) -> None:
        """`packet` is the next in order, or the first behind a gap given up."""
        octets = len(packet.payload)
        if self._open and (
            packet.timestamp != self._open[0].timestamp or self._open_octets + octets > MOST_OCTETS
        ):
            before = self._shift
            self._flush()
            if self._shift != before:
                packet = packet._replace(number=self._next)
        opened = self._open
        if not opened:
            self._opened_at = now
        opened.append(packet)
        self._open_octets += octets
        self._next = packet.number + 1
        self._next_raw = self._next - self._shift & 0xFFFF
        if packet.marker or len(opened) >= MOST_PACKETS:
            self._flush()

    def _flush_old(self, now: float) -> None:
        """Sound has no frames to wait for."""
        if self._open and (
            now - self._opened_at >= LONGEST_HOLD or self._receiving.kind is Kind.AUDIO
        ):
            self._flush()

    def _flush(self) -> None:
        keyframe = self._receiving.kind is Kind.VIDEO and self._begins_keyframe()
        packets, self._open = self._open, []
        octets, self._open_octets = self._open_octets, 0
        self.counters.packets += len(packets)
        self.counters.octets += octets
        self._into.feed(Burst(self._receiving.kind, packets, keyframe, None, octets))

    def _begins_keyframe(self) -> bool:
        timestamp = self._open[0].timestamp
        if timestamp == self._judged_timestamp:
            return False  # the rest of a picture
        verdict = h264.payloads_begin_keyframe([packet.payload for packet in self._open])
        if verdict is None:
            return False
        self._judged_timestamp = timestamp
        if verdict:
            self._mind_parameter_sets()
        return verdict

    def _turn_timestamp(self, raw: int, now: float) -> None:
        """A new picture. Jitter is taken once each, as its packets share the timestamp."""
        self._timestamp += rtp.signed(raw - self._raw_timestamp, 32)
        self._raw_timestamp = raw
        self._reception.arrived(now * self._receiving.clock_rate - self._timestamp)

    # Out of order, malformed, repaired, begun anew.

    def _take_unusual(self, data: bytes, now: float) -> None:
        """All but the next packet in its plainest form."""
        parsed = rtp.parse(data)
        if parsed is None:
            self.counters.strange += 1
        elif parsed.payload_type == self._receiving.rtx_payload_type:
            self._take_repair(parsed, now)
        elif parsed.payload_type != self._payload_type:
            self.counters.strange += 1
        elif parsed.ssrc == self.ssrc:
            self._take(parsed, now)
        elif now - self._retired.get(parsed.ssrc, now - RETIREMENT) >= RETIREMENT:
            self._restart(parsed, now)
            self._take(parsed, now)

    def _extended(self, raw: int) -> int:
        return rtp.nearest(raw, self._newest - self._shift, 16) + self._shift

    def _take_repair(self, parsed: rtp.Parsed, now: float) -> None:
        """A retransmission in its own stream (RFC 4588 section 4); an empty one is a probe."""
        original = int.from_bytes(parsed.payload[:2])
        if len(parsed.payload) < 2 or self._extended(original) not in self._gaps:
            self.counters.duplicates += 1
            return
        self._take(parsed._replace(number=original, payload=parsed.payload[2:]), now)

    def _take(self, parsed: rtp.Parsed, now: float) -> None:
        number = self._extended(parsed.number)
        if abs(number - self._newest) >= RESTART_JUMP:
            self._take_far(parsed, number, now)
            return
        if number < self._next:
            self._take_late(parsed, number)
        elif number in self._held:
            self.counters.duplicates += 1
        else:
            self._place(parsed, number, now)

    def _take_far(self, parsed: rtp.Parsed, number: int, now: float) -> None:
        """Two packets in a row that far away: the source began anew (RFC 3550 appendix A.1)."""
        received = self._reception.received
        if self._suspect is None or self._suspect[1:] != (number - 1, received):
            self._suspect = (parsed, number, received)
            return
        first = self._suspect[0]
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
        self._gaps.clear()
        self._suspect = self._judged_timestamp = None
        number, self._timestamp = self._into.begin()
        self._shift = number - parsed.number
        self._next, self._next_raw = number, parsed.number
        self._raw_timestamp = parsed.timestamp
        transit = now * self._receiving.clock_rate - self._timestamp
        self._reception = Reception(parsed.ssrc, parsed.number, transit)

    def _retire(self, ssrc: int, now: float) -> None:
        """Late packets of an SSRC that was replaced must not bring it back."""
        kept = {old: since for old, since in self._retired.items() if now - since < RETIREMENT}
        self._retired = {**kept, ssrc: now} if len(kept) < 16 else {ssrc: now}

    def _packet(self, parsed: rtp.Parsed, number: int, now: float) -> Packet:
        if number > self._newest and parsed.timestamp != self._raw_timestamp:
            self._turn_timestamp(parsed.timestamp, now)
        timestamp = self.extended_timestamp(parsed.timestamp)
        return Packet(number, timestamp, parsed.marker, parsed.payload)

    def _place(self, parsed: rtp.Parsed, number: int, now: float) -> None:
        """A number not seen before, not below the next."""
        newest = self._newest
        packet = self._packet(parsed, number, now)
        self._reception.received += 1
        if number == self._next:
            self._fill(packet, now)
        elif number < newest:
            self._held[number] = packet
            self._count_repair(number, now)
        elif number - newest > MOST_MISSING or len(self._held) >= MOST_HELD:
            self._release_all(now)
            self.counters.lost += number - self._next
            self._hand_on(packet, now)
        else:
            self._gaps.open(range(newest + 1, number), now)
            self._held[number] = packet
            self._newest_held = number

    def _fill(self, packet: Packet, now: float) -> None:
        """The next in order; what was held behind it follows."""
        self._count_repair(packet.number, now)
        self._hand_on(packet, now)
        while (held := self._held.pop(self._next, None)) is not None:
            self._hand_on(held, now)

    def _count_repair(self, number: int, now: float) -> None:
        if self._gaps.fill(number, now):
            self.counters.repaired += 1

    def _take_late(self, parsed: rtp.Parsed, number: int) -> None:
        """Below the next number: fills a gap that was given up, or was here before."""
        if not self._gaps.fill_late(number):
            self.counters.duplicates += 1
            return
        self._reception.received += 1
        self.counters.lost -= 1
        self.counters.repaired += 1
        timestamp = self.extended_timestamp(parsed.timestamp)
        packet = Packet(number, timestamp, parsed.marker, parsed.payload)
        self._into.feed(Burst(self._receiving.kind, [packet], octets=len(parsed.payload)))

    def _skip_gap(self, now: float) -> None:
        """Leaves the gap before the lowest held packet in the numbers, and goes on from there."""
        resume = min(self._held)
        self.counters.lost += resume - self._next
        self._gaps.give_up(range(self._next, resume), now)
        self._fill(self._held.pop(resume), now)

    def _release_all(self, now: float) -> None:
        while self._held:
            self._skip_gap(now)
        if self._open:
            self._flush()

    # Parameter sets.

    def _mind_parameter_sets(self) -> None:
        """Puts SPS and PPS before a keyframe that brings none, else remembers what it brings."""
        own = [
            nal
            for packet in self._open
            for nal in h264.whole_nals(packet.payload)
            if h264.nal_type(nal) in (h264.SPS, h264.PPS)
        ]
        if own:
            self.parameter_sets = own
        elif self.parameter_sets:
            self._insert(packetise(self.parameter_sets))

    def _insert(self, payloads: list[bytes]) -> None:
        """Packets of our own before the open burst: all numbers from there on move up."""
        first, count = self._open[0], len(payloads)
        added = [
            Packet(first.number + index, first.timestamp, marker=False, payload=payload)
            for index, payload in enumerate(payloads)
        ]
        moved = [packet._replace(number=packet.number + count) for packet in self._open]
        self._open = [*added, *moved]
        self._open_octets += sum(map(len, payloads))
        self._shift += count
        self._next += count
        self._newest_held += count
        self._held = {n + count: p._replace(number=n + count) for n, p in self._held.items()}
        self._gaps.shift(count)
