"""RTCP compounds: what we build is read back, what others send never breaks us."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village_core.media import rtcp

WORD = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.lists(
    st.builds(
        rtcp.ReportBlock,
        ssrc=WORD,
        fraction_lost=st.integers(0, 255),
        lost=st.integers(-(1 << 23) + 1, (1 << 23) - 1),
        highest=WORD,
        jitter=WORD,
        last_report=WORD,
        delay=WORD,
    ),
    max_size=31,
).map(tuple)
SSRCS = st.lists(WORD, max_size=31).map(tuple)
PACKETS = st.one_of(
    st.builds(
        rtcp.SenderReport,
        ssrc=WORD,
        ntp=st.integers(0, (1 << 64) - 1),
        timestamp=WORD,
        packets=WORD,
        octets=WORD,
        blocks=BLOCKS,
    ),
    st.builds(rtcp.ReceiverReport, ssrc=WORD, blocks=BLOCKS),
    st.builds(rtcp.SourceDescription, st.dictionaries(WORD, st.text(max_size=40), max_size=31)),
    st.builds(rtcp.Bye, SSRCS),
    st.builds(rtcp.PictureLoss, WORD, WORD),
    st.builds(
        rtcp.FullIntraRequest,
        WORD,
        st.lists(st.tuples(WORD, st.integers(0, 255)), max_size=5).map(tuple),
    ),
    st.builds(rtcp.BitrateLimit, WORD, st.integers(0, (1 << 18) - 1), SSRCS),
)


@given(st.lists(PACKETS, min_size=1, max_size=5))
def test_what_is_built_is_read_back(packets: list[rtcp.RtcpPacket]) -> None:
    compound = rtcp.build(*packets)
    assert len(compound) % 4 == 0
    assert rtcp.parse(compound) == packets


@given(st.lists(st.integers(0, 65535), max_size=60))
def test_a_nack_names_every_number_it_was_given(numbers: list[int]) -> None:
    """RFC 4585 section 6.2.1."""
    (nack,) = rtcp.parse(rtcp.build(rtcp.Nack(1, 2, tuple(numbers))))
    assert isinstance(nack, rtcp.Nack)
    assert set(nack.numbers) == set(numbers)


def test_neighbouring_numbers_share_one_item_across_the_wrap() -> None:
    compound = rtcp.build(rtcp.Nack(1, 2, (65534, 65535, 0, 14)))
    assert len(compound) == 16
    assert rtcp.parse(compound) == [rtcp.Nack(1, 2, (65534, 65535, 0, 14))]


def test_a_large_estimate_keeps_its_first_18_bits() -> None:
    (limit,) = rtcp.parse(rtcp.build(rtcp.BitrateLimit(1, 5_000_000_000, (2,))))
    assert isinstance(limit, rtcp.BitrateLimit)
    assert limit.bits == pytest.approx(5e9, rel=1e-5)


@given(st.binary(max_size=120))
def test_no_bytes_make_the_parser_fail(data: bytes) -> None:
    try:
        rtcp.parse(data)
    except rtcp.RtcpError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


@given(
    st.integers(0, 31),
    st.sampled_from([200, 201, 202, 203, 205, 206, 204, 207]),
    st.binary(max_size=15).map(lambda data: data * 4),
)
def test_no_body_under_a_right_header_makes_it_fail(count: int, kind: int, body: bytes) -> None:
    data = struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
    try:
        rtcp.parse(data)
    except rtcp.RtcpError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("", "without a byte"),
        ("80c8", "cut short"),
        ("40c9000100000000", "version 1"),
        ("80c9000200000000", "longer than"),
        ("80c80001000000ff", "sender report cut short"),
        ("80c90000", "cut short"),
        ("81c9000100000001", "fewer than its 1 blocks"),
        ("81ca00020000000101050000", "item cut short"),
        ("81ca00020000000101020000", "without its end"),
        ("82cb000100000001", "cut short"),
        ("81cd000100000001", "impossible length"),
        ("84ce0003000000010000000000000001", "impossible length"),
        ("a0c900010000000180cb0000", "before the last"),
        ("a0c9000100000000", "impossible length"),
        ("8fce0003000000010000000052454d42", "cut short"),
        ("8fce0004000000010000000052454d4202000000", "cut short"),
    ],
)
def test_a_broken_packet_is_named(data: str, complaint: str) -> None:
    with pytest.raises(rtcp.RtcpError, match=complaint):
        rtcp.parse(bytes.fromhex(data))


def test_padding_of_the_last_packet_is_dropped() -> None:
    compound = bytes.fromhex("80c9000100000001a0cb000100000004")
    assert rtcp.parse(compound) == [rtcp.ReceiverReport(1), rtcp.Bye(())]


def test_unknown_packets_and_formats_are_passed_over() -> None:
    unknown = "80cf0001000000018fcd000200000001000000028fce00020000000100000002"
    compound = bytes.fromhex(unknown) + rtcp.build(rtcp.PictureLoss(1, 2))
    assert rtcp.parse(compound) == [rtcp.PictureLoss(1, 2)]


def test_other_items_than_the_name_are_passed_over() -> None:
    chunk = b"\0\0\0\x07" + b"\x02\x03abc" + b"\x01\x02me" + b"\0\0\0"
    data = struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk
    assert rtcp.parse(data) == [rtcp.SourceDescription({7: "me"})]


def test_a_loss_beyond_24_bits_is_cut_to_the_largest() -> None:
    block = rtcp.ReportBlock(1, 0, 1 << 30, 0, 1 << 40, 0, 0)
    (report,) = rtcp.parse(rtcp.build(rtcp.ReceiverReport(1, (block,))))
    assert isinstance(report, rtcp.ReceiverReport)
    assert (report.blocks[0].lost, report.blocks[0].jitter) == (0x7FFFFF, 0xFFFFFFFF)
