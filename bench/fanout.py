"""What does one more delivered packet cost? CPU of the hub and of Janus, the same viewers for both.

One camera of 2 Mbit/s to N viewers on loopback: `python -m bench.fanout [--viewers 1 10 50 100]`.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from typing import Any

from bench.crowd import Driven, driven
from bench.hub import bench_hub, file_camera, local_address
from bench.janus import Janus
from bench.measure import Meter, machine, table
from bench.processes import started

SETTLE = 3.0  # seconds after the last joined


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one server with so many viewers."""

    viewers: int
    packets: int
    lost: int
    cpu: float  # seconds
    seconds: float
    profile: str

    @property
    def per_packet(self) -> float:
        """Microseconds."""
        return self.cpu / self.packets * 1e6

    @property
    def core(self) -> float:
        """Share of one core, percent."""
        return self.cpu / self.seconds * 100


async def ours(count: int, seconds: float, quality: str = "main") -> Cost:
    with bench_hub({"gate": file_camera(sub=quality == "sub")}) as hub:
        camera = hub.client.camera("gate")
        bearers = hub.tokens(camera, count)
        async with driven("bench.viewers") as viewers:
            endpoint = hub.endpoint(camera, quality)
            order = {"endpoint": endpoint, "bearers": bearers, "host": hub.address}
            return await _measure(viewers, hub.pid, order, count, seconds)


async def janus(count: int, seconds: float) -> Cost:
    address = local_address()
    async with Janus(address) as server:
        feed = (sys.executable, "-m", "bench.feed", "127.0.0.1", str(server.rtp_port))
        async with started(*feed), driven("bench.viewers") as viewers:
            order = {"janus": server.api, "count": count, "host": address}
            return await _measure(viewers, server.pid, order, count, seconds)


async def _measure(
    viewers: Driven, pid: int, order: dict[str, Any], count: int, seconds: float
) -> Cost:
    joined = await viewers.order(**order)
    await asyncio.sleep(SETTLE)
    meter = Meter(pid)
    seen = await viewers.order(count_for=seconds, within=seconds + 60)
    cpu, elapsed = meter.seconds(), meter.elapsed()
    await viewers.order(leave=True)
    return Cost(count, seen["packets"], seen["lost"], cpu, elapsed, joined["profiles"][0])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 50, 100])
    parser.add_argument("--seconds", type=float, default=20)
    said = parser.parse_args()
    rows = []
    for count in said.viewers:
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
                f"{hub.lost}/{peer.lost}",
            )
        )
    heads = ("viewers", "hub µs", "Janus µs", "ratio", "hub core", "Janus core")
    print(table((*heads, "packets", "lost"), rows))
    print(f"CPU per delivered packet, {said.seconds:g} s each, AES-GCM for both. {machine()}")


if __name__ == "__main__":
    asyncio.run(main())
