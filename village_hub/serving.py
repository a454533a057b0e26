"""Runs the hub until it is told to stop: sites, signals, and a shutdown that tells peers."""

import asyncio
import gc
import logging
import signal
import socket
import ssl

from aiohttp import web

from village_core.keys import KeyFileError
from village_core.transport import PortError
from village_hub import keys
from village_hub.app import make_app
from village_hub.catalogue.store import CatalogueError
from village_hub.config import ALL, Config
from village_hub.media.live import open_live
from village_hub.tls import TlsError

log = logging.getLogger(__name__)

# Packets are containers that live for a second: looking for cycles among them after every 700,
# Python's default, took 4% of what they cost (bench.ingest).
COLLECTED_EVERY = 20_000
SHUTDOWN = 5.0  # seconds that requests in hand get
START_ERRORS = (CatalogueError, KeyFileError, TlsError, PortError, OSError)


async def serve(config: Config) -> None:
    """Serve until SIGINT or SIGTERM. Raises one of START_ERRORS."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    runner = await started(config)
    try:
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()


async def started(config: Config) -> web.AppRunner:
    """The hub, answering; `cleanup` of what is returned stops it. Raises one of START_ERRORS."""
    app = await asyncio.to_thread(make_app, config, open_live)  # reads templates
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN, auto_decompress=False)
    try:
        await runner.setup()
        for host in _hosts(config):
            await _site(runner, config, host, app[keys.CERTIFICATES].context).start()
        await _own_door(runner, app)
    except BaseException:
        await runner.cleanup()
        raise
    gc.freeze()
    gc.set_threshold(COLLECTED_EVERY, 5, 5)  # sessions that ended are cycles: let them go soon
    log.info("%s %s is ready at %s", config.tier, app[keys.NODE].id, config.url)
    return runner


async def _own_door(runner: web.AppRunner, app: web.Application) -> None:
    """Calls from the hub above come down the uplink and meet the handlers here, on loopback, by
    the tokens that came with them and nothing else."""
    door = socket.create_server(("127.0.0.1", 0))
    door.setblocking(False)  # noqa: FBT003 - the library's own signature
    app[keys.FRONT_DOOR].url = f"http://127.0.0.1:{door.getsockname()[1]}"
    await web.SockSite(runner, door).start()


def _hosts(config: Config) -> list[str | None]:
    """What to bind to; None is every address of both families."""
    hosts = config.listen.hosts
    return [None] if any(host in ALL for host in hosts) else list(dict.fromkeys(hosts))


def _site(
    runner: web.AppRunner, config: Config, host: str | None, context: ssl.SSLContext
) -> web.TCPSite:
    return web.TCPSite(
        runner,
        host,
        config.listen.port,
        ssl_context=context if config.tls.on else None,
        reuse_address=True,
    )
