"""What does one more received packet cost? CPU of the hub and of Janus' video room.

N publishers of 2 Mbit/s, the sending half of our agent for both, nobody watching:
`python -m bench.ingest [--publishers 1 10 50]`.
"""

import argparse
import asyncio

from bench.crowd import Driven, driven
from bench.fanout import Cost
from bench.hub import bench_hub, local_address, push_cameras
from bench.janus import Janus, whip_door
from bench.measure import Meter, machine, table

SETTLE = 4.0  # seconds: publishers begin at their next keyframe, 2 s at most


async def ours(count: int, seconds: float) -> Cost:
    with bench_hub() as hub:
        endpoints = await push_cameras(hub, count)
        async with driven("bench.publishers") as publishers:
            return await _measure(publishers, hub.pid, endpoints, seconds)


async def janus(count: int, seconds: float) -> Cost:
    async with Janus(local_address()) as server, whip_door(server) as door:
        endpoints = [[f"{door}/{at}", "none"] for at in range(count)]
        async with driven("bench.publishers") as publishers:
            return await _measure(publishers, server.pid, endpoints, seconds)


async def _measure(
    publishers: Driven, pid: int, endpoints: list[list[str]], seconds: float
) -> Cost:
    await publishers.order(endpoints=endpoints)
    await asyncio.sleep(SETTLE)
    meter = Meter(pid)
    sent = await publishers.order(count_for=seconds, within=seconds + 60)
    cpu, elapsed = meter.seconds(), meter.elapsed()
    await publishers.order(leave=True)
    return Cost(len(endpoints), sent["packets"], 0, cpu, elapsed, "")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishers", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--seconds", type=float, default=20)
    said = parser.parse_args()
    rows = []
    for count in said.publishers:
        hub, peer = await ours(count, said.seconds), await janus(count, said.seconds)
        rows.append(
            (
                count,
                f"{hub.per_packet:.1f}",
                f"{peer.per_packet:.1f}",
                f"{hub.per_packet / peer.per_packet:.2f}",
                f"{hub.core:.0f}%",
                f"{peer.core:.0f}%",
                f"{hub.packets}/{peer.packets}",
            )
        )
    heads = ("publishers", "hub µs", "Janus µs", "ratio", "hub core", "Janus core", "packets")
    print(table(heads, rows))
    print(f"CPU per received packet, {said.seconds:g} s each. {machine()}")


if __name__ == "__main__":
    asyncio.run(main())
