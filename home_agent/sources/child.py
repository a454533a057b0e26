"""A source whose pictures an own child process makes, so that the agent's loop stays free."""

import asyncio
import contextlib
import json
import sys

from home_agent.sources import frames
from home_agent.sources.contract import AccessUnit, SourceEvents, SourceFailure
from home_agent.sources.observer import Observer
from home_agent.sources.spec import Spec
from home_agent.sources.timeline import Timeline
from village_core.clock import Clock
from village_core.media import h264
from village_core.troubles import Trouble

START_TIMEOUT = 20.0  # seconds to the first picture: loading the encoder on a small box
KEYFRAME_PAUSE = 0.5  # seconds between two requests
END_TIMEOUT = 2.0
PIPE_LIMIT = 1 << 20


class ChildSource:
    """test:, v4l2: and film files; see contract.Source."""

    def __init__(
        self, name: str, spec: Spec, events: SourceEvents, stalled_after: float, clock: Clock
    ) -> None:
        self._name = name
        self._spec = spec
        self._events = events
        self._stalled_after = stalled_after
        self._clock = clock
        self._observer = Observer(events, clock)
        self._timeline = Timeline(90_000, clock)
        self._process: asyncio.subprocess.Process | None = None
        self._asked_at = float("-inf")

    @property
    def name(self) -> str:
        return self._name

    def request_keyframe(self) -> None:
        now = self._clock.monotonic()
        stdin = self._process.stdin if self._process else None
        if stdin is not None and not stdin.is_closing() and now - self._asked_at > KEYFRAME_PAUSE:
            self._asked_at = now
            stdin.write(b"k")

    async def run(self) -> None:
        try:
            await self._run_child()
        except SourceFailure as failure:
            self._events.on_trouble(failure.trouble, failure.sentence)
            raise

    async def _run_child(self) -> None:
        self._observer.restart()
        self._timeline.restart()
        process = self._process = await start_child(
            "home_agent.sources.encoder", json.dumps(self._spec.as_dict())
        )
        try:
            await self._read(process)
        finally:
            self._process = None
            await end_child(process)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for
        patience = START_TIMEOUT
        while True:
            try:
                async with asyncio.timeout(patience):
                    frame = await frames.read(process.stdout)
            except TimeoutError as error:
                raise SourceFailure(
                    Trouble.STALLED, f"{self._name} gave no picture for {patience:.0f} s."
                ) from error
            except frames.FrameError as error:
                raise SourceFailure(Trouble.PROTOCOL, "The encoder wrote nonsense.") from error
            if frame is None:
                raise SourceFailure(Trouble.NO_STREAM, f"The encoder of {self._name} has ended.")
            patience = self._stalled_after
            self._take(frame)

    def _take(self, frame: frames.Frame) -> None:
        if frame.kind is frames.Kind.TROUBLE:
            trouble, _, sentence = frame.payload.decode("utf-8", "replace").partition(" ")
            raise SourceFailure(Trouble(trouble), sentence)
        timestamp = self._timeline.extend(frame.timestamp & 0xFFFFFFFF)
        nals = h264.split_annex_b(frame.payload)
        keyframe = frame.kind is frames.Kind.KEYFRAME
        self._observer.take(AccessUnit(nals, timestamp, keyframe))


async def start_child(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """An own module as a child that ends when its stdin does."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=PIPE_LIMIT,
    )


async def end_child(process: asyncio.subprocess.Process, *, drain: bool = True) -> None:
    """Ends it by its stdin, and by force when that does not help.

    `drain`: nobody else reads its stdout; a child that waits to write does not see its stdin end.
    """
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError, ProcessLookupError):
        async with asyncio.timeout(END_TIMEOUT):
            while drain and process.stdout is not None and await process.stdout.read(1 << 16):
                pass
            await process.wait()
            return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
