"""What is left behind by people who come and go? Joins and leaves on one hub, with a camera live.

Every third leaves without a word. Sockets, threads and memory of the real hub process and what
/metrics counts, before, while and after: `python -m bench.soak [--cycles 2000]`. Exit status 1 if
sockets or sessions remain, or memory grows by more than --growth MB over the last three quarters.
"""

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass

from aiohttp import ClientSession

from bench.hub import METRICS, BenchHub, bench_hub, file_camera
from bench.measure import machine, resident, sockets, table, threads
from tests.support.peers import Pull
from village_core.jobs import Supervisor

COUNTED = re.compile(r"^(hub_(?:viewers|publishers|streams|tasks)) (\S+)$", re.MULTILINE)
AT_A_TIME = 10
LOOKS = 8  # rows while it runs
PACKETS = 20  # that each viewer waits for before it leaves
ALIVE_FOR = 35.0  # seconds until a session that fell silent is given up, and a look behind it


@dataclass(frozen=True, slots=True)
class Look:
    """At the hub process."""

    cycles: int
    sockets: int
    threads: int
    megabytes: float
    metrics: dict[str, float]


async def look(hub: BenchHub, cycles: int) -> Look:
    async with (
        ClientSession() as http,
        http.get(f"http://127.0.0.1:{METRICS}/metrics") as response,
    ):
        text = await response.text()
    counts = {name: float(value) for name, value in COUNTED.findall(text)}
    return Look(cycles, sockets(hub.pid), threads(hub.pid), resident(hub.pid), counts)


class People:
    """Who come and go, over a pool of HTTP connections that is closed at the end."""

    def __init__(self, hub: BenchHub, camera: str, http: ClientSession) -> None:
        self._hub, self._camera, self._http = hub, camera, http
        self._supervisor = Supervisor()
        self._turn = asyncio.Semaphore(AT_A_TIME)

    async def come(self) -> Pull:
        token = await asyncio.to_thread(self._hub.client.media_token, self._camera)
        pull = await Pull.start(
            self._hub.endpoint(self._camera),
            token,
            http=self._http,
            supervisor=self._supervisor,
            host=self._hub.address,
            deaf=True,
        )
        async with asyncio.timeout(10):
            while pull.peer.packets < PACKETS:  # noqa: ASYNC110 - a deaf peer only counts
                await asyncio.sleep(0.01)
        return pull

    async def come_and_go(self, number: int) -> None:
        async with self._turn:
            pull = await self.come()
            if number % 3:
                await pull.stop()
            else:
                pull.peer.vanish()
                assert pull.peer._dtls
                pull.peer._dtls.close()  # its goodbye goes nowhere: the socket is closed

    async def stop(self) -> None:
        await self._supervisor.stop()


async def soak(hub: BenchHub, cycles: int) -> list[Look]:
    camera = hub.client.camera("gate")
    async with ClientSession() as steady:
        watching = People(hub, camera, steady)
        view = await watching.come()
        looks = [await look(hub, 0)]
        async with ClientSession() as http:
            people, part = People(hub, camera, http), max(cycles // LOOKS, 1)
            for begin in range(0, cycles, part):
                end = min(begin + part, cycles)
                await asyncio.gather(*map(people.come_and_go, range(begin, end)))
                looks.append(await look(hub, end))
            await people.stop()
        await asyncio.sleep(ALIVE_FOR)
        looks.append(await look(hub, cycles))
        await view.stop()
        await watching.stop()
    return looks


def shown(looks: list[Look]) -> str:
    names = sorted(looks[0].metrics)
    heads = ("cycles", "sockets", "threads", "MB resident", *names)
    rows = [
        (one.cycles, one.sockets, one.threads, f"{one.megabytes:.1f}", *map(one.metrics.get, names))
        for one in looks
    ]
    return table(heads, rows)


def leaks(looks: list[Look], growth: float) -> list[str]:
    first, last = looks[0], looks[-1]
    settled = looks[max(1, len(looks) // 4)]  # allocators and caches have their size by then
    found = [
        f"{name} was {value:g}, is {last.metrics[name]:g}"
        for name, value in first.metrics.items()
        if last.metrics[name] > value
    ]
    if last.sockets > first.sockets:
        found.append(f"{last.sockets - first.sockets} more sockets")
    if last.megabytes > settled.megabytes + growth:
        found.append(f"{last.megabytes - settled.megabytes:.1f} MB more")
    return found


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=2000)
    parser.add_argument("--growth", type=float, default=8)
    said = parser.parse_args()
    with bench_hub({"gate": file_camera()}) as hub:
        looks = await soak(hub, said.cycles)
    print(shown(looks))
    print(machine())
    found = leaks(looks, said.growth)
    print("; ".join(found) or "nothing is left behind")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
