"""RTSP sources against real cameras (GStreamer's RTSP server)."""

from dataclasses import replace

import pytest

from home_agent import discovery
from home_agent.discovery.probing import Interface
from home_agent.sources import SourceOptions
from tests.agent.sources.recorder import playing
from tests.cameras import PASSWORD, USER, Stream, clips, rtsp_camera
from tests.cameras.onvif_device import onvif_device
from tests.cameras.onvif_shapes import Dialect, Profile
from tests.cameras.wsd_device import wsd_device
from village_core.media import h264
from village_core.settings import Secret
from village_core.troubles import Trouble

pytestmark = pytest.mark.cameras
ACCOUNT = SourceOptions(user=USER, password=Secret(PASSWORD))


def parameter_set_kinds(unit: list[bytes]) -> set[int]:
    return {h264.nal_type(nal) for nal in unit} & {h264.SPS, h264.PPS}


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


async def test_a_wrong_password_is_said() -> None:
    """CAM-6: the sentence holds no credentials."""
    wrong = SourceOptions(user=USER, password=Secret("not-the-one-9"))
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), wrong) as (seen, source),
    ):
        await seen.until(lambda s: s.has(Trouble.WRONG_PASSWORD))
        assert "not-the-one-9" not in seen.troubles[0][1] + source.name


@pytest.mark.parametrize("password", ["", "12345", USER])
async def test_a_makers_or_blank_password_is_refused(password: str) -> None:
    """CAM-8: before anything is sent."""
    options = SourceOptions(user=USER, password=Secret(password))
    async with playing("rtsp://127.0.0.1:1/", options) as (seen, _):
        await seen.until(lambda s: bool(s.troubles))
        assert seen.troubles[0][0] is Trouble.DEFAULT_PASSWORD


async def test_a_source_goes_on_after_the_cameras_restart_with_running_timestamps() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), ACCOUNT) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 5)
        await camera.restart()
        await seen.until(lambda s: len(s.described) >= 2 and len(s.units) >= 40)
        assert seen.timestamps == sorted(set(seen.timestamps))


async def test_a_changed_resolution_is_described_without_connecting_again() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), ACCOUNT) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 5)
        await camera.change(clips.BASELINE)
        await seen.until(lambda s: s.described[-1].width == 640)
        count = len(seen.units)
        await seen.until(lambda s: len(s.units) >= count + 5)
        assert not seen.troubles


async def test_a_camera_that_stalls_is_said_and_comes_back() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera,
        playing(camera.url(), replace(ACCOUNT, stalled_after=2)) as (seen, _),
    ):
        await seen.until(lambda s: len(s.units) >= 5)
        await camera.stall()
        await seen.until(lambda s: s.has(Trouble.STALLED))
        await camera.go()
        await seen.until(lambda s: len(s.described) >= 2)


async def test_a_camera_that_moved_is_found_by_its_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CAM-2: DHCP gave it another address; its EndpointReference stayed."""
    monkeypatch.setattr(discovery, "household_interfaces", lambda: [Interface("127.0.0.1", 1)])
    async with wsd_device() as device, rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera:
        old = camera.url().replace("127.0.0.1", "127.0.0.9")
        options = replace(ACCOUNT, endpoint_reference=device.endpoint_reference)
        async with playing(old, options) as (seen, source):
            await seen.until(lambda s: len(s.units) >= 5)
            assert source.name == camera.url()


async def test_h265_alone_is_said_plainly() -> None:
    """MED-16."""
    async with (
        rtsp_camera({"/main": Stream(clip=clips.H265)}) as camera,
        playing(camera.url(), ACCOUNT) as (seen, _),
    ):
        await seen.until(lambda s: s.has(Trouble.H265_ONLY))
        assert "H.264" in seen.troubles[0][1]


async def test_the_cameras_h264_profile_is_used_instead_of_its_h265_one() -> None:
    """MED-16: also where transcoding is switched on."""
    streams = {"/big": Stream(clip=clips.H265), "/small": Stream(clip=clips.SMALL)}
    async with rtsp_camera(streams) as camera:
        profiles = [
            Profile(token="big", url=camera.url("/big"), codec="H265"),
            Profile(token="small", url=camera.url("/small"), width=320, height=180),
        ]
        async with onvif_device(profiles) as device:
            options = replace(ACCOUNT, onvif=device.address, transcode=True)
            async with playing(camera.url("/big"), options) as (seen, source):
                await seen.until(lambda s: len(s.units) >= 5)
                assert source.name == camera.url("/small")
                assert not seen.described[0].transcoded


async def test_b_frames_are_said_and_switched_off_in_the_camera() -> None:
    async with rtsp_camera({"/main": Stream(clip=clips.B_FRAMES)}) as camera:
        profile = Profile(token="main", url=camera.url(), anchor=3)
        async with onvif_device([profile], dialect=Dialect(digest=None)) as device:
            options = replace(ACCOUNT, onvif=device.address)
            async with playing(camera.url(), options) as (seen, _):
                await seen.until(lambda s: s.has(Trouble.B_FRAMES))
                await seen.until(lambda _: device.profiles[0].anchor == 1)


async def test_another_stream_without_b_frames_is_preferred_when_they_stay_on() -> None:
    streams = {"/main": Stream(clip=clips.B_FRAMES), "/sub": Stream(clip=clips.SMALL)}
    async with rtsp_camera(streams) as camera:
        profiles = [
            Profile(token="main", url=camera.url("/main"), anchor=3),
            Profile(token="sub", url=camera.url("/sub"), width=320, height=180),
        ]
        dialect = Dialect(locked=True)
        async with onvif_device(profiles, dialect=dialect) as device:
            options = replace(ACCOUNT, onvif=device.address)
            async with playing(camera.url("/main"), options) as (seen, source):
                await seen.until(lambda s: s.has(Trouble.B_FRAMES))
                await seen.until(lambda s: s.described[-1].width == 320)
                assert source.name == camera.url("/sub")


async def test_a_pause_without_keyframes_is_said_and_one_is_asked_for() -> None:
    """CAM-4: SetSynchronizationPoint."""
    async with rtsp_camera({"/main": Stream(clip=clips.LONG_GOP)}) as camera:
        profile = Profile(token="main", url=camera.url())
        async with onvif_device([profile]) as device:
            options = replace(ACCOUNT, onvif=device.address, keyframe_within=3)
            async with playing(camera.url(), options) as (seen, _):
                await seen.until(lambda s: s.has(Trouble.NO_KEYFRAMES))
                count = len(seen.units)
                await seen.until(lambda s: len(s.units) >= count + 75)
        assert device.calls.count("SetSynchronizationPoint") == 1


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "opus"])
async def test_audio_is_passed_on_only_when_it_is_switched_on(codec: str) -> None:
    """CAM-11."""
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL, audio=codec)}) as camera:
        async with playing(camera.url(), replace(ACCOUNT, audio=True)) as (seen, _):
            await seen.until(lambda s: len(s.audio) >= 10 and bool(s.described))
            assert seen.described[0].audio == codec
            rate = 48_000 if codec == "opus" else 8_000
            times = [at for _, at in seen.audio]
            assert 0 < times[-1] - times[0] < 10 * rate
        async with playing(camera.url(), ACCOUNT) as (seen, _):
            await seen.until(lambda s: len(s.units) >= 30)
            assert not seen.audio
            assert seen.described[0].audio is None
