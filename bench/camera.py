"""The camera of all benches: 720p25 H.264 of 2 Mbit/s, a keyframe every 2 s, and its sub stream.

Looped from a file, so that nothing on the machine encodes while something is measured.
"""

from home_agent.sources.file import access_units
from tests.cameras.clips import Clip
from village_core.media import h264
from village_core.media.feeder import AccessUnit

FPS = 25
MAIN = Clip(fps=FPS, rate=2000, gop=2 * FPS, seconds=8)
SUB = Clip(width=640, height=360, fps=FPS, rate=400, gop=2 * FPS, seconds=8)


def pictures() -> list[AccessUnit]:
    """The main stream's pictures, once through; timestamps are left to whoever plays them."""
    units = access_units(MAIN.make().read_bytes())
    return [AccessUnit(nals, 0, h264.is_keyframe(nals)) for nals in units]
