"""The agent's side of a transcoding child: access units in, H.264 without B-frames out."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict

from home_agent.sources import frames
from home_agent.sources.child import end_child, start_child
from home_agent.sources.contract import AccessUnit, SourceFailure
from home_agent.sources.frames import Frame, Kind
from home_agent.sources.job import Job
from village_core.media import h264
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

MOST_WAITING = 4 * 1024 * 1024  # bytes on their way to the child; it does not keep up with more


class Transcoder:
    """`begin`, then `picture` and `sound` for what comes in, `run` until it fails, `end`."""

    def __init__(
        self,
        job: Job,
        on_unit: Callable[[AccessUnit], None],
        on_audio: Callable[[bytes, int], None],
    ) -> None:
        self._job = job
        self._on_unit = on_unit
        self._on_audio = on_audio
        self._process: asyncio.subprocess.Process | None = None
        self._behind = False
        self._reading = False
        self.dropped = 0  # pictures that the child had no time for

    async def begin(self) -> None:
        self._process = await start_child(
            "home_agent.sources.transcoder", json.dumps(asdict(self._job))
        )

    async def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end_child(process, drain=not self._reading)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, keyframe: bool) -> None:
        """One access unit. When the box is too slow, goes on at the next keyframe."""
        if self._behind and not (keyframe and self._waiting() < MOST_WAITING // 4):
            self.dropped += 1
            return
        self._behind = self._waiting() > MOST_WAITING
        if self._behind:
            log.warning("transcoding does not keep up: pictures are left out")
        kind = Kind.KEYFRAME if keyframe else Kind.PICTURE
        self._write(Frame(kind, timestamp, h264.to_annex_b(nals)))

    def sound(self, payload: bytes, timestamp: int) -> None:
        if not self._behind:
            self._write(Frame(Kind.AUDIO, timestamp, payload))

    def request_keyframe(self) -> None:
        self._write(Frame(Kind.WANTED, 0, b""))

    async def run(self) -> SourceFailure:
        """Hands on what the child makes, until it ends: then says why."""
        stdout = self._process.stdout if self._process else None
        self._reading = True
        try:
            while stdout is not None and (frame := await frames.read(stdout)) is not None:
                self._take(frame)
        except SourceFailure as failure:
            return failure
        except frames.FrameError as error:
            log.warning("the transcoder wrote %s", error)
        finally:
            self._reading = False
        return SourceFailure(Trouble.UNSUPPORTED_CODEC, "The transcoder has ended.")

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.TROUBLE:
            trouble, _, sentence = frame.payload.decode("utf-8", "replace").partition(" ")
            raise SourceFailure(Trouble(trouble), sentence)
        if frame.kind is Kind.AUDIO:
            self._on_audio(frame.payload, frame.timestamp)
            return
        nals = h264.split_annex_b(frame.payload)
        self._on_unit(AccessUnit(nals, frame.timestamp, frame.kind is Kind.KEYFRAME))

    def _waiting(self) -> int:
        stdin = self._process.stdin if self._process else None
        return stdin.transport.get_write_buffer_size() if stdin else 0

    def _write(self, frame: Frame) -> None:
        stdin = self._process.stdin if self._process else None
        if stdin is not None and not stdin.is_closing():
            stdin.write(frames.pack(frame))
