"""`home-agent check`: its words, for each thing that can be wrong."""

from datetime import timedelta

import pytest

from home_agent import check as checking
from home_agent.check import check
from home_agent.presets import Preset
from home_agent.report import Report
from home_agent.sources import SourceOptions
from tests.cameras import PASSWORD, USER, Stream, clips, rtsp_camera
from tests.cameras.front import front
from tests.cameras.onvif_device import onvif_device
from tests.cameras.onvif_shapes import Dialect, Profile
from village_core.settings import Secret
from village_core.troubles import Trouble

ACCOUNT = SourceOptions(user=USER, password=Secret(PASSWORD))


def text(report: Report) -> str:
    return "\n".join(report.lines())


@pytest.mark.cameras
async def test_a_good_camera_is_measured_and_nothing_is_wrong() -> None:
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera:
        report = await check(camera.url_with_password(), seconds=3)
    assert report.exit_code == 0
    assert "H.264 Main 320x180, 25" in text(report)
    assert "a keyframe every 1.0 s" in text(report)
    assert report.lines()[-1].strip() == "Nothing is wrong."
    assert PASSWORD not in text(report)


@pytest.mark.cameras
@pytest.mark.parametrize(
    ("clip", "trouble"),
    [
        (clips.H265, Trouble.H265_ONLY),
        (clips.B_FRAMES, Trouble.B_FRAMES),
        (clips.LONG_GOP, Trouble.NO_KEYFRAMES),
    ],
    ids=["H.265", "B-frames", "no keyframes"],
)
async def test_what_is_wrong_with_the_pictures_is_said(clip: clips.Clip, trouble: Trouble) -> None:
    async with rtsp_camera({"/main": Stream(clip=clip)}) as camera:
        report = await check(camera.url(), ACCOUNT, seconds=4)
    assert report.troubles == [trouble]
    assert report.exit_code == 1
    assert "!!" in text(report)


@pytest.mark.cameras
async def test_what_is_wrong_with_the_way_in_is_said() -> None:
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL)}) as camera:
        missing = await check(camera.url("/elsewhere"), ACCOUNT, seconds=2)
        wrong = SourceOptions(user=USER, password=Secret("not-the-one-9"))
        refused = await check(camera.url(), wrong, seconds=2)
        unnamed = await check(camera.url(), seconds=2)
    assert missing.troubles == [Trouble.NO_STREAM]
    assert refused.troubles == unnamed.troubles == [Trouble.WRONG_PASSWORD]
    assert "none is set" in text(unnamed)


@pytest.mark.cameras
async def test_a_wrong_clock_loss_and_an_open_door_are_said() -> None:
    async with (
        rtsp_camera({"/main": Stream(clip=clips.SMALL)}, auth="none") as camera,
        front(camera, ntp_offset=-180.0, lose_every=12) as before,
    ):
        report = await check(before.url(), ACCOUNT, seconds=4)
    assert Trouble.CLOCK_SKEW in report.troubles
    assert "3 min 0 s behind" in text(report)
    assert "% of the packets were lost" in text(report)
    assert "asks for no password" in text(report)


async def test_addresses_where_nothing_is_are_told_apart() -> None:
    closed = await check("rtsp://127.0.0.1:1/x", ACCOUNT, seconds=1)
    assert closed.troubles == [Trouble.REFUSED]
    default = await check("rtsp://admin:12345@127.0.0.1:1/x", seconds=1)
    assert default.troubles == [Trouble.DEFAULT_PASSWORD]
    for unusable in ("test:?size=1", "rtsp://", "file:/no/such.h264", "ftp://camera"):
        assert (await check(unusable, ACCOUNT, seconds=1)).exit_code == 1


@pytest.mark.cameras
async def test_a_device_is_asked_by_onvif_and_its_streams_are_looked_at() -> None:
    async with rtsp_camera(
        {"/a": Stream(clip=clips.SUB), "/b": Stream(clip=clips.SMALL)}
    ) as camera:
        profiles = [
            Profile(token="first", url=camera.url("/a"), width=640, height=360),
            Profile(token="second", url=camera.url("/b"), width=320, height=180),
        ]
        dialect = Dialect(skew=timedelta(minutes=3), administrator=True)
        async with onvif_device(profiles, dialect=dialect) as device:
            report = await check(device.address, ACCOUNT, seconds=4)
    said = text(report)
    assert report.troubles == [Trouble.CLOCK_SKEW]
    assert "ONVIF Media2: Lantern LC-1" in said
    assert "640x360" in said
    assert "320x180" in said
    assert "can only watch" in said


async def test_a_device_without_h264_is_said_with_what_to_do() -> None:
    profile = Profile(token="big", url="rtsp://127.0.0.1:1/x", codec="H265")
    async with onvif_device([profile]) as device:
        report = await check(device.address, ACCOUNT, seconds=2)
    assert report.troubles == [Trouble.H265_ONLY]


@pytest.mark.cameras
async def test_makers_usual_addresses_are_tried_with_the_households_account_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CAM-7."""
    streams = {"/stream1": Stream(clip=clips.SUB), "/stream2": Stream(clip=clips.SMALL)}
    async with rtsp_camera(streams) as camera:
        presets = [
            Preset("Other", (), "/nowhere", "/nowhere2", port=camera.port),
            Preset("Maker", (), "/stream1", "/stream2", port=camera.port),
        ]
        monkeypatch.setattr(checking, "PRESETS", presets)
        found = await check("127.0.0.1:1", ACCOUNT, seconds=3)
        assert camera.url("/stream1") in text(found)
        without = await check("127.0.0.1:1", seconds=3)
        assert "stream1" not in text(without)
