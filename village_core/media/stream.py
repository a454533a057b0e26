"""One camera at one quality, live on this node: one source and any number of legs."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from village_core.clock import Clock
from village_core.media import h264
from village_core.media.packet import VIDEO_CLOCK, Burst, Kind, Packet
from village_core.media.sps import Sps, parse_sps
from village_core.permits import Quality

log = logging.getLogger(__name__)

REMEMBERED = 1024  # packets kept for retransmission; a power of two, 1.2 s at 8 Mbit/s
LONGEST_PICTURE = 12.0  # seconds; some cameras stretch their keyframe interval that far
LARGEST_PICTURE = 4_000_000  # bytes
KEYFRAME_PAUSE = 1.0  # seconds between two requests to the source ...
FIRST_PAUSE = 0.15  # after a source began without one: its first packets may have been lost
LONGEST_PAUSE = 8.0  # ... doubled up to this while it does not answer
STALE = 5.0  # seconds without a packet after which the cached picture is not shown as live
LEG_FAILURES = (OSError, RuntimeError, ValueError, LookupError)  # end that leg, nothing else


class Consumer(Protocol):
    """A leg as its stream sees it. None of these may wait."""

    def joined(self, stream: "Stream") -> None: ...

    def offer(self, burst: Burst) -> None:
        """The next burst, in order."""
        ...

    def offer_late(self, burst: Burst) -> None:
        """One packet that was given up before: it fills a gap left in the numbers."""
        ...

    def source_replaced(self) -> None:
        """What follows decodes from its next keyframe on."""
        ...

    def pace(self, now: float) -> None:
        """Called every tick while the consumer is in the stream's `slow` set."""
        ...

    def failed(self, reason: str) -> None:
        """It raised and was taken out of the stream."""
        ...


@dataclass(slots=True)
class StreamCounters:
    packets: int = 0
    octets: int = 0
    bursts: int = 0
    keyframes: int = 0
    lost: int = 0  # packets missing in the numbers; one that comes late counts back
    sources: int = 0
    formats: int = 0  # times the parameter sets were new
    keyframe_requests: int = 0  # sent upstream


class History:
    """The last packets by number. A number is never given a second packet (GCM nonce)."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._mask = size - 1
        self._ring: list[Packet | None] = [None] * size

    def remember(self, packets: list[Packet]) -> None:
        ring, mask = self._ring, self._mask
        first, count = packets[0].number, len(packets)
        start = first & mask
        if packets[-1].number - first == count - 1 and start + count <= len(ring):
            ring[start : start + count] = packets
            return
        for packet in packets:
            ring[packet.number & mask] = packet

    def get(self, number: int) -> Packet | None:
        packet = self._ring[number & self._mask]
        return packet if packet is not None and packet.number == number else None


class Inlet:
    """One source's way into a stream. The next inlet's `begin` shuts it."""

    def __init__(self, stream: "Stream", want_keyframe: Callable[[], None] | None = None) -> None:
        self.stream = stream
        self.want_keyframe = want_keyframe

    @property
    def shut(self) -> bool:
        return self.stream.inlet is not self

    def begin(self) -> tuple[int, int]:
        """Takes the stream over; returns where its numbers and timestamps go on."""
        return self.stream.begin(self)

    def feed(self, burst: Burst) -> None:
        if self.stream.inlet is self:
            self.stream.feed(burst)

    def end(self) -> None:
        """The source is gone: its picture is not kept. Legs stay, for the next one."""
        if self.stream.inlet is self:
            self.stream.end_source()


class Stream:
    """Fans bursts out, keeps the picture and the history, asks its source for keyframes.

    `want_keyframe` is called beside the current inlet's own, at most once in KEYFRAME_PAUSE.
    `tick(now)` is wanted every 5 ms.
    """

    def __init__(
        self,
        camera: str,
        quality: Quality,
        clock: Clock,
        want_keyframe: Callable[[], None] | None = None,
        *,
        kind: Kind = Kind.VIDEO,
        clock_rate: int = VIDEO_CLOCK,
    ) -> None:
        self.camera = camera
        self.quality = quality
        self.kind = kind
        self.clock_rate = clock_rate
        self.clock = clock
        self.history = History()
        self.counters = StreamCounters()
        self.inlet: Inlet | None = None
        self.slow: set[Consumer] = set()
        self.on_slow: Callable[[], None] | None = None  # somebody was added: ticks are wanted
        self.last_packet_at: float | None = None
        self.last_number = -1
        self.last_timestamp = 0
        self.format: Sps | None = None
        self.parameter_sets: list[bytes] = []
        self._floor = 0  # lowest number of the current source
        self._picture: list[Burst] = []  # since the last keyframe, that one first
        self._picture_packets = self._picture_octets = 0
        self._picture_at = 0.0
        self._want_keyframe = want_keyframe
        self._asking = False
        self._ask_at = 0.0
        self._ask_pause = KEYFRAME_PAUSE
        self._anchor: tuple[int, float] | None = None
        self._legs: tuple[Consumer, ...] = ()

    @property
    def legs(self) -> tuple[Consumer, ...]:
        return self._legs

    def join(self, leg: Consumer) -> None:
        """From now on the leg is offered every burst; it takes the cached picture by itself."""
        if leg in self._legs:
            return
        self._legs = (*self._legs, leg)
        leg.joined(self)

    def leave(self, leg: Consumer) -> None:
        self._legs = tuple(other for other in self._legs if other is not leg)
        self.slow.discard(leg)
        self._asking = self._asking and bool(self._legs)

    def replace(self, leaving: Consumer, leg: Consumer) -> None:
        """The leg takes the place of another consumer, without being told that it joined."""
        self._legs = tuple(leg if other is leaving else other for other in self._legs)
        self.slow.discard(leaving)

    def begin(self, inlet: Inlet) -> tuple[int, int]:
        """A source takes over: (number, timestamp) for its first packet. Legs await a keyframe."""
        now = self.clock.monotonic()
        begin = self.last_number + 1, max(self.timestamp_at(now), self.last_timestamp + 1)
        self.end_source()
        self.inlet = inlet
        self.counters.sources += 1
        self._asking = bool(self._legs)
        self._ask_at, self._ask_pause = now + FIRST_PAUSE, KEYFRAME_PAUSE
        return begin

    def end_source(self) -> None:
        """Nothing more comes of the source there was."""
        self.inlet = self._anchor = None
        self._drop_picture()
        self._floor = self.last_number + 1
        for leg in self._legs:
            leg.source_replaced()

    def feed(self, burst: Burst) -> None:
        """One burst of the source, to all legs. One leg's failure never stops the others."""
        packets = burst.packets
        last = packets[-1]
        before = self.last_number
        if packets[0].number <= before:
            self._feed_late(burst)
            return
        now = self.clock.monotonic()
        self.history.remember(packets)
        self.last_number = last.number
        self.last_timestamp = last.timestamp
        self.last_packet_at = now
        self._count(burst, last.number - before - len(packets))
        if burst.keyframe:
            self._begin_picture(burst, now)
        elif self._picture:
            self._extend_picture(burst, now)
        for leg in self._legs:
            try:
                leg.offer(burst)
            except LEG_FAILURES as error:
                self._fail(leg, error)
        burst.laid_out = None  # a copy of its bytes, not worth keeping with the picture

    def slow_down(self, leg: Consumer) -> None:
        """The leg wants `pace` called until it leaves `slow` by itself."""
        self.slow.add(leg)
        if self.on_slow is not None:
            self.on_slow()

    def tick(self, now: float) -> None:
        """Lets paced legs send, and repeats keyframe requests."""
        for leg in tuple(self.slow):
            try:
                leg.pace(now)
            except LEG_FAILURES as error:
                self._fail(leg, error)
        if self._asking:
            self._ask(now)

    def request_keyframe(self) -> None:
        """Asks the source, now or as soon as the last request is KEYFRAME_PAUSE old."""
        self._asking = True
        self._ask(self.clock.monotonic())

    def timestamp_at(self, now: float) -> int:
        """The timestamp of a picture taken at `now`: by the source's report or last packet."""
        if self._anchor is not None:
            timestamp, at = self._anchor
        else:
            timestamp, at = self.last_timestamp, self.last_packet_at or now
        return timestamp + round((now - at) * self.clock_rate)

    def anchor(self, timestamp: int, at: float) -> None:
        """The source said that `timestamp` was sampled at `at` of our monotonic clock."""
        self._anchor = (timestamp, at)

    @property
    def picture(self) -> list[Burst]:
        """The bursts since the last keyframe, that one first; none when the source has stalled."""
        last = self.last_packet_at
        if last is None or self.clock.monotonic() - last > STALE:
            return []
        return self._picture

    @property
    def picture_packets(self) -> int:
        return self._picture_packets

    def picture_age(self, now: float) -> float | None:
        """Seconds since the cached keyframe came; None without one."""
        return now - self._picture_at if self.picture else None

    def still(self) -> list[Burst]:
        """The bursts of the cached keyframe alone."""
        picture = self.picture
        if not picture:
            return []
        taken = picture[0].packets[0].timestamp
        return [burst for burst in picture if burst.packets[0].timestamp == taken]

    def _count(self, burst: Burst, lost: int) -> None:
        if not burst.octets:
            burst.octets = sum(len(packet.payload) for packet in burst.packets)
        counters = self.counters
        counters.bursts += 1
        counters.packets += len(burst.packets)
        counters.octets += burst.octets
        if self.counters.bursts > 1:
            counters.lost += lost

    def _feed_late(self, burst: Burst) -> None:
        """Packets below the newest number: those that fill a gap go on, others are dropped."""
        for packet in burst.packets:
            number = packet.number
            lowest = max(self._floor, self.last_number - REMEMBERED // 2)
            if not lowest <= number < self.last_number or self.history.get(number) is not None:
                continue
            self.history.remember([packet])
            self.counters.lost -= 1
            late = Burst(burst.kind, [packet], octets=len(packet.payload))
            for leg in self._legs:
                try:
                    leg.offer_late(late)
                except LEG_FAILURES as error:
                    self._fail(leg, error)

    def _begin_picture(self, burst: Burst, now: float) -> None:
        self.counters.keyframes += 1
        self._picture = [burst]
        self._picture_packets = len(burst.packets)
        self._picture_octets = burst.octets
        self._picture_at = now
        self._asking = False
        self._ask_pause = KEYFRAME_PAUSE
        self._notice_format(burst)

    def _extend_picture(self, burst: Burst, now: float) -> None:
        self._picture_octets += burst.octets
        if self._picture_octets > LARGEST_PICTURE or now - self._picture_at > LONGEST_PICTURE:
            self._drop_picture()
            return
        self._picture.append(burst)
        self._picture_packets += len(burst.packets)

    def _drop_picture(self) -> None:
        self._picture = []
        self._picture_packets = self._picture_octets = 0

    def _notice_format(self, burst: Burst) -> None:
        sets = [
            nal
            for packet in burst.packets[:4]
            for nal in h264.whole_nals(packet.payload)
            if h264.nal_type(nal) in (h264.SPS, h264.PPS)
        ]
        if not sets or sets == self.parameter_sets:
            return
        self.parameter_sets = sets
        self.counters.formats += 1
        for nal in sets:
            if h264.nal_type(nal) == h264.SPS:
                self._read_format(nal)

    def _read_format(self, nal: bytes) -> None:
        try:
            self.format = parse_sps(nal)
        except ValueError as error:
            log.info("camera %s %s: unreadable SPS: %s", self.camera, self.quality, error)

    def _ask(self, now: float) -> None:
        """Goes on asking until a keyframe comes, as requests and answers get lost."""
        if now < self._ask_at:
            return
        self._ask_at = now + self._ask_pause
        self._ask_pause = min(2 * self._ask_pause, LONGEST_PAUSE)
        self.counters.keyframe_requests += 1
        if self._want_keyframe is not None:
            self._want_keyframe()
        if self.inlet is not None and self.inlet.want_keyframe is not None:
            self.inlet.want_keyframe()

    def _fail(self, leg: Consumer, error: Exception) -> None:
        log.warning("camera %s %s: a leg failed: %s", self.camera, self.quality, error)
        self.leave(leg)
        leg.failed(str(error) or type(error).__name__)
