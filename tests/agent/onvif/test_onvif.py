"""ONVIF against cameras of every dialect, over real HTTP.

The helper's work is done in a thread here, where it is quick and its lines are counted; how it runs
as a process is tested at the end.
"""

import asyncio
import gc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from home_agent import onvif
from home_agent.onvif_helper.__main__ import answer
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from tests.cameras.front import self_signed
from tests.cameras.onvif_device import OnvifDevice, onvif_device
from tests.cameras.onvif_shapes import Dialect, Profile
from tests.cameras.rig import PASSWORD, USER
from village_core.troubles import Trouble

ACCOUNT = Credentials(USER, PASSWORD)
RUN_HELPER = onvif._run_helper
MAIN = Profile(token="main", url="rtsp://127.0.0.1:8554/main", h264_profile="High", anchor=3)
SUB = Profile(token="sub", url="rtsp://127.0.0.1:8554/sub", width=640, height=360, fps=15)
HEVC = Profile(token="big", url="rtsp://127.0.0.1:8554/big", codec="H265", width=2560, height=1440)


@pytest.fixture(autouse=True)
def in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(question: bytes) -> bytes:
        told = await asyncio.to_thread(answer, question)
        return told.model_dump_json().encode()

    monkeypatch.setattr(onvif, "_run_helper", run)


@pytest.mark.parametrize(
    ("dialect", "media", "signed_in_by"),
    [
        ({}, 2, "digest"),
        ({"digest": "SHA-256"}, 2, "digest"),
        ({"media2": False}, 1, "digest"),
        ({"token": False}, 2, "digest"),
        ({"digest": None}, 2, "token"),
        ({"digest": None, "media2": False}, 1, "token"),
        ({"digest": None, "skew": timedelta(minutes=3)}, 2, "token"),
    ],
    ids=["both", "sha-256", "media1", "digest only", "token only", "token, media1", "wrong clock"],
)
async def test_every_dialect_gives_its_streams(
    dialect: dict[str, Any], media: int, signed_in_by: str
) -> None:
    """CAM-3, CAM-4."""
    async with onvif_device([MAIN, SUB], dialect=Dialect(**dialect)) as device:
        found = await onvif.look(device.address, ACCOUNT)
    assert (found.media, found.signed_in_by) == (media, signed_in_by)
    assert [(e.token, e.url, e.codec, e.width) for e in found.encodings] == [
        ("main", MAIN.url, "H264", 1280),
        ("sub", SUB.url, "H264", 640),
    ]
    assert found.encodings[0].snapshot == f"http://{device.address}/snapshot.jpg"
    assert device.calls[0] == "GetSystemDateAndTime"
    assert (found.maker, found.model) == ("Lantern", "LC-1")


async def test_a_wrong_clock_is_measured() -> None:
    async with onvif_device([MAIN], dialect=Dialect(skew=timedelta(minutes=-3))) as device:
        found = await onvif.look(device.address, ACCOUNT)
    assert abs(found.skew_ms + 180_000) < 1500


async def test_addresses_of_a_host_that_is_not_there_are_turned_to_the_one_asked() -> None:
    """A camera behind a forwarded port, or one that was moved, names its old address."""
    stream = Profile(token="main", url="rtsp://10.99.0.1:8554/main")
    dialect = Dialect(xaddr_host="10.99.0.1:80")
    async with onvif_device([stream], dialect=dialect) as device:
        found = await onvif.look(device.address, ACCOUNT)
    assert found.encodings[0].url == "rtsp://127.0.0.1:8554/main"
    assert found.encodings[0].snapshot == f"http://{device.address}/snapshot.jpg"


@pytest.mark.parametrize("digest", ["MD5", None])
async def test_a_wrong_password_is_said(digest: str | None) -> None:
    async with onvif_device([MAIN], dialect=Dialect(digest=digest)) as device:
        with pytest.raises(SourceFailure) as raised:
            await onvif.look(device.address, Credentials(USER, "not-the-one-9"))
    assert raised.value.trouble is Trouble.WRONG_PASSWORD
    assert "not-the-one-9" not in raised.value.sentence


async def test_a_makers_default_password_is_never_sent() -> None:
    """CAM-8."""
    async with onvif_device([MAIN], user="admin", password="admin") as device:
        with pytest.raises(SourceFailure) as raised:
            await onvif.look(device.address, Credentials("admin", "admin"))
        assert device.calls == []
    assert raised.value.trouble is Trouble.DEFAULT_PASSWORD


@pytest.mark.parametrize(
    ("address", "trouble"),
    [
        ("127.0.0.1:1", Trouble.REFUSED),
        ("ftp://127.0.0.1", Trouble.PROTOCOL),
        ("http://[::1", Trouble.PROTOCOL),
        ("", Trouble.PROTOCOL),
    ],
)
async def test_an_address_where_no_camera_answers_is_said(address: str, trouble: Trouble) -> None:
    with pytest.raises(SourceFailure) as raised:
        await onvif.look(address, ACCOUNT)
    assert raised.value.trouble is trouble


@pytest.mark.parametrize(
    ("dialect", "profile"),
    [({}, "High"), ({"anchors": False}, "Baseline"), ({"media2": False}, "Baseline")],
    ids=["anchor distance", "media2 by profile", "media1 by profile"],
)
async def test_b_frames_are_switched_off_in_the_camera(
    dialect: dict[str, Any], profile: str
) -> None:
    async with onvif_device([MAIN, SUB], dialect=Dialect(**dialect)) as device:
        encoding = await onvif.plain_h264(device.address, ACCOUNT, "main")
        assert encoding.b_frames is False
        assert device.profiles[0].h264_profile == profile
        assert device.profiles[1] == SUB


async def test_an_h265_profile_can_be_set_to_h264() -> None:
    async with onvif_device([HEVC]) as device:
        assert (await onvif.plain_h264(device.address, ACCOUNT, "big")).codec == "H264"


@pytest.mark.parametrize("media2", [True, False])
async def test_a_keyframe_can_be_asked_for(media2: bool) -> None:
    async with onvif_device([MAIN], dialect=Dialect(media2=media2)) as device:
        await onvif.synchronise(device.address, ACCOUNT, "main")
        assert device.calls[-1] == "SetSynchronizationPoint"


YARD = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.25), (0.0, 0.25)]
LANE = [(0.6, 0.5), (1.0, 0.5), (1.0, 1.0)]


async def mask(device: OnvifDevice, *polygons: onvif.Polygon) -> list[onvif.Polygon]:
    return await onvif.mask(device.address, ACCOUNT, "main", list(polygons))


async def test_masks_are_set_in_the_camera_and_read_back() -> None:
    """PRM-19: ONVIF counts from -1 to 1 and upwards."""
    async with onvif_device([MAIN]) as device:
        assert (await onvif.look(device.address, ACCOUNT)).can_mask
        assert await mask(device, YARD, LANE) == [YARD, LANE]
        corners = [each["Polygon"]["Point"][0] for each in device.masks.values()]
        assert corners[0] == {"x": -1, "y": 1}
        assert await mask(device, LANE) == [LANE]
        assert len(device.masks) == 1
        assert await mask(device) == []


@pytest.mark.parametrize("dialect", [{"masks": False}, {"keeps_masks": False}, {"media2": False}])
async def test_a_camera_that_keeps_no_masks_counts_as_unmasked(dialect: dict[str, Any]) -> None:
    """PRM-19."""
    async with onvif_device([MAIN], dialect=Dialect(**dialect)) as device:
        with pytest.raises(SourceFailure, match="mask"):
            await mask(device, YARD)


async def test_an_account_that_only_watches_can_be_made() -> None:
    """CAM-8: and whoever could do more than watch is told so."""
    async with onvif_device([MAIN], dialect=Dialect(administrator=True)) as device:
        assert (await onvif.look(device.address, ACCOUNT)).may_administer
        await onvif.make_viewer(device.address, ACCOUNT, Credentials("village", "Reed-7743-Ox"))
        assert device.users == [("village", "User")]
    async with onvif_device([MAIN]) as device:
        assert not (await onvif.look(device.address, ACCOUNT)).may_administer


async def test_main_and_sub_are_chosen_among_the_h264_profiles() -> None:
    """MED-16."""
    async with onvif_device([HEVC, MAIN, SUB]) as device:
        found = await onvif.look(device.address, ACCOUNT)
    main, sub = onvif.main_and_sub(found)
    assert main
    assert main.token == "sub"  # the only one without B-frames
    assert sub is None


async def test_a_camera_without_media_is_said() -> None:
    async with onvif_device([MAIN], dialect=Dialect(media1=False, media2=False)) as device:
        with pytest.raises(SourceFailure, match="no media service"):
            await onvif.look(device.address, ACCOUNT)


async def test_a_camera_older_than_get_services_is_asked_by_its_capabilities() -> None:
    async with onvif_device([MAIN], dialect=Dialect(media2=False, services=False)) as device:
        assert (await onvif.look(device.address, ACCOUNT)).encodings[0].url == MAIN.url


async def test_a_locked_encoder_and_a_vanished_profile_are_said() -> None:
    async with onvif_device([MAIN], dialect=Dialect(locked=True)) as device:
        with pytest.raises(SourceFailure, match="locked"):
            await onvif.plain_h264(device.address, ACCOUNT, "main")
        with pytest.raises(SourceFailure, match="no such profile"):
            await onvif.plain_h264(device.address, ACCOUNT, "gone")


async def test_a_device_that_asks_and_is_given_no_account_is_said() -> None:
    async with onvif_device([MAIN]) as device:
        with pytest.raises(SourceFailure, match="none is set"):
            await onvif.look(device.address, None)


# asyncio in Python 3.11 leaves the server's end of a refused handshake open until it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_https_is_taken_with_the_pinned_certificate_alone(tmp_path: Path) -> None:
    """CAM-3."""
    context, fingerprint = self_signed(tmp_path)
    async with onvif_device([MAIN], secure=context) as device:
        address = f"https://{device.address}"
        pinned = await onvif.look(f"{address}#sha256:{fingerprint}", ACCOUNT)
        assert pinned.encodings[0].snapshot.startswith("https://")
        for wrong in ("", f"#sha256:{'0' * 64}"):
            with pytest.raises(SourceFailure, match="certificate"):
                await onvif.look(address + wrong, ACCOUNT)
    await asyncio.to_thread(gc.collect)


async def test_the_helper_is_a_process_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif, "_run_helper", RUN_HELPER)
    async with onvif_device([MAIN]) as device:
        assert (await onvif.look(device.address, ACCOUNT)).model == "LC-1"


async def test_a_helper_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif, "_run_helper", RUN_HELPER)
    monkeypatch.setattr(onvif, "DEADLINE", 0.05)
    async with onvif_device([MAIN]) as device:
        with pytest.raises(SourceFailure) as raised:
            await onvif.look(device.address, ACCOUNT)
    assert raised.value.trouble is Trouble.STALLED


async def test_a_helper_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onvif, "_run_helper", RUN_HELPER)
    monkeypatch.setattr(onvif, "HELPER", "home_agent.presets")
    with pytest.raises(SourceFailure, match="helper failed"):
        await onvif.look("127.0.0.1:1", ACCOUNT)


@pytest.mark.parametrize("question", [b"", b"{}", b'{"task": "other", "address": "x"}'])
def test_a_question_that_is_none_is_answered(question: bytes) -> None:
    assert answer(question).sentence
