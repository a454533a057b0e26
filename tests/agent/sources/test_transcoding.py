"""What is transcoded, only where it is switched on: H.265, B-frames, masks, AAC."""

from dataclasses import replace

import av
import pytest

from home_agent.sources import SourceOptions
from tests.agent.sources.recorder import Recorder, playing
from tests.cameras import PASSWORD, USER, Stream, clips, rtsp_camera
from village_core.media import h264
from village_core.settings import Secret
from village_core.troubles import Trouble

pytestmark = pytest.mark.cameras
SWITCHED_ON = SourceOptions(user=USER, password=Secret(PASSWORD), transcode=True)
CORNER = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]]


def last_picture(seen: Recorder) -> av.VideoFrame:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames: list[av.VideoFrame] = []
    for unit in seen.units:
        frames += decoder.decode(av.Packet(h264.to_annex_b(unit.nals)))
    return (frames + decoder.decode(None))[-1]


async def test_h265_becomes_h264() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.H265)}) as camera,
        playing(camera.url(), SWITCHED_ON) as (seen, source),
    ):
        await seen.until(lambda s: len(s.units) >= 15)
        described = seen.described[0]
        assert (described.width, described.height, described.transcoded) == (640, 360, True)
        source.request_keyframe()
        keyframes = sum(unit.keyframe for unit in seen.units)
        await seen.until(lambda s: sum(unit.keyframe for unit in s.units) > keyframes, 1.5)
        assert seen.timestamps == sorted(set(seen.timestamps))
    assert (last_picture(seen).width, last_picture(seen).height) == (640, 360)


async def test_b_frames_are_transcoded_away() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.B_FRAMES)}) as camera,
        playing(camera.url(), SWITCHED_ON) as (seen, _),
    ):
        await seen.until(lambda s: s.has(Trouble.B_FRAMES))
        await seen.until(lambda s: s.described[-1].transcoded)
        first = len(seen.units)
        await seen.until(lambda s: len(s.units) >= first + 20)
        assert not seen.described[-1].has_b_frames
        assert not any(h264.has_b_slices(unit.nals) for unit in seen.units[first:])
        assert seen.timestamps[first:] == sorted(set(seen.timestamps[first:]))


async def test_a_mask_is_black_in_every_picture_that_leaves() -> None:
    """PRM-19, CAM-9."""
    options = replace(SWITCHED_ON, mask=[CORNER])
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), options) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 10)
        assert all(each.masked and each.transcoded for each in seen.described)
    picture = last_picture(seen)
    luma = bytes(picture.planes[0])
    stride = picture.planes[0].line_size
    inside = [luma[y * stride + x] for y in range(4, 86, 8) for x in range(4, 156, 8)]
    outside = [luma[y * stride + x] for y in range(96, 176, 8) for x in range(4, 316, 8)]
    assert max(inside) < 30
    assert max(outside) > 60


async def test_a_mask_without_transcoding_leaves_the_picture_and_says_so() -> None:
    """The camera then counts as unmasked (PRM-19)."""
    options = replace(SWITCHED_ON, mask=[CORNER], transcode=False)
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), options) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 3)
        assert not seen.described[0].masked


async def test_aac_becomes_opus_where_both_are_switched_on() -> None:
    """CAM-11; the pictures stay untouched."""
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL, audio="aac")}) as camera:
        async with playing(camera.url(), replace(SWITCHED_ON, audio=True)) as (seen, _):
            await seen.until(lambda s: len(s.audio) >= 50 and bool(s.described))
            assert seen.described[0].audio == "opus"
            assert not seen.described[0].transcoded
            steps = {b[1] - a[1] for a, b in zip(seen.audio, seen.audio[1:], strict=False)}
            assert steps == {960}
        decoder = av.CodecContext.create("opus", "r")
        decoder_out = [f for p, _ in seen.audio for f in decoder.decode(av.Packet(p))]
        assert decoder_out
        options = replace(SWITCHED_ON, audio=True, transcode=False)
        async with playing(camera.url(), options) as (seen, _):
            await seen.until(lambda s: len(s.units) >= 10)
            assert not seen.audio
