"""What the LAN is told of a hub: enough to find it, nothing about anybody (CAM-12)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.hub.support import TurnedClock, small_config
from village_core.jobs import Supervisor
from village_hub import discovery
from village_hub.config import Config, DiscoveryConfig, ListenConfig, TlsConfig
from village_hub.discovery import LARGEST_TXT, SERVICE, announced, lan_addresses, service
from village_hub.node import Node, load_node


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small_config(
        tmp_path,
        name="西村 of the Wang family",
        public_url="https://hub.test:8443",
        listen=ListenConfig(hosts=["*"], port=8443),
        tls=TlsConfig(own_ca=True),
        discovery=DiscoveryConfig(enabled=True),
    )


@pytest.fixture
def node(config: Config) -> Node:
    return load_node(config, TurnedClock())


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    found = Supervisor()
    yield found
    await found.stop()


def test_the_announcement_names_nobody(config: Config, node: Node) -> None:
    info = service(config, node, ["192.0.2.1"])
    texts = info.text
    assert len(texts) <= LARGEST_TXT
    assert info.decoded_properties == {
        "v": "1",
        "id": node.id,
        "fp": node.key.public.fingerprint,
        "scheme": "https",
    }
    assert all(len(key) <= 9 for key in info.decoded_properties)
    said = info.name.encode() + texts + (info.server or "").encode()
    for private in ("西村", "Wang", "hub.test"):
        assert private.encode() not in said
    assert info.name != service(config, node, ["192.0.2.1"]).name  # random at every start


def test_loopback_alone_is_announced_to_nobody() -> None:
    assert lan_addresses(["127.0.0.1", "localhost", "::1"]) == []
    assert lan_addresses(["192.0.2.7", "192.0.2.7"]) == ["192.0.2.7"]
    assert "127.0.0.1" not in lan_addresses(["*"])


async def test_an_agent_on_the_lan_finds_the_hub(
    config: Config, node: Node, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "lan_addresses", lambda _: ["127.0.0.1"])
    found: asyncio.Queue[str] = asyncio.Queue()

    def changed(zeroconf: object, service_type: str, name: str, state_change: object) -> None:
        found.put_nowait(name)

    async with announced(config, node, supervisor):
        agent = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)

        browser = AsyncServiceBrowser(agent.zeroconf, SERVICE, handlers=[changed])
        try:
            async with asyncio.timeout(10):
                while True:
                    info = AsyncServiceInfo(SERVICE, await found.get())
                    await info.async_request(agent.zeroconf, 3000)
                    if info.decoded_properties.get("id") == node.id:
                        break
            assert info.port == 8443
            assert info.parsed_addresses() == ["127.0.0.1"]
        finally:
            await browser.async_cancel()
            await agent.async_close()


async def test_it_can_be_switched_off(
    node: Node, supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "AsyncZeroconf", None)
    async with announced(small_config(tmp_path), node, supervisor):
        pass


async def test_a_lan_without_multicast_does_not_stop_the_hub(
    config: Config, node: Node, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: object) -> AsyncZeroconf:
        raise OSError("no multicast here")

    monkeypatch.setattr(discovery, "AsyncZeroconf", fails)
    monkeypatch.setattr(discovery, "lan_addresses", lambda _: ["192.0.2.1"])
    async with announced(config, node, supervisor):
        pass
