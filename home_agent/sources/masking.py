"""Blackens polygons in planar pictures (pure): rows and spans, no image library."""

from collections.abc import Sequence

Span = tuple[int, int, int]  # row, first column, column after the last
Point = Sequence[float]  # x, y, each 0 to 1 from the picture's top left
BLACK_LUMA, NEUTRAL_CHROMA = 16, 128


def spans(polygons: Sequence[Sequence[Point]], width: int, height: int) -> list[Span]:
    """The pixels of a plane that touch a polygon: rather one too many than one too few."""
    found: list[Span] = []
    for polygon in polygons:
        corners = [(x * width, y * height) for x, y in polygon]
        for row in range(height):
            found += [
                (row, max(int(left) - 1, 0), min(int(right) + 2, width))
                for left, right in _crossings(corners, row)
                if right >= 0 and left <= width
            ]
    return found


def _crossings(corners: list[tuple[float, float]], row: int) -> list[tuple[float, float]]:
    """Stretches of the polygon within a row: along three lines of it, and of each edge inside."""
    stretches: list[tuple[float, float]] = []
    for y in (row + 0.001, row + 0.5, row + 0.999):
        crossed = sorted(
            x1 + (y - y1) * (x2 - x1) / (y2 - y1)
            for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True)
            if (y1 > y) != (y2 > y)
        )
        stretches += zip(crossed[::2], crossed[1::2], strict=False)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if max(y1, y2) >= row and min(y1, y2) <= row + 1:
            stretches.append(_within(x1, y1, x2, y2, row))
    return stretches


def _within(x1: float, y1: float, x2: float, y2: float, row: int) -> tuple[float, float]:
    """Where an edge runs inside a row, from left to right."""
    if y1 == y2:
        return min(x1, x2), max(x1, x2)
    at = [
        x1 + (min(max(y, min(y1, y2)), max(y1, y2)) - y1) * (x2 - x1) / (y2 - y1)
        for y in (row, row + 1)
    ]
    return min(at), max(at)


def fill(plane: bytearray, stride: int, where: Sequence[Span], value: int) -> None:
    """Sets the pixels of a plane of `stride` bytes a row."""
    for row, first, after in where:
        plane[row * stride + first : row * stride + after] = bytes((value,)) * (after - first)
