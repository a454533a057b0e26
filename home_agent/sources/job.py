"""What a transcoding child is to do, passed to it as JSON."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    codec: str = "h264"  # or "hevc"
    fps: int = 25  # of the result at most; the pace is the source's
    mask: list[list[list[float]]] = field(default_factory=list)
    aac: str = ""  # AudioSpecificConfig in hexadecimal, for audio
    aac_rate: int = 0
