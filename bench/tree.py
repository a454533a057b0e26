"""Three tiers: first picture at the county, the end of a look, bytes on each link.

Village, township and county are real hubs with real media, in one process with the box at home, on
loopback: three hops and no delay of any line. The peer is the same camera watched at the village,
one hop, in the same run. `python -m bench.tree [--times 30]`.
"""

import argparse
import asyncio
import tempfile
from functools import partial
from pathlib import Path

from bench.measure import machine, percentile, table
from tests.hub.support import Hub, until
from tests.support.live_tree import Tree, live, live_tree
from tests.support.peers import Pull
from village_core.clock import SYSTEM_CLOCK
from village_core.permits import Role
from village_hub.media.pull import LINGER

QUIET = 0.6  # seconds without a packet: the look is over
CROWD = 50
COUNTED = 5.0  # seconds


class Eye:
    """When packets come."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()
        self.last = 0.0

    def quiet(self, since: float) -> bool:
        return SYSTEM_CLOCK.monotonic() >= max(self.last, since) + QUIET

    def take(self, _: list[bytes]) -> None:
        self.last = SYSTEM_CLOCK.monotonic()
        self.seen.set()


async def look(tree: Tree, hub: Hub, role: Role) -> tuple[float, Eye, Pull]:
    """Seconds from the WHEP POST to the first packet of the picture."""
    who = await tree.officer(hub, role)
    token, eye = await tree.token(hub, who), Eye()
    began = SYSTEM_CLOCK.monotonic()
    pull = await tree.watch(hub, who, token, eye.take)
    await asyncio.wait_for(eye.seen.wait(), 10)
    return SYSTEM_CLOCK.monotonic() - began, eye, pull


async def stop(tree: Tree, pull: Pull) -> None:
    await pull.stop()
    tree.pulls.remove(pull)


async def cold(tree: Tree, hub: Hub, role: Role, times: int) -> list[float]:
    found = []
    for _ in range(times):
        await until(lambda: not tree.agent.pushes.running, LINGER + 10)
        took, _, pull = await look(tree, hub, role)
        found.append(took)
        await stop(tree, pull)
    return found


async def warm(tree: Tree, hub: Hub, role: Role, times: int) -> list[float]:
    _, _, watching = await look(tree, hub, role)
    found = []
    for _ in range(times):
        took, _, pull = await look(tree, hub, role)
        found.append(took)
        await stop(tree, pull)
    await stop(tree, watching)
    return found


async def ended(tree: Tree, times: int, others: int) -> list[float]:
    """Seconds from the end of one look in the village to its last packet at the county."""
    kept = [(await look(tree, tree.county, Role.BUREAU_OFFICER))[2] for _ in range(others)]
    found = []
    for _ in range(times):
        before = {each.id for each in live(tree.west).above.sessions()}
        _, eye, pull = await look(tree, tree.county, Role.BUREAU_OFFICER)
        sessions = live(tree.west).above.sessions()
        (session,) = [each for each in sessions if each.id not in before]
        await asyncio.sleep(0.5)
        began = SYSTEM_CLOCK.monotonic()
        await live(tree.west).end(session, "stopped")
        await until(partial(eye.quiet, began), 20)
        found.append(max(eye.last - began, 0.0))
        await stop(tree, pull)
    for pull in kept:
        await stop(tree, pull)
    return found


async def carried(tree: Tree, viewers: int) -> list[float]:
    """Bytes a second on the link village to township, and township to county."""
    pulls = [(await look(tree, tree.county, Role.BUREAU_OFFICER))[2] for _ in range(viewers)]
    links = [live(hub).above for hub in (tree.west, tree.town)]
    before = [sum(leg.stats().octets for leg in link.viewers) for link in links]
    await asyncio.sleep(COUNTED)
    after = [sum(leg.stats().octets for leg in link.viewers) for link in links]
    for pull in pulls:
        await stop(tree, pull)
    return [(now - then) / COUNTED for now, then in zip(after, before, strict=True)]


def row(name: str, seconds: list[float]) -> tuple[object, ...]:
    shown = (f"{percentile(seconds, share) * 1000:.0f}" for share in (0.5, 0.95, 0.99, 1.0))
    return (name, len(seconds), *shown)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        async with live_tree(Path(folder)) as tree:
            village, county = (tree.west, Role.COMMITTEE), (tree.county, Role.BUREAU_OFFICER)
            rows = [
                row("first packet, village, cold", await cold(tree, *village, times // 3)),
                row("first packet, county, cold", await cold(tree, *county, times // 3)),
                row("first packet, village, watched", await warm(tree, *village, times)),
                row("first packet, county, watched", await warm(tree, *county, times)),
                row("end of the only look", await ended(tree, times // 3, 0)),
                row("end of one of four looks", await ended(tree, times, 3)),
            ]
            one, many = await carried(tree, 1), await carried(tree, CROWD)
    print(table(("", "times", "p50 ms", "p95 ms", "p99 ms", "most ms"), rows))
    print()
    links = ("village to township", "township to county")
    rates = [
        (link, f"{few / 1000:.1f}", f"{crowd / 1000:.1f}", f"{crowd / few:.3f}")
        for link, few, crowd in zip(links, one, many, strict=True)
    ]
    print(table(("kB/s on the link", "1 viewer", f"{CROWD} viewers", "ratio"), rates))
    print(machine())


if __name__ == "__main__":
    asyncio.run(main())
