"""The moving test picture of `test:` sources, with a clock that people and programs can read.

The top twelfth of the picture holds three rows of 32 black or white blocks, the same share of the
picture at any size, so that it can be read after scaling: bit (row, column) is the brightness in
the middle of its block, at x = (column + 0.5) / 32 of the width and y = (row + 0.5) / 36 of the
height; white is 1. The most significant bit comes first:

    row 0   8 bits 0xAC, 24 bits picture number
    row 1   32 low bits of the time in UTC milliseconds
    row 2   16 high bits of the time, 16 bits CRC-16/CCITT (initial value 0xFFFF) of the ten bytes
            before it

Below stand the same time in digits, a bar that crosses the picture once in 4 s, and a band of
changing noise that makes the encoder fill its bit rate. All of it is luma; chroma is fixed.
"""

import binascii
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

COLUMNS, ROWS, ROW_SHARE = 32, 3, 36
MAGIC = 0xAC
BLACK, WHITE, GREY = 16, 235, 110
BAR_PERIOD = 4.0  # seconds
NOISES = 12
_GLYPHS = {  # 5 by 7 dots, rows from the top, the most significant of 5 bits on the left
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    ":": (0, 4, 4, 0, 4, 4, 0),
    "-": (0, 0, 0, 31, 0, 0, 0),
    ".": (0, 0, 0, 0, 0, 12, 12),
    " ": (0, 0, 0, 0, 0, 0, 0),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the blocks of one picture say."""

    number: int  # of the picture, modulo 2**24
    utc_ms: int


def blocks(number: int, utc_ms: int) -> list[int]:
    """The three rows as 32-bit numbers."""
    first = MAGIC << 24 | number & 0xFFFFFF
    low, high = utc_ms & 0xFFFFFFFF, utc_ms >> 32 & 0xFFFF
    check = binascii.crc_hqx(first.to_bytes(4) + low.to_bytes(4) + high.to_bytes(2), 0xFFFF)
    return [first, low, high << 16 | check]


def read_blocks(luma: Callable[[float, float], int]) -> Reading | None:
    """Reads a picture; `luma(x, y)` gives the brightness (0 to 255) at shares of its size.

    None when the picture holds no intact clock.
    """
    rows = []
    for row in range(ROWS):
        value = 0
        for column in range(COLUMNS):
            bright = luma((column + 0.5) / COLUMNS, (row + 0.5) / ROW_SHARE) >= 128
            value = value << 1 | bright
        rows.append(value)
    first, low, last = rows
    reading = Reading(first & 0xFFFFFF, (last >> 16) << 32 | low)
    return (
        reading if blocks(reading.number, reading.utc_ms) == rows and first >> 24 == MAGIC else None
    )


def read_plane(plane: bytes, width: int, height: int, stride: int) -> Reading | None:
    """Reads a luma plane of `stride` bytes a row."""
    return read_blocks(lambda x, y: plane[int(y * height) * stride + int(x * width)])


class Pattern:
    """Draws luma planes of one size: even width and height, rows of `stride` bytes."""

    def __init__(self, width: int, height: int, stride: int) -> None:
        self._width, self._height, self._stride = width, height, stride
        self._strip = [height * row // ROW_SHARE for row in range(ROWS + 1)]
        self._noise_from, self._noise_to = height * 3 // 4, height - height // 16
        self._base = self._background()
        self._noises = self._draw_noises()
        self._scale = max(1, min(width // 160, height // 60))

    def draw(self, number: int, utc_ms: int, seconds: float) -> bytearray:
        """The luma plane for picture `number` at `utc_ms`; the bar stands where `seconds` says."""
        plane = bytearray(self._base)
        start = self._noise_from * self._stride
        noise = self._noises[number % NOISES]
        plane[start : start + len(noise)] = noise
        self._draw_strip(plane, blocks(number, utc_ms))
        self._draw_text(plane, clock_text(utc_ms))
        self._draw_bar(plane, seconds)
        return plane

    def _background(self) -> bytes:
        ramp = bytes(60 + 100 * x // self._width for x in range(self._width))
        row = ramp + bytes(self._stride - self._width)
        dark = bytes(value // 2 + 20 for value in row)
        step = max(self._height // 12, 1)
        return b"".join(row if y // step % 2 else dark for y in range(self._height))

    def _draw_noises(self) -> list[bytes]:
        """Coarse noise of blocks 4 wide and 2 high: dearer to encode than it is to draw."""
        dice = random.Random(1)  # noqa: S311 - the same picture every time
        noises = []
        for _ in range(NOISES):
            rows = []
            for _ in range(0, self._noise_to - self._noise_from, 2):
                dots = dice.randbytes(self._stride // 4 + 1)
                row = b"".join(bytes((64 + dot // 2,)) * 4 for dot in dots)[: self._stride]
                rows.append(row * 2)
            noises.append(b"".join(rows)[: (self._noise_to - self._noise_from) * self._stride])
        return noises

    def _draw_strip(self, plane: bytearray, rows: list[int]) -> None:
        edges = [self._width * column // COLUMNS for column in range(COLUMNS + 1)]
        for index, value in enumerate(rows):
            parts = [
                bytes((WHITE if value >> (COLUMNS - 1 - column) & 1 else BLACK,))
                * (edges[column + 1] - edges[column])
                for column in range(COLUMNS)
            ]
            self._fill(plane, b"".join(parts), 0, self._strip[index], self._strip[index + 1])

    def _draw_text(self, plane: bytearray, text: str) -> None:
        scale, top = self._scale, self._strip[ROWS] + 6 * self._scale
        for row in range(7):
            bits = [_GLYPHS[letter][row] for letter in text]
            line = b"".join(
                bytes((WHITE if glyph >> (4 - dot) & 1 else BLACK,)) * scale
                for glyph in bits
                for dot in range(-1, 5)
            )
            self._fill(plane, line, 2 * scale, top + row * scale, top + (row + 1) * scale)

    def _draw_bar(self, plane: bytearray, seconds: float) -> None:
        thick = max(self._width // 40, 2)
        left = int((seconds % BAR_PERIOD) / BAR_PERIOD * (self._width - thick))
        top = self._strip[ROWS] + 20 * self._scale
        self._fill(plane, bytes((WHITE,)) * thick, left, top, self._noise_from)

    def _fill(self, plane: bytearray, row: bytes, left: int, top: int, bottom: int) -> None:
        row = row[: self._width - left]
        for y in range(top, min(bottom, self._height)):
            start = y * self._stride + left
            plane[start : start + len(row)] = row


def clock_text(utc_ms: int) -> str:
    """2026-05-01 08:30:00.250"""
    moment = datetime.fromtimestamp(utc_ms // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{utc_ms % 1000:03}"
