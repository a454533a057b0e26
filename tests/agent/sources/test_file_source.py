"""Looped files, as Annex B and in a container."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.sources.file import access_units
from tests.agent.sources.recorder import playing
from tests.cameras import clips
from village_core.troubles import Trouble

SHORT = clips.Clip(width=320, height=180, rate=200, seconds=1)


def film(folder: Path) -> Path:
    """The clip in an MP4, as a phone would have it."""
    path = folder / "film.mp4"
    with av.open(str(SHORT.make()), format="h264") as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.time_base = Fraction(1, 25)
                packet.pts = packet.dts = number
                packet.duration = 1
                out.mux(packet)
    return path


async def test_a_raw_file_is_looped_with_running_timestamps() -> None:
    async with playing(f"file:{SHORT.make()}") as (seen, _):
        await seen.until(lambda s: len(s.units) >= 60)
    steps = {b - a for a, b in zip(seen.timestamps, seen.timestamps[1:], strict=False)}
    assert steps == {3600}
    assert [n for n, unit in enumerate(seen.units) if unit.keyframe] == [0, 25, 50]


async def test_a_film_is_looped_with_running_timestamps(tmp_path: Path) -> None:
    async with playing(f"file:{film(tmp_path)}") as (seen, _):
        await seen.until(lambda s: len(s.units) >= 60)
    steps = [b - a for a, b in zip(seen.timestamps, seen.timestamps[1:], strict=False)]
    assert all(3500 < step < 3700 for step in steps)


@pytest.mark.parametrize("name", ["missing.h264", "missing.mp4", "text.h264", "text.mp4"])
async def test_a_file_that_cannot_be_played_is_named(tmp_path: Path, name: str) -> None:
    if name.startswith("text"):
        (tmp_path / name).write_text("not a film")
    async with playing(f"file:{tmp_path / name}") as (seen, _):
        await seen.until(lambda s: s.has(Trouble.NO_STREAM))
        assert name in seen.troubles[0][1]


async def test_a_device_that_is_not_there_is_named() -> None:
    async with playing("v4l2:/dev/video-none") as (seen, _):
        await seen.until(lambda s: s.has(Trouble.NO_STREAM))
        assert "/dev/video-none" in seen.troubles[0][1]


@given(st.binary(max_size=300))
def test_no_bytes_make_the_splitter_fail(data: bytes) -> None:
    """DEV-11."""
    for unit in access_units(b"\0\0\1\x67" + data + b"\0\0\1\x65\x80" + data):
        assert unit
