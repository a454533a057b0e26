"""Session descriptions as cameras write them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.rtsp.address import read_address
from home_agent.rtsp.failure import SourceFailure
from home_agent.rtsp.sdp import SdpSyntaxError, read_description, resolve

SPS, PPS = b"\x67\x42\x00\x1e\x95", b"\x68\xce\x3c\x80"
CAMERA = f"""v=0
o=- 0 0 IN IP4 192.0.2.4
s=Media
a=control:*
m=video 0 RTP/AVP 96 97
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1; profile-level-id=42001e; sprop-parameter-sets={
    base64.b64encode(SPS).decode()
},{base64.b64encode(PPS).decode().rstrip("=")},
a=framerate:15.0
a=control:trackID=1
a=recvonly
m=audio 0 RTP/AVP 8
a=control:trackID=2
a=recvonly
m=audio 0 RTP/AVP 0
a=control:trackID=3
a=sendonly
m=application 0 RTP/AVP 107
a=rtpmap:107 vnd.onvif.metadata/90000
a=control:rtsp://192.0.2.4/meta
""".encode()


def test_tracks_their_codecs_and_their_addresses_are_read() -> None:
    found = read_description(CAMERA, "rtsp://192.0.2.4/main/")
    video, audio, back, meta = found.tracks
    assert (video.codec, video.payload_type, video.clock_rate) == ("H264", 96, 90_000)
    assert video.parameter_sets == [SPS, PPS]
    assert (video.frame_rate, video.control) == (15.0, "rtsp://192.0.2.4/main/trackID=1")
    assert (audio.codec, audio.clock_rate) == ("PCMA", 8000)
    assert meta.control == "rtsp://192.0.2.4/meta"
    assert back.receive_only
    assert found.first("audio") == audio


@pytest.mark.parametrize(
    ("base", "control", "whole"),
    [
        ("rtsp://h/p", "*", "rtsp://h/p"),
        ("rtsp://h/p", "trackID=1", "rtsp://h/p/trackID=1"),
        ("rtsp://h/p/", "trackID=1", "rtsp://h/p/trackID=1"),
        (
            "rtsp://h/cam?channel=1&subtype=0",
            "trackID=0",
            "rtsp://h/cam?channel=1&subtype=0/trackID=0",
        ),
        ("rtsp://h/p", "rtsp://h/other", "rtsp://h/other"),
        ("rtsp://h/p", "", "rtsp://h/p"),
    ],
)
def test_control_addresses_are_put_together_as_cameras_expect(
    base: str, control: str, whole: str
) -> None:
    """RFC 2326 appendix C.1.1, and Dahua's query in the middle."""
    assert resolve(base, control) == whole


@pytest.mark.parametrize("body", [b"", b"hello", b"v=0\nm=video 0\n", b"v=0\n" + b"a=x\n" * 3000])
def test_what_is_no_description_is_an_error(body: bytes) -> None:
    with pytest.raises(SdpSyntaxError):
        read_description(body, "rtsp://h/")


LINES = st.sampled_from([line for line in CAMERA.decode().split("\n") if line])


@given(st.lists(LINES | st.text(max_size=40), max_size=12))
def test_no_description_raises_anything_else(lines: list[str]) -> None:
    """DEV-11, ASVS 17.3.2."""
    try:
        found = read_description("\n".join(["v=0", *lines]).encode(), "rtsp://h/")
    except SdpSyntaxError:
        return
    for track in found.tracks:
        assert isinstance(track.parameter_sets, list)
        assert track.clock_rate > 0


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """DEV-11."""
    try:
        read_description(b"v=0\r\n" + body, "rtsp://h/")
    except SdpSyntaxError:
        return


@pytest.mark.parametrize(
    ("url", "shown", "host", "port"),
    [
        ("rtsp://h/p", "rtsp://h/p", "h", 554),
        ("rtsp://u:p%40ss@h:8554/p?a=1", "rtsp://h:8554/p?a=1", "h", 8554),
        ("rtsps://[2001:db8::7]/p", "rtsps://[2001:db8::7]/p", "2001:db8::7", 322),
        ("rtsp://u:p@ss@h/a b", "rtsp://h/a%20b", "h", 554),
    ],
)
def test_an_address_is_shown_without_its_credentials(
    url: str, shown: str, host: str, port: int
) -> None:
    """CAM-6."""
    address = read_address(url)
    assert (address.url, address.host, address.port) == (shown, host, port)
    if "u:" in url:
        assert address.credentials
        assert (address.credentials.user, address.credentials.password) == ("u", "p@ss")


@pytest.mark.parametrize(
    "url",
    ["", "http://h/", "rtsp://", "rtsp://h:99999/", "rtsp://h:0/", "rtsp://[::1/", "rtsps://h/#x"],
)
def test_an_address_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(SourceFailure, match="cannot be used"):
        read_address(url)


@given(st.text(max_size=60))
def test_no_address_raises_anything_else(text: str) -> None:
    for url in (text, f"rtsp://{text}", f"rtsp://h/{text}"):
        try:
            address = read_address(url)
        except SourceFailure:
            continue
        assert " " not in address.url
        assert address.at_host("192.0.2.9").host == "192.0.2.9"
