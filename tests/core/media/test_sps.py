"""Sequence parameter sets: x264's own, and some of a camera's oddities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.media.clips import clip
from village_core.media import h264
from village_core.media.sps import Sps, parse_sps


def sps_of(*arguments: object, **options: object) -> Sps:
    (nal,) = [n for n in clip(*arguments, **options)[0].nals if h264.nal_type(n) == h264.SPS]
    return parse_sps(nal)


class Writer:
    """Writes an SPS bit by bit."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> "Writer":
        self.bits += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, *values: int) -> "Writer":
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def nal(self, profile: int, constraints: int = 0) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        return bytes((0x67, profile, constraints, 30)) + int(bits, 2).to_bytes(len(bits) // 8)


def plain() -> Writer:
    """Up to the size: id, frame number bits, picture order 2, one reference, no gaps."""
    return Writer().ue(0, 0, 2, 1).u(1, 0)


@pytest.mark.parametrize(("profile", "first"), [("baseline", "42"), ("main", "4d"), ("high", "64")])
def test_profile_and_size_of_x264(profile: str, first: str) -> None:
    sps = sps_of(profile)
    assert sps.profile_level_id.startswith(first)
    assert (sps.width, sps.height) == (320, 240)
    assert sps.fps == 25


@pytest.mark.parametrize("size", [(322, 182), (640, 360), (176, 144), (1280, 720), (1920, 1080)])
def test_cropping_gives_the_true_size(size: tuple[int, int]) -> None:
    sps = sps_of("main", size=size, frames=1)
    assert (sps.width, sps.height) == size


def test_reordering_tells_of_b_frames() -> None:
    assert sps_of("main").max_num_reorder == 0
    assert (sps_of("main", b_frames=2).max_num_reorder or 0) > 0
    assert sps_of("baseline").max_num_reorder == 0


def test_an_interlaced_size_counts_both_fields() -> None:
    writer = plain().ue(19, 8).u(1, 0).u(1, 0).u(1, 1).u(1, 1).ue(0, 0, 0, 1).u(1, 0)
    sps = parse_sps(writer.nal(77))
    assert (sps.width, sps.height) == (320, 2 * 9 * 16 - 4)


def test_baseline_without_vui_never_reorders_and_main_may() -> None:
    assert parse_sps(plain().ue(9, 8).u(1, 1).u(3, 0).nal(66)).max_num_reorder == 0
    assert parse_sps(plain().ue(9, 8).u(1, 1).u(3, 0).nal(77)).max_num_reorder is None


def test_intra_only_high_never_reorders() -> None:
    head = Writer().ue(0, 1, 0, 0).u(1, 0).u(1, 0).ue(0, 2, 1).u(1, 0)
    assert parse_sps(head.ue(9, 8).u(1, 1).u(3, 0).nal(100, 0x10)).max_num_reorder == 0


def test_scaling_lists_and_separate_planes_are_read_over() -> None:
    head = Writer().ue(0, 3).u(1, 1).ue(0, 0).u(1, 0).u(1, 1)
    head.u(1, 1).ue(2, *[0] * 15)  # one list of 16, deltas 1 and 0
    head.u(1, 1).ue(16)  # the default list: the first delta makes 0
    head.u(10, 0)
    head.ue(0, 2, 1).u(1, 0).ue(9, 8).u(1, 1).u(1, 0).u(1, 1).ue(1, 1, 1, 1).u(1, 0)
    sps = parse_sps(head.nal(244))
    assert (sps.width, sps.height) == (158, 142)


def test_picture_order_type_1_is_read_over() -> None:
    writer = Writer().ue(0, 0, 1).u(1, 0).ue(0, 0, 2, 0, 0).ue(1).u(1, 0)
    assert parse_sps(writer.ue(9, 8).u(1, 1).u(3, 0).nal(77)).width == 160


def test_vui_with_all_its_parts_is_read() -> None:
    writer = plain().ue(9, 8).u(1, 1).u(2, 0).u(1, 1)
    writer.u(1, 1).u(8, 255).u(32, 0x0001_0001)  # aspect ratio written out
    writer.u(1, 1).u(1, 1)  # overscan
    writer.u(1, 1).u(4, 5).u(1, 1).u(24, 0x010101)  # colours
    writer.u(1, 1).ue(0, 0)  # chroma position
    writer.u(1, 1).u(32, 1).u(32, 30).u(1, 1)  # timing
    for _ in range(2):  # both buffering models
        writer.u(1, 1).ue(0).u(8, 0).ue(0, 0).u(1, 0).u(20, 0)
    writer.u(1, 0).u(1, 0)
    writer.u(1, 1).u(1, 1).ue(0, 0, 9, 9, 3, 4)
    sps = parse_sps(writer.nal(77))
    assert (sps.fps, sps.max_num_reorder) == (15, 3)


def test_a_frame_rate_that_cannot_be_is_not_said() -> None:
    writer = plain().ue(9, 8).u(1, 1).u(2, 0).u(1, 1).u(4, 0).u(1, 1)
    assert parse_sps(writer.u(32, 0).u(32, 30).u(1, 1).u(4, 0).nal(77)).fps is None


@pytest.mark.parametrize(
    ("nal", "complaint"),
    [
        (b"", "not a sequence parameter set"),
        (b"\x68\x42\x00\x1e\x80", "not a sequence parameter set"),
        (b"\x67\x42\x00\x1e\x80", "end too early"),
        (b"\x67\x42\x00\x1e" + bytes(12), "more than 32 bits"),
        (Writer().ue(0, 4).nal(100), "chroma_format_idc 4"),
        (Writer().ue(0, 0, 3).nal(77), "pic_order_cnt_type 3"),
        (plain().ue(2000, 8).nal(77), "2001 by 9 macroblocks"),
        (plain().ue(9, 8).u(1, 1).u(1, 0).u(1, 1).ue(50, 50, 0, 0).u(9, 0).nal(77), "no picture"),
        (
            plain().ue(9, 8).u(1, 1).u(2, 0).u(1, 1).u(5, 0).u(1, 1).ue(32).u(8, 0).nal(77),
            "33 coded picture buffers",
        ),
    ],
)
def test_a_broken_set_is_named(nal: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_sps(nal)


@given(st.binary(max_size=80))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    try:
        sps = parse_sps(b"\x67" + data)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert 0 < sps.width <= 16_384
