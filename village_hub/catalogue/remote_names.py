"""How a part of a name is found without reading every name: by its characters and by each two of
them that stand together ("North lane": n o r .. no or rt ..). Two characters are enough to find a
Chinese name, where an index of three would find none; and no extension of a database is needed.
"""

import unicodedata
from dataclasses import dataclass

LONGEST_PART = 40  # characters


def fold(name: str) -> str:
    """Without what people type differently: width, case, spaces."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def grams(name: str) -> str:
    """Each character once, then each pair in order, with a space after every one."""
    said = fold(name)
    return "".join(f"{each} " for each in (*dict.fromkeys(said), *_pairs(said)))


@dataclass(frozen=True, slots=True)
class Part:
    """What a name has that holds the part: all of `all_of`, and `row` as it stands."""

    all_of: list[str]
    row: str


def part_of(asked: str) -> Part | None:
    """None: nothing that could be looked for."""
    said = fold(asked)[:LONGEST_PART]
    if not said:
        return None
    found = _pairs(said) or [said]
    return Part(list(dict.fromkeys(found)), "".join(f"{each} " for each in found))


def _pairs(said: str) -> list[str]:
    return [said[at : at + 2] for at in range(len(said) - 1)]
