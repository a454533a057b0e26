"""How the agent and its encoding child processes talk: framed access units over pipes."""

import asyncio
import struct
from enum import IntEnum
from typing import BinaryIO, NamedTuple

LARGEST = 8 * 1024 * 1024  # bytes; a 4K keyframe at high quality stays below 2 MB
_HEAD = struct.Struct("!BQI")


class Kind(IntEnum):
    PICTURE = 1  # Annex B; timestamp in 90 kHz
    KEYFRAME = 2  # the same, decodable alone
    AUDIO = 3  # one RTP payload, or one AAC access unit; timestamp in the codec's clock
    TROUBLE = 4  # "<Trouble> <sentence>" in UTF-8; the child then ends
    WANTED = 5  # to the child: the next picture is to be a keyframe


class Frame(NamedTuple):
    kind: Kind
    timestamp: int
    payload: bytes


class FrameError(Exception):
    """The pipe holds something else than frames."""


def pack(frame: Frame) -> bytes:
    return _HEAD.pack(frame.kind, frame.timestamp, len(frame.payload)) + frame.payload


async def read(stream: asyncio.StreamReader) -> Frame | None:
    """The next frame; None at the end of the pipe. Raises FrameError."""
    try:
        head = _head(await stream.readexactly(_HEAD.size))
        return Frame(Kind(head[0]), head[1], await stream.readexactly(head[2]))
    except asyncio.IncompleteReadError:
        return None
    except ValueError as error:
        raise FrameError(str(error)) from error


def read_blocking(stream: BinaryIO) -> Frame | None:
    """The same for the child's side."""
    start = stream.read(_HEAD.size)
    if len(start) < _HEAD.size:
        return None
    kind, timestamp, size = _head(start)
    payload = stream.read(size)
    return Frame(Kind(kind), timestamp, payload) if len(payload) == size else None


def _head(data: bytes) -> tuple[int, int, int]:
    kind, timestamp, size = _HEAD.unpack(data)
    if size > LARGEST:
        raise FrameError(f"a frame of {size} bytes")
    return kind, timestamp, size
