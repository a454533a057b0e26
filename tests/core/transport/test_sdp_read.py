"""Reading offers: what is taken, and what is refused with which sentence and status."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.transport.offers import CHROMIUM, OURS, PUBLISHER, small_offer
from village_core.media.packet import Kind
from village_core.transport import SdpError, sdp
from village_core.transport.sdp_model import LARGEST_SDP


def test_an_offer_of_chromium_is_read() -> None:
    offer = sdp.read_offer(CHROMIUM)
    assert [(each.kind, each.mid, each.direction) for each in offer.sections] == [
        ("video", "0", "recvonly"),
        ("audio", "1", "recvonly"),
    ]
    assert offer.transport.setup == "actpass"
    assert len(offer.transport.pwd) == 24
    h264 = [each for each in offer.sections[0].codecs if each.name == "h264"]
    assert {each.parameters["packetization-mode"] for each in h264} == {"0", "1"}
    assert "nack pli" in h264[0].feedback


def test_a_publishers_sources_are_read() -> None:
    (section,) = sdp.read_offer(PUBLISHER).sections
    (ssrc,) = section.ssrcs
    assert section.repairs[ssrc] not in (0, ssrc)


def test_bare_line_ends_are_accepted() -> None:
    assert sdp.read_offer(small_offer().replace("\r\n", "\n")).sections


def test_static_payload_types_need_no_map() -> None:
    text = small_offer("m=audio 9 UDP/TLS/RTP/SAVPF 8 0", "a=mid:1", "a=rtcp-mux", "a=recvonly")
    offer = sdp.read_offer(text.replace("BUNDLE 0", "BUNDLE 0 1"))
    assert [each.name for each in offer.sections[1].codecs] == ["pcma", "pcmu"]


def test_credentials_may_stand_in_the_session_part() -> None:
    lines = [line for line in small_offer().split("\r\n") if not line.startswith("a=ice-")]
    lines[4:4] = ["a=ice-ufrag:sess", "a=ice-pwd:0123456789012345678901"]
    assert sdp.read_offer("\r\n".join(lines)).transport.ufrag == "sess"


OBS = """v=0
o=rtc 3767197920 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=setup:actpass
a=ice-ufrag:jBua
a=ice-pwd:eQbbg2LmCPQ0YGyhZbqyyK
a=ice-options:ice2,trickle
a=fingerprint:sha-256 {}
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=ssrc:1299 cname:obs
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=ssrc:1300 cname:obs
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
""".format(":".join(["1A"] * 32))


def test_an_offer_in_the_manner_of_obs_is_taken() -> None:
    """libdatachannel writes the transport once, in the session part."""
    offer = sdp.read_offer(OBS)
    choices = sdp.choose_to_receive(offer)
    assert [(each.kind, each.codec.name, each.ssrc) for each in choices] == [
        (Kind.AUDIO, "opus", 1299),
        (Kind.VIDEO, "h264", 1300),
    ]
    assert offer.transport_of(choices).ufrag == "jBua"
    assert "a=recvonly" in sdp.write_answer(offer, choices, OURS, "recvonly")


def test_candidates_that_cannot_be_used_are_left_out() -> None:
    offer = sdp.read_offer(
        small_offer(
            "a=candidate:1 1 udp 2130706431 198.51.100.7 4711 typ host generation 0",
            "a=candidate:2 1 tcp 1518280447 198.51.100.7 9 typ host tcptype active",
            "a=candidate:3 1 udp 2113937151 3f9b5d2e.local 4711 typ host",
            "a=candidate:4 2 udp 2130706430 198.51.100.7 4712 typ host",
        )
    )
    assert [(each.host, each.port) for each in offer.candidates] == [("198.51.100.7", 4711)]


@pytest.mark.parametrize(
    ("text", "sentence", "status"),
    [
        ("", "does not begin with v=0", 400),
        ("v=0\r\n", "no m= line", 400),
        ("not SDP at all", "does not begin with v=0", 400),
        ("v=0\r\n" + "a=x\r\n" * 3000, "more than 2000 lines", 400),
        ("v=0\r\n" + "x" * LARGEST_SDP, "longer than", 400),
        (small_offer("x"), "no SDP line: 'x'", 400),
        (small_offer("a=\x00"), "no SDP line", 400),
        (small_offer("m=video"), "no m= line", 400),
        (small_offer("m=video 99999 UDP/TLS/RTP/SAVPF 96"), "port of an m= line", 400),
        (small_offer("m=video 9 UDP/TLS/RTP/SAVPF 196"), "payload type", 400),
        (small_offer("a=rtpmap:96 H264"), "no a=rtpmap", 400),
        (small_offer("a=rtpmap:x H264/90000"), "payload type of a=rtpmap", 400),
        (small_offer("a=ssrc:99999999999 cname:x"), "an SSRC must be", 400),
        (small_offer("a=candidate:1 1 udp"), "no candidate", 400),
        (small_offer("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:0"), "same a=mid", 400),
        (small_offer().replace("a=ice-pwd:", "a=ice-pwd:x "), "a=ice-pwd must be", 400),
        (small_offer().replace("a=ice-pwd:0123456789012345678901", "a=x"), "a=ice-pwd", 400),
        (small_offer().replace("a=ice-ufrag:abcd", "a=ice-ufrag:ab"), "a=ice-ufrag must", 400),
        (small_offer().replace("a=fingerprint:sha-256 0F", "a=fingerprint:x"), "malformed", 400),
        (small_offer().replace("a=fingerprint", "a=x"), "a=fingerprint is missing", 400),
        (small_offer().replace("sha-256", "md5"), "must use one of sha-256", 422),
        (small_offer().replace("actpass", "holdconn"), "actpass, active or passive", 400),
        (small_offer().replace("actpass", "passive"), "no DTLS client", 422),
        (small_offer().replace("a=rtcp-mux", "a=x"), "rtcp-mux is required", 422),
        (small_offer().replace("a=mid:0", "a=x"), "a=mid is required", 422),
        (small_offer().replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "must be SRTP, not RTP/AVP", 422),
        (small_offer().replace("m=video 9", "m=video 0"), "rejects all its media", 422),
        (small_offer().replace("s=-", "a=ice-lite"), "ICE-lite client", 422),
        (small_offer().replace("BUNDLE 0", "BUNDLE 0 7"), "max-bundle", 422),
    ],
)
def test_a_bad_offer_is_refused_with_a_sentence(text: str, sentence: str, status: int) -> None:
    if "BUNDLE 0 7" in text:  # two sections of which one is not bundled
        extra = small_offer().split("\r\n")[5:]
        text = text.replace("BUNDLE 0 7", "BUNDLE 0")
        text += "\r\n".join(extra).replace("a=mid:0", "a=mid:1")
    with pytest.raises(SdpError, match=sentence) as refused:
        sdp.read_offer(text)
    assert refused.value.status == status


@given(st.text(max_size=400))
def test_any_text_is_an_offer_or_an_error(text: str) -> None:
    for whole in (text, "v=0\r\n" + text, small_offer(text)):
        with contextlib.suppress(SdpError):
            sdp.read_offer(whole)


LINES = CHROMIUM.split("\r\n")


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, 4), st.text(max_size=9))))
def test_a_damaged_offer_is_an_offer_or_an_error(damage: list[tuple[int, int, str]]) -> None:
    lines = list(LINES)
    for index, kind, text in damage:
        line = lines[index]
        cut = len(line) * kind // 5
        lines[index] = ["", line + text, line[:cut] + text + line[cut:], line[:cut], text][kind]
    with contextlib.suppress(SdpError):
        offer = sdp.read_offer("\r\n".join(lines))
        choices = sdp.choose_to_send(offer, "42e01f", "pcma")
        sdp.read_answer(sdp.write_answer(offer, choices, OURS, "sendonly"))
