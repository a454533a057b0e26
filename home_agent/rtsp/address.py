"""An RTSP URL taken apart: where to connect, what to ask for, and as whom."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from village_core.troubles import Trouble

PORTS = {"rtsp": 554, "rtsps": 322}
_PIN = re.compile(r"sha256[:=]([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Address:
    """`url` holds no credentials and no fragment: it can be shown, logged and sent."""

    host: str
    port: int
    tls: bool
    url: str
    credentials: Credentials | None = None
    pin: str | None = None  # SHA-256 of the camera's certificate (DER), lower-case hexadecimal

    def at_host(self, host: str) -> "Address":
        """The same stream after the camera got another address."""
        shown = f"[{host}]" if ":" in host else host
        parts = urlsplit(self.url)
        netloc = f"{shown}:{parts.port}" if parts.port else shown
        return replace(self, host=host, url=urlunsplit(parts._replace(netloc=netloc)))


def read_address(url: str, credentials: Credentials | None = None) -> Address:
    """Reads rtsp://[user:password@]host[:port]/path, or rtsps://...[#sha256:<64 hex digits>].

    Credentials given apart win over those in the URL, where they are percent-encoded.
    Raises SourceFailure(PROTOCOL) for anything else; the sentence repeats nothing of the URL.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unreadable("it is not a URL") from error
    if parts.scheme not in PORTS:
        raise _unreadable("it begins with neither rtsp:// nor rtsps://")
    if not host or port == 0:
        raise _unreadable("it names no host, or port 0")
    shown = parts.netloc.rpartition("@")[2]
    if not shown.isprintable() or " " in shown:
        raise _unreadable("its host is none")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return Address(
        host=host,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "rtsps",
        url=urlunsplit((parts.scheme, shown, path, query, "")),
        credentials=credentials or _credentials(parts.username, parts.password),
        pin=_pin(parts.fragment),
    )


def _credentials(user: str | None, password: str | None) -> Credentials | None:
    if user is None:
        return None
    return Credentials(unquote(user), unquote(password or ""))


def _pin(fragment: str) -> str | None:
    if not fragment:
        return None
    match = _PIN.fullmatch(fragment.replace(":", "").replace("sha256", "sha256:").lower())
    if match is None:
        raise _unreadable("after # is expected sha256: and 64 hexadecimal digits")
    return match[1]


def _unreadable(why: str) -> SourceFailure:
    return SourceFailure(Trouble.PROTOCOL, f"The camera's address cannot be used: {why}.")
