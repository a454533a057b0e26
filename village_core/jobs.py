"""Supervised background work: the only place in the tree that creates tasks.

A job that ends or fails is started again after a bounded, jittered pause; its state is listed for
health pages. A `once` task is for work that ends by itself; its failure is logged, never lost.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from village_core.clock import SYSTEM_CLOCK, Clock

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]

FIRST_PAUSE = 0.5  # seconds
LONGEST_PAUSE = 15.0  # the link's return must be noticed within 15 s
STEADY = 30.0  # a job that ran this long starts again with the first pause


@dataclass(slots=True)
class JobState:
    name: str
    state: str = "starting"
    failures: int = 0
    last_error: str = ""


class Supervisor:
    """Keeps background jobs running; `stop` cancels and gathers all of them."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._kept: dict[str, asyncio.Task[None]] = {}
        self._once: set[asyncio.Task[Any]] = set()
        self._states: dict[str, JobState] = {}

    @property
    def states(self) -> list[JobState]:
        return list(self._states.values())

    def start(
        self,
        name: str,
        job: Job,
        *,
        expected: tuple[type[Exception], ...] = (),
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        """Keep `job` running under `name` until `end(name)` or `stop()`.

        `expected` exceptions are logged as one line; any other with its traceback.
        """
        if name in self._kept:
            raise ValueError(f"a job named {name} is already kept")
        self._states[name] = JobState(name)
        self._kept[name] = asyncio.create_task(
            self._keep(name, job, expected, longest_pause), name=name
        )

    def once(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` to its end in the background."""
        task = asyncio.create_task(work, name=name)
        self._once.add(task)
        task.add_done_callback(self._ended_once)
        return task

    async def end(self, name: str) -> None:
        task = self._kept.pop(name, None)
        self._states.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def stop(self) -> None:
        while tasks := [*self._kept.values(), *self._once]:  # ending may take a task of its own
            self._kept.clear()
            await asyncio.sleep(0)  # only what has begun cleans up after itself
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._states.clear()

    def _ended_once(self, task: asyncio.Task[Any]) -> None:
        self._once.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed", task.get_name(), exc_info=error)

    async def _keep(
        self,
        name: str,
        job: Job,
        expected: tuple[type[Exception], ...],
        longest_pause: float,
    ) -> None:
        state = self._states[name]
        pause = FIRST_PAUSE
        while True:
            began = self._clock.monotonic()
            state.state = "running"
            try:
                await job()
            except expected as error:
                self._failed(state, error)
                log.warning("%s: %s", name, error)
            except Exception as error:
                self._failed(state, error)
                log.exception("%s failed", name)
            steady = self._clock.monotonic() - began > STEADY
            pause = FIRST_PAUSE if steady else min(pause * 2, longest_pause)
            state.state = "waiting"
            await self._clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    @staticmethod
    def _failed(state: JobState, error: Exception) -> None:
        state.failures += 1
        state.last_error = str(error) or type(error).__name__
