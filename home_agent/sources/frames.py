"""How the agent and its encoding child processes talk: framed access units over pipes."""

import asyncio
import struct
from enum import IntEnum
from typing import NamedTuple

LARGEST = 8 * 1024 * 1024  # bytes; a 4K keyframe at high quality stays below 2 MB
_HEAD = struct.Struct("!BQI")


class Kind(IntEnum):
    PICTURE = 1  # Annex B; timestamp in 90 kHz
    KEYFRAME = 2  # the same, decodable alone
    AUDIO = 3  # one RTP payload; timestamp in the codec's clock
    TROUBLE = 4  # "<Trouble> <sentence>" in UTF-8; the child then ends


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
        kind, timestamp, size = _HEAD.unpack(await stream.readexactly(_HEAD.size))
        if size > LARGEST:
            raise FrameError(f"a frame of {size} bytes")
        return Frame(Kind(kind), timestamp, await stream.readexactly(size))
    except asyncio.IncompleteReadError:
        return None
    except ValueError as error:
        raise FrameError(str(error)) from error
