"""Announces the hub on its LAN: `_secvillage._tcp.local.` (DNS-SD, RFC 6763; CAM-12).

The instance's name is random and new at every start. TXT, at most 200 bytes, names nobody:

    v=1            version of this announcement
    id=<hub id>    what agents know the hub by
    fp=<43 chars>  fingerprint of its node key: an enrolled agent takes no other
    scheme=https   how to speak to the SRV record's port; http on loopback only
"""

import logging
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, NonUniqueNameException
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from village_core.jobs import Supervisor
from village_hub.config import WILDCARDS, Config, is_loopback
from village_hub.node import Node

log = logging.getLogger(__name__)

SERVICE = "_secvillage._tcp.local."
LARGEST_TXT = 200  # bytes (CAM-12)


@asynccontextmanager
async def announced(config: Config, node: Node, supervisor: Supervisor) -> AsyncIterator[None]:
    """The announcement while the context is open; a LAN without multicast is no reason to fail.
    It goes out in the background, since a start need not wait for it."""
    addresses = lan_addresses(config.listen.hosts)
    if not config.discovery.enabled or not addresses:
        yield
        return
    try:
        mdns = AsyncZeroconf(interfaces=addresses, ip_version=_versions(addresses))
    except OSError as error:
        log.warning("the hub is not announced on the LAN: %s", error)
        yield
        return
    announcing = _register(mdns, service(config, node, addresses))
    task = supervisor.once("announcement on the LAN", announcing)
    try:
        yield
    finally:
        task.cancel()
        await mdns.async_unregister_all_services()
        await mdns.async_close()


async def _register(mdns: AsyncZeroconf, info: AsyncServiceInfo) -> None:
    try:
        # No probing for the name first: it is 64 random bits.
        await (await mdns.async_register_service(info, cooperating_responders=True))
    except (ZeroconfError, NonUniqueNameException, OSError) as error:
        log.warning("the hub is not announced on the LAN: %s", error)
    else:
        log.info("announced on the LAN as %s", info.name)


def service(config: Config, node: Node, addresses: Sequence[str]) -> AsyncServiceInfo:
    """What is announced."""
    name = secrets.token_hex(8)
    return AsyncServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=config.listen.port,
        parsed_addresses=list(addresses),
        server=f"{name}.local.",
        properties={
            "v": "1",
            "id": node.id,
            "fp": node.key.public.fingerprint,
            "scheme": "https" if config.tls.on else "http",
        },
    )


def lan_addresses(hosts: Sequence[str]) -> list[str]:
    """The addresses of this machine that others on its LAN reach the hub at."""
    found: list[str] = []
    for host in hosts:
        if host in WILDCARDS:
            found += _own_addresses()
        elif not is_loopback(host):
            found.append(host)
    return list(dict.fromkeys(found))


def _own_addresses() -> list[str]:
    """IPv4 and IPv6 addresses that this machine would send from; nothing is sent."""
    return [
        address
        for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
        if (address := _address_towards(family, far)) and not is_loopback(address)
    ]


def _address_towards(family: socket.AddressFamily, far: str) -> str | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # UDP: chooses a route, sends nothing
            address: str = probe.getsockname()[0]
    except OSError:
        return None
    return address


def _versions(addresses: Sequence[str]) -> IPVersion:
    six = any(":" in address for address in addresses)
    four = any(":" not in address for address in addresses)
    return IPVersion.All if six and four else IPVersion.V6Only if six else IPVersion.V4Only
