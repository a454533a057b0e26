"""The sequence parameter set: size, profile, reordering and frame rate (H.264 7.3.2.1.1, E.1.1)."""

from dataclasses import dataclass

from village_core.media.bits import Bits, unescaped

_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_INTRA_ONLY_PROFILES = frozenset((44, 86, 100, 110, 122, 244))
_EXTENDED_SAR = 255
_MOST_MACROBLOCKS = 1024  # on a side; level 6.2 allows 139,264 in all and 1,055 on a side


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set says of its pictures."""

    profile_level_id: str  # 6 hexadecimal digits, as in SDP (RFC 6184 section 8.1)
    width: int
    height: int
    max_num_reorder: (
        int | None
    )  # None: not said; 0: no picture is reordered, so no B-frames shown late
    fps: float | None


@dataclass(slots=True)
class _Size:
    width: int
    height: int


def parse_sps(nal: bytes) -> Sps:
    """Reads an SPS NAL unit, its header byte included. Raises ValueError when it is broken."""
    if len(nal) < 5 or nal[0] & 0x1F != 7:
        raise ValueError("not a sequence parameter set")
    data = unescaped(nal)
    profile, constraints = data[1], data[2]
    bits = Bits(data[4:])
    bits.ue()  # seq_parameter_set_id
    chroma = _read_high(bits) if profile in _HIGH_PROFILES else 1
    bits.ue()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)
    size = _read_size(bits, chroma)
    intra_only = profile in _INTRA_ONLY_PROFILES and bool(constraints & 0x10)
    reorder, fps = _read_vui(bits) if bits.flag() else (None, None)
    if reorder is None and (intra_only or profile == 66):
        reorder = 0  # Baseline has no B slices (A.2.1); intra-only profiles infer 0 (E.2.1)
    return Sps(data[1:4].hex(), size.width, size.height, reorder, fps)


def _read_high(bits: Bits) -> int:
    chroma = bits.ue()
    if chroma > 3:
        raise ValueError(f"chroma_format_idc {chroma}")
    separate = chroma == 3 and bits.flag()
    bits.ue()
    bits.ue()
    bits.u(1)
    if bits.flag():
        for index in range(8 if chroma != 3 else 12):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return 0 if separate else chroma  # separate colour planes crop as monochrome


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_picture_order(bits: Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 256)):
            bits.se()
    elif kind > 2:
        raise ValueError(f"pic_order_cnt_type {kind}")


def _read_size(bits: Bits, chroma: int) -> _Size:
    columns, rows = bits.ue() + 1, bits.ue() + 1
    if max(columns, rows) > _MOST_MACROBLOCKS:
        raise ValueError(f"a picture of {columns} by {rows} macroblocks")
    frames_only = bits.flag()
    if not frames_only:
        bits.u(1)
        rows *= 2
    bits.u(1)
    size = _Size(16 * columns, 16 * rows)
    if bits.flag():
        _crop(size, bits, chroma, 1 if frames_only else 2)
    return size


def _crop(size: _Size, bits: Bits, chroma: int, fields: int) -> None:
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * fields
    size.width -= unit_x * (bits.ue() + bits.ue())
    size.height -= unit_y * (bits.ue() + bits.ue())
    if size.width <= 0 or size.height <= 0:
        raise ValueError("the cropping leaves no picture")


def _read_vui(bits: Bits) -> tuple[int | None, float | None]:
    _skip_appearance(bits)
    fps = _read_timing(bits) if bits.flag() else None
    nal_hrd, vcl_hrd = _skip_hrd(bits), _skip_hrd(bits)
    if nal_hrd or vcl_hrd:
        bits.u(1)
    bits.u(1)
    return (_read_reorder(bits) if bits.flag() else None), fps


def _skip_appearance(bits: Bits) -> None:
    """Aspect ratio, overscan, colours and chroma position."""
    if bits.flag() and bits.u(8) == _EXTENDED_SAR:
        bits.u(32)
    if bits.flag():
        bits.u(1)
    if bits.flag():
        bits.u(4)
        if bits.flag():
            bits.u(24)
    if bits.flag():
        bits.ue()
        bits.ue()


def _read_timing(bits: Bits) -> float | None:
    units, scale = bits.u(32), bits.u(32)
    bits.u(1)
    fps = scale / (2 * units) if units else 0.0
    return fps if 0 < fps <= 240 else None


def _skip_hrd(bits: Bits) -> bool:
    if not bits.flag():
        return False
    count = bits.ue() + 1
    if count > 32:
        raise ValueError(f"{count} coded picture buffers")
    bits.u(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.u(1)
    bits.u(20)
    return True


def _read_reorder(bits: Bits) -> int:
    bits.u(1)
    for _ in range(4):
        bits.ue()
    return bits.ue()
