"""NAL units, slice types and keyframes, on made bytes and on what x264 makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.media.clips import clip
from tests.core.media.support import PPS, SPS
from village_core.media import h264
from village_core.media.bits import Bits, unescaped
from village_core.media.rfc6184 import packetise

IDR, P_SLICE = b"\x65\x88\x80", b"\x41\x9a\x00"
I_SLICE = b"\x41\x88\x80"  # slice_type 7
B_SLICE = b"\x01\x9e\x00"  # slice_type 6
RECOVERY_POINT = b"\x06\x06\x01\xc4\x80"
OTHER_SEI = b"\x06\x05\x02\x11\x22\x80"
NALS = st.lists(
    st.binary(min_size=1, max_size=60)
    .map(lambda data: bytes((data[0] & 0x7F | 1,)) + data[1:].replace(b"\0", b"\1"))
    .filter(bool),
    max_size=6,
)


@given(NALS)
def test_annex_b_comes_apart_as_it_was_put_together(nals: list[bytes]) -> None:
    assert h264.split_annex_b(h264.to_annex_b(nals)) == nals


def test_short_and_long_start_codes_and_trailing_zeros_are_no_part_of_a_unit() -> None:
    data = b"\0\0\0\1\x67abc\0\0\1\x68d\0\0\0\0\1\x65e\0\0"
    assert h264.split_annex_b(data) == [b"\x67abc", b"\x68d", b"\x65e"]


@given(NALS, st.sampled_from([2, 4]))
def test_prefixed_units_come_apart(nals: list[bytes], size: int) -> None:
    data = b"".join(len(nal).to_bytes(size) + nal for nal in nals)
    assert h264.split_prefixed(data, size) == nals


def test_a_length_past_the_end_is_named() -> None:
    with pytest.raises(ValueError, match="at byte 5"):
        h264.split_prefixed(b"\0\0\0\1\x65\0\0\0\x09\x65")


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_fail(data: bytes) -> None:
    nals = h264.split_annex_b(data)
    h264.has_b_slices(nals)
    h264.is_keyframe(nals)
    h264.payloads_begin_keyframe([data])
    h264.whole_nals(data)


@pytest.mark.parametrize(
    ("nal", "letter"),
    [
        (IDR, "I"),
        (I_SLICE, "I"),
        (P_SLICE, "P"),
        (B_SLICE, "B"),
        (SPS, None),
        (b"", None),
        (b"\x41", None),
        (b"\x41\x80\x06", None),  # slice_type above 9
    ],
)
def test_slice_types_are_read_from_the_header(nal: bytes, letter: str | None) -> None:
    assert h264.slice_type(nal) == letter


@pytest.mark.parametrize(
    ("nals", "keyframe"),
    [
        ([SPS, PPS, IDR], True),
        ([IDR], True),
        ([P_SLICE], False),
        ([SPS, PPS, P_SLICE], False),
        ([SPS, PPS, I_SLICE], False),
        ([SPS, PPS, RECOVERY_POINT, I_SLICE], True),
        ([SPS, PPS, OTHER_SEI, I_SLICE], False),
        ([SPS, PPS, RECOVERY_POINT, I_SLICE, P_SLICE], False),
        ([RECOVERY_POINT, I_SLICE], False),
        ([], False),
    ],
)
def test_decoding_begins_at_idr_or_a_recovery_point_with_parameter_sets(
    nals: list[bytes], keyframe: bool
) -> None:
    assert h264.is_keyframe(nals) is keyframe


def test_a_recovery_point_behind_another_long_message_is_found() -> None:
    long = b"\x05\xff\x01" + bytes(range(1, 129)) * 2
    assert h264.is_keyframe([SPS, b"\x06" + long + b"\x06\x01\xc4\x80", I_SLICE])


@pytest.mark.parametrize(
    ("payloads", "verdict"),
    [
        (packetise([SPS, PPS, IDR]), True),
        (packetise([SPS, PPS, IDR * 900]), True),
        (packetise([IDR * 900]), True),
        ([SPS, PPS], True),
        (packetise([P_SLICE]), False),
        (packetise([P_SLICE * 900]), False),
        (packetise([SPS, PPS, P_SLICE]), False),
        (packetise([SPS, PPS, I_SLICE * 900]), True),
        (packetise([OTHER_SEI, IDR]), True),
        (packetise([OTHER_SEI, P_SLICE]), False),
        (packetise([P_SLICE * 900])[1:], None),
        ([OTHER_SEI], None),
        ([b"\x7c"], None),
        ([b""], None),
    ],
)
def test_a_keyframe_is_told_from_its_packets(payloads: list[bytes], verdict: bool | None) -> None:
    assert h264.payloads_begin_keyframe(payloads) is verdict


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_x264s_keyframes_are_told_from_their_packets(profile: str) -> None:
    for unit in clip(profile):
        assert h264.is_keyframe(unit.nals) is unit.keyframe
        assert bool(h264.payloads_begin_keyframe(packetise(unit.nals))) is unit.keyframe


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_no_b_frames_are_seen_where_there_are_none(profile: str) -> None:
    assert not any(h264.has_b_slices(unit.nals) for unit in clip(profile))


@pytest.mark.parametrize("profile", ["main", "high"])
def test_b_frames_are_seen(profile: str) -> None:
    """A browser shows 8 of 76 frames of such a camera: it must be told."""
    units = clip(profile, b_frames=2)
    assert sum(h264.has_b_slices(unit.nals) for unit in units) > len(units) // 2


def test_gradual_refresh_begins_at_a_recovery_point_only_with_i_slices() -> None:
    """x264's intra refresh has one IDR and then recovery points with P slices."""
    units = clip("main", options=(("x264-params", "intra-refresh=1:scenecut=0:annexb=1"),))
    assert [unit.keyframe for unit in units].count(True) >= 1
    assert [h264.is_keyframe(unit.nals) for unit in units].count(True) == 1


def test_sprop_parameter_sets_are_read() -> None:
    assert h264.parse_sprop("Z0LAHtkCgIehAA==,aM48gA==") == [SPS, PPS]


@pytest.mark.parametrize("text", ["Z0LA*", "Z0LAH", "Ü"])
def test_broken_sprop_parameter_sets_are_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        h264.parse_sprop(text)


def test_emulation_prevention_is_taken_out() -> None:
    assert unescaped(b"\0\0\3\1\0\0\3\0\0\3") == b"\0\0\1\0\0\0\0"


@given(st.binary(max_size=20))
def test_the_bits_end_with_a_value_error(data: bytes) -> None:
    bits = Bits(data)
    with pytest.raises(ValueError, match=r".+"):
        [bits.se() for _ in range(200)]


def test_exp_golomb_numbers_are_read() -> None:
    """H.264 table 9-2 and 9-3: 1 010 011 00100 00101."""
    bits = Bits(bytes((0b10100110, 0b01000010, 0b10000000)))
    assert [bits.ue() for _ in range(4)] == [0, 1, 2, 3]
    assert bits.se() == -2
