"""Many publishers in one process: the sending half of our agent, by WHIP.

Run by a bench: `python -m bench.publishers`, then one JSON object a line on stdin:

    {"endpoints": [[URL, BEARER], ...]}       one publisher each, spread evenly over a frame
    {"count_for": SECONDS}                    packets sent from now on
    {"leave": true}                           say goodbye and end
"""

import asyncio
import itertools
import json
import sys
from collections.abc import Iterator
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.camera import FPS, pictures
from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.media.feeder import AccessUnit, Feeder
from village_core.media.stream import Stream
from village_core.media.viewer import Viewer
from village_core.permits import Quality
from village_core.transport import Certificate, Push, PushMedia, PushSettings
from village_core.transport.joining import sending_of

AT_A_TIME = 10


class Publisher:
    """One camera of an agent: a stream fed from the clip, and the leg that pushes it."""

    def __init__(self, name: str, units: list[AccessUnit], start: int) -> None:
        self.stream = Stream(name, Quality.MAIN, SYSTEM_CLOCK)
        self.feeder = Feeder(self.stream)
        self.viewer: Viewer | None = None
        self.push: Push | None = None
        self._units = itertools.islice(itertools.cycle(units), start, None)
        self._shown = itertools.count()

    async def join(self, url: str, bearer: str, http: ClientSession, how: PushSettings) -> None:
        def joined(push: Push) -> Viewer:
            sending = {choice.kind: sending_of(choice) for choice in push.choices}
            self.viewer = Viewer({Quality.MAIN: self.stream}, sending, SYSTEM_CLOCK)
            self.viewer.attach(push)
            return self.viewer

        media = PushMedia("42e01f")
        self.push = await Push.start(url, bearer, media, joined, http=http, settings=how)

    def show(self) -> None:
        """The next picture."""
        unit = next(self._units)
        stamp = next(self._shown) * 90_000 // FPS
        self.feeder.feed(AccessUnit(unit.nals, stamp, unit.keyframe))

    @property
    def packets(self) -> int:
        sender = self.push.sender if self.push else None
        return sender.packets if sender else 0


class Homes:
    """All publishers of this process."""

    def __init__(self, http: ClientSession, supervisor: Supervisor) -> None:
        self._http = http
        self._supervisor = supervisor
        self._how = PushSettings(
            supervisor=supervisor, certificate=Certificate.make(), plain_http=True
        )
        self._units = pictures()
        self._publishers: list[Publisher] = []

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        if "endpoints" in order:
            return await self._join(order["endpoints"])
        if "count_for" in order:
            before = [each.packets for each in self._publishers]
            await asyncio.sleep(order["count_for"])
            return {"packets": sum(each.packets for each in self._publishers) - sum(before)}
        await asyncio.gather(*(each.push.stop() for each in self._publishers if each.push))
        return {"left": True}

    async def _join(self, endpoints: list[list[str]]) -> dict[str, Any]:
        starts = self._starts(len(endpoints))
        self._publishers = [
            Publisher(f"camera {at}", self._units, start) for at, start in enumerate(starts)
        ]
        self._supervisor.start("pictures", self._play)
        turn = asyncio.Semaphore(AT_A_TIME)

        async def join(publisher: Publisher, url: str, bearer: str) -> None:
            async with turn:
                await publisher.join(url, bearer, self._http, self._how)

        joins = zip(self._publishers, endpoints, strict=True)
        await asyncio.gather(*(join(each, *endpoint) for each, endpoint in joins))
        return {"joined": len(self._publishers)}

    def _starts(self, count: int) -> Iterator[int]:
        """Where in the clip each begins: their keyframes do not fall together."""
        return (at * 7 % len(self._units) for at in range(count))

    async def _play(self) -> None:
        """Every publisher's pictures, evenly spread over the time of one frame."""
        clock, each = SYSTEM_CLOCK, 1 / FPS / len(self._publishers)
        began = clock.monotonic()
        for turn, publisher in enumerate(itertools.cycle(self._publishers)):
            pause = began + turn * each - clock.monotonic()
            if pause > 0:
                await clock.sleep(pause)
            publisher.show()
            self._tick(publisher, clock.monotonic())

    @staticmethod
    def _tick(publisher: Publisher, now: float) -> None:
        publisher.stream.tick(now)
        if publisher.viewer is not None:
            publisher.viewer.tick(now)


async def main() -> None:
    supervisor = Supervisor()
    connector = TCPConnector(limit=0, ssl=False)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=60)) as http:
        homes = Homes(http, supervisor)
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            print(json.dumps(await homes.obey(order)), flush=True)
            if "leave" in order:
                break
        await supervisor.stop()


if __name__ == "__main__":
    asyncio.run(main())
