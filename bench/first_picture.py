"""How long from POST to the first complete keyframe at the client?

The camera has a keyframe every 2 s. Warm: somebody watches already. Cold: nobody does, and the
agent is connected to its camera.
`python -m bench.first_picture [--times 40]`.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from bench.hub import BenchHub, bench_hub, file_camera
from bench.measure import machine, percentile, table
from tests.support.peers import Pull
from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.media import rtp
from village_core.media.packet import Packet
from village_core.media.rfc6184 import Depacketiser

CAMERAS = 8
COLD_AFTER = 13.0  # seconds: a push stops 10 s after its last consumer
GIVE_UP = 10.0  # seconds


class Eye:
    """Waits for the first complete keyframe."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()
        self._frames = Depacketiser()
        self._first: int | None = None

    def take(self, packets: list[bytes]) -> None:
        for data in packets:
            parsed = rtp.parse(data)
            if parsed is None or self.seen.is_set():
                return
            if self._first is None:
                self._first = parsed.number
            number = self._first + rtp.signed(parsed.number - self._first, 16)
            packet = Packet(number, parsed.timestamp, parsed.marker, parsed.payload)
            if any(unit.keyframe and unit.whole for unit in self._frames.feed(packet)):
                self.seen.set()


class Looker:
    """Opens live views of one hub, over HTTP connections that are open already, as a page's are."""

    def __init__(self, hub: BenchHub, http: ClientSession, supervisor: Supervisor) -> None:
        self.hub, self.http, self.supervisor = hub, http, supervisor

    async def look(self, camera: str) -> tuple[float, Pull]:
        """Seconds to the picture, and the open view."""
        token = await asyncio.to_thread(self.hub.client.media_token, camera)
        async with self.http.get(f"{self.hub.village.url}/healthz"):
            pass
        eye, began = Eye(), SYSTEM_CLOCK.monotonic()
        pull = await Pull.start(
            self.hub.endpoint(camera),
            token,
            http=self.http,
            supervisor=self.supervisor,
            host=self.hub.address,
            on_rtp=eye.take,
        )
        await asyncio.wait_for(eye.seen.wait(), GIVE_UP)
        return SYSTEM_CLOCK.monotonic() - began, pull


async def warm(looker: Looker, camera: str, times: int) -> list[float]:
    _, watching = await looker.look(camera)
    found = []
    for _ in range(times):
        took, pull = await looker.look(camera)
        found.append(took)
        await pull.stop()
    await watching.stop()
    return found


async def cold(looker: Looker, cameras: list[str], times: int) -> list[float]:
    found: list[float] = []
    while len(found) < times:
        await asyncio.sleep(COLD_AFTER)
        for camera in cameras[: times - len(found)]:
            took, pull = await looker.look(camera)
            found.append(took)
            await pull.stop()
    return found


@asynccontextmanager
async def looking() -> AsyncIterator[tuple[Looker, list[str]]]:
    names = [f"camera{at}" for at in range(CAMERAS)]
    with bench_hub({name: file_camera() for name in names}) as hub:
        ids = [hub.client.camera(name) for name in names]
        supervisor = Supervisor()
        async with ClientSession() as http:
            yield Looker(hub, http, supervisor), ids
        await supervisor.stop()


def row(name: str, seconds: list[float]) -> tuple[object, ...]:
    shown = (f"{percentile(seconds, share) * 1000:.0f}" for share in (0.5, 0.95, 1.0))
    return (name, len(seconds), *shown)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    said = parser.parse_args()
    async with looking() as (looker, cameras):
        rows = [
            row("somebody watches", await warm(looker, cameras[0], said.times)),
            row("nobody watches", await cold(looker, cameras, said.times)),
        ]
    print(table(("POST to first complete keyframe", "times", "p50 ms", "p95 ms", "most ms"), rows))
    print(machine())


if __name__ == "__main__":
    asyncio.run(main())
