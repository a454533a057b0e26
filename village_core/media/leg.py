"""One consumer of a stream: its numbers and times, its start at a keyframe, its repairs.

Nothing is kept per packet. A leg knows by how much its copy's header fields differ, and from which
of its numbers on; the packets themselves stay in the stream's history. So a retransmission has
exactly the bytes first sent, which AES-GCM demands: the same SSRC and number never with others.
"""

import secrets
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from village_core.media import rtp
from village_core.media.packet import VIDEO_CLOCK, Burst, Kind, Outlet, Packet, Rewrite
from village_core.media.rtcp import SenderReport
from village_core.media.stream import REMEMBERED, Consumer, Stream

STEP = 0.001  # seconds between pictures of a cached group: the viewer lands at the live edge
MOST_AT_ONCE = 512  # packets of a cached group that are written without pacing
MOST_AT_START = 1024  # of a larger group only the first picture goes: the next keyframe is sooner
PACED_PACKETS = 8  # a slow leg gets so many ...
PACED_EVERY = 0.005  # ... in so many seconds
MOST_CATCH_UP = 32  # packets after a late tick
PACED_FOR = 2.0  # seconds without trouble until a leg is written to directly again
MOST_QUEUED = 256  # writes that may wait; more, and the leg skips to a keyframe
REPEATABLE = 1000  # numbers back; the SRTP window of pylibsrtp's peers is 1,024
AGAIN = 0.020  # seconds within which one packet is not repeated twice
MOST_REPEATS = 128  # packets for one NACK
IN_FLIGHT = 0.1  # seconds after a start in which a picture loss is not news
CACHE_HELPED = 3.0  # seconds; a picture lost again sooner needs a new keyframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How one kind of media goes to a peer, as its answer said; RTX (RFC 4588) where negotiated."""

    ssrc: int
    payload_type: int
    clock_rate: int = VIDEO_CLOCK
    rtx_ssrc: int | None = None
    rtx_payload_type: int | None = None
    # Below 2**15: an early loss cannot be mistaken for a roll-over (RFC 3711 section 3.3.1).
    first_number: int = field(default_factory=lambda: secrets.randbits(15))
    first_timestamp: int = field(default_factory=lambda: secrets.randbits(32))


@dataclass(slots=True)
class LegCounters:
    bursts: int = 0
    packets: int = 0
    octets: int = 0
    unsent: int = 0  # bursts that the socket had no room for at first
    skipped: int = 0  # bursts that were never offered to the socket
    repeated: int = 0  # packets sent again
    starts: int = 0  # at a keyframe


@dataclass(frozen=True, slots=True)
class Turn:
    """From the outgoing number `first` on, copies of `stream`'s packets are made by `rewrite`."""

    first: int
    rewrite: Rewrite
    stream: Stream


@dataclass(frozen=True, slots=True)
class Queued:
    burst: Burst
    number_shift: int
    timestamp_shift: int


class Leg:
    """A stream's Consumer that writes to an Outlet. Times are monotonic seconds.

    It does nothing until `join`.
    """

    def __init__(
        self,
        stream: Stream,
        outlet: Outlet,
        sending: Sending,
        on_failed: Callable[[str], None] | None = None,
    ) -> None:
        self.counters = LegCounters()
        self.sending = sending
        self.stream = stream
        self.waiting = True  # for a keyframe; everything before it is skipped
        self._outlet = outlet
        self._kind = stream.kind
        self._on_failed = on_failed
        self._step = round(STEP * sending.clock_rate)
        self._rewrite = Rewrite(sending.ssrc, sending.payload_type, 0, 0)
        self._turns: list[Turn] = []
        self._turn_due = True
        self._last: Packet | None = None  # the newest offered to the socket in the current turn
        self._next_number = sending.first_number  # while _last is None
        self._newest_timestamp = sending.first_timestamp  # likewise
        self._number_shift = 0  # at the live edge
        self._timestamp_shift: int | None = None  # likewise; None before the first start
        self._direct = False
        self._paced = False
        self._paced_at = self._paced_until = 0.0
        self._credit = 0.0
        self._queue: deque[Queued] = deque()
        self._behind_since: float | None = None
        self._started_at = self._answered_at = -CACHE_HELPED
        self._repeats: dict[int, float] = {}
        self._rtx_number = secrets.randbits(15)

    @property
    def next_number(self) -> int:
        """The outgoing number (extended) that comes next; any below may have been protected."""
        if self._last is None:
            return self._next_number
        return self._last.number + self._rewrite.number_shift + 1

    @property
    def newest_timestamp(self) -> int:
        if self._last is None:
            return self._newest_timestamp
        return self._last.timestamp + self._rewrite.timestamp_shift

    @property
    def paced(self) -> bool:
        return self._paced

    def behind(self, now: float) -> float:
        """Seconds for which the socket has taken too little."""
        return 0.0 if self._behind_since is None else now - self._behind_since

    # What the stream calls.

    def joined(self, stream: Stream) -> None:
        self._enter(stream)
        if self._kind is Kind.AUDIO:
            return
        if stream.picture and stream.picture_packets <= MOST_AT_START:
            self._play(stream.picture)
            return
        if still := stream.still():
            self._play(still)
            self._wait()
        stream.request_keyframe()

    def offer(self, burst: Burst) -> None:
        if self._direct:
            self._last = burst.packets[-1]
            if self._outlet.send(burst, self._rewrite):
                counters = self.counters
                counters.bursts += 1
                counters.packets += len(burst.packets)
                counters.octets += burst.octets
            else:
                self._keep_unsent(burst, self._rewrite.timestamp_shift)
        elif not self.waiting:
            self._put(burst, self._timestamp_shift or 0)
        elif (burst.keyframe or self._kind is Kind.AUDIO) and self in self.stream.legs:
            self._play([burst])
        else:
            self.counters.skipped += 1

    def offer_late(self, burst: Burst) -> None:
        """Fills the gap with the number that this leg left free for it, if it did."""
        number = burst.packets[0].number
        end = self.next_number
        for turn in reversed(self._turns):
            out = number + turn.rewrite.number_shift
            if turn.stream is self.stream and turn.first <= out < end:
                self._outlet.send(burst, turn.rewrite)
                return
            end = turn.first

    def source_replaced(self) -> None:
        self._wait()

    def pace(self, now: float) -> None:
        """Writes what is due of the queue; without trouble for a while, ends the pacing."""
        since, self._paced_at = now - self._paced_at, now
        self._credit = min(self._credit + since / PACED_EVERY * PACED_PACKETS, MOST_CATCH_UP)
        while self._queue and self._credit >= 1:
            queued = self._queue[0]
            if not self._write(queued.burst, queued.number_shift, queued.timestamp_shift):
                self._paced_until = now + PACED_FOR
                self._behind_since = self._behind_since or now
                return
            self._queue.popleft()
            self._credit -= len(queued.burst.packets)
        if self._queue:
            return
        self._behind_since = None
        if now >= self._paced_until:
            self._paced = False
            self._direct = not self.waiting
            self.stream.slow.discard(self)

    def failed(self, reason: str) -> None:
        if self._on_failed is not None:
            self._on_failed(reason)

    # What the viewer calls.

    def join(self) -> None:
        self.stream.join(self)

    def leave(self) -> None:
        """Joining again goes on with the next number."""
        self.stream.leave(self)
        self._wait()

    def move(self, arrival: Consumer, stream: Stream, bursts: list[Burst]) -> None:
        """Goes on with another stream's pictures, in the place of `arrival`, at its keyframe."""
        if self._timestamp_shift is not None:
            now = stream.clock.monotonic()
            edge = self.stream.timestamp_at(now) + self._timestamp_shift
            self._timestamp_shift = edge - stream.timestamp_at(now)
        self.stream.leave(self)
        self._enter(stream)
        stream.replace(arrival, self)
        self._play(bursts)

    def slow_down(self, now: float) -> None:
        """Paces from now on, for PACED_FOR after the last call."""
        self._paced_until = now + PACED_FOR
        if not self._paced:
            self._paced, self._direct = True, False
            self._paced_at, self._credit = now, 0.0
            self.stream.slow_down(self)

    def skip(self) -> None:
        """Drops what waits, and all until the next keyframe; its numbers are closed up."""
        self._wait()
        self.stream.request_keyframe()

    def picture_lost(self, now: float) -> None:
        """A PLI or FIR: answered from the cached picture, else by a new keyframe."""
        if self._kind is Kind.AUDIO:
            return
        if now - self._started_at < IN_FLIGHT and not self.waiting:
            return
        picture = self.stream.picture
        fits = bool(picture) and self.stream.picture_packets <= MOST_AT_START
        if now - self._answered_at < CACHE_HELPED or self.waiting or not fits:
            self.stream.request_keyframe()
        else:
            self._answered_at = now
            self._play(picture)

    def repair(self, numbers: Sequence[int], now: float) -> None:
        """A NACK: sends again what the history still holds, exactly as it was sent."""
        for raw in numbers[:MOST_REPEATS]:
            out = rtp.nearest(raw, self.next_number - 1, 16)
            if now - self._repeats.get(out, -AGAIN) < AGAIN:
                continue
            turn = self._turn_of(out)
            packet = turn.stream.history.get(out - turn.rewrite.number_shift) if turn else None
            if turn is not None and packet is not None:
                self._repeats[out] = now
                self._repeat(out, packet, turn.rewrite)
        if len(self._repeats) > 4 * MOST_REPEATS:
            self._repeats = {n: at for n, at in self._repeats.items() if now - at < AGAIN}

    def sender_report(self, now: float, ntp: int) -> SenderReport | None:
        """RFC 3550 section 6.4.1; None while nothing was sent. `ntp` is the wall clock at `now`."""
        if self._timestamp_shift is None or not self.counters.packets:
            return None
        timestamp = self.stream.timestamp_at(now) + self._timestamp_shift
        counters = self.counters
        return SenderReport(
            self.sending.ssrc, ntp, timestamp & 0xFFFFFFFF, counters.packets, counters.octets
        )

    # Starting.

    def _enter(self, stream: Stream) -> None:
        self._wait()
        self.stream = stream
        if self._paced:
            stream.slow_down(self)

    def _wait(self) -> None:
        self.counters.skipped += len(self._queue)
        self._queue.clear()
        self._behind_since = None
        self._direct, self.waiting = False, True

    def _play(self, bursts: list[Burst]) -> None:
        """Starts at a keyframe: `bursts` up to the live edge, their pictures STEP apart."""
        self._wait()
        self.waiting = False
        self.counters.starts += 1
        self._started_at = self.stream.clock.monotonic()
        stamps = list(dict.fromkeys(burst.packets[0].timestamp for burst in bursts))
        edge = stamps[-1]
        earliest = self.newest_timestamp + self._step * len(stamps) - edge
        shift = self._timestamp_shift
        shift = self._timestamp_shift = earliest if shift is None else max(shift, earliest)
        shifts = {
            stamp: edge - stamp + shift - self._step * back
            for back, stamp in enumerate(reversed(stamps))
        }
        self._number_shift = self.next_number - bursts[0].packets[0].number
        self._turn_due = True
        self._direct = not self._paced
        written = 0
        for burst in bursts:
            written += len(burst.packets)
            if written > MOST_AT_ONCE:
                self.slow_down(self._started_at)
            self._put(burst, shifts[burst.packets[0].timestamp])

    # Writing.

    def _put(self, burst: Burst, timestamp_shift: int) -> None:
        if self._paced:
            self._enqueue(burst, timestamp_shift)
        elif not self._write(burst, self._number_shift, timestamp_shift):
            self._keep_unsent(burst, timestamp_shift)

    def _write(self, burst: Burst, number_shift: int, timestamp_shift: int) -> bool:
        rewrite = self._rewrite
        if (
            self._turn_due
            or rewrite.number_shift != number_shift
            or rewrite.timestamp_shift != timestamp_shift
        ):
            rewrite = self._turn(number_shift, timestamp_shift)
        last = burst.packets[-1]
        if self._last is None or last.number > self._last.number:
            self._last = last
        if not self._outlet.send(burst, rewrite):
            return False
        self.counters.bursts += 1
        self.counters.packets += len(burst.packets)
        self.counters.octets += burst.octets
        return True

    def _turn(self, number_shift: int, timestamp_shift: int) -> Rewrite:
        self._next_number, self._newest_timestamp = self.next_number, self.newest_timestamp
        self._last = None
        self._turn_due = False
        rewrite = Rewrite(
            self.sending.ssrc, self.sending.payload_type, number_shift, timestamp_shift
        )
        self._rewrite = rewrite
        self._turns.append(Turn(self._next_number, rewrite, self.stream))
        if len(self._turns) > 64 and self._turns[32].first < self._next_number - REMEMBERED:
            del self._turns[:32]
        return rewrite

    def _keep_unsent(self, burst: Burst, timestamp_shift: int) -> None:
        """The socket is full: its numbers count as used, the same bytes are tried again."""
        now = self.stream.clock.monotonic()
        self.counters.unsent += 1
        self.slow_down(now)
        self._behind_since = self._behind_since or now
        self._enqueue(burst, timestamp_shift)

    def _enqueue(self, burst: Burst, timestamp_shift: int) -> None:
        if len(self._queue) >= MOST_QUEUED:
            self.skip()
            return
        packets = burst.packets
        for at in range(0, len(packets), PACED_PACKETS):
            part = packets[at : at + PACED_PACKETS]
            octets = sum(len(packet.payload) for packet in part)
            piece = Burst(burst.kind, part, burst.keyframe and at == 0, octets=octets)
            self._queue.append(Queued(piece, self._number_shift, timestamp_shift))

    # Repairing.

    def _turn_of(self, out: int) -> Turn | None:
        newest = self.next_number - 1
        if not self._turns or not self._turns[0].first <= out <= newest < out + REPEATABLE:
            return None
        return self._turns[bisect_right(self._turns, out, key=lambda turn: turn.first) - 1]

    def _repeat(self, out: int, packet: Packet, rewrite: Rewrite) -> None:
        self.counters.repeated += 1
        sending = self.sending
        if sending.rtx_ssrc is None or sending.rtx_payload_type is None:
            self._outlet.send(Burst(self._kind, [packet], octets=len(packet.payload)), rewrite)
            return
        payload = (out & 0xFFFF).to_bytes(2) + packet.payload
        copy = Packet(self._rtx_number, packet.timestamp, packet.marker, payload)
        self._rtx_number += 1
        own = Rewrite(sending.rtx_ssrc, sending.rtx_payload_type, 0, rewrite.timestamp_shift)
        self._outlet.send(Burst(self._kind, [copy], octets=len(payload)), own)
