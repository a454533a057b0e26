"""What an idle child costs: thousands of boxes' uplinks on one hub process, TLS at a proxy.

The hub is `village-hub serve`, with HAProxy at both ends of TLS before it. The boxes are one
process of the product's own uplinks (bench/boxes.py): each dials with a token, tells its status
and answers pings. The peer is a bare aiohttp WebSocket server with as many connections. Then the
hub is restarted under all of them. `python -m bench.uplinks [--boxes 3000]`.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path

from bench.boxes import Box
from bench.measure import Meter, machine, resident, table
from bench.processes import started
from tests.support.village import Village
from village_core.clock import SYSTEM_CLOCK
from village_core.ids import new_id
from village_core.keys import SigningKey
from village_hub import commands, config
from village_hub.catalogue.models import Household, Node
from village_hub.catalogue.store import Session

PLAIN, TLS, BARE, BOXES = 18443, 18444, 18445, 18446
SETTLE = 30.0  # seconds of idleness before memory is read
BACK_WITHIN = 120.0
KEY = "boxes.key"
FEW = 20  # boxes that have been there before memory is first read: imports, pools, caches

PROXY = """
global
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option forwardfor
frontend tls
  bind 127.0.0.1:{tls} ssl crt {pem}
  default_backend hub
backend hub
  server hub 127.0.0.1:{plain}
frontend boxes
  bind 127.0.0.1:{boxes}
  default_backend tls
backend tls
  server tls 127.0.0.1:{tls} ssl verify none
"""

BARE_SERVER = """
import sys
from aiohttp import WSMsgType, web
async def serve(request):
    socket = web.WebSocketResponse(heartbeat=15.0, compress=False)
    await socket.prepare(request)
    await socket.send_str('{{"hub": "bare", "version": 1, "utc_ms": 1}}')
    async for message in socket:
        pass
    return socket
async def take(request):
    await request.read()
    return web.Response(status=204)
app = web.Application()
app.router.add_get("/uplink", serve)
app.router.add_put("/api/v1/node/status", take)
web.run_app(app, host="127.0.0.1", port={port}, print=lambda *_: print("ready", flush=True))
"""


def make_boxes(session: Session, count: int, text: str, hub: str, url: str) -> list[Box]:
    """Homes with a box each, as if they had enrolled."""
    now, found = SYSTEM_CLOCK.utc_ms(), []
    for at in range(count):
        home, name = new_id(), new_id()
        session.add(Household(id=home, name=f"home {at}", created=now))
        session.flush()
        session.add(
            Node(id=name, household_id=home, node_key=text, household_key=text, enrolled=now)
        )
        found.append(Box(name, hub, url))
    return found


async def enrolled(village: Village, count: int, key: SigningKey, url: str) -> list[Box]:
    settings = await asyncio.to_thread(config.read, village.config, {})
    async with commands.office(settings) as here:
        return await here.catalogue.write(make_boxes, count, key.public.text, here.node.id, url)


@contextmanager
def proxy(folder: Path) -> Iterator[None]:
    """HAProxy at both ends of TLS: three thousand handshakes in one Python process of boxes would
    be what is measured."""
    pem, key, cert = (folder / name for name in ("proxy.pem", "proxy.key", "proxy.crt"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += [
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(cert),
        "-days",
        "2",
        "-subj",
        "/CN=bench",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    pem.write_bytes(cert.read_bytes() + key.read_bytes())
    settings = folder / "haproxy.cfg"
    settings.write_text(PROXY.format(tls=TLS, pem=pem, plain=PLAIN, boxes=BOXES))
    haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
    process = subprocess.Popen([haproxy, "-db", "-f", str(settings)])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


class Crowd:
    """The boxes' process, and how many of them are connected."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        self._lines = process.stdout

    async def until(self, count: int, within: float) -> None:
        async with asyncio.timeout(within):
            while int(await self._lines.readline() or -1) != count:
                pass

    async def fewer(self, count: int) -> None:
        while int(await self._lines.readline()) >= count:
            pass


@asynccontextmanager
async def crowd(boxes: list[Box], folder: Path) -> AsyncIterator[Crowd]:
    path = folder / f"boxes{len(boxes)}.json"
    path.write_text(json.dumps([asdict(box) for box in boxes]))
    command = [
        sys.executable,
        "-m",
        "bench.boxes",
        str(path),
        str(folder / KEY),
    ]
    async with started(*command, stdout=subprocess.PIPE) as process:
        yield Crowd(process)


async def idle(pid: int, boxes: list[Box], folder: Path) -> tuple[float, float]:
    """kB of resident memory and ms of CPU a second, per box beyond a few."""
    async with crowd(boxes[:FEW], folder) as few:
        await few.until(FEW, 60)
        await asyncio.sleep(5)
        before = resident(pid)
    async with crowd(boxes, folder) as everybody:
        await everybody.until(len(boxes), BACK_WITHIN)
        await asyncio.sleep(SETTLE)
        meter = Meter(pid)
        await asyncio.sleep(SETTLE)
        more = len(boxes) - FEW
        return (resident(pid) - before) * 1000 / more, meter.seconds() / SETTLE * 1000 / more


async def bare(boxes: list[Box], folder: Path) -> tuple[float, float]:
    script = folder / "bare.py"
    script.write_text(BARE_SERVER.format(port=BARE))
    to = [Box(box.node, box.hub, f"http://127.0.0.1:{BARE}") for box in boxes]
    async with started(sys.executable, str(script), stdout=subprocess.PIPE) as process:
        assert process.stdout
        await process.stdout.readline()
        return await idle(process.pid, to, folder)


async def back(village: Village, boxes: list[Box], folder: Path) -> float:
    """Seconds from the hub's new start until all are connected again."""
    async with crowd(boxes, folder) as everybody:
        await everybody.until(len(boxes), BACK_WITHIN)
        assert village.hub
        await asyncio.to_thread(village.hub.stop, 60)
        await everybody.fewer(1)
        began = time.monotonic()
        await asyncio.to_thread(village.start_hub)
        await everybody.until(len(boxes), BACK_WITHIN)
        return time.monotonic() - began


async def measured(count: int) -> None:
    settings = {
        "listen": {"hosts": ["127.0.0.1"], "port": PLAIN},
        "media": {"port": 18189, "addresses": ["127.0.0.1"]},
        "discovery": {"enabled": False},
        "limits": {"calls_per_minute": 1_000_000},
    }
    with tempfile.TemporaryDirectory(prefix="svbench-") as name:
        folder = Path(name)
        with Village.begin(folder, f"https://127.0.0.1:{TLS}", settings) as village, proxy(folder):
            key = SigningKey.load_or_make(folder / KEY)
            boxes = await enrolled(village, count, key, f"http://127.0.0.1:{BOXES}")
            ours = await idle(village.pid, boxes, folder)
            theirs = await bare(boxes, folder)
            whole = await back(village, boxes, folder)
    print(machine())
    rows = [
        ["our hub", f"{ours[0]:.1f}", f"{ours[1]:.3f}"],
        ["bare aiohttp", f"{theirs[0]:.1f}", f"{theirs[1]:.3f}"],
        ["ratio", f"{ours[0] / theirs[0]:.2f}", f"{ours[1] / theirs[1]:.2f}"],
    ]
    print(table([f"{count} idle boxes", "kB a box", "CPU ms/s a box"], rows))
    print(f"after a restart all {count} are back {whole:.1f} s after its start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--boxes", type=int, default=3000)
    asyncio.run(measured(parser.parse_args().boxes))


if __name__ == "__main__":
    main()
