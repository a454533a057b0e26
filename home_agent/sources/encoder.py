"""The encoding child process: `python -m home_agent.sources.encoder`, a Spec as JSON in argv.

Writes frames (frames.py) to stdout. A byte on stdin asks for a keyframe; its end ends the child.
"""

import json
import os
import select
import sys
from collections.abc import Iterator
from fractions import Fraction

import av
from av.video.frame import PictureType

from home_agent.sources.frames import Frame, Kind, pack
from home_agent.sources.pattern import GREY, Pattern
from home_agent.sources.spec import Spec
from village_core.clock import SYSTEM_CLOCK
from village_core.troubles import Trouble

CLOCK = SYSTEM_CLOCK
VIDEO_CLOCK = 90_000
LATEST = 1.0  # seconds behind after which pictures are skipped
STDIN, STDOUT = 0, 1
DEVICE_ERRORS = (av.FFmpegError, OSError, ValueError)


class Ended(Exception):  # noqa: N818 - the normal end, not an error
    """The agent has closed our stdin, or no longer reads."""


def wait_until(moment: float) -> bool:
    """Waits for a monotonic time; True when a keyframe was asked for. Raises Ended."""
    asked = False
    while True:
        left = max(moment - CLOCK.monotonic(), 0.0)
        readable, _, _ = select.select([STDIN], [], [], left)
        if not readable:
            return asked
        if not os.read(STDIN, 64):
            raise Ended
        asked = True


def write(frame: Frame) -> None:
    data = memoryview(pack(frame))
    while data:
        try:
            data = data[os.write(STDOUT, data) :]
        except BrokenPipeError as error:
            raise Ended from error


def make_encoder(
    spec: Spec, width: int, height: int, time_base: Fraction = Fraction(1, VIDEO_CLOCK)
) -> "av.VideoCodecContext":
    """libx264 as a camera would set it: no delay, closed groups, parameter sets in every one."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)  # noqa: S101 - libx264 is one
    context.width, context.height = width, height
    context.pix_fmt = "yuv420p"
    context.framerate = Fraction(spec.fps)
    context.time_base = time_base
    context.bit_rate = spec.rate * 1000
    context.gop_size = spec.gop
    context.max_b_frames = spec.bframes
    context.thread_count = 1
    rate = spec.rate
    context.options = {
        "preset": "superfast",
        "profile": spec.profile,
        "forced-idr": "1",
        "x264-params": f"keyint={spec.gop}:min-keyint=1:scenecut=0:bframes={spec.bframes}"
        f":b-adapt=0:repeat-headers=1:force-cfr=1:rc-lookahead=0:sync-lookahead=0:vbv-maxrate={rate}"
        f":vbv-bufsize={max(rate // 2, 16)}:cabac={int(spec.profile != 'baseline')}",
    }
    return context


def send(packets: "list[av.Packet[av.VideoStream]]") -> None:
    for packet in packets:
        kind = Kind.KEYFRAME if packet.is_keyframe else Kind.PICTURE
        assert packet.time_base is not None  # noqa: S101 - the encoder's own
        write(Frame(kind, int((packet.pts or 0) * packet.time_base * VIDEO_CLOCK), bytes(packet)))


def run_test(spec: Spec) -> None:
    """The moving pattern, in real time."""
    encoder = make_encoder(spec, spec.width, spec.height, Fraction(1, spec.fps))
    picture = av.VideoFrame(spec.width, spec.height, "yuv420p")
    luma = picture.planes[0]
    pattern = Pattern(spec.width, spec.height, luma.line_size)
    for plane, value in zip(picture.planes[1:], (GREY, 140), strict=True):
        plane.update(bytes((value,)) * plane.buffer_size)
    began, number = CLOCK.monotonic(), 0
    while True:
        asked = wait_until(began + number / spec.fps)
        late = CLOCK.monotonic() - began - number / spec.fps
        number += int(late * spec.fps) if late > LATEST else 0
        drawn = pattern.draw(number, CLOCK.utc_ms(), number / spec.fps)
        luma.update(bytes(drawn).ljust(luma.buffer_size, b"\0"))
        picture.pts = number
        picture.time_base = encoder.time_base
        picture.pict_type = PictureType.I if asked else PictureType.NONE
        send(encoder.encode(picture))
        number += 1


def run_device(spec: Spec) -> None:
    """A video4linux device: its own H.264 if it gives that, else encoded here."""
    try:
        container = _open_device(spec, {"input_format": "h264"})
    except DEVICE_ERRORS:
        container = _open_device(spec, {})
    stream = container.streams.video[0]
    if stream.codec_context.name == "h264":
        _pass_on(container.demux(stream))
        return
    encoder = None
    for picture in container.decode(stream):
        asked = wait_until(0)
        encoder = encoder or make_encoder(spec, picture.width, picture.height)
        plain = picture.reformat(format="yuv420p")
        plain.pts = int(CLOCK.monotonic() * VIDEO_CLOCK)
        plain.time_base = encoder.time_base
        plain.pict_type = PictureType.I if asked else PictureType.NONE
        send(encoder.encode(plain))


def _open_device(spec: Spec, options: dict[str, str]) -> "av.container.InputContainer":
    wanted = {"video_size": f"{spec.width}x{spec.height}", "framerate": str(spec.fps)}
    return av.open(spec.path, format="v4l2", options=wanted | options)


def _pass_on(packets: "Iterator[av.Packet[av.VideoStream]]") -> None:
    for packet in packets:
        wait_until(0)
        if packet.size:
            kind = Kind.KEYFRAME if packet.is_keyframe else Kind.PICTURE
            write(Frame(kind, int(CLOCK.monotonic() * VIDEO_CLOCK), bytes(packet)))


def run_movie(spec: Spec) -> None:
    """A file with a container, looped in real time with running timestamps."""
    began, offset = CLOCK.monotonic(), 0.0
    while True:
        with av.open(spec.path) as container:
            if not container.streams.video:
                raise ValueError("it holds no video")
            end = _play_once(container, began, offset)
        if end <= offset:
            raise ValueError("it holds no pictures")
        offset = end


def _play_once(container: "av.container.InputContainer", began: float, offset: float) -> float:
    """Plays from `offset` seconds after `began`; gives the offset at its end."""
    stream = container.streams.video[0]
    name = stream.codec_context.name
    if name != "h264":
        raise ValueError(f"its video is {name}, not H.264")
    to_annex_b = av.BitStreamFilterContext("h264_mp4toannexb", stream)
    first: float | None = None
    end = offset
    for demuxed in container.demux(stream):
        for packet in to_annex_b.filter(demuxed) if demuxed.size else []:
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            decoded, shown = (float(t * packet.time_base) for t in (packet.dts, packet.pts))
            first = decoded if first is None else first
            at = offset + decoded - first
            wait_until(began + at)
            timestamp = int((offset + shown - first) * VIDEO_CLOCK)
            kind = Kind.KEYFRAME if packet.is_keyframe else Kind.PICTURE
            write(Frame(kind, max(timestamp, 0), bytes(packet)))
            length = float(packet.duration * packet.time_base) if packet.duration else 0.04
            end = max(end, at + length)
    return end


_RUNS = {"test": run_test, "v4l2": run_device, "movie": run_movie}


def main() -> None:
    spec = Spec(**json.loads(sys.argv[1]))
    try:
        _RUNS[spec.kind](spec)
        raise ValueError("it ended")
    except Ended:
        return
    except DEVICE_ERRORS as error:
        name = spec.path or "the test picture"
        sentence = f"{Trouble.NO_STREAM} {name} cannot be used: {_reason(error)}."
        write(Frame(Kind.TROUBLE, 0, sentence.encode()))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


if __name__ == "__main__":
    main()
