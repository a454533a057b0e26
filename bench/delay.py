"""How long does a packet stay in the hub? Kernel receive time at its socket to that at a viewer's.

One camera to N viewers: `python -m bench.delay [--viewers 50] [--seconds 20]`, as root.
"""

import argparse
import asyncio
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

from bench.crowd import driven
from bench.hub import UDP, bench_hub, file_camera
from bench.measure import machine, percentile, table
from bench.taps import Seen, Tap

SETTLE = 4.0  # seconds: the burst of the cached picture is over


async def measured(viewers: int, seconds: float) -> list[float]:
    """Milliseconds, of every packet to every viewer."""
    with bench_hub({"gate": file_camera()}) as hub:
        camera = hub.client.camera("gate")
        bearers = hub.tokens(camera, viewers)
        async with driven("bench.viewers") as crowd:
            await crowd.order(endpoint=hub.endpoint(camera), bearers=bearers, host=hub.address)
            await asyncio.sleep(SETTLE)
            seen: list[Seen] = []
            tap = Tap(UDP)
            loop = asyncio.get_running_loop()
            loop.add_reader(tap.socket, lambda: seen.extend(tap.read()))
            await asyncio.sleep(seconds)
            loop.remove_reader(tap.socket)
            tap.close()
            await crowd.order(leave=True)
    return list(delays(seen, viewers))


def delays(seen: list[Seen], viewers: int) -> Iterator[float]:
    inward = {each.number: each for each in seen if each.target == UDP}
    outward: dict[int, list[Seen]] = defaultdict(list)
    for each in seen:
        if each.source == UDP:
            outward[each.target].append(each)
    if len(outward) != viewers:
        raise RuntimeError(f"{len(outward)} viewers were heard, not {viewers}")
    for packets in outward.values():
        shift = shift_of(inward, packets)
        for out in packets:
            came = inward.get(out.number - shift & 0xFFFF)
            if came is not None and (out.size, out.marker) == (came.size, came.marker):
                yield (out.at - came.at) / 1e6


def shift_of(inward: dict[int, Seen], packets: list[Seen]) -> int:
    """The viewer's numbers less the hub's: what most pairs of frames' ends agree on."""
    ends = [each for each in inward.values() if each.marker]
    votes: Counter[int] = Counter()
    for out in (each for each in packets if each.marker):
        before = [each for each in ends if 0 <= out.at - each.at < 100_000_000]
        votes.update(out.number - each.number & 0xFFFF for each in before if each.size == out.size)
    return votes.most_common(1)[0][0]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    said = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("this needs root: it listens to the kernel's receive times on loopback")
    found = await measured(said.viewers, said.seconds)
    shown = (f"{percentile(found, share):.2f}" for share in (0.5, 0.99, 0.999, 1.0))
    heads = ("viewers", "packets", "p50 ms", "p99 ms", "p99.9 ms", "most ms")
    print(table(heads, [(said.viewers, len(found), *shown)]))
    print(machine())


if __name__ == "__main__":
    asyncio.run(main())
