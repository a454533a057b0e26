"""This machine's own addresses, for a media port that was not told which to use."""

import ipaddress

import ifaddr


def local_addresses() -> list[str]:
    """IPv4 and IPv6 addresses of this machine; loopback's only if there is no other.

    Link-local IPv6 needs a zone, which candidates cannot carry (RFC 8839): left out.
    """
    found = [
        ipaddress.ip_address(each.ip if isinstance(each.ip, str) else each.ip[0])
        for adapter in ifaddr.get_adapters()
        for each in adapter.ips
    ]
    usable = [str(each) for each in found if not each.is_loopback and not each.is_link_local]
    return list(dict.fromkeys(usable)) or ["127.0.0.1"]
