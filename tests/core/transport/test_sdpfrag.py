"""`application/trickle-ice-sdpfrag` (RFC 8840)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.transport.offers import OURS
from village_core.transport import SdpError, sdp

TRICKLE = """a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw
a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw
a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0
a=end-of-candidates
"""


def test_the_fragment_of_rfc_9725_is_read() -> None:
    fragment = sdp.read_fragment(TRICKLE.replace("\n", "\r\n"))
    assert (fragment.ufrag, fragment.mids) == ("EsAw", ("0",))
    assert [each.host for each in fragment.candidates] == ["192.0.2.1", "198.51.100.2"]


def test_credentials_may_stand_before_the_sections() -> None:
    fragment = sdp.read_fragment("a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n")
    assert (fragment.ufrag, fragment.mids) == ("abcd", ())


def test_a_fragment_without_credentials_is_trickle_only() -> None:
    fragment = sdp.read_fragment("m=video 9 RTP/AVP 0\na=mid:0\na=end-of-candidates\n")
    assert fragment.ufrag is None


@pytest.mark.parametrize(
    "text",
    ["", "\r\n", "hello", "v=0", "a=ice-ufrag:abcd", "a=candidate:nonsense", "a" * 20_000],
)
def test_a_malformed_fragment_is_refused(text: str) -> None:
    with pytest.raises(SdpError) as refused:
        sdp.read_fragment(text)
    assert refused.value.status == 400


@given(st.text(max_size=300))
def test_any_text_is_a_fragment_or_an_error(text: str) -> None:
    for whole in (text, TRICKLE + text, text + TRICKLE):
        with contextlib.suppress(SdpError):
            sdp.read_fragment(whole)


def test_what_we_write_can_be_read() -> None:
    text = sdp.write_fragment(OURS, [("video", "0"), ("audio", "1")])
    fragment = sdp.read_fragment(text)
    assert (fragment.ufrag, fragment.pwd, fragment.mids) == (OURS.ufrag, OURS.pwd, ("0",))
    assert fragment.candidates == OURS.candidates
    assert "a=ice-lite\r\n" in text
    assert text.endswith("a=end-of-candidates\r\n")
