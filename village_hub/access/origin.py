"""Where a request really comes from, past the proxies that are named and no others."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from village_hub.errors import Forbidden

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SECURE = web.RequestKey("SECURE", bool)  # the client's own connection is TLS


@dataclass(frozen=True, slots=True)
class Source:
    address: str
    secure: bool  # the client's own connection is TLS
    site: str = ""  # the hub's public URL


class Sources:
    """Reads sources; `trusted` are addresses or networks of proxies."""

    def __init__(self, trusted: Sequence[str], *, tls: bool, site: str = "") -> None:
        self._trusted = [ipaddress.ip_network(text) for text in trusted]
        self._tls = tls
        self._site = site

    def of(self, request: web.Request) -> Source:
        """Raises Forbidden for plain HTTP that comes neither from loopback nor from a proxy."""
        peer = request.remote or ""
        if not self._is_proxy(peer):
            if not self._tls and not _loopback(peer):
                raise Forbidden("plain HTTP is answered to the proxy only", code="plain_http")
            return Source(peer, self._tls, self._site)
        forwarded = request.headers.get("X-Forwarded-For", "")
        scheme = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        return Source(self._client(forwarded, peer), scheme == "https", self._site)

    def _client(self, forwarded: str, peer: str) -> str:
        """The last address that no trusted proxy has: those before it anyone can write."""
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        strangers = [hop for hop in hops if not self._is_proxy(hop)]
        return strangers[-1] if strangers else peer

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def check_same_origin(request: web.Request, source: Source) -> None:
    """An unsafe request that a browser signed with a cookie comes from the hub's own page: its
    Origin is there and is the host that was asked, or the public URL's when a proxy changed the
    Host on the way (CSRF). Raises Forbidden."""
    if request.method in SAFE:
        return
    scheme = "https" if source.secure else "http"
    ours = {_origin(f"{scheme}://{request.host}"), _origin(source.site)} - {""}
    if _origin(request.headers.get("Origin", "")) not in ours:
        raise Forbidden("this request came from another site", code="other_origin")


def _origin(url: str) -> str:
    """Scheme and host, as an Origin header writes them; "" when there is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else ""


def _loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
