"""The moving test picture: its clock is read back from decoded pixels."""

import av
import pytest

from home_agent.sources import SourceFailure, SourceOptions, open_source
from home_agent.sources.pattern import read_plane
from tests.agent.sources.recorder import Recorder, playing
from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.media.h264 import to_annex_b


def decoded(seen: Recorder) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = []
    for unit in seen.units:
        frames += decoder.decode(av.Packet(to_annex_b(unit.nals)))
    return frames + decoder.decode(None)


@pytest.mark.parametrize("size", ["1280x720", "320x180"])
async def test_the_clock_in_the_picture_can_be_read_by_a_program(size: str) -> None:
    before = SYSTEM_CLOCK.utc_ms()
    async with playing(f"test:?size={size}&fps=10&rate=300&gop=10") as (seen, _):
        await seen.until(lambda s: len(s.units) >= 12)
    readings = []
    for frame in decoded(seen):
        luma = frame.planes[0]
        readings.append(read_plane(bytes(luma), frame.width, frame.height, luma.line_size))
    assert all(readings)
    numbers = [reading.number for reading in readings if reading]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    times = [reading.utc_ms for reading in readings if reading]
    assert before <= times[0] <= times[-1] <= SYSTEM_CLOCK.utc_ms()


async def test_a_keyframe_comes_when_it_is_asked_for() -> None:
    async with playing("test:?size=320x180&rate=200&gop=1000") as (seen, source):
        await seen.until(lambda s: len(s.units) >= 5)
        source.request_keyframe()
        await seen.until(lambda s: sum(unit.keyframe for unit in s.units) == 2, 3)


async def test_the_picture_is_described_as_it_was_ordered() -> None:
    async with playing("test:?size=640x360&fps=15&profile=baseline&rate=300") as (seen, _):
        await seen.until(lambda s: bool(s.described))
    described = seen.described[0]
    assert (described.width, described.height, described.fps) == (640, 360, 15)
    assert described.profile_level_id.startswith("42")


@pytest.mark.parametrize(
    "url",
    ["test:?size=1x1", "test:?fps=0", "test:?profile=best", "test:?colour=red", "ftp://a/b", "x"],
)
def test_an_address_that_cannot_be_used_is_refused_with_what_is_wrong(url: str) -> None:
    with pytest.raises(SourceFailure, match="cannot be used"):
        open_source(url, SourceOptions(), Recorder(), Supervisor(), SYSTEM_CLOCK)
