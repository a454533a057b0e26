"""What is the home's own network: the box's addresses, names and the networks they lie in."""

import ipaddress
import socket
from collections.abc import Sequence

import ifaddr

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class OwnNetwork:
    """Looked up anew by `refresh`: a router hands out other addresses when it likes."""

    def __init__(self, names: Sequence[str], networks: Sequence[str]) -> None:
        self._names = {name.lower() for name in names}
        self._more = [ipaddress.ip_network(text, strict=False) for text in networks]
        self._networks: list[IpNetwork] = []
        self._addresses: list[IpAddress] = []
        self.refresh()

    def refresh(self) -> None:
        """Blocks for a moment: for a thread."""
        addresses, networks = [], []
        for adapter in ifaddr.get_adapters():
            for each in adapter.ips:
                text = each.ip if isinstance(each.ip, str) else each.ip[0]
                addresses.append(ipaddress.ip_address(text))
                prefix = f"{text}/{each.network_prefix}"
                networks.append(ipaddress.ip_network(prefix, strict=False))
        self._addresses, self._networks = addresses, networks

    @property
    def addresses(self) -> list[str]:
        """The box's own, without loopback and link-local."""
        usable = [a for a in self._addresses if not a.is_loopback and not a.is_link_local]
        return [str(address) for address in usable]

    def includes(self, remote: str) -> bool:
        """Whether a peer is at home: in a network of one of the box's addresses."""
        address = _address(remote)
        if address is None:
            return False
        return address.is_loopback or any(
            address in network
            for network in [*self._networks, *self._more]
            if network.version == address.version
        )

    def is_us(self, host: str) -> bool:
        """Whether a Host header's name means this box: a foreign name is DNS rebinding."""
        name = host.strip("[]").lower().rstrip(".")
        address = _address(name)
        if address is not None:
            return address.is_loopback or address in self._addresses
        own = socket.gethostname().lower().partition(".")[0]
        return name in {"localhost", own, f"{own}.local", f"{own}.lan", *self._names}


def _address(text: str) -> IpAddress | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
