"""How does the hub's cost grow with viewers and with cameras? Draws bench/growth.png.

`python -m bench.growth`: 1, 10, 100 viewers on main and 300 on sub; 1, 10, 50 cameras coming in.
"""

import argparse
import asyncio
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from bench import fanout, ingest
from bench.fanout import Cost
from bench.measure import machine, table

PICTURE = Path(__file__).with_name("growth.png")
VIEWERS, SUB_VIEWERS, CAMERAS = (1, 10, 50, 100), (1, 10, 100, 300), (1, 10, 25, 50)


def draw(main: list[Cost], sub: list[Cost], cameras: list[Cost]) -> None:
    mpl.use("Agg")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for costs, label in ((main, "main, 2 Mbit/s"), (sub, "sub, 0.4 Mbit/s")):
        left.plot([c.viewers for c in costs], [c.core for c in costs], "o-", label=label)
    left.set(title="one camera, N viewers", xlabel="viewers", ylabel="% of one core")
    left.legend()
    right.plot([c.viewers for c in cameras], [c.core for c in cameras], "o-", color="tab:green")
    right.set(title="N cameras of 2 Mbit/s, nobody watching", xlabel="cameras")
    for each in (left, right):
        each.set_ylim(bottom=0)
        each.grid(alpha=0.3)
    figure.savefig(PICTURE, dpi=90)


def row(what: str, cost: Cost) -> tuple[object, ...]:
    rate = cost.packets / cost.seconds
    return what, cost.viewers, f"{rate:.0f}", f"{cost.per_packet:.1f}", f"{cost.core:.1f}%"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    seconds = parser.parse_args().seconds
    watched = [await fanout.ours(count, seconds) for count in VIEWERS]
    small = [await fanout.ours(count, seconds, "sub") for count in SUB_VIEWERS]
    cameras = [await ingest.ours(count, seconds) for count in CAMERAS]
    named = {"viewers of main": watched, "viewers of sub": small, "cameras": cameras}
    rows = [row(what, cost) for what, costs in named.items() for cost in costs]
    print(table(("", "count", "packets/s", "µs a packet", "of one core"), rows))
    print(machine())
    draw(watched, small, cameras)
    print(f"drawn: {PICTURE}")


if __name__ == "__main__":
    asyncio.run(main())
