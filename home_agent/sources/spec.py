"""What an encoding child is to do: read from `test:` and `v4l2:` addresses, passed as JSON."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from home_agent.sources.contract import SourceFailure
from village_core.troubles import Trouble

PROFILES = ("baseline", "main", "high")
_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    kind: Literal["test", "v4l2", "movie"]
    path: str = ""  # of the device or file
    width: int = 1280
    height: int = 720
    fps: int = 25
    rate: int = 2000  # kbit/s
    gop: int = 50  # pictures from keyframe to keyframe
    profile: str = "main"
    bframes: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_spec(kind: Literal["test", "v4l2", "movie"], path: str, query: str) -> Spec:
    """`size=1280x720&fps=25&rate=2000&gop=50&profile=main&bframes=0`, each with that default.

    Raises SourceFailure(PROTOCOL) that names what is wrong.
    """
    values: dict[str, Any] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise _wrong("the part behind ? is not name=value&...") from error
    for name, text in pairs:
        if name == "size":
            values["width"], values["height"] = _size(text)
        elif name == "profile":
            values["profile"] = _one_of(name, text, PROFILES)
        elif name in _RANGES:
            values[name] = _number(name, text)
        else:
            raise _wrong(f"{name[:20]} is not known; known are size, profile, {', '.join(_RANGES)}")
    return Spec(kind=kind, path=path, **values)


_RANGES = {"fps": (1, 120), "rate": (16, 50_000), "gop": (1, 10_000), "bframes": (0, 4)}


def _size(text: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(text)
    if not match:
        raise _wrong("size is to be like 1280x720")
    width, height = int(match[1]), int(match[2])
    if not (64 <= width <= 7680 and 36 <= height <= 4320 and width % 2 == height % 2 == 0):
        raise _wrong("size is to be even and between 64x36 and 7680x4320")
    return width, height


def _number(name: str, text: str) -> int:
    low, high = _RANGES[name]
    if not (text.isascii() and text.isdigit() and len(text) < 8 and low <= int(text) <= high):
        raise _wrong(f"{name} is to be a number from {low} to {high}")
    return int(text)


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise _wrong(f"{name} is to be one of {', '.join(known)}")
    return text


def _wrong(why: str) -> SourceFailure:
    return SourceFailure(Trouble.PROTOCOL, f"The source's address cannot be used: {why}.")
