"""What the media's tests share: a clock, a wire that remembers, pictures without a camera."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from village_core.media import rtp
from village_core.media.feeder import AccessUnit, Feeder
from village_core.media.leg import Sending
from village_core.media.packet import Burst, Kind, Packet, Rewrite
from village_core.media.receiving import Into
from village_core.media.rfc6184 import Depacketiser, Unpacked
from village_core.media.rtcp import RtcpPacket, parse
from village_core.media.stream import Stream
from village_core.permits import Quality

FRAME = 0.04  # seconds
TICKS = 3600  # of 90 kHz in a frame
SPS = bytes.fromhex("6742c01ed9028087a100")  # any: most tests look at types alone
PPS = bytes.fromhex("68ce3c80")


class TurnedClock:
    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def utc_ms(self) -> int:
        return 1_700_000_000_000 + int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class NonceReusedError(AssertionError):
    """One SSRC and number with two different packets: AES-GCM would be broken."""


class Wire:
    """An Outlet that keeps every packet, and refuses a number given twice with different bytes."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.order: list[tuple[int, int]] = []  # ssrc and extended number
        self.bursts: list[Burst] = []
        self.compounds: list[bytes] = []
        self.full = False
        self.error: Exception | None = None
        self._given: dict[tuple[int, int], bytes] = {}

    def send(self, burst: Burst, rewrite: Rewrite) -> bool:
        if self.error is not None:
            raise self.error
        written = [self._protect(packet, rewrite) for packet in burst.packets]
        if self.full:
            return False
        self.bursts.append(burst)
        self.sent += written
        self.order += [(rewrite.ssrc, p.number + rewrite.number_shift) for p in burst.packets]
        return True

    def _protect(self, packet: Packet, rewrite: Rewrite) -> bytes:
        number = packet.number + rewrite.number_shift
        data = rtp.build(
            rewrite.payload_type,
            number,
            packet.timestamp + rewrite.timestamp_shift,
            rewrite.ssrc,
            packet.payload,
            marker=packet.marker,
        )
        if self._given.setdefault((rewrite.ssrc, number), data) != data:
            raise NonceReusedError(f"SSRC {rewrite.ssrc}, number {number}")
        return data

    def send_rtcp(self, compound: bytes) -> None:
        assert 8 <= len(compound) <= 1400, "does not fit the transport"
        self.compounds.append(compound)

    def take(self) -> list[bytes]:
        """The RTP sent since the last call."""
        sent, self.sent = self.sent, []
        return sent

    def take_rtcp(self) -> list[RtcpPacket]:
        compounds, self.compounds = self.compounds, []
        return [packet for compound in compounds for packet in parse(compound)]

    @property
    def numbers(self) -> list[int]:
        """The extended numbers sent, whatever their SSRC."""
        return [number for _, number in self.order]

    @property
    def parsed(self) -> list[rtp.Parsed]:
        return [read(data) for data in self.sent]


def read(data: bytes) -> rtp.Parsed:
    parsed = rtp.parse(data)
    assert parsed is not None
    return parsed


@dataclass
class Sink(Into):
    """Takes a receiver's bursts like a stream's inlet does."""

    number: int = 1000
    timestamp: int = 90_000
    begun: int = 0
    bursts: list[Burst] = field(default_factory=list)

    def begin(self) -> tuple[int, int]:
        self.begun += 1
        if self.begun == 1:
            return self.number, self.timestamp
        last = self.packets[-1]
        return last.number + 1, last.timestamp + TICKS

    def feed(self, burst: Burst) -> None:
        assert burst.packets
        assert len({packet.timestamp for packet in burst.packets}) == 1
        assert burst.octets == sum(len(packet.payload) for packet in burst.packets)
        self.bursts.append(burst)

    @property
    def packets(self) -> list[Packet]:
        return [packet for burst in self.bursts for packet in burst.packets]

    @property
    def numbers(self) -> list[int]:
        return [packet.number for packet in self.packets]


def picture(index: int, *, gop: int = 10, size: int = 3000, start: int = 0) -> AccessUnit:
    """A picture that no decoder has seen: right in its NAL types, recognisable in its bytes."""
    keyframe = index % gop == 0
    kind = 0x65 if keyframe else 0x41
    filling = (index.to_bytes(4) + b"\x55") * (size // 5)
    nals = [bytes((kind,)) + b"\x9a" + filling]
    return AccessUnit([SPS, PPS, *nals] if keyframe else nals, start + index * TICKS, keyframe)


def slice_of(index: int) -> bytes:
    """The payload of a small P picture that is one packet."""
    return b"\x41\x9a" + index.to_bytes(4)


@dataclass
class Camera:
    """Feeds a stream with pictures, in step with the clock."""

    stream: Stream
    clock: TurnedClock
    gop: int = 10
    size: int = 3000
    index: int = 0

    def __post_init__(self) -> None:
        self.feeder = Feeder(self.stream, self.asked_for_keyframe)
        self.asked = 0

    def asked_for_keyframe(self) -> None:
        self.asked += 1

    def play(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.now += FRAME
            self.feeder.feed(picture(self.index, gop=self.gop, size=self.size))
            self.index += 1
            self.stream.tick(self.clock.now)

    def to_keyframe(self) -> None:
        """Plays up to and including the next keyframe."""
        self.play(-self.index % self.gop + 1)


def video(clock: TurnedClock, quality: Quality = Quality.MAIN) -> Stream:
    return Stream("camera", quality, clock)


def sending(ssrc: int = 1, *, rtx: bool = False, number: int = 1000) -> Sending:
    return Sending(
        ssrc=ssrc,
        payload_type=96,
        rtx_ssrc=ssrc + 1 if rtx else None,
        rtx_payload_type=97 if rtx else None,
        first_number=number,
        first_timestamp=50_000,
    )


def audio(clock: TurnedClock) -> Stream:
    return Stream("camera", Quality.MAIN, clock, kind=Kind.AUDIO, clock_rate=8000)


def unpacked(
    datagrams: Iterable[bytes], parameter_sets: list[bytes] | None = None
) -> list[Unpacked]:
    """What a player makes of RTP in this order, numbers and timestamps unwrapped."""
    return list(_unpacked(datagrams, Depacketiser(parameter_sets or [])))


def _unpacked(datagrams: Iterable[bytes], depacketiser: Depacketiser) -> Iterator[Unpacked]:
    number = timestamp = None
    for parsed in map(read, datagrams):
        number = parsed.number if number is None else rtp.nearest(parsed.number, number, 16)
        timestamp = (
            parsed.timestamp if timestamp is None else rtp.nearest(parsed.timestamp, timestamp, 32)
        )
        yield from depacketiser.feed(Packet(number, timestamp, parsed.marker, parsed.payload))


def in_order(datagrams: Iterable[bytes], ssrc: int = 1) -> list[bytes]:
    """Sorted by number as a jitter buffer would, each once; RTX (RFC 4588) put back in place."""
    found: dict[int, bytes] = {}
    newest: int | None = None
    for data in datagrams:
        original = data if read(data).ssrc == ssrc else _original(read(data), ssrc)
        raw = read(original).number
        number = raw if newest is None else rtp.nearest(raw, newest, 16)
        newest = number if newest is None else max(newest, number)
        found.setdefault(number, original)
    return [found[number] for number in sorted(found)]


def _original(repair: rtp.Parsed, ssrc: int) -> bytes:
    number, payload = int.from_bytes(repair.payload[:2]), repair.payload[2:]
    return rtp.build(96, number, repair.timestamp, ssrc, payload, marker=repair.marker)
