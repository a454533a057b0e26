"""Real cameras for all tests: see README.md."""

from tests.cameras import clips
from tests.cameras.clips import Clip
from tests.cameras.rig import PASSWORD, USER, RtspCamera, Stream, rtsp_camera

__all__ = ["PASSWORD", "USER", "Clip", "RtspCamera", "Stream", "clips", "rtsp_camera"]
