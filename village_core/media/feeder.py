"""From a camera's access units and audio frames to a stream: what an agent feeds with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from village_core.media import h264, rfc6184
from village_core.media.packet import MOST_PACKETS, Burst, Kind, Packet
from village_core.media.stream import Inlet, Stream


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: NAL units without start codes, and its time in 90 kHz ticks.

    The timestamp may start anywhere and wrap at 2**32 or not; `Feeder.restart` says it begins anew.
    """

    nals: list[bytes]
    timestamp: int
    keyframe: bool


class Feeder:
    """Cuts into packets of one uniform size, with numbers of its own.

    `parameter_sets` go before a keyframe that brings none. Audio: one packet a frame.
    """

    def __init__(
        self,
        stream: Stream,
        want_keyframe: Callable[[], None] | None = None,
        *,
        parameter_sets: Sequence[bytes] = (),
        largest: int = rfc6184.LARGEST_PAYLOAD,
    ) -> None:
        self.parameter_sets = list(parameter_sets)
        self._inlet = Inlet(stream, want_keyframe)
        self._kind = stream.kind
        self._largest = largest
        self._number = 0
        self._shift: int | None = None  # None: the next timestamp begins anew

    def restart(self) -> None:
        """The source was reconnected: its timestamps begin anew, legs wait for a keyframe."""
        self._shift = None

    def end(self) -> None:
        """The camera is gone, or must not be seen: nothing of its picture is kept."""
        self._inlet.end()
        self._shift = None

    def feed(self, unit: AccessUnit) -> None:
        """One access unit, at once."""
        nals = self._with_parameter_sets(unit.nals) if unit.keyframe else unit.nals
        payloads = rfc6184.packetise(nals, self._largest)
        if payloads:
            self._send(payloads, unit.timestamp, keyframe=unit.keyframe)

    def feed_audio(self, payload: bytes, timestamp: int) -> None:
        """One audio frame (G.711 or Opus) with its time in the codec's clock."""
        self._send([payload], timestamp, keyframe=False)

    def _send(self, payloads: list[bytes], timestamp: int, *, keyframe: bool) -> None:
        if self._shift is None:
            self._number, begin = self._inlet.begin()
            self._shift = begin - timestamp
        stamp = timestamp + self._shift
        count, first = len(payloads), self._number
        self._number += count
        video = self._kind is Kind.VIDEO
        packets = [
            Packet(first + index, stamp, video and index == count - 1, payload)
            for index, payload in enumerate(payloads)
        ]
        for at in range(0, count, MOST_PACKETS):
            part = packets[at : at + MOST_PACKETS]
            self._inlet.feed(Burst(self._kind, part, keyframe and at == 0))

    def _with_parameter_sets(self, nals: list[bytes]) -> list[bytes]:
        in_band = [nal for nal in nals if h264.nal_type(nal) in (h264.SPS, h264.PPS)]
        if in_band:
            self.parameter_sets = in_band
            return nals
        return [*self.parameter_sets, *nals]
