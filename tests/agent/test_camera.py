"""One camera in the agent: real RTSP and ONVIF cameras, their troubles, masks and snapshots."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from home_agent.agent import Agent, running
from home_agent.camera import Camera
from home_agent.config import CameraConfig, Config, LanConfig
from home_agent.onvif_camera import _host, _moved
from home_agent.parent import Parent
from home_agent.stills import StillError, Stills, decoded, fetch
from tests.agent.home import film, until
from tests.cameras import PASSWORD, USER, clips, rtsp_camera
from tests.cameras.http_digest import DigestGate
from tests.cameras.onvif_device import onvif_device
from tests.cameras.onvif_shapes import Dialect, Profile
from tests.cameras.rig import Stream
from village_core.line import ParentError
from village_core.permits import Quality
from village_core.settings import Secret
from village_core.troubles import Trouble

MASK = [[[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]]


@asynccontextmanager
async def with_camera(folder: Path, **settings: Any) -> AsyncIterator[Camera]:
    account = {"user": USER, "password": Secret(PASSWORD)}
    config = Config(
        state=folder / "state",
        cameras={"gate": CameraConfig(**{"name": "门", **account, **settings})},
        lan=LanConfig(enabled=False),
    )
    async with running(config) as agent:
        yield only(agent)


def only(agent: Agent) -> Camera:
    return next(iter(agent.cameras.values()))


@pytest.mark.cameras
async def test_main_and_sub_of_a_real_camera_are_described(tmp_path: Path) -> None:
    async with (
        rtsp_camera() as device,
        with_camera(tmp_path, main=device.url("/main"), sub=device.url("/sub")) as camera,
    ):
        await until(lambda: len(camera.streams) == 2)
        note = camera.note(privacy_off=False)
    assert note.main is not None
    assert note.sub is not None
    assert (note.main.width, note.sub.width) == (1280, 640)
    assert (note.online, note.trouble, note.audio) == (True, None, None)


@pytest.mark.cameras
async def test_a_camera_is_back_within_15_s_of_its_reboot(tmp_path: Path) -> None:
    async with (
        rtsp_camera() as device,
        with_camera(tmp_path, main=device.url()) as camera,
    ):
        await until(lambda: camera.online)
        await device.stop()
        await until(lambda: not camera.online, 15.0)
        assert camera.note(privacy_off=False).main is None
        await device.start()
        await until(lambda: camera.online, 15.0)


@pytest.mark.cameras
async def test_a_wrong_password_is_said_and_not_tried_on(tmp_path: Path) -> None:
    """Cameras lock accounts: one try a minute."""
    async with (
        rtsp_camera() as device,
        with_camera(tmp_path, main=device.url(), password=Secret("not-the-one-9")) as camera,
    ):
        await until(lambda: camera.trouble is Trouble.WRONG_PASSWORD)
        assert "not-the-one-9" not in camera.sentence
        assert not camera.online


@pytest.mark.cameras
async def test_h265_only_is_said_plainly_and_the_h264_sub_stream_goes_on(tmp_path: Path) -> None:
    """MED-16."""
    streams = {"/main": Stream(clip=clips.H265), "/sub": Stream(clip=clips.SUB)}
    async with (
        rtsp_camera(streams) as device,
        with_camera(tmp_path, main=device.url("/main"), sub=device.url("/sub")) as camera,
    ):
        await until(lambda: camera.online and camera.trouble is Trouble.H265_ONLY)
        note = camera.note(privacy_off=False)
    assert note.main is None
    assert note.sub is not None


@pytest.mark.cameras
async def test_transcoding_and_its_mask_are_told_and_no_snapshot_goes_around_them(
    tmp_path: Path,
) -> None:
    """PRM-19, CAM-9: burned in before anything leaves; the camera's own JPEG is never taken."""
    asked: list[str] = []

    def note_it(request: web.Request) -> web.Response | None:
        asked.append(request.path)
        return None

    async with (
        rtsp_camera({"/main": Stream(clip=clips.H265)}) as device,
        serving(guarded(note_it, PICTURE)) as snapshot,
        with_camera(
            tmp_path, main=device.url(), transcode=True, mask=MASK, snapshot=snapshot
        ) as camera,
    ):
        await until(lambda: camera.online, 30.0)
        note = camera.note(privacy_off=False)
        assert (note.masked, note.transcoded) == (True, True)
        await until(lambda: bool(camera.encodings[Quality.MAIN].stream.picture))
        picture = await Stills(no_parent).take(camera, Quality.MAIN)
    assert picture != PICTURE
    assert asked == []


def no_parent() -> Parent:
    raise ParentError("not needed here")


@pytest.mark.cameras
async def test_audio_comes_only_when_switched_on(tmp_path: Path) -> None:
    """CAM-11."""
    async with rtsp_camera({"/main": Stream(audio="PCMA")}) as device:
        async with with_camera(tmp_path, main=device.url()) as camera:
            await until(lambda: camera.online)
            assert (camera.audio, camera.audio_codec) == (None, None)
        async with with_camera(tmp_path, main=device.url(), audio=True) as camera:
            await until(lambda: camera.online)
            assert camera.audio is not None
            await until(lambda: camera.audio is not None and camera.audio.counters.packets > 5)
            assert camera.note(privacy_off=False).audio == "PCMA"


@pytest.mark.cameras
async def test_an_onvif_address_is_enough(tmp_path: Path) -> None:
    """CAM-4."""
    async with rtsp_camera() as rtsp:
        profiles = [
            Profile(token="main", url=rtsp.url("/main")),
            Profile(token="sub", url=rtsp.url("/sub"), width=640, height=360),
        ]
        async with (
            onvif_device(profiles) as device,
            with_camera(tmp_path, onvif=device.address) as camera,
        ):
            await until(lambda: len(camera.streams) == 2, 30.0)
            assert camera.snapshot == f"http://{device.address}/snapshot.jpg"


@pytest.mark.parametrize(
    ("dialect", "masked"), [({}, True), ({"masks": False}, False), ({"keeps_masks": False}, False)]
)
@pytest.mark.cameras
async def test_a_camera_counts_as_masked_only_when_it_gives_its_mask_back(
    tmp_path: Path, dialect: dict[str, Any], masked: bool
) -> None:
    """PRM-19, CAM-9."""
    async with rtsp_camera() as rtsp:
        profiles = [Profile(token="main", url=rtsp.url("/main"))]
        async with (
            onvif_device(profiles, dialect=Dialect(**dialect)) as device,
            with_camera(tmp_path, onvif=device.address, mask=MASK) as camera,
        ):
            await until(lambda: bool(camera.streams), 30.0)
            assert camera.note(privacy_off=False).masked is masked
            assert camera.options(Quality.MAIN).mask == ([] if masked else MASK)


async def test_an_onvif_camera_that_is_not_there_says_so(tmp_path: Path) -> None:
    async with with_camera(tmp_path, onvif="127.0.0.1:9") as camera:
        await until(lambda: camera.trouble in (Trouble.REFUSED, Trouble.NO_ROUTE), 30.0)
        assert camera.sentence
        assert not camera.online


@pytest.mark.cameras
async def test_a_camera_that_dhcp_moved_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CAM-2: by its lasting identity; on a LAN by WS-Discovery, told to the test here."""
    place = {"host": "127.0.0.1"}

    async def reference(host: str, *_: object) -> str:
        return "urn:uuid:gate" if host == place["host"] else ""

    async def again(name: str, *_: object) -> str | None:
        return place["host"] if name == "urn:uuid:gate" else None

    monkeypatch.setattr("home_agent.discovery.endpoint_reference_of", reference)
    monkeypatch.setattr("home_agent.discovery.find_again", again)
    async with rtsp_camera() as first:
        profile = Profile(token="main", url=first.url("/main"))
        async with (
            onvif_device([profile]) as device,
            with_camera(tmp_path, onvif=device.address) as camera,
        ):
            await until(lambda: camera.online and bool(camera.endpoint_reference), 30.0)
            place["host"] = "127.0.0.2"
            await first.stop()
            async with rtsp_camera(address="127.0.0.2", port=first.port):
                await until(lambda: not camera.online, 15.0)
                await until(lambda: camera.online, 15.0)


@pytest.mark.parametrize(
    ("address", "host", "moved"),
    [
        ("192.0.2.1", "192.0.2.9", "192.0.2.9"),
        ("192.0.2.1:8080", "192.0.2.9", "192.0.2.9:8080"),
        ("http://192.0.2.1:80/onvif/device_service", "2001:db8::1", None),
        ("rtsp://192.0.2.1/a?b=c", "192.0.2.9", "rtsp://192.0.2.9/a?b=c"),
    ],
)
def test_an_address_moves_with_its_device(address: str, host: str, moved: str | None) -> None:
    expected = moved or f"http://[{host}]:80/onvif/device_service"
    assert _moved(address, host) == expected
    assert _host(_moved(address, host)) == host


def guarded(check: Callable[[web.Request], web.Response | None], body: bytes) -> web.Application:
    async def snapshot(request: web.Request) -> web.Response:
        return check(request) or web.Response(body=body, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/snapshot.jpg", snapshot)
    return app


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("/snapshot.jpg"))
    await server.close()


def basic(request: web.Request) -> web.Response | None:
    if request.headers.get("Authorization") == aiohttp.encode_basic_auth(USER, PASSWORD):
        return None
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})


PICTURE = b"\xff\xd8\xff\xe0 a picture"


async def test_a_snapshot_is_fetched_by_digest() -> None:
    """CAM-3."""
    gate = DigestGate(USER, PASSWORD)
    seen: list[str] = []

    def digest(request: web.Request) -> web.Response | None:
        said = request.headers.get("Authorization", "")
        seen.append(said)
        asked = gate.challenge(said, request.method)
        return web.Response(status=401, headers={"WWW-Authenticate": asked}) if asked else None

    async with serving(guarded(digest, PICTURE)) as url:
        assert await fetch(url, USER, PASSWORD) == PICTURE
    assert not any(said.startswith("Basic") for said in seen)


async def test_a_snapshot_is_fetched_by_basic_where_nothing_better_is_asked() -> None:
    async with serving(guarded(basic, PICTURE)) as url:
        assert await fetch(url, USER, PASSWORD) == PICTURE
        with pytest.raises(StillError, match="answered 401"):
            await fetch(url, USER, "not-the-one-9")


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xd8\xff" + bytes(5_000_000)])
async def test_what_is_no_picture_is_not_passed_on(body: bytes) -> None:
    async with serving(guarded(lambda _: None, body)) as url:
        with pytest.raises(StillError):
            await fetch(url, "", "")


@pytest.mark.parametrize("unit", [b"", b"\0\0\0\1\x65nonsense", bytes(100)])
async def test_a_keyframe_that_does_not_decode_is_an_error_in_words(unit: bytes) -> None:
    with pytest.raises(StillError, match="does not decode"):
        await asyncio.to_thread(decoded, unit)


async def test_a_keyframe_becomes_a_jpeg_of_its_size() -> None:
    jpeg = await asyncio.to_thread(decoded, film(pictures=1))
    assert jpeg.startswith(b"\xff\xd8\xff")
