"""The client half: WHIP by HTTP, full ICE, DTLS client, against a real server half."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from tests.core.transport.support import RECEIVER_REPORT, Recorder, burst, rewrite, until
from tests.core.transport.whip_server import Answer, Pushing, WhipServer
from village_core.media.packet import Kind
from village_core.transport import Certificate, MediaPort, Push, PushError, PushMedia, sdp


def problem(status: int, **body: Any) -> Answer:
    return lambda request: web.Response(
        status=status, body=json.dumps(body), content_type="application/problem+json"
    )


async def test_a_push_delivers_frames(pushing: Pushing, server: WhipServer) -> None:
    push = await pushing()
    video = push.choice(Kind.VIDEO)
    assert push.send(burst(5, 1188, 1188, 300), rewrite(video.ssrc, video.codec.payload_type))
    await until(lambda: len(server.recorder.rtp) == 3)
    assert server.recorder.rtp[0][8:12] == video.ssrc.to_bytes(4, "big")
    assert push.sender.offload
    assert server.session is not None
    assert server.session.profile == "SRTP_AEAD_AES_128_GCM"


async def test_reports_come_back(pushing: Pushing, server: WhipServer) -> None:
    recorder = Recorder()
    push = await pushing(handler=recorder)
    push.send_rtcp(RECEIVER_REPORT)
    await until(lambda: server.recorder.rtcp)
    assert server.session is not None
    server.session.send_rtcp(RECEIVER_REPORT)
    await until(lambda: recorder.rtcp)
    assert recorder.connected == 1


async def test_the_offer_is_what_rfc_9725_wants(pushing: Pushing, server: WhipServer) -> None:
    """MED-13, MED-14; and no header extensions."""
    await pushing(PushMedia("4d0028", "PCMA", repair=True))
    offer = sdp.read_offer(server.offers[0])
    video, audio = offer.sections
    assert [(each.kind, each.direction) for each in offer.sections] == [
        ("video", "sendonly"),
        ("audio", "sendonly"),
    ]
    assert video.codecs[0].parameters["profile-level-id"] == "4d0028"
    assert video.codecs[0].parameters["packetization-mode"] == "1"
    assert set(video.codecs[0].feedback) == {"nack", "nack pli", "ccm fir"}
    assert video.repairs
    assert audio.codecs[0].payload_type == 8
    assert (video.msid or "").split()[0] == (audio.msid or "").split()[0]
    assert "a=group:BUNDLE 0 1" in server.offers[0]
    assert server.offers[0].count("a=rtcp-mux-only") == 2
    assert "a=setup:actpass" in server.offers[0]
    assert "a=extmap" not in server.offers[0]


async def test_a_handler_made_from_the_push_knows_its_payload_types(pushing: Pushing) -> None:
    seen: list[Any] = []

    def make(push: Push) -> Recorder:
        seen.extend(each.codec.name for each in push.choices)
        return Recorder()

    await pushing(PushMedia("42e01f", "opus"), make)
    assert seen == ["h264", "opus"]


async def test_the_answers_payload_types_count(pushing: Pushing, server: WhipServer) -> None:
    server.edit = lambda answer: answer.replace(" 96", " 120").replace(":96 ", ":120 ")
    push = await pushing()
    assert push.choice(Kind.VIDEO).codec.payload_type == 120


async def test_stopping_deletes_the_session(pushing: Pushing, server: WhipServer) -> None:
    """MED-6; the hub closed it at our goodbye already, so its 404 is tolerated."""
    recorder = Recorder()
    push = await pushing(handler=recorder)
    await push.stop("nobody watches")
    await push.stop()
    assert server.requests[-1] == ("DELETE", "/sessions/1", "Bearer the-ticket")
    assert recorder.closed == ["nobody watches"]
    await until(lambda: server.recorder.closed)
    assert not push.send(burst(1, 100), rewrite())


async def test_close_cuts_the_media_before_it_returns(pushing: Pushing, server: WhipServer) -> None:
    """The household's switch: nothing leaves afterwards."""
    recorder = Recorder()
    push = await pushing(handler=recorder)
    push.close("switched off")
    assert not push.send(burst(1, 100), rewrite())
    assert recorder.closed == ["switched off"]
    await until(lambda: server.requests[-1][0] == "DELETE")


async def test_the_servers_goodbye_ends_the_push(pushing: Pushing, server: WhipServer) -> None:
    recorder = Recorder()
    await pushing(handler=recorder)
    assert server.session is not None
    server.session.close("replaced")
    await until(lambda: recorder.closed)
    assert recorder.closed == ["the server ended the push"]


async def test_pushes_leave_nothing_behind(pushing: Pushing, port: MediaPort) -> None:
    await (await pushing()).stop()
    tasks = len(asyncio.all_tasks())
    for _ in range(5):
        push = await pushing()
        await push.stop()
    await until(lambda: len(asyncio.all_tasks()) <= tasks and not port.sessions)


# Refusals


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"detail": "the ticket is spent"}, "the ticket is spent"),
        (409, {"title": "camera offline"}, "camera offline"),
        (422, {"detail": 7}, "the server answered 422"),
        (500, {}, "the server answered 500"),
    ],
)
async def test_a_refusal_has_the_status_and_the_problems_sentence(
    pushing: Pushing, server: WhipServer, status: int, body: dict[str, Any], sentence: str
) -> None:
    server.reply = problem(status, **body)
    with pytest.raises(PushError, match=sentence) as refused:
        await pushing()
    assert refused.value.status == status


async def test_an_overloaded_server_says_when_to_come_back(
    pushing: Pushing, server: WhipServer
) -> None:
    """MED-10"""
    server.reply = lambda request: web.Response(status=503, headers={"Retry-After": "7"})
    with pytest.raises(PushError) as refused:
        await pushing()
    assert (refused.value.status, refused.value.retry_after) == (503, 7.0)


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (lambda: web.Response(status=201, text="x"), "the answer is text/plain, not SDP"),
        (
            lambda: web.Response(status=201, text="v=0", content_type="application/sdp"),
            "no usable Location",
        ),
        (
            lambda: web.Response(
                status=201,
                text="garbage",
                content_type="application/sdp",
                headers={"Location": "/sessions/1"},
            ),
            "the server's answer cannot be used: the SDP does not begin with v=0",
        ),
        (lambda: web.Response(status=200, text="x" * 70_000), "too long"),
        (lambda: web.Response(status=200), "the server answered 200 OK"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_named(
    pushing: Pushing, server: WhipServer, response: Callable[[], web.Response], sentence: str
) -> None:
    server.reply = lambda request: response()
    with pytest.raises(PushError, match=sentence):
        await pushing()


async def test_a_session_whose_answer_cannot_be_used_is_deleted(
    pushing: Pushing, server: WhipServer
) -> None:
    server.edit = lambda answer: answer.replace("a=recvonly", "a=inactive")
    with pytest.raises(PushError, match="it does not take our video"):
        await pushing()
    assert server.requests[-1][0] == "DELETE"
    assert not server.port.sessions


async def test_a_server_that_is_not_there_is_named(pushing: Pushing) -> None:
    with pytest.raises(PushError, match=r"127\.0\.0\.1 does not answer"):
        await pushing(path="http://127.0.0.1:9/whip")


async def test_a_server_that_never_answers_is_named(pushing: Pushing, server: WhipServer) -> None:
    server.hold.clear()
    with pytest.raises(PushError, match=r"127\.0\.0\.1 does not answer: no answer in time"):
        await pushing(within=0.2)
    server.hold.set()


async def test_a_media_address_that_does_not_answer_is_named(
    pushing: Pushing, server: WhipServer
) -> None:
    server.edit = lambda answer: answer.replace(f" {server.port.port} typ", " 9 typ")
    recorder = Recorder()
    with pytest.raises(PushError, match="is its UDP port reachable"):
        await pushing(handler=recorder, within=0.5)
    assert recorder.closed
    assert server.requests[-1][0] == "DELETE"


async def test_a_server_with_another_certificate_is_refused(
    pushing: Pushing, server: WhipServer
) -> None:
    other = Certificate.make().fingerprint.value
    ours = server.port.certificate.fingerprint.value
    server.edit = lambda answer: answer.replace(ours, other)
    with pytest.raises(PushError, match="DTLS handshake failed"):
        await pushing()


@pytest.mark.parametrize("path", ["ftp://127.0.0.1/whip", "whip", "http://[", "https:///x"])
async def test_what_is_no_endpoint_is_refused(pushing: Pushing, path: str) -> None:
    with pytest.raises(PushError, match="WHIP endpoint"):
        await pushing(path=path)


async def test_plain_http_is_for_loopback_only(pushing: Pushing) -> None:
    """MED-15"""
    with pytest.raises(PushError, match=r"192\.0\.2\.9 must be reached by https"):
        await pushing(path="http://192.0.2.9/whip")


async def test_an_unknown_audio_codec_is_refused_before_anything_is_sent(
    pushing: Pushing, server: WhipServer
) -> None:
    with pytest.raises(PushError, match="audio must be PCMA, PCMU or opus, not AAC"):
        await pushing(PushMedia("42e01f", "AAC"))
    with pytest.raises(PushError, match="neither video nor audio"):
        await pushing(PushMedia(None))
    assert not server.requests


# Redirects


async def test_a_307_is_followed_with_the_ticket(pushing: Pushing, server: WhipServer) -> None:
    """MED-10"""

    def redirect(request: web.Request) -> web.Response | None:
        if request.path == "/whip":
            return web.Response(status=307, headers={"Location": "/other"})
        return None

    server.reply = redirect
    await pushing()
    assert server.requests == [
        ("POST", "/whip", "Bearer the-ticket"),
        ("POST", "/other", "Bearer the-ticket"),
    ]


async def test_the_ticket_never_goes_to_another_origin(
    pushing: Pushing, server: WhipServer, site: str
) -> None:
    other = site.replace("127.0.0.1", "localhost") + "/whip"
    server.reply = lambda request: web.Response(status=307, headers={"Location": other})
    with pytest.raises(PushError, match="redirects to localhost, where the ticket must not go"):
        await pushing()
    assert len(server.requests) == 1


async def test_a_session_elsewhere_is_deleted_without_the_ticket(
    pushing: Pushing, server: WhipServer, site: str
) -> None:
    server.location = site.replace("127.0.0.1", "localhost") + "/sessions/1"
    push = await pushing()
    await push.stop()
    assert server.requests[-1] == ("DELETE", "/sessions/1", None)


@pytest.mark.parametrize("status", [301, 302])
async def test_other_redirects_are_refusals(
    pushing: Pushing, server: WhipServer, status: int
) -> None:
    """MED-10"""
    server.reply = lambda request: web.Response(status=status, headers={"Location": "/other"})
    with pytest.raises(PushError, match=f"the server answered {status}"):
        await pushing()


async def test_redirects_in_a_circle_end(pushing: Pushing, server: WhipServer) -> None:
    server.reply = lambda request: web.Response(status=307, headers={"Location": "/whip"})
    with pytest.raises(PushError, match="redirects without end"):
        await pushing()
