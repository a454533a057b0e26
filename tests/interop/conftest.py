"""Other people's WHIP and WHEP clients against a hub: by default the tiny one of `tiny_hub.py`."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass

import ifaddr
import pytest
from aiohttp.test_utils import TestServer

from tests.interop.tiny_hub import TinyHub
from village_core.jobs import Supervisor
from village_core.transport import Certificate, MediaPort, PortSettings


@dataclass(frozen=True)
class HubUrl:
    """Where the clients go: endpoints, and the bearer tokens they show."""

    site: str
    whep: str
    whip: str
    watch_token: str
    publish_token: str


def own_address() -> str:
    """An IPv4 address of this machine that browsers gather candidates on; not loopback."""
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            if each.is_IPv4 and not ipaddress.ip_address(str(each.ip)).is_loopback:
                return str(each.ip)
    return "127.0.0.1"


@pytest.fixture
async def tiny_hub() -> AsyncIterator[TinyHub]:
    supervisor = Supervisor()
    settings = PortSettings(addresses=[own_address()], port=0)
    port = await MediaPort.open(settings, Certificate.make(), supervisor)
    hub = TinyHub(port, supervisor)
    supervisor.start("player", hub.play)
    yield hub
    await port.close()
    await supervisor.stop()


@pytest.fixture
async def hub_url(tiny_hub: TinyHub) -> AsyncIterator[HubUrl]:
    server = TestServer(tiny_hub.app(), host="127.0.0.1")
    await server.start_server()
    site = f"http://127.0.0.1:{server.port}"
    yield HubUrl(site, f"{site}/whep", f"{site}/whip", "watch-token", "publish-token")
    await server.close()
    await asyncio.sleep(0)
