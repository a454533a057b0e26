"""DNS-SD on the household's LAN (RFC 6763): hubs, and the cameras that announce themselves."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)

HUB = "_secvillage._tcp.local."
# ONVIF itself is found by WS-Discovery; these only supplement it.
CAMERAS = ("_axis-video._tcp.local.", "_rtsp._tcp.local.", "_psia._tcp.local.")
ANSWER_TIMEOUT = 3000  # milliseconds for a service's own records
MOST_NAMES = 200
MDNS_ERRORS = (ZeroconfError, OSError)


@dataclass(frozen=True, slots=True)
class Announced:
    """One service instance."""

    kind: str
    name: str  # of the instance
    addresses: tuple[str, ...]
    port: int
    text: dict[str, str]


async def announced(
    kinds: Sequence[str], addresses: Sequence[str], seconds: float
) -> list[Announced]:
    """The instances of `kinds` heard within `seconds` on the interfaces of `addresses`.

    A LAN without multicast has none; that is no failure.
    """
    if not addresses:
        return []
    try:
        mdns = AsyncZeroconf(interfaces=list(addresses), ip_version=_versions(addresses))
    except MDNS_ERRORS as error:
        log.warning("no mDNS on this network: %s", error)
        return []
    names: dict[str, str] = {}

    def heard(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is not ServiceStateChange.Removed and len(names) < MOST_NAMES:
            names[name] = service_type

    try:
        browser = AsyncServiceBrowser(mdns.zeroconf, list(kinds), handlers=[heard])
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        found = await asyncio.gather(*(_ask(mdns, kind, name) for name, kind in names.items()))
        return [each for each in found if each is not None]
    finally:
        await mdns.async_close()


async def _ask(mdns: AsyncZeroconf, kind: str, name: str) -> Announced | None:
    info = AsyncServiceInfo(kind, name)
    try:
        known = await info.async_request(mdns.zeroconf, ANSWER_TIMEOUT)
    except MDNS_ERRORS:
        return None
    if not known or not info.port:
        return None
    text = {
        key.decode("utf-8", "replace"): (value or b"").decode("utf-8", "replace")
        for key, value in info.properties.items()
    }
    instance = name.removesuffix(f".{kind}")
    shown = "".join(letter for letter in instance if letter.isprintable())[:80]
    return Announced(kind, shown, tuple(info.parsed_scoped_addresses()), info.port, text)


def _versions(addresses: Sequence[str]) -> IPVersion:
    six = any(":" in address for address in addresses)
    four = any(":" not in address for address in addresses)
    return IPVersion.All if six and four else IPVersion.V6Only if six else IPVersion.V4Only
