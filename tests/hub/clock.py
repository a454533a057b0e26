"""A clock that tests turn."""

import asyncio


class TurnedClock:
    """Real time plus what the test adds; sleeps are cut short, so that nothing waits for long."""

    def __init__(self) -> None:
        self._ms = 1_795_000_000_000
        self._set = 0  # ms by which somebody set the wall clock
        self.slept: list[float] = []

    def utc_ms(self) -> int:
        return self._ms + self._set

    def monotonic(self) -> float:
        return self._ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.1))

    def step(self, seconds: float) -> None:
        """Set the wall clock; the monotonic one goes on."""
        self._set += round(seconds * 1000)

    def turn(self, seconds: float) -> None:
        self._ms += round(seconds * 1000)
