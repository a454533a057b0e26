"""H.265 access units out of RTP (RFC 7798, without DONL), for transcoding alone (pure)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from home_agent.sources.intake import Numbers
from home_agent.sources.timeline import Timeline

AP, FU, VPS = 48, 49, 32
FIRST_IRAP, LAST_IRAP = 16, 21  # BLA, IDR and CRA pictures (H.265 table 7-1)
MOST_NALS = 1000  # of one access unit

OnUnit = Callable[[list[bytes], int, bool], None]


def nal_type(nal: bytes) -> int:
    return nal[0] >> 1 & 0x3F if nal else 0


def aggregated(payload: bytes) -> list[bytes]:
    """The NAL units of an aggregation packet (section 4.4.2); one cut short ends the list."""
    nals = []
    at = 2
    while at + 2 <= len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2])
        if end > len(payload):
            break
        nals.append(payload[at + 2 : end])
        at = end
    return [nal for nal in nals if len(nal) > 2]


@dataclass(slots=True)
class HevcIntake:
    """Packets in, whole access units to `hand_on(nals, timestamp, keyframe)`."""

    numbers: Numbers
    parameter_sets: list[bytes]
    timeline: Timeline
    hand_on: OnUnit
    _nals: list[bytes] = field(default_factory=list)
    _fragments: list[bytes] = field(default_factory=list)
    _timestamp: int | None = None
    _last: int | None = None
    _whole: bool = True

    def take(self, data: bytes) -> None:
        taken = self.numbers.take(data)
        if taken is None:
            return
        parsed, number, anew = taken
        if anew:
            self.timeline.restart()
        elif self._last is not None and number != self._last + 1:
            self._whole = False
            self._fragments.clear()
        if self._timestamp is not None and parsed.timestamp != self._timestamp:
            self._close()
        self._last, self._timestamp = number, parsed.timestamp
        self._unpack(parsed.payload)
        if parsed.marker:
            self._close()

    def _unpack(self, payload: bytes) -> None:
        kind = nal_type(payload)
        if len(payload) < 3 or len(self._nals) > MOST_NALS:
            self._whole = False
        elif kind == FU:
            self._unpack_fragment(payload)
        elif kind == AP:
            self._nals += aggregated(payload)
        elif kind < AP:
            self._nals.append(payload)

    def _unpack_fragment(self, payload: bytes) -> None:
        """Section 4.4.3: payload header, FU header, fragment."""
        head = payload[2]
        if head & 0x80:
            first = payload[0] & 0x81 | (head & 0x3F) << 1
            self._fragments = [bytes((first, payload[1]))]
        if not self._fragments:
            self._whole = False
            return
        self._fragments.append(payload[3:])
        if head & 0x40:
            self._nals.append(b"".join(self._fragments))
            self._fragments = []

    def _close(self) -> None:
        nals, timestamp = self._nals, self._timestamp
        whole = self._whole and not self._fragments
        self._nals, self._fragments, self._timestamp, self._whole = [], [], None, True
        if not whole:
            self.numbers.counts.torn += 1
        if timestamp is None or not nals or not whole:
            return
        kinds = {nal_type(nal) for nal in nals}
        keyframe = any(FIRST_IRAP <= kind <= LAST_IRAP for kind in kinds)
        if keyframe and VPS not in kinds:
            nals = [*self.parameter_sets, *nals]
        self.hand_on(nals, self.timeline.extend(timestamp), keyframe)
