"""What a receiver is told, what it counts, and where its bursts go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from village_core.media.packet import VIDEO_CLOCK, Burst, Kind


class Into(Protocol):
    """Where the bursts go: a stream's inlet."""

    def begin(self) -> tuple[int, int]:
        """The source begins (anew): number and timestamp that its next packet continues with."""
        ...

    def feed(self, burst: Burst) -> None: ...


@dataclass(slots=True)
class Counters:
    packets: int = 0
    octets: int = 0
    lost: int = 0  # given up; one that comes late counts back
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
    parameter_sets: Sequence[bytes] = ()  # SPS and PPS of the SDP, for IDR pictures without
