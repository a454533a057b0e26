"""STUN and TURN servers as configuration and WHIP name them (RFC 7064, RFC 7065, RFC 9725)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:?/@]+)"
    r"(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
_LINK = re.compile(r"<([^<>]*)>((?:[^,\"]|\"(?:[^\"\\]|\\.)*\")*)")
_PARAMETER = re.compile(
    r";\s*([!#$&+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]+))"
)
_ESCAPE = re.compile(r"\\(.)")
MOST_SERVERS = 8
LONGEST_LINKS = 8 * 1024  # characters


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN URL. ValueError: not such a URL, or a TURN server without credentials."""

    url: str
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self._match["scheme"].startswith("turn") and (
            self.username is None or self.credential is None
        ):
            raise ValueError(f"{self.url} needs a username and a credential")

    @property
    def _match(self) -> re.Match[str]:
        match = _URL.fullmatch(self.url)
        if match is None:
            raise ValueError(f"{self.url[:80]!r} is no stun:, turn: or turns: URL")
        return match

    @property
    def relays(self) -> bool:
        return self.url.startswith("turn")

    @property
    def secure(self) -> bool:
        return self.url.startswith(("turns", "stuns"))

    @property
    def address(self) -> tuple[str, int]:
        """Host (a name or an address without brackets) and port."""
        match = self._match
        port = int(match["port"]) if match["port"] else 5349 if self.secure else 3478
        return match["host"].strip("[]"), port

    @property
    def transport(self) -> str:
        """ "udp" or "tcp"; turns: without a transport means TLS over TCP (RFC 7065 section 3.1)."""
        return self._match["transport"] or ("tcp" if self.secure else "udp")

    def link(self) -> str:
        """The value of a `Link` header that offers this server (RFC 9725 section 4.6)."""
        parts = [f"<{self.url}>", 'rel="ice-server"']
        if self.username is not None and self.credential is not None:
            parts += [
                f"username={_quoted(self.username)}",
                f"credential={_quoted(self.credential)}",
            ]
            parts.append('credential-type="password"')
        return "; ".join(parts)


def read_links(values: Iterable[str]) -> list[IceServer]:
    """The ICE servers among `Link` header values; what cannot be used is left out."""
    servers: list[IceServer] = []
    for url, rest in _LINK.findall(",".join(values)[:LONGEST_LINKS]):
        parameters = {
            name.lower(): _ESCAPE.sub(r"\1", quoted) or plain
            for name, quoted, plain in _PARAMETER.findall(rest)
        }
        if "ice-server" not in parameters.get("rel", "").split():
            continue
        if parameters.get("credential-type", "password") != "password":
            continue
        try:
            server = IceServer(url, parameters.get("username"), parameters.get("credential"))
        except ValueError:
            continue
        servers.append(server)
    return servers[:MOST_SERVERS]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
