"""A session's URL, method by method: MED-1 to MED-9."""

import re

import pytest

from tests.core.transport.offers import OURS, small_offer
from village_core.transport import IceServer, SdpError, State, sdp, signalling
from village_core.transport.signalling import SDP, SDPFRAG, Reply, SessionUrl

NEW = "a=ice-ufrag:newfrag\r\na=ice-pwd:newpassword0123456789abc\r\n"
OLD = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
TRICKLED = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" + OLD + "a=end-of-candidates\r\n"


class Session:
    """As much of a ServerSession as the rules ask for."""

    def __init__(self) -> None:
        self.state = State.CONNECTED
        self.restarts: list[str] = []

    def restart_ice(self, peer_ufrag: str) -> sdp.Transport:
        self.restarts.append(peer_ufrag)
        return OURS

    def close(self, reason: str) -> None:
        self.state = State.CLOSED


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def url(session: Session) -> SessionUrl:
    offer = sdp.read_offer(small_offer())
    return SessionUrl(session, offer, sdp.choose_to_send(offer, "42e01f", None))


def header(reply: Reply, name: str) -> str | None:
    return dict(reply.headers).get(name)


def test_a_session_is_created_with_201_its_place_and_a_strong_etag(url: SessionUrl) -> None:
    """MED-1, MED-8"""
    reply = url.created("v=0\r\n", "/whep/sessions/x")
    assert (reply.status, reply.body) == (201, "v=0\r\n")
    assert header(reply, "Content-Type") == SDP
    assert header(reply, "Location") == "/whep/sessions/x"
    assert re.fullmatch(r'"[\w-]{16,}"', header(reply, "ETag") or "")


def test_turn_servers_are_told_in_the_201_only(url: SessionUrl) -> None:
    """MED-4, MED-11"""
    server = IceServer("turns:turn.example:5349?transport=tcp", "u", "c")
    reply = url.created("", "/x", [server])
    assert header(reply, "Link") == (
        '<turns:turn.example:5349?transport=tcp>; rel="ice-server"; username="u"; '
        'credential="c"; credential-type="password"'
    )
    assert header(signalling.preflight(), "Link") is None


def test_secrets_and_etags_are_long_and_unique(session: Session) -> None:
    """MED-2, MED-8: at least 128 bits."""
    offer = sdp.read_offer(small_offer())
    urls = [SessionUrl(session, offer, []) for _ in range(50)]
    assert len({each.secret for each in urls}) == len({each.etag for each in urls}) == 50
    assert min(len(each.secret) for each in urls) >= 22  # 6 bits a character


def test_a_preflight_says_what_may_be_sent() -> None:
    """MED-4"""
    reply = signalling.preflight()
    assert reply.status == 200
    assert header(reply, "Accept-Post") == SDP
    assert header(reply, "Accept-Patch") == SDPFRAG
    assert header(reply, "Access-Control-Expose-Headers") == (
        "Location, ETag, Link, Accept-Patch, Retry-After"
    )
    assert "PATCH" in (header(reply, "Access-Control-Allow-Methods") or "")


@pytest.mark.parametrize("content_type", ["application/sdp", "Application/SDP; charset=utf-8"])
def test_an_offer_is_application_sdp(content_type: str) -> None:
    assert signalling.post_type(content_type) is None


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/sdpx"])
def test_any_other_type_is_415(content_type: str) -> None:
    """MED-1"""
    reply = signalling.post_type(content_type)
    assert reply is not None
    assert reply.status == 415


def test_a_refused_offer_keeps_its_status_and_sentence() -> None:
    """MED-1"""
    reply = signalling.offer_refused(SdpError("no", 422))
    assert (reply.status, reply.detail) == (422, "no")


def test_get_shows_nothing(url: SessionUrl) -> None:
    """MED-5"""
    assert url.get() == Reply(204)


def test_delete_ends_the_session_once(url: SessionUrl, session: Session) -> None:
    """MED-6"""
    assert url.delete().status == 200
    assert session.state == State.CLOSED
    assert [url.delete().status, url.get().status] == [404, 404]
    assert url.patch(SDPFRAG, "*", NEW).status == 404


def test_trickle_is_204_without_etag(url: SessionUrl, session: Session) -> None:
    """MED-7"""
    reply = url.patch(SDPFRAG, url.etag, TRICKLED)
    assert (reply.status, header(reply, "ETag"), reply.body) == (204, None, "")
    assert url.patch(SDPFRAG, url.etag, "m=video 9 RTP/AVP 0\r\na=mid:0\r\n").status == 204
    assert not session.restarts


@pytest.mark.parametrize("any_match", ["*", '"*"'])
def test_a_restart_is_200_with_a_fragment_and_a_new_etag(
    url: SessionUrl, session: Session, any_match: str
) -> None:
    """MED-7"""
    before = url.etag
    reply = url.patch(SDPFRAG + "; charset=utf-8", any_match, NEW)
    assert reply.status == 200
    assert header(reply, "Content-Type") == SDPFRAG
    assert header(reply, "ETag") == url.etag != before
    assert f"a=ice-ufrag:{OURS.ufrag}\r\n" in reply.body
    assert reply.body.count("a=candidate:") == 2
    assert session.restarts == ["newfrag"]


def test_a_restart_repeated_is_no_second_restart(url: SessionUrl, session: Session) -> None:
    url.patch(SDPFRAG, "*", NEW)
    assert url.patch(SDPFRAG, "*", NEW).status == 204
    assert session.restarts == ["newfrag"]


def test_trickle_for_the_generation_before_a_restart_is_stale(url: SessionUrl) -> None:
    """MED-7: 412"""
    before = url.etag
    url.patch(SDPFRAG, "*", NEW)
    assert url.patch(SDPFRAG, before, TRICKLED).status == 412


@pytest.mark.parametrize(
    ("content_type", "if_match", "body", "status"),
    [
        ("application/sdp", "*", NEW, 415),
        ("", "*", NEW, 415),
        (SDPFRAG, None, NEW, 428),
        (SDPFRAG, '"stale"', NEW, 412),
        (SDPFRAG, "", NEW, 412),
        (SDPFRAG, "*", "", 400),
        (SDPFRAG, "*", "garbage", 400),
        (SDPFRAG, "*", "a=ice-ufrag:newfrag\r\n", 400),
        (SDPFRAG, "*", NEW.replace("newfrag", "abcd"), 422),
        (SDPFRAG, "*", "m=video 9 RTP/AVP 0\r\na=mid:9\r\n", 422),
    ],
)
def test_a_patch_that_cannot_be_obeyed_leaves_the_session_as_it_was(
    url: SessionUrl,
    session: Session,
    content_type: str,
    if_match: str | None,
    body: str,
    status: int,
) -> None:
    """MED-7: a failed restart must not end the session."""
    before = url.etag
    reply = url.patch(content_type, if_match, body)
    assert reply.status == status
    assert reply.detail
    assert (url.etag, session.restarts, session.state) == (before, [], State.CONNECTED)


def test_the_etag_may_be_one_of_several(url: SessionUrl) -> None:
    assert url.patch(SDPFRAG, f'"other", {url.etag}', TRICKLED).status == 204
    assert url.patch(SDPFRAG, f"W/{url.etag}", TRICKLED).status == 412  # strong comparison
