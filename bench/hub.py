"""Our hub in measurement: `village-hub serve` on this machine, HTTP on loopback, media on lo too.

Media goes to one of the machine's own addresses, over its loopback device: the same for Janus.
"""

import asyncio
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.camera import MAIN, SUB
from tests.support.village import Client, Home, Village
from village_hub import commands, config

HTTP, UDP, METRICS = 18443, 18189, 19189
HOUSEHOLD = "bench"


def local_address() -> str:
    """The address this machine uses to speak to others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@dataclass(slots=True)
class BenchHub:
    """The hub, and a person who may see its cameras."""

    village: Village
    address: str
    home: Home | None
    client: Client

    @property
    def pid(self) -> int:
        return self.village.pid

    def endpoint(self, camera: str, quality: str = "main") -> str:
        return f"{self.village.url}/whep/{camera}?quality={quality}"

    def tokens(self, camera: str, count: int) -> list[str]:
        return [self.client.media_token(camera) for _ in range(count)]


@contextmanager
def bench_hub(cameras: dict[str, dict[str, Any]] | None = None) -> Iterator[BenchHub]:
    """A hub; with `cameras` (tables of agent.toml) also an agent, and all of them online."""
    address = local_address()
    settings = {
        "listen": {"hosts": ["127.0.0.1"], "port": HTTP},
        "media": {"port": UDP, "addresses": [address]},
        "metrics": {"port": METRICS},
        "discovery": {"enabled": False},
        "limits": {"media_per_minute": 1_000_000, "calls_per_minute": 1_000_000},
    }
    with (
        tempfile.TemporaryDirectory(prefix="svbench-") as folder,
        Village.begin(Path(folder), f"http://127.0.0.1:{HTTP}", settings) as village,
    ):
        if cameras:
            home = village.home(HOUSEHOLD, cameras)
            home.start()
        else:
            home = None
            village.household(HOUSEHOLD)
        client = Client(village.url, village.sign_in_code(HOUSEHOLD))
        for name in cameras or ():
            client.camera(name)
        yield BenchHub(village, address, home, client)


def file_camera(*, sub: bool = False) -> dict[str, str]:
    """One camera's table of agent.toml."""
    table = {"main": f"file:{MAIN.make()}"}
    return table | {"sub": f"file:{SUB.make()}"} if sub else table


async def push_cameras(hub: BenchHub, count: int) -> list[list[str]]:
    """New cameras that push by themselves: their WHIP addresses and bearer tokens."""
    settings = await asyncio.to_thread(config.read, hub.village.config, {})
    found = []
    async with commands.office(settings) as here:
        for at in range(count):
            lines = await commands.add_push_camera(here, f"camera {at}", HOUSEHOLD)
            found.append(_address_and_token(lines))
    return found


def _address_and_token(lines: Sequence[str]) -> list[str]:
    return [line.split()[-1] for line in lines if line.startswith(("WHIP", "Bearer"))]
