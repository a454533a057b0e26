"""Short recorded clips for cameras to loop, encoded once and kept in the system's temp folder."""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av

from home_agent.sources.pattern import GREY, Pattern

RECIPE = 4  # counts up when clips are made differently


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A moving pattern with a clock (home_agent.sources.pattern); begins with a keyframe."""

    width: int = 1280
    height: int = 720
    fps: int = 25
    seconds: int = 4
    rate: int = 1500  # kbit/s
    gop: int = 25
    profile: str = "main"  # baseline, main, high; H.265 has main
    bframes: int = 0
    hevc: bool = False

    def make(self) -> Path:
        """The file: Annex B with delimiters; beside it a .json for tests/cameras/server.py."""
        about = json.dumps([RECIPE, asdict(self)])
        name = hashlib.sha256(about.encode()).hexdigest()[:20]
        folder = Path(tempfile.gettempdir()) / f"secvillage-clips-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{name}.{'h265' if self.hevc else 'h264'}"
        if not path.exists() or not path.with_suffix(".json").exists():
            self._encode(path)
        return path

    def _encode(self, path: Path) -> None:
        data, shown = bytearray(), []
        for packet in self._packets():
            data += bytes(packet)
            shown.append(packet.pts or 0)
        first = min(shown)
        places = [place - first for place in shown]
        about = {"fps": self.fps, "hevc": self.hevc, "shown": places}
        _write(path.with_suffix(".json"), json.dumps(about).encode())
        _write(path, bytes(data))

    def _packets(self) -> "list[av.Packet[av.VideoStream]]":
        encoder = self._encoder()
        picture = av.VideoFrame(self.width, self.height, "yuv420p")
        luma = picture.planes[0]
        for plane in picture.planes[1:]:
            plane.update(bytes((GREY,)) * plane.buffer_size)
        pattern = Pattern(self.width, self.height, luma.line_size)
        packets = []
        for number in range(self.fps * self.seconds):
            drawn = pattern.draw(
                number, 1_750_000_000_000 + number * 1000 // self.fps, number / self.fps
            )
            luma.update(bytes(drawn).ljust(luma.buffer_size, b"\0"))
            picture.pts, picture.time_base = number, Fraction(1, self.fps)
            packets += encoder.encode(picture)
        return packets + encoder.encode(None)

    def _encoder(self) -> av.VideoCodecContext:
        encoder = av.CodecContext.create("libx265" if self.hevc else "libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = self.width, self.height, "yuv420p"
        encoder.framerate, encoder.time_base = Fraction(self.fps), Fraction(1, self.fps)
        encoder.bit_rate, encoder.gop_size = self.rate * 1000, self.gop
        encoder.max_b_frames, encoder.thread_count = self.bframes, 1
        shared = f"aud=1:repeat-headers=1:keyint={self.gop}:min-keyint={self.gop}:scenecut=0"
        shared += f":bframes={self.bframes}:b-adapt=0:open-gop=0"
        encoder.options = {"preset": "ultrafast", "profile": self.profile}
        if self.hevc:
            encoder.options |= {"x265-params": shared + ":log-level=none"}
        else:
            cabac = int(self.profile != "baseline")
            tools = f":cabac={cabac}:8x8dct={int(self.profile == 'high')}:b-pyramid=none"
            encoder.options |= {"x264-params": shared + tools}
        return encoder


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)


MAIN = Clip()
SUB = Clip(width=640, height=360, fps=15, gop=15, rate=400, profile="baseline")
BASELINE = Clip(width=640, height=360, profile="baseline")
HIGH = Clip(width=1920, height=1080, seconds=2, rate=3000, profile="high")
B_FRAMES = Clip(width=640, height=360, profile="high", bframes=2)
SMALL = Clip(width=320, height=180, rate=200)
H265 = Clip(width=640, height=360, hevc=True)
LONG_GOP = Clip(width=320, height=180, rate=200, seconds=40, gop=1000)
