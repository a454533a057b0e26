"""A coturn of the tests' own, TURN over TCP on loopback, as the example config runs it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.browser.real import free_port

TURNSERVER = shutil.which("turnserver")


@asynccontextmanager
async def coturn(secret: str, relay: str) -> AsyncIterator[str]:
    """The URL of a TURN server that relays from the address `relay` and to it only."""
    if TURNSERVER is None:
        pytest.skip("no coturn on this machine: apt-get install coturn")
    port = free_port()
    arguments = [
        *("-n", "-L", "127.0.0.1", "-E", relay, "-p", str(port), "--no-cli", "--no-tls"),
        *("--no-dtls", "--use-auth-secret", f"--static-auth-secret={secret}", "-r", "village"),
        *("--min-port=49300", "--max-port=49400", "--no-udp", "--log-file=stdout"),
        *("--denied-peer-ip=0.0.0.0-255.255.255.255", f"--allowed-peer-ip={relay}"),
        *("--pidfile=", "--simple-log"),
    ]
    process = await asyncio.create_subprocess_exec(
        TURNSERVER,
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answers(port)
        yield f"turn:127.0.0.1:{port}?transport=tcp"
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
