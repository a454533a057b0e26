"""The video4linux part of the encoding child, with a file in the device's place."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from home_agent.sources import encoder
from home_agent.sources.frames import Frame, Kind
from home_agent.sources.spec import read_spec
from tests.cameras import clips

SHORT = clips.Clip(width=320, height=180, rate=200, seconds=1)
SPEC = read_spec("v4l2", "/dev/video0", "size=320x180&fps=25&gop=10")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    frames: list[Frame] = []
    monkeypatch.setattr(encoder, "write", frames.append)
    monkeypatch.setattr(encoder, "wait_until", lambda _: False)
    return frames


def opens(path: Path, form: str) -> Callable[..., object]:
    return lambda *_: av.open(str(path), format=form)


def motion_jpeg(folder: Path) -> Path:
    """What most webcams give."""
    path = folder / "webcam.mjpeg"
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuvj420p"
        for number in range(12):
            picture = av.VideoFrame(320, 180, "yuvj420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def test_a_device_that_gives_h264_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame]
) -> None:
    monkeypatch.setattr(encoder, "_open_device", opens(SHORT.make(), "h264"))
    encoder.run_device(SPEC)
    assert len(written) == 25
    assert written[0].kind is Kind.KEYFRAME


def test_a_device_that_gives_motion_jpeg_is_encoded(
    monkeypatch: pytest.MonkeyPatch, written: list[Frame], tmp_path: Path
) -> None:
    monkeypatch.setattr(encoder, "_open_device", opens(motion_jpeg(tmp_path), "mjpeg"))
    encoder.run_device(SPEC)
    assert len(written) >= 10
    assert written[0].kind is Kind.KEYFRAME
    assert b"\x67" in written[0].payload[:8]
