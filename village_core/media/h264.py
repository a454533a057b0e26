"""H.264 NAL units: splitting, parameter sets, keyframes and slice types (ITU-T H.264 7.3, 7.4)."""

import base64
from collections.abc import Iterable, Iterator

from village_core.media.bits import Bits, unescaped

SLICE, IDR, SEI, SPS, PPS, DELIMITER, END_OF_SEQUENCE, END_OF_STREAM, FILLER = (
    1,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)
STAP_A, FU_A = 24, 28
_RECOVERY_POINT = 6  # SEI payload type (H.264 D.1.8)


def nal_type(nal: bytes) -> int:
    """The type of a NAL unit (or of an RTP payload), 0 for an empty one."""
    return nal[0] & 0x1F if nal else 0


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units between start codes (H.264 annex B); trailing zero bytes are not part of one."""
    nals = (part.rstrip(b"\0") for part in data.split(b"\0\0\1")[1:])
    return [nal for nal in nals if nal]


def split_prefixed(data: bytes, length_size: int = 4) -> list[bytes]:
    """NAL units after big-endian lengths of `length_size` bytes (MP4, ISO 14496-15).

    Raises ValueError when a length leads past the end.
    """
    nals = []
    at = 0
    while at < len(data):
        end = at + length_size + int.from_bytes(data[at : at + length_size])
        if end > len(data):
            raise ValueError(f"a NAL unit at byte {at} is longer than its access unit")
        nals.append(data[at + length_size : end])
        at = end
    return [nal for nal in nals if nal]


def to_annex_b(nals: Iterable[bytes]) -> bytes:
    return b"".join(b"\0\0\0\1" + nal for nal in nals)


def slice_type(nal: bytes) -> str | None:
    """ "P", "B", "I", "SP" or "SI" for a coded slice (H.264 7.4.3), else None."""
    if nal_type(nal) not in (SLICE, 2, IDR):
        return None
    bits = Bits(unescaped(nal[1:33]))
    try:
        bits.ue()
        number = bits.ue()
    except ValueError:
        return None
    return ("P", "B", "I", "SP", "SI")[number % 5] if number < 10 else None


def has_b_slices(nals: Iterable[bytes]) -> bool:
    return any(slice_type(nal) == "B" for nal in nals)


def is_keyframe(nals: list[bytes]) -> bool:
    """Whether decoding can begin at this access unit.

    IDR; or, for cameras that never send one after the first, parameter sets with a recovery point
    and nothing but I slices.
    """
    types = {nal_type(nal) for nal in nals}
    if IDR in types:
        return True
    if SPS not in types or not any(_is_recovery_point(nal) for nal in nals):
        return False
    return all(slice_type(nal) == "I" for nal in nals if nal_type(nal) == SLICE)


def _is_recovery_point(nal: bytes) -> bool:
    return nal_type(nal) == SEI and _RECOVERY_POINT in _sei_types(unescaped(nal[1:]))


def _sei_types(message: bytes) -> Iterator[int]:
    at = 0
    while at + 2 < len(message):
        kind, at = _sei_number(message, at)
        size, at = _sei_number(message, at)
        yield kind
        at += size


def _sei_number(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    while at < len(message) and message[at] == 0xFF:
        value, at = value + 255, at + 1
    return value + (message[at] if at < len(message) else 0), at + 1


def payloads_begin_keyframe(payloads: Iterable[bytes]) -> bool | None:
    """Whether RTP payloads of one timestamp (RFC 6184) begin a keyframe; nothing is reassembled.

    True: an IDR slice, an I slice behind an SPS (cameras that mark recovery points instead), or an
    SPS alone so far. False: another slice. None: no slice begins here.
    """
    seen_sps = False
    for payload in payloads:
        for nal in begun_nals(payload):
            kind = nal[0] & 0x1F
            if kind == IDR:
                return True
            if 1 <= kind <= 4:
                return seen_sps and slice_type(nal) == "I"
            seen_sps = seen_sps or kind == SPS
    return seen_sps or None


def begun_nals(payload: bytes) -> list[bytes]:
    """The NAL units that begin in one RTP payload; of a fragmented one, its first piece."""
    kind = nal_type(payload)
    if kind == FU_A:
        if len(payload) < 2 or not payload[1] & 0x80:
            return []
        return [bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) + payload[2:34]]
    return whole_nals(payload)


def parse_sprop(text: str) -> list[bytes]:
    """NAL units of an SDP's `sprop-parameter-sets` (RFC 6184 section 8.1).

    Raises ValueError when one is not base64.
    """
    nals = [base64.b64decode(part, validate=True) for part in text.split(",")]
    return [nal for nal in nals if nal]


def stap_nals(payload: bytes) -> list[bytes]:
    """The NAL units of a STAP-A (RFC 6184 section 5.7.1); one cut short ends the list."""
    nals = []
    at = 1
    while at + 2 <= len(payload):
        end = at + 2 + int.from_bytes(payload[at : at + 2])
        if end > len(payload):
            break
        nals.append(payload[at + 2 : end])
        at = end
    return [nal for nal in nals if nal]


def whole_nals(payload: bytes) -> list[bytes]:
    """The complete NAL units that one RTP payload holds."""
    kind = nal_type(payload)
    if kind == STAP_A:
        return stap_nals(payload)
    return [payload] if 1 <= kind <= 23 else []
