"""What does an agent cost a home's box? Four RTSP cameras of 2 Mbit/s: CPU and resident memory.

Once with nobody watching (it stays connected and keeps the last group of pictures) and once with
all four watched: `python -m bench.agent [--cameras 4]`. GStreamer's RTSP server plays the cameras.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.camera import MAIN
from bench.crowd import driven
from bench.hub import BenchHub, bench_hub
from bench.measure import Meter, machine, resident, table, threads
from tests.cameras.rig import PASSWORD, USER, RtspCamera, Stream, missing

SETTLE = 4.0  # seconds


async def measured(count: int, seconds: float) -> list[tuple[object, ...]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="svbench-")))
        secret = folder / "password"
        secret.touch(0o600)
        secret.write_text(PASSWORD)
        tables = {}
        for at in range(count):
            camera = RtspCamera({"/main": Stream(clip=MAIN)})
            await camera.start()
            stack.push_async_callback(camera.stop)
            tables[f"camera{at}"] = _table(camera, secret)
        hub = stack.enter_context(bench_hub(tables))
        assert hub.home
        await asyncio.sleep(SETTLE)
        idle = await _cost("nobody watches", hub.home.pid, seconds)
        return [idle, await _watched(hub, list(tables), seconds)]


def _table(camera: RtspCamera, secret: Path) -> dict[str, Any]:
    return {"main": camera.url("/main"), "user": USER, "password_file": str(secret)}


async def _watched(hub: BenchHub, names: list[str], seconds: float) -> tuple[object, ...]:
    assert hub.home
    async with AsyncExitStack() as stack:
        for name in names:
            camera = hub.client.camera(name)
            viewers = await stack.enter_async_context(driven("bench.viewers"))
            bearers = hub.tokens(camera, 1)
            await viewers.order(endpoint=hub.endpoint(camera), bearers=bearers, host=hub.address)
        await asyncio.sleep(SETTLE)
        return await _cost("all are watched", hub.home.pid, seconds)


async def _cost(what: str, pid: int, seconds: float) -> tuple[object, ...]:
    meter = Meter(pid)
    await asyncio.sleep(seconds)
    return what, f"{meter.share() * 100:.1f}%", f"{resident(pid):.0f}", threads(pid)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30)
    said = parser.parse_args()
    if why := missing():
        sys.exit(why)
    rows = await measured(said.cameras, said.seconds)
    print(table((f"{said.cameras} cameras", "of one core", "MB resident", "threads"), rows))
    print(machine())


if __name__ == "__main__":
    asyncio.run(main())
