"""Cells of 0.01 degrees (about 1.1 km from south to north), so that "near" is a few numbers and
needs no extension of a database: pure."""

import math
from dataclasses import dataclass

CELL = 10_000  # millionths of a degree
ACROSS = 40_000  # more cells than a circle of latitude has: cell = row * ACROSS + column
METRES = 0.111_195  # of a millionth of a degree, south to north
FARTHEST = 5_000  # metres


def cell(lat: int, lon: int) -> int:
    return (lat // CELL) * ACROSS + lon // CELL


@dataclass(frozen=True, slots=True)
class Near:
    """Around a point, both in millionths of a degree; `metres` up to FARTHEST."""

    lat: int
    lon: int
    metres: int

    @property
    def reach(self) -> float:
        """In millionths of a degree of latitude."""
        return self.metres / METRES

    @property
    def narrowing(self) -> float:
        """How much shorter a degree of longitude is than one of latitude here."""
        return max(math.cos(math.radians(self.lat / 1e6)), 0.05)

    def cells(self) -> list[int]:
        """Every cell that may hold a point within reach."""
        high, wide = math.ceil(self.reach), math.ceil(self.reach / self.narrowing)
        rows = range((self.lat - high) // CELL, (self.lat + high) // CELL + 1)
        columns = range((self.lon - wide) // CELL, (self.lon + wide) // CELL + 1)
        return [row * ACROSS + column for row in rows for column in columns]
