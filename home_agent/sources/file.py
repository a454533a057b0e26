"""A looped file. Annex B is read here; anything in a container by the encoding child."""

import asyncio
import itertools
import random
from pathlib import Path

from home_agent.sources.contract import AccessUnit, SourceEvents, SourceFailure
from home_agent.sources.observer import Observer
from home_agent.sources.timeline import Timeline
from village_core.clock import Clock
from village_core.media import h264
from village_core.media.sps import parse_sps
from village_core.troubles import Trouble

LARGEST_FILE = 64 * 1024 * 1024  # bytes; it is kept in memory
DEFAULT_FPS = 25.0
SLICES = (1, 2, 5)


def access_units(data: bytes) -> list[list[bytes]]:
    """The access units of an Annex B stream (H.264 7.4.1.2.3), for streams of one slice layer.

    A new one begins at a delimiter, parameter set or SEI after a slice, or at a slice whose first
    macroblock is 0.
    """
    units: list[list[bytes]] = []
    current: list[bytes] = []
    has_slice = False
    for nal in h264.split_annex_b(data):
        kind = h264.nal_type(nal)
        is_slice = kind in SLICES
        first_slice = is_slice and len(nal) > 1 and bool(nal[1] & 0x80)  # first_mb_in_slice is 0
        leads = kind in (h264.DELIMITER, h264.SPS, h264.PPS, h264.SEI)
        if has_slice and (leads or first_slice):
            units.append(current)
            current, has_slice = [], False
        current.append(nal)
        has_slice = has_slice or is_slice
    if has_slice:
        units.append(current)
    return units


def frame_rate(units: list[list[bytes]]) -> float:
    for nal in units[0] if units else []:
        if h264.nal_type(nal) == h264.SPS:
            try:
                return parse_sps(nal).fps or DEFAULT_FPS
            except ValueError:
                break
    return DEFAULT_FPS


class FileSource:
    """file:path.h264, looped in real time with running timestamps; see contract.Source."""

    def __init__(self, path: Path, fps: float | None, events: SourceEvents, clock: Clock) -> None:
        self._path = path
        self._fps = fps
        self._events = events
        self._clock = clock
        self._observer = Observer(events, clock)
        self._timeline = Timeline(90_000, clock)

    @property
    def name(self) -> str:
        return f"file:{self._path}"

    def request_keyframe(self) -> None:
        """A file has its keyframes where it has them."""

    async def run(self) -> None:
        try:
            units = await asyncio.to_thread(self._load)
            await self._play(units)
        except SourceFailure as failure:
            self._events.on_trouble(failure.trouble, failure.sentence)
            raise

    def _load(self) -> list[AccessUnit]:
        try:
            if self._path.stat().st_size > LARGEST_FILE:
                raise self._unusable("it is larger than 64 MiB")
            split = access_units(self._path.read_bytes())
        except OSError as error:
            raise self._unusable(error.strerror or "it cannot be read") from error
        self._fps = self._fps or frame_rate(split)
        units = [AccessUnit(nals, 0, h264.is_keyframe(nals)) for nals in split]
        if not any(unit.keyframe for unit in units):
            raise self._unusable("it holds no H.264 keyframe")
        return units

    async def _play(self, units: list[AccessUnit]) -> None:
        fps = self._fps or DEFAULT_FPS
        self._observer.restart()
        self._timeline.restart()
        # Files started together would otherwise all send their keyframes in the same moment.
        began = self._clock.monotonic() + random.random() / fps  # noqa: S311 - spread, no secret
        for number, unit in enumerate(itertools.cycle(units)):
            await self._clock.sleep(max(began + number / fps - self._clock.monotonic(), 0.0))
            timestamp = self._timeline.extend(int(number * 90_000 / fps) & 0xFFFFFFFF)
            self._observer.take(AccessUnit(unit.nals, timestamp, unit.keyframe))

    def _unusable(self, why: str) -> SourceFailure:
        return SourceFailure(Trouble.NO_STREAM, f"The file {self._path} cannot be used: {why}.")
