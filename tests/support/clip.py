"""A canned picture for tests and benches: 720p25 H.264 of 2 Mbit/s, a keyframe every 2 s.

It is made once, kept and looped, so that nothing encodes while something is measured.
"""

from fractions import Fraction
from pathlib import Path

import av

from home_agent.sources.pattern import Pattern

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "clips"
FPS, SECONDS = 25, 8
START = 1_767_225_600_000  # the clock in the picture, UTC milliseconds


def clip(width: int = 1280, height: int = 720, rate: int = 2_000_000) -> Path:
    """Annex B, `SECONDS` long; `rate` in bits per second."""
    path = FOLDER / f"{width}x{height}-{rate}.h264"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(_encode(width, height, rate))
        fresh.replace(path)
    return path


def _encode(width: int, height: int, rate: int) -> bytes:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = rate
    encoder.thread_count = 1  # one slice a picture, as cameras send
    encoder.options = {
        "preset": "veryfast",
        "profile": "main",
        "x264-params": f"bframes=0:keyint={2 * FPS}:min-keyint={2 * FPS}:scenecut=0:aud=1:"
        f"vbv-maxrate={rate // 1000}:vbv-bufsize={rate // 2000}:repeat-headers=1",
    }
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in frame.planes[1:]:
        plane.update(bytes((128,)) * plane.buffer_size)
    pattern = Pattern(width, height, frame.planes[0].line_size)
    data = bytearray()
    for number in range(FPS * SECONDS):
        seconds = number / FPS
        frame.planes[0].update(bytes(pattern.draw(number, START + int(seconds * 1000), seconds)))
        frame.pts = number
        data += b"".join(map(bytes, encoder.encode(frame)))
    return bytes(data + b"".join(map(bytes, encoder.encode(None))))


if __name__ == "__main__":
    made = clip()
    print(f"{made}: {made.stat().st_size * 8 / SECONDS / 1e6:.2f} Mbit/s")
