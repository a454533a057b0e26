"""The RTSP client against a real camera behind a front with the oddities of other makers."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from home_agent.sources import SourceOptions
from tests.agent.sources.recorder import playing
from tests.cameras import PASSWORD, USER, RtspCamera, Stream, clips, rtsp_camera
from tests.cameras.front import Front, front, self_signed
from tests.cameras.http_digest import DigestGate
from village_core.settings import Secret
from village_core.troubles import Trouble

pytestmark = pytest.mark.cameras
ACCOUNT = SourceOptions(user=USER, password=Secret(PASSWORD))


@pytest.fixture
async def camera() -> AsyncIterator[RtspCamera]:
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL)}, auth="none", timeout=4) as running:
        yield running


@pytest.fixture
async def before(camera: RtspCamera) -> AsyncIterator[Front]:
    async with front(camera) as standing:
        yield standing


async def plays(url: str, options: SourceOptions = ACCOUNT, units: int = 10) -> None:
    async with playing(url, options) as (seen, _):
        await seen.until(lambda s: len(s.units) >= units)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", [True, False])
async def test_digest_is_answered(before: Front, algorithm: str, qop: bool) -> None:
    """CAM-6."""
    before.gate = DigestGate(USER, PASSWORD, algorithm, qop=qop)
    await plays(before.url())


async def test_the_stronger_digest_is_chosen_and_basic_never_beside_one(before: Front) -> None:
    """CAM-6."""
    before.gate = DigestGate(USER, PASSWORD, "SHA-256")
    before.extra_challenges = ['Basic realm="camera"', 'Digest realm="camera", nonce="weak"']
    await plays(before.url())
    signed = [headers.get("authorization", "") for _, headers in before.requests]
    assert not any(text.startswith("Basic") for text in signed)
    assert any("SHA-256" in text for text in signed)


async def test_a_stale_nonce_is_not_taken_for_a_wrong_password(before: Front) -> None:
    before.gate = DigestGate(USER, PASSWORD, lifetime=1)
    await plays(before.url())
    assert before.gate.stale_told > 0


async def test_basic_is_used_when_it_is_all_that_is_offered() -> None:
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL)}, auth="basic") as camera:
        await plays(camera.url())


async def test_a_password_with_every_kind_of_sign_works_from_the_url_and_apart() -> None:
    """CAM-6: percent-encoded in URLs."""
    password = 'a:/?#[]@!$&"\\ %41ü门'
    async with rtsp_camera({"/main": Stream(clip=clips.SMALL)}, password=password) as camera:
        await plays(camera.url_with_password(), SourceOptions())
        await plays(camera.url(), SourceOptions(user=USER, password=Secret(password)))


async def test_credentials_stand_in_no_log_and_no_sentence(
    before: Front, caplog: pytest.LogCaptureFixture
) -> None:
    """CAM-6."""
    caplog.set_level(logging.DEBUG)
    before.gate = DigestGate(USER, "another-9Pw")
    url = f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{before.port}/main"
    async with playing(url) as (seen, source):
        await seen.until(lambda s: s.has(Trouble.WRONG_PASSWORD))
        assert PASSWORD not in caplog.text + seen.troubles[0][1] + source.name + repr(source)


async def test_the_session_is_kept_alive_by_get_parameter(before: Front) -> None:
    """CAM-6: below the session's timeout, which is 4 s here."""
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: len(s.units) >= 150)
        assert len(seen.described) == 1 or seen.described[0].clock_skew_ms is None
    assert before.methods().count("GET_PARAMETER") >= 2
    assert before.methods().count("DESCRIBE") == 1
    assert before.reports > 0


async def test_a_camera_without_get_parameter_is_kept_alive_by_options(before: Front) -> None:
    before.refuse = {"GET_PARAMETER": 501}
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: len(s.units) >= 140)
    assert before.methods().count("GET_PARAMETER") == 1
    assert before.methods().count("OPTIONS") >= 2
    assert before.methods().count("DESCRIBE") == 1


async def test_a_redirection_to_the_same_camera_is_followed(before: Front) -> None:
    async with front(before.camera, location=before.url()) as first:
        await plays(first.url())


async def test_a_redirection_to_another_device_is_refused(before: Front) -> None:
    """A household's password goes to the device that it was given for."""
    before.location = "rtsp://127.0.0.2:554/main"
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: s.has(Trouble.PROTOCOL))
        assert "another device" in seen.troubles[0][1]


async def test_a_redirection_in_circles_ends(before: Front) -> None:
    before.location = before.url()
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: s.has(Trouble.PROTOCOL))
        assert "circles" in seen.troubles[0][1]


async def test_udp_is_used_where_the_camera_sends_nothing_else(before: Front) -> None:
    before.refuse_tcp = True
    await plays(before.url())


async def test_udp_is_used_when_it_is_switched_on(before: Front) -> None:
    await plays(before.url(), replace(ACCOUNT, udp=True))
    transports = [headers.get("transport", "") for _, headers in before.requests]
    assert not any("TCP" in text for text in transports)


async def test_tcp_is_used_when_nothing_comes_by_udp(
    before: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall between, or a camera that only says that it sends."""
    monkeypatch.setattr("home_agent.rtsp.udp._Port.datagram_received", lambda *_: None)
    await plays(before.url(), replace(ACCOUNT, udp=True, stalled_after=1.5))
    transports = [headers.get("transport", "") for _, headers in before.requests]
    assert any("TCP" in text for text in transports)


async def test_torn_pictures_are_left_out(before: Front) -> None:
    """A packet lost between is not shown as smear; what follows a keyframe is whole again."""
    before.lose_every = 20
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: len(s.units) >= 40)
        assert seen.timestamps == sorted(set(seen.timestamps))


async def test_empty_lines_between_messages_are_passed_over(before: Front) -> None:
    before.padding = b"\r\n\r\n"
    await plays(before.url())


@pytest.mark.parametrize(
    ("method", "status", "trouble"),
    [
        ("DESCRIBE", 404, Trouble.NO_STREAM),
        ("DESCRIBE", 403, Trouble.WRONG_PASSWORD),
        ("SETUP", 453, Trouble.PROTOCOL),
        ("PLAY", 500, Trouble.PROTOCOL),
    ],
)
async def test_a_refusal_is_said(before: Front, method: str, status: int, trouble: Trouble) -> None:
    before.refuse = {method: status}
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: s.has(trouble))
        assert str(status) in seen.troubles[0][1]


async def test_rtsps_is_taken_with_the_pinned_certificate_alone(
    camera: RtspCamera, tmp_path: Path
) -> None:
    """CAM-3, DEV-5."""
    context, fingerprint = self_signed(tmp_path)
    async with front(camera, secure=context) as secured:
        await plays(f"{secured.url()}#sha256:{fingerprint}")
        for wrong in ("", f"#sha256:{'0' * 64}"):
            async with playing(secured.url() + wrong, ACCOUNT) as (seen, _):
                await seen.until(lambda s: s.has(Trouble.PROTOCOL))
                assert "certificate" in seen.troubles[0][1]


async def test_a_wrong_clock_is_told(before: Front) -> None:
    before.ntp_offset = -180
    async with playing(before.url(), ACCOUNT) as (seen, _):
        await seen.until(lambda s: s.has(Trouble.CLOCK_SKEW))
        assert "behind" in next(s for t, s in seen.troubles if t is Trouble.CLOCK_SKEW)
        skew = seen.described[-1].clock_skew_ms
        assert skew is not None
        assert abs(skew + 180_000) < 1000


async def test_a_stream_that_stalls_on_a_living_connection_is_begun_anew(before: Front) -> None:
    async with playing(before.url(), replace(ACCOUNT, stalled_after=1.5)) as (seen, _):
        await seen.until(lambda s: len(s.units) >= 10)
        before.frozen = True
        await seen.until(lambda s: s.has(Trouble.STALLED))
        before.frozen = False
        count = len(seen.units)
        await seen.until(lambda s: len(s.units) >= count + 10)
        assert seen.timestamps == sorted(set(seen.timestamps))
