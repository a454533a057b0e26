"""RTSP sources against real cameras (GStreamer's RTSP server)."""

import pytest

from home_agent.sources import SourceOptions
from tests.agent.sources.recorder import playing
from tests.cameras import PASSWORD, USER, Stream, clips, rtsp_camera
from village_core.media import h264
from village_core.settings import Secret
from village_core.troubles import Trouble

pytestmark = pytest.mark.cameras
ACCOUNT = SourceOptions(user=USER, password=Secret(PASSWORD))


def parameter_set_kinds(camera_unit: list[bytes]) -> set[int]:
    return {h264.nal_type(nal) for nal in camera_unit} & {h264.SPS, h264.PPS}


@pytest.mark.parametrize(
    ("clip", "level", "size"),
    [
        (clips.BASELINE, "42c01e", (640, 360)),
        (clips.MAIN, "4d401f", (1280, 720)),
        (clips.HIGH, "640028", (1920, 1080)),
    ],
    ids=["baseline", "main", "high"],
)
async def test_h264_of_every_profile_is_passed_on_and_described(
    clip: clips.Clip, level: str, size: tuple[int, int]
) -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clip)}) as camera,
        playing(camera.url("/main"), ACCOUNT) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 30)
        described = seen.described[0]
        assert (described.profile_level_id, described.width, described.height) == (level, *size)
        assert described.has_b_frames is False
        assert seen.units[0].keyframe
        steps = {b - a for a, b in zip(seen.timestamps, seen.timestamps[1:], strict=False)}
        assert steps == {90_000 // clip.fps}


async def test_parameter_sets_missing_in_band_are_added_from_the_description() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL, in_band=False)}) as camera,
        playing(camera.url(), ACCOUNT) as (seen, _),
    ):
        await seen.until(lambda s: sum(unit.keyframe for unit in s.units) >= 2)
        for unit in seen.units:
            if unit.keyframe:
                assert parameter_set_kinds(unit.nals) == {h264.SPS, h264.PPS}


async def test_a_wrong_password_is_said_and_not_repeated_at_once() -> None:
    """CAM-6: the sentence holds no credentials; a repeated try would lock the account."""
    wrong = SourceOptions(user=USER, password=Secret("not-the-one-9"))
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), wrong) as (seen, source),
    ):
        await seen.until(lambda s: s.has(Trouble.WRONG_PASSWORD))
        assert "not-the-one-9" not in seen.troubles[0][1] + source.name
        assert len(seen.troubles) == 1


async def test_a_source_goes_on_after_the_cameras_restart_with_running_timestamps() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), ACCOUNT) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 5)
        await camera.restart()
        await seen.until(lambda s: len(s.described) >= 2 and len(s.units) >= 40)
        assert seen.timestamps == sorted(set(seen.timestamps))
