"""RTP's header and its wrapping counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village_core.media import rtp

PLAIN = rtp.build(96, 7, 9000, 0xABCD, b"payload", marker=True)


def test_what_is_built_is_read_back() -> None:
    assert rtp.parse(PLAIN) == (96, True, 7, 9000, 0xABCD, b"payload")


def test_extended_numbers_are_cut_to_their_width() -> None:
    parsed = rtp.parse(rtp.build(96, 65536 + 5, (1 << 32) + 6, 1, b"x"))
    assert parsed is not None
    assert (parsed.number, parsed.timestamp, parsed.marker) == (5, 6, False)


@pytest.mark.parametrize(
    ("head", "body", "payload"),
    [
        (0x80, b"data", b"data"),
        (0x82, b"csrccsrcdata", b"data"),
        (0x90, b"\xbe\xde\x00\x01extsdata", b"data"),
        (0x91, b"csrc\xbe\xde\x00\x01extsdata", b"data"),
        (0xA0, b"data\x00\x00\x03", b"data"),
        (0xB1, b"csrc\xbe\xde\x00\x00data\x01", b"data"),
        (0xA0, b"\x00\x00\x03", b""),
    ],
)
def test_extension_csrc_and_padding_are_stripped(head: int, body: bytes, payload: bytes) -> None:
    parsed = rtp.parse(bytes((head,)) + PLAIN[1:12] + body)
    assert parsed is not None
    assert parsed.payload == payload


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN[:11],
        b"\x40" + PLAIN[1:],  # version 1
        b"\x8f" + PLAIN[1:],  # more CSRC than bytes
        b"\x90" + PLAIN[1:12] + b"\xbe\xde",  # extension header cut short
        b"\x90" + PLAIN[1:12] + b"\xbe\xde\xff\xffdata",  # extension longer than the packet
        b"\xa0" + PLAIN[1:12] + b"data\x00",  # padding of none
        b"\xa0" + PLAIN[1:12] + b"data\x09",  # padding longer than the payload
    ],
)
def test_a_malformed_packet_is_none(data: bytes) -> None:
    assert rtp.parse(data) is None


@given(st.binary(max_size=80))
def test_no_bytes_make_the_parser_fail(data: bytes) -> None:
    parsed = rtp.parse(data)
    assert parsed is None or data.find(parsed.payload) >= 0


@given(st.integers(0, 1 << 40), st.integers(-30_000, 30_000))
def test_a_number_is_found_again_from_its_16_bits(reference: int, distance: int) -> None:
    number = reference + distance
    assert rtp.nearest(number & 0xFFFF, reference, 16) == number


@given(st.integers(0, 1 << 40), st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_timestamp_is_found_again_from_its_32_bits(reference: int, distance: int) -> None:
    stamp = reference + distance
    assert rtp.nearest(stamp & 0xFFFFFFFF, reference, 32) == stamp
