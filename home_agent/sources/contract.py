"""What every source promises, and what it is told."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from home_agent.rtsp.failure import SourceFailure
from village_core.media.feeder import AccessUnit
from village_core.settings import Secret
from village_core.troubles import Trouble

__all__ = [
    "AccessUnit",
    "AudioCodec",
    "Described",
    "Polygon",
    "Source",
    "SourceEvents",
    "SourceFailure",
    "SourceOptions",
]

AudioCodec = Literal["PCMA", "PCMU", "opus"]
Polygon = list[list[float]]  # points [x, y], each 0 to 1 from the picture's top left


@dataclass(frozen=True, slots=True)
class Described:
    """What the source sends, as its first keyframe shows it; told again when it changes."""

    codec: Literal["H264"]
    profile_level_id: str  # 6 hexadecimal digits
    width: int
    height: int
    fps: float | None
    has_b_frames: bool
    audio: AudioCodec | None
    clock_skew_ms: int | None  # the camera's clock minus ours, from its sender reports
    transcoded: bool = False
    masked: bool = False  # burned in here; a mask set in the camera is asked for by ONVIF


class SourceEvents(Protocol):
    """Called in the event loop; none of these may wait."""

    def on_unit(self, unit: AccessUnit) -> None:
        """One picture. Timestamps run on through reconnects; 90 kHz."""
        ...

    def on_audio(self, payload: bytes, timestamp: int) -> None:
        """One RTP payload; the timestamp is in the codec's clock (8 kHz, or Opus' 48 kHz)."""
        ...

    def on_described(self, described: Described) -> None:
        """The picture is there (again): clears the trouble told before."""
        ...

    def on_trouble(self, trouble: Trouble, sentence: str) -> None:
        """Why there is no picture, or what limits it. The sentence holds no credentials."""
        ...


class Source(Protocol):
    """One camera at one quality."""

    @property
    def name(self) -> str:
        """The address as it may be shown: without credentials."""
        ...

    async def run(self) -> None:
        """Gives pictures until cancelled or broken: then raises SourceFailure.

        The trouble was told to `on_trouble` before. Run again, it starts anew.
        """
        ...

    def request_keyframe(self) -> None:
        """Ask for a keyframe soon, as far as the source can. Rate-limited inside."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What is set and switched on for one camera."""

    user: str = ""
    password: Secret | None = None
    udp: bool = False
    audio: bool = False  # CAM-11
    transcode: bool = False  # H.265 or B-frames to plain H.264, AAC to Opus
    mask: list[Polygon] = field(default_factory=list)  # burned in only with `transcode`
    onvif: str = ""  # host, host:port or device service URL; makes repairs and keyframes possible
    endpoint_reference: str = ""  # of the ONVIF device, to find it again at a new address
    stalled_after: float = 8.0  # seconds without a picture
    keyframe_within: float = 15.0  # seconds; a longer pause is told as NO_KEYFRAMES
