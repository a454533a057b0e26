"""The home's own log: who was let see what, and when it ended (AUD-2). It needs no hub.

Lines of JSON in permits.jsonl, each with the SHA-256 of the line before it; at PART bytes, or when
it is older than HALF, the file becomes permits.1.jsonl and the one before that goes: at most 20 MB
and three months. The hub reads them on (`after`), to put into the household's log what it missed.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from home_agent.boxclock import BoxClock
from home_agent.state import State, StateError
from village_core.home_log import FIRST_HASH, line_hash
from village_core.messages import LogLine
from village_core.permits import PermitNote

log = logging.getLogger(__name__)

FILE, OLDER = "permits.jsonl", "permits.1.jsonl"
PART = 10 * 1024 * 1024  # bytes of each of the two files
HALF = 45 * 24 * 3600 * 1000  # ms that one of them covers at most
SHOWN = 200  # lines kept in memory for the LAN page


@dataclass(frozen=True, slots=True)
class Event:
    """What is written down."""

    event: str
    permit: PermitNote | None = None
    ref: str = ""
    why: str = ""


class Journal:
    """Appends in order; `recent` and `after` read."""

    def __init__(self, state: State, clock: BoxClock) -> None:
        self.on_line: Callable[[], None] = _nothing
        self._state = state
        self._clock = clock
        self._writing = asyncio.Lock()
        self._recent: deque[LogLine] = deque(maxlen=SHOWN)
        self._last = (0, FIRST_HASH)
        self._began = 0  # UTC ms of the file's first line
        self._load()

    @property
    def recent(self) -> list[LogLine]:
        """The newest last."""
        return list(self._recent)

    @property
    def last(self) -> int:
        return self._last[0]

    async def write(self, event: Event) -> None:
        """On the disk when this returns. Raises StateError: it is then not written."""
        async with self._writing:
            line = self._line(event)
            data = f"{line.model_dump_json(exclude_defaults=True)}\n".encode()
            await asyncio.to_thread(self._append, data, line.at)
            self._last = (line.number, line.hash)
            self._recent.append(line)
        self.on_line()

    async def note(self, event: Event) -> None:
        """For what has happened whether it can be written down or not."""
        try:
            await self.write(event)
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all

    def after(self, number: int, most: int) -> list[LogLine]:
        """The next lines, from memory or from the disk (a moment: in a thread)."""
        if self._recent and self._recent[0].number <= number + 1:
            return [each for each in self._recent if each.number > number][:most]
        found = [each for each in self._all() if each.number > number]
        return found[:most]

    def verify(self) -> str:
        """Empty when every line follows from the one before; else what does not, in words."""
        before: LogLine | None = None
        for line in self._all():
            told = line_hash(before.hash if before else "", line)
            if before is not None and (line.number != before.number + 1 or told != line.hash):
                return f"line {line.number} does not follow from line {before.number}"
            before = line
        return ""

    def _line(self, event: Event) -> LogLine:
        number, before = self._last[0] + 1, self._last[1]
        permit = event.permit.model_copy(update={"grant": ()}) if event.permit else None
        line = LogLine.model_validate(
            {
                "number": number,
                "at": self._clock.utc_ms(),
                "event": event.event,
                "permit": permit,
                "ref": event.ref[:80],
                "why": event.why[:200],
                "hash": FIRST_HASH,
            }
        )
        return line.model_copy(update={"hash": line_hash(before, line)})

    def _append(self, data: bytes, at: int) -> None:
        path = self._state.path(FILE)
        try:
            self._turn_over(path, len(data), at)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                _write_whole(handle, data)
            finally:
                os.close(handle)
        except OSError as error:
            raise StateError(f"{path} cannot be written: {error.strerror}") from error

    def _turn_over(self, path: Path, more: int, at: int) -> None:
        size = path.stat().st_size if path.exists() else 0
        if not size:
            self._began = at
        elif size + more > PART or at - self._began > HALF:
            path.replace(self._state.path(OLDER))
            self._began = at

    def _load(self) -> None:
        _mend(self._state.path(FILE))
        first = None
        for line in self._lines(FILE):
            first = first or line
            self._recent.append(line)
        if first is None:
            self._recent.extend(self._lines(OLDER))
        self._began = first.at if first else 0
        if self._recent:
            self._last = (self._recent[-1].number, self._recent[-1].hash)

    def _all(self) -> Iterator[LogLine]:
        yield from self._lines(OLDER)
        yield from self._lines(FILE)

    def _lines(self, name: str) -> Iterator[LogLine]:
        path = self._state.path(name)
        if not path.exists():
            return
        with path.open("rb") as file:
            for data in file:
                if (line := _parsed(data)) is not None:
                    yield line


def _write_whole(handle: int, data: bytes) -> None:
    """Or not at all: a line cut short by a full disk is taken back."""
    size = os.fstat(handle).st_size
    if os.write(handle, data) != len(data):
        os.ftruncate(handle, size)
        raise OSError(28, "No space left on device")
    os.fsync(handle)


def _mend(path: Path) -> None:
    """What a power failure cut short becomes a line of its own, so that the next one is whole."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            file.write(b"\n")


def _parsed(data: bytes) -> LogLine | None:
    """None for what a power failure cut short."""
    try:
        return LogLine.model_validate_json(data)
    except ValidationError:
        log.warning("a line of the permit log cannot be read and is passed over")
        return None


def _nothing() -> None:
    """Nobody reads on."""
