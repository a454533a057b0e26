"""H.264 in RTP (RFC 6184, packetization-mode 1): cut into packets, put together again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from village_core.media import h264
from village_core.media.packet import HEADER, Packet

LARGEST_PACKET = 1200  # bytes of RTP packet; with SRTP, UDP and IPv6 it passes an MTU of 1,280
LARGEST_PAYLOAD = LARGEST_PACKET - HEADER
_DROPPED = frozenset(
    (h264.DELIMITER, h264.END_OF_SEQUENCE, h264.END_OF_STREAM, h264.FILLER)
)  # carry nothing that RTP does not


def packetise(nals: Sequence[bytes], largest: int = LARGEST_PAYLOAD) -> list[bytes]:
    """The RTP payloads of one access unit, in order; the marker goes on the last.

    Neighbours that fit together share a STAP-A; a slice that does not fit is cut into FU-A of
    exactly `largest` bytes, the last shorter: one segmentation-offload call writes them all.
    """
    payloads: list[bytes] = []
    small: list[bytes] = []
    room = largest - 1
    for nal in nals:
        if h264.nal_type(nal) in _DROPPED or not nal:
            continue
        if len(nal) + 2 > room:
            _close(small, payloads)
            room = largest - 1
        if len(nal) > largest:
            _fragment(nal, largest, payloads)
            continue
        small.append(nal)
        room -= len(nal) + 2
    _close(small, payloads)
    return payloads


def _close(small: list[bytes], payloads: list[bytes]) -> None:
    if len(small) == 1:
        payloads.append(small[0])
    elif small:
        importance = max(nal[0] & 0x60 for nal in small)
        forbidden = max(nal[0] & 0x80 for nal in small)
        parts = [len(nal).to_bytes(2) + nal for nal in small]
        payloads.append(bytes((forbidden | importance | h264.STAP_A,)) + b"".join(parts))
    small.clear()


def _fragment(nal: bytes, largest: int, payloads: list[bytes]) -> None:
    indicator = nal[0] & 0xE0 | h264.FU_A
    kind = nal[0] & 0x1F
    size = largest - 2
    begin = bytes((indicator, kind | 0x80))
    middle = bytes((indicator, kind))
    payloads.append(begin + nal[1 : 1 + size])
    payloads += [middle + nal[at : at + size] for at in range(1 + size, len(nal), size)]
    payloads[-1] = bytes((indicator, kind | 0x40)) + payloads[-1][2:]


@dataclass(slots=True)
class Unpacked:
    """One access unit as its packets gave it."""

    nals: list[bytes]
    timestamp: int
    whole: bool  # no packet of it was missing

    @property
    def keyframe(self) -> bool:
        return h264.is_keyframe(self.nals)


@dataclass(slots=True)
class Depacketiser:
    """Puts access units together from packets in order; a gap drops the fragment it hits.

    `parameter_sets` (SPS and PPS from sprop-parameter-sets) go before an IDR that brings none;
    those seen in band replace them.
    """

    parameter_sets: list[bytes] = field(default_factory=list)
    _nals: list[bytes] = field(default_factory=list)
    _fragments: list[bytes] = field(default_factory=list)
    _timestamp: int | None = None
    _last: int | None = None
    _whole: bool = True

    def feed(self, packet: Packet) -> list[Unpacked]:
        """The access units that this packet completes: by its marker, or by a newer timestamp."""
        done: list[Unpacked] = []
        lost = self._last is not None and packet.number != self._last + 1
        if lost:
            self._drop_fragments()
            self._whole = False
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            self._close(done)
            self._whole = not lost  # whose packet it was, nobody can tell
        self._last, self._timestamp = packet.number, packet.timestamp
        self._take(packet.payload)
        if packet.marker:
            self._close(done)
        return done

    def _take(self, payload: bytes) -> None:
        kind = h264.nal_type(payload)
        if kind == h264.FU_A:
            self._take_fragment(payload)
            return
        self._drop_fragments()
        if kind == h264.STAP_A:
            self._nals += h264.stap_nals(payload)
        elif 1 <= kind <= 23:
            self._nals.append(payload)

    def _take_fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            self._whole = False
            return
        if payload[1] & 0x80:
            self._drop_fragments()
            self._fragments.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
        if not self._fragments:
            self._whole = False  # its start was lost
            return
        self._fragments.append(payload[2:])
        if payload[1] & 0x40:
            self._nals.append(b"".join(self._fragments))
            self._fragments.clear()

    def _drop_fragments(self) -> None:
        if self._fragments:
            self._fragments.clear()
            self._whole = False

    def _close(self, done: list[Unpacked]) -> None:
        self._drop_fragments()
        timestamp, nals, whole = self._timestamp, self._nals, self._whole
        self._nals, self._timestamp, self._whole = [], None, True
        if timestamp is not None and nals:
            done.append(Unpacked(self._with_parameter_sets(nals), timestamp, whole))

    def _with_parameter_sets(self, nals: list[bytes]) -> list[bytes]:
        types = [h264.nal_type(nal) for nal in nals]
        in_band = [nal for nal in nals if h264.nal_type(nal) in (h264.SPS, h264.PPS)]
        if h264.SPS in types and h264.PPS in types:
            self.parameter_sets = in_band
            return nals
        if h264.IDR not in types or in_band:
            return nals
        at = 1 if types[0] == h264.DELIMITER else 0
        return [*nals[:at], *self.parameter_sets, *nals[at:]]
