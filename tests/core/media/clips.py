"""Real H.264, encoded here with libx264, and a real decoder."""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from village_core.media import h264
from village_core.media.feeder import AccessUnit

FPS = 25


@cache
def clip(
    profile: str = "main",
    *,
    frames: int = 50,
    b_frames: int = 0,
    size: tuple[int, int] = (320, 240),
    gop: int = 25,
    options: tuple[tuple[str, str], ...] = (),
) -> tuple[AccessUnit, ...]:
    """Access units in coding order, timestamps in 90 kHz (presentation times)."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, FPS)
    encoder.framerate = Fraction(FPS)
    encoder.gop_size = gop
    encoder.bit_rate = 600_000
    encoder.options = {
        "preset": "ultrafast" if profile == "baseline" else "veryfast",
        "profile": profile,
        "bf": str(b_frames),
        "x264-params": "scenecut=0:b-adapt=0:annexb=1:threads=1:sliced-threads=0",
        **dict(options),
    }
    units = [*_encoded(encoder, frames, size), *map(_unit, encoder.encode(None))]
    return tuple(units)


def _encoded(
    encoder: "av.VideoCodecContext", frames: int, size: tuple[int, int]
) -> Iterable[AccessUnit]:
    for index in range(frames):
        frame = av.VideoFrame.from_ndarray(_moving(index, size), format="gray").reformat(
            format="yuv420p"
        )
        frame.pts = index
        frame.time_base = Fraction(1, FPS)
        yield from map(_unit, encoder.encode(frame))


def _moving(index: int, size: tuple[int, int]) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """A slanted pattern that moves, with some noise so that frames fill several packets."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(index).integers(0, 40, (height, width))
    moved: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    moved = ((rows + columns + 5 * index) % 200 + noise).astype(np.uint8)
    return moved


def _unit(packet: "av.Packet[Any]") -> AccessUnit:
    assert packet.pts is not None
    return AccessUnit(
        h264.split_annex_b(bytes(packet)), packet.pts * 90_000 // FPS, packet.is_keyframe
    )


def decode(units: Iterable[list[bytes]]) -> list[tuple[int, int]]:
    """Width and height of every picture that a real decoder makes; an error in the data raises."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.options = {"err_detect": "explode"}
    decoder.thread_count = 1
    frames = []
    for nals in units:
        frames += decoder.decode(av.Packet(h264.to_annex_b(nals)))
    frames += decoder.decode(None)
    assert not any(frame.is_corrupt for frame in frames)
    return [(frame.width, frame.height) for frame in frames]
