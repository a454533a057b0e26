"""Choosing codecs and writing answers: MED-9, MED-13, MED-14, MED-16."""

import pytest

from tests.core.transport.offers import CHROMIUM, OURS, PUBLISHER, attributes, small_offer
from village_core.media.packet import Kind
from village_core.transport import SdpError, sdp

# Choosing


@pytest.mark.parametrize(
    ("camera", "profile", "why"),
    [
        ("42e01f", "42e01f", "the same"),
        ("42c028", "42e01f", "the same profile; the level does not matter"),
        ("42001f", "42001f", "the same: baseline proper"),
        ("4d0028", "4d001f", "the same: main"),
        ("640028", "42e01f", "High is forwarded as constrained baseline"),
        ("nonsense", "42e01f", "an unknown profile as well"),
    ],
)
def test_h264_is_picked_by_profile_not_by_order(camera: str, profile: str, why: str) -> None:
    """MED-16; Chromium offers VP8 first, and no High profile."""
    (choice,) = sdp.choose_to_send(sdp.read_offer(CHROMIUM), camera, None)
    parameters = choice.codec.parameters
    assert (parameters["profile-level-id"], parameters["packetization-mode"]) == (profile, "1"), why


def test_rtx_belongs_to_the_chosen_payload_type() -> None:
    (choice,) = sdp.choose_to_send(sdp.read_offer(CHROMIUM), "42e01f", None)
    assert choice.repair is not None
    assert choice.repair.parameters["apt"] == str(choice.codec.payload_type)
    assert choice.repair_ssrc not in (None, choice.ssrc)


def test_any_h264_is_better_than_none() -> None:
    text = small_offer().replace("42e01f", "64001f")
    (choice,) = sdp.choose_to_send(sdp.read_offer(text), "4d001f", None)
    assert choice.codec.payload_type == 96


@pytest.mark.parametrize(
    "text",
    [
        small_offer().replace("H264/90000", "VP8/90000"),
        small_offer().replace("packetization-mode=1", "packetization-mode=0"),
        small_offer().replace("; packetization-mode=1", ""),
    ],
)
def test_an_offer_without_usable_h264_is_422_never_black_video(text: str) -> None:
    """MED-16"""
    with pytest.raises(SdpError, match=r"no H\.264 with packetization-mode=1") as refused:
        sdp.choose_to_send(sdp.read_offer(text), "42e01f", None)
    assert refused.value.status == 422


@pytest.mark.parametrize(("audio", "payload_type"), [("PCMA", 8), ("pcmu", 0), ("opus", 111)])
def test_audio_is_chosen_by_name(audio: str, payload_type: int) -> None:
    choices = sdp.choose_to_send(sdp.read_offer(CHROMIUM), "42e01f", audio)
    assert [each.kind for each in choices] == [Kind.VIDEO, Kind.AUDIO]
    assert choices[1].codec.payload_type == payload_type


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_a_viewer_must_offer_to_receive(direction: str) -> None:
    """MED-13"""
    with pytest.raises(SdpError, match=f"a={direction} is not possible here") as refused:
        sdp.choose_to_send(sdp.read_offer(small_offer(direction=direction)), "42e01f", None)
    assert refused.value.status == 422


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
def test_a_publisher_must_offer_to_send(direction: str) -> None:
    """MED-13"""
    with pytest.raises(SdpError, match="offer sendonly"):
        sdp.choose_to_receive(sdp.read_offer(small_offer(direction=direction)))


def test_a_camera_with_nothing_to_show_is_422() -> None:
    with pytest.raises(SdpError, match="nothing of what the offer asks for"):
        sdp.choose_to_send(sdp.read_offer(small_offer()), None, "PCMA")


def test_a_publisher_is_taken_whole() -> None:
    (choice,) = sdp.choose_to_receive(sdp.read_offer(PUBLISHER))
    assert choice.codec.parameters["profile-level-id"] == "42e01f"
    assert choice.ssrc
    assert choice.repair_ssrc


def _published(*lines: str) -> str:
    text = small_offer(*lines, direction="sendonly")
    return text.replace("BUNDLE 0", "BUNDLE 0 1")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            _published("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=rtcp-mux", "a=sendonly"),
            "only one video track",
        ),
        (
            _published("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1"),
            "only audio and video can be published, not application",
        ),
        (
            _published("m=audio 9 UDP/TLS/RTP/SAVPF 9", "a=mid:1", "a=rtcp-mux", "a=sendonly"),
            "audio must be Opus or G.711",
        ),
        (
            small_offer(direction="sendonly").replace("H264/", "VP9/"),
            "video must be H.264",
        ),
    ],
)
def test_a_publisher_is_never_taken_in_part(text: str, sentence: str) -> None:
    """MED-13, RFC 9725 section 4.4"""
    with pytest.raises(SdpError, match=sentence) as refused:
        sdp.choose_to_receive(sdp.read_offer(text))
    assert refused.value.status == 422


# Answering


def _answer(text: str, profile: str | None, audio: str | None) -> list[list[str]]:
    offer = sdp.read_offer(text)
    choices = sdp.choose_to_send(offer, profile, audio)
    return attributes(sdp.write_answer(offer, choices, OURS, "sendonly"))


def test_an_answer_has_all_candidates_and_says_so() -> None:
    """MED-9"""
    _, video, audio = _answer(CHROMIUM, "42e01f", "PCMA")
    assert [line for line in video if "candidate" in line] == [
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8189 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::1 8189 typ host",
        "a=end-of-candidates",
    ]
    assert not [line for line in audio if "candidate" in line]


def test_an_answer_is_lite_passive_bundled_and_muxed() -> None:
    """MED-14"""
    head, *sections = _answer(CHROMIUM, "42e01f", "PCMA")
    assert "a=ice-lite" in head
    assert "a=ice-options:trickle ice2" in head
    assert "a=group:BUNDLE 0 1" in head
    streams = set()
    for section in sections:
        assert {"a=rtcp-mux", "a=rtcp-mux-only", "a=setup:passive", "a=sendonly"} <= set(section)
        streams |= {line.split()[0] for line in section if line.startswith("a=msid:")}
        assert not [line for line in section if line.startswith("a=extmap")]
    assert len(streams) == 1


def test_an_answer_names_its_sources() -> None:
    _, video, audio = _answer(CHROMIUM, "42e01f", "PCMA")
    group = next(line for line in video if line.startswith("a=ssrc-group:FID "))
    ssrc, repair = group.split()[1:]
    cnames = {line.split()[1] for line in [*video, *audio] if line.startswith("a=ssrc:")}
    assert len(cnames) == 1
    assert [line.split()[0] for line in video if line.startswith("a=ssrc:")] == [
        f"a=ssrc:{ssrc}",
        f"a=ssrc:{repair}",
    ]


def test_only_offered_feedback_is_agreed_to() -> None:
    _, video, _ = _answer(CHROMIUM, "42e01f", None)
    assert [line.split(" ", 1)[1] for line in video if line.startswith("a=rtcp-fb:108")] == [
        "nack",
        "nack pli",
        "ccm fir",
        "goog-remb",
    ]
    _, plain = _answer(small_offer(), "42e01f", None)
    assert not [line for line in plain if line.startswith("a=rtcp-fb")]


def test_a_kind_the_camera_lacks_is_rejected_with_port_0() -> None:
    """MED-13"""
    head, video, audio = _answer(CHROMIUM, "42e01f", None)
    assert audio[0].startswith("m=audio 0 ")
    assert "a=inactive" in audio
    assert "a=group:BUNDLE 0" in head
    assert video[0] == "m=video 8189 UDP/TLS/RTP/SAVPF 108 109"
    assert "c=IN IP4 192.0.2.1" in video


def test_a_second_video_section_is_rejected() -> None:
    """MED-13: one track per kind."""
    second = small_offer().split("\r\n", 5)[5].replace("a=mid:0", "a=mid:1")
    text = small_offer().replace("BUNDLE 0", "BUNDLE 0 1") + second
    _, one, two = _answer(text, "42e01f", None)
    assert one[0].startswith("m=video 8189")
    assert two[0].startswith("m=video 0")


def test_a_publishers_answer_receives() -> None:
    """MED-13; it offers no REMB, as none is sent."""
    offer = sdp.read_offer(PUBLISHER)
    text = sdp.write_answer(offer, sdp.choose_to_receive(offer), OURS, "recvonly")
    _, video = attributes(text)
    assert "a=recvonly" in video
    assert not [line for line in video if line.startswith(("a=ssrc", "a=msid"))]
    assert not [line for line in video if "remb" in line or "transport-cc" in line]


def test_our_answers_can_be_read_back() -> None:
    offer = sdp.read_offer(CHROMIUM)
    choices = sdp.choose_to_send(offer, "42e01f", "opus")
    answer = sdp.read_answer(sdp.write_answer(offer, choices, OURS, "sendonly"))
    assert answer.lite
    assert answer.ended
    assert answer.candidates == OURS.candidates
    assert [each.codecs[0].payload_type for each in answer.sections] == [108, 111]
    assert answer.sections[1].codecs[0].channels == 2


def test_the_transport_of_the_first_accepted_section_counts() -> None:
    """RFC 9143: clients that are not max-bundle offer one for each section."""
    second = small_offer().split("\r\n", 5)[5]
    second = second.replace("a=mid:0", "a=mid:1").replace("m=video", "m=audio")
    second = second.replace("a=ice-ufrag:abcd", "a=ice-ufrag:other").replace(
        "H264/90000", "PCMA/8000"
    )
    offer = sdp.read_offer(small_offer().replace("BUNDLE 0", "BUNDLE 0 1") + second)
    choices = sdp.choose_to_send(offer, None, "PCMA")
    assert offer.transport.ufrag == "abcd"
    assert offer.transport_of(choices).ufrag == "other"
