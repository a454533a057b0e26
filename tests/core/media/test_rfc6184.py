"""H.264 in RTP: cut into packets and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.media.clips import clip, decode
from tests.core.media.support import PPS, SPS
from village_core.media import h264
from village_core.media.packet import Packet
from village_core.media.rfc6184 import LARGEST_PAYLOAD, Depacketiser, Unpacked, packetise

NAL = st.builds(
    lambda kind, body: bytes((0x60 | kind,)) + body,
    st.sampled_from([1, 5, 6, 7, 8]),
    st.binary(min_size=2, max_size=400),
)


def packets(payloads: list[bytes], number: int = 0, timestamp: int = 0) -> list[Packet]:
    last = len(payloads) - 1
    return [
        Packet(number + index, timestamp, index == last, payload)
        for index, payload in enumerate(payloads)
    ]


def fed(depacketiser: Depacketiser, given_: list[Packet]) -> list[Unpacked]:
    return [unit for packet in given_ for unit in depacketiser.feed(packet)]


@given(st.lists(NAL, min_size=1, max_size=6), st.integers(20, 300))
def test_units_come_back_as_they_were(nals: list[bytes], largest: int) -> None:
    payloads = packetise(nals, largest)
    assert all(len(payload) <= largest for payload in payloads)
    (unit,) = fed(Depacketiser(), packets(payloads))
    assert unit.nals == nals
    assert unit.whole


def test_a_slice_is_cut_to_one_size_the_last_shorter() -> None:
    """One segmentation-offload call writes the picture (design.md, Work is done per frame)."""
    sizes = [len(payload) for payload in packetise([b"\x41" + bytes(10_000)])]
    assert set(sizes[:-1]) == {LARGEST_PAYLOAD}
    assert 0 < sizes[-1] <= LARGEST_PAYLOAD


def test_parameter_sets_share_one_packet() -> None:
    payloads = packetise([SPS, PPS, b"\x65" + bytes(3000)])
    assert h264.nal_type(payloads[0]) == h264.STAP_A
    assert h264.stap_nals(payloads[0]) == [SPS, PPS]
    assert payloads[0][0] & 0x60 == 0x60  # the highest importance of its units (section 5.7)


def test_a_small_picture_is_one_packet() -> None:
    assert packetise([b"\x41small"]) == [b"\x41small"]
    assert len(packetise([SPS, PPS, b"\x65small"])) == 1


def test_delimiters_and_filler_are_left_out() -> None:
    assert packetise([b"\x09\x10", b"\x41slice", b"\x0cfiller", b"\x0a", b""]) == [b"\x41slice"]


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_a_decoder_decodes_what_went_through_packets(profile: str) -> None:
    depacketiser = Depacketiser()
    units: list[Unpacked] = []
    number = 0
    for unit in clip(profile):
        cut = packets(packetise(unit.nals), number, unit.timestamp)
        number += len(cut)
        units += fed(depacketiser, cut)
    assert decode(unit.nals for unit in units) == [(320, 240)] * 50


def test_parameter_sets_from_the_sdp_go_before_an_idr_without() -> None:
    """The camera's sprop-parameter-sets, for cameras that send none in band."""
    depacketiser = Depacketiser(parameter_sets=[SPS, PPS])
    idr, delimiter = b"\x65idr", b"\x09\x10"
    assert fed(depacketiser, packets([idr]))[0].nals == [SPS, PPS, idr]
    assert fed(depacketiser, packets([delimiter, idr], 1, 9))[0].nals == [delimiter, SPS, PPS, idr]
    assert fed(depacketiser, packets([b"\x41p"], 3, 18))[0].nals == [b"\x41p"]


def test_parameter_sets_in_band_replace_those_of_the_sdp() -> None:
    depacketiser = Depacketiser(parameter_sets=[SPS, PPS])
    newer = SPS[:-1] + b"\x77"
    fed(depacketiser, packets([newer, PPS, b"\x65a"]))
    assert fed(depacketiser, packets([b"\x65b"], 3, 9))[0].nals == [newer, PPS, b"\x65b"]


def test_a_clip_without_parameter_sets_in_band_decodes_with_those_of_the_sdp() -> None:
    sets = [nal for nal in clip()[0].nals if h264.nal_type(nal) in (h264.SPS, h264.PPS)]
    depacketiser = Depacketiser(parameter_sets=sets)
    units: list[Unpacked] = []
    number = 0
    for unit in clip():
        bare = [nal for nal in unit.nals if nal not in sets]
        cut = packets(packetise(bare), number, unit.timestamp)
        number += len(cut)
        units += fed(depacketiser, cut)
    assert len(decode(unit.nals for unit in units)) == 50


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_fragment_drops_its_slice_and_marks_the_picture(lost: int) -> None:
    first = packets(packetise([b"\x41" + bytes(3000)]), 10, 100)
    second = packets(packetise([b"\x41next"]), 13, 200)
    depacketiser = Depacketiser()
    fed(depacketiser, packets([b"\x41before"], 9, 0))
    units = fed(depacketiser, [p for p in first if p.number != 10 + lost] + second)
    assert all(not unit.whole for unit in units if unit.timestamp == 100)
    assert [unit.nals for unit in units if unit.timestamp == 200] == [[b"\x41next"]]


def test_a_picture_without_marker_ends_at_the_next_timestamp() -> None:
    depacketiser = Depacketiser()
    assert fed(depacketiser, [Packet(1, 0, False, b"\x41a")]) == []
    (unit,) = fed(depacketiser, [Packet(2, 9, False, b"\x41b")])
    assert unit.nals == [b"\x41a"]
    assert unit.whole


def test_a_keyframe_unit_says_so() -> None:
    (unit,) = fed(Depacketiser(), packets([SPS, PPS, b"\x65idr"]))
    assert unit.keyframe


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.binary(max_size=8))))
def test_no_payloads_make_it_fail(items: list[tuple[int, bool, bytes]]) -> None:
    depacketiser = Depacketiser()
    number = 0
    for step, marker, payload in items:
        number += step
        depacketiser.feed(Packet(number, number // 3, marker, payload))


def test_a_fragment_cut_short_marks_the_picture() -> None:
    units = fed(Depacketiser(), packets([b"\x41a", b"\x7c\x81"]))
    assert [unit.whole for unit in units] == [False]
