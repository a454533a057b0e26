"""Events of a source, kept, and waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from home_agent.sources import (
    AccessUnit,
    Described,
    Source,
    SourceFailure,
    SourceOptions,
    open_source,
)
from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.troubles import Trouble


@dataclass
class Recorder:
    """A SourceEvents that keeps all it is told."""

    units: list[AccessUnit] = field(default_factory=list)
    audio: list[tuple[bytes, int]] = field(default_factory=list)
    described: list[Described] = field(default_factory=list)
    troubles: list[tuple[Trouble, str]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_unit(self, unit: AccessUnit) -> None:
        self.units.append(unit)
        self._changed.set()

    def on_audio(self, payload: bytes, timestamp: int) -> None:
        self.audio.append((payload, timestamp))
        self._changed.set()

    def on_described(self, described: Described) -> None:
        self.described.append(described)
        self._changed.set()

    def on_trouble(self, trouble: Trouble, sentence: str) -> None:
        self.troubles.append((trouble, sentence))
        self._changed.set()

    async def until(self, holds: Callable[["Recorder"], bool], seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()

    def has(self, trouble: Trouble) -> bool:
        return any(each is trouble for each, _ in self.troubles)

    @property
    def timestamps(self) -> list[int]:
        return [unit.timestamp for unit in self.units]


@asynccontextmanager
async def playing(
    url: str, options: SourceOptions | None = None
) -> AsyncIterator[tuple[Recorder, Source]]:
    """The source under its supervisor, as the agent keeps it."""
    recorder, supervisor = Recorder(), Supervisor()
    source = open_source(url, options or SourceOptions(), recorder, supervisor, SYSTEM_CLOCK)
    supervisor.start("source", source.run, expected=(SourceFailure,))
    try:
        yield recorder, source
    finally:
        await supervisor.stop()
