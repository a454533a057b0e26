"""RTP packets and their wrapping numbers (RFC 3550 section 5.1)."""

import struct
from typing import NamedTuple

from village_core.media.packet import HEADER

FIXED = struct.Struct("!BBHII")
PLAIN = 0x80  # first byte of version 2 without padding, extension and CSRC
_VERSION = 0xC0
_PADDED = 0x20
_EXTENDED = 0x10
_CSRC_COUNT = 0x0F


class Parsed(NamedTuple):
    """One RTP packet as received; extension, CSRC and padding stripped from the payload."""

    payload_type: int
    marker: bool
    number: int  # 16 bits
    timestamp: int  # 32 bits
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Parsed | None:
    """The packet in `data`, or None when it is not a well-formed RTP packet."""
    if len(data) < HEADER:
        return None
    first, second, number, timestamp, ssrc = FIXED.unpack_from(data)
    payload = data[HEADER:] if first == PLAIN else _stripped(data)
    if payload is None:
        return None
    return Parsed(second & 0x7F, second > 0x7F, number, timestamp, ssrc, payload)


def _stripped(data: bytes) -> bytes | None:
    first = data[0]
    if first & _VERSION != PLAIN:
        return None
    start, end = HEADER + 4 * (first & _CSRC_COUNT), len(data)
    if first & _EXTENDED:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if first & _PADDED:
        padding = data[-1]
        if padding == 0:
            return None
        end -= padding
    return data[start:end] if start <= end else None


def build(
    payload_type: int,
    number: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
) -> bytes:
    """An RTP packet; `number` and `timestamp` may be extended, they are cut to their width."""
    second = payload_type | 0x80 if marker else payload_type
    return FIXED.pack(PLAIN, second, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def signed(value: int, bits: int) -> int:
    """The shortest way around a counter of `bits` bits: -2**(bits-1) .. 2**(bits-1) - 1."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def nearest(raw: int, reference: int, bits: int) -> int:
    """The extended value congruent to `raw` modulo 2**bits that lies nearest to `reference`."""
    return reference + signed(raw - reference, bits)
