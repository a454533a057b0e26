"""The one place that reads the time. Services take a Clock so that tests can turn it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def utc_ms(self) -> int:
        """Wall time: integer UTC milliseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps; durations and ends of permits are counted on it."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def utc_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
