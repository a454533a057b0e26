"""The hub's settings: one TOML file plus SECURITY_VILLAGE_* variables (village_core.settings).

name = "西村"
public_url = "https://hub.example:8443"

[listen]
hosts = ["*"]

[tls]
own_ca = true
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

from village_core.keys import KeyTextError, PublicKey
from village_core.settings import Secret, in_range, load
from village_hub.notices.signing import key_bytes

PREFIX = "SECURITY_VILLAGE"
DEFAULT_STATE = Path("/var/lib/village-hub")
DIGITS = {"bureau": 6, "township": 9, "village": 12}  # of a tier's administrative code
ALL = ("*", "::", "")  # every address, IPv4 and IPv6
WILDCARDS = (*ALL, "0.0.0.0")  # noqa: S104 - recognised, not bound to


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """Where HTTP is answered."""

    hosts: list[str] = field(default_factory=lambda: ["127.0.0.1"])  # "*" and "::" are all
    port: int = 8443  # needs no root, and web proxies let it pass more often than others

    def __post_init__(self) -> None:
        in_range("port", self.port, 0, 65_535)
        if not self.hosts:
            raise ValueError("hosts is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """Either a certificate in files (read again when they change) or the hub's own CA."""

    certificate_file: Path | None = None  # PEM, with its chain
    private_key_file: Path | None = None  # PEM
    own_ca: bool = False  # for a LAN without DNS names; agents pin the node key in any case
    names: list[str] = field(default_factory=list)  # further names and addresses in its certificate

    def __post_init__(self) -> None:
        if (self.certificate_file is None) != (self.private_key_file is None):
            raise ValueError("certificate_file and private_key_file belong together")
        if self.own_ca and self.certificate_file:
            raise ValueError("own_ca and certificate_file exclude each other")

    @property
    def on(self) -> bool:
        return self.own_ca or self.certificate_file is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """Proxies that end TLS before the hub; only they are believed about clients' addresses."""

    trusted: list[str] = field(default_factory=list)  # addresses or networks: none unless named

    def __post_init__(self) -> None:
        for text in self.trusted:
            _ = ipaddress.ip_network(text)  # its ValueError is a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaConfig:
    """Where video goes in and out: one UDP port."""

    port: int = 8189  # several hubs on a machine take the next ones
    addresses: list[str] = field(default_factory=list)  # local ones; empty: all but loopback's
    advertised: list[str] = field(default_factory=list)  # what peers see, when a NAT is between

    def __post_init__(self) -> None:
        in_range("port", self.port, 0, 65_535)
        for text in [*self.addresses, *self.advertised]:
            _ = ipaddress.ip_address(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    url: str = ""  # empty: sqlite in the state folder, nothing to install
    password: Secret | None = None  # of the url's user; so the url itself holds none

    def __post_init__(self) -> None:
        _check_database(self.url)
        if self.password is None:
            return
        parts = urlsplit(self.url)
        if not parts.username:
            raise ValueError("a password needs a user: url = postgresql://user@host/name")
        if parts.password is not None:
            raise ValueError("url has a password already; take one of the two away")

    @property
    def whole_url(self) -> str:
        """With the password in it."""
        if self.password is None:
            return self.url
        parts = urlsplit(self.url)
        user, _, host = parts.netloc.rpartition("@")
        secret = quote(self.password.reveal(), safe="")
        return parts._replace(netloc=f"{user}:{secret}@{host}").geturl()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnConfig:
    """A TURN server for networks that block UDP (docs/guide/turn.md)."""

    urls: list[str] = field(default_factory=list)  # turns:hub.example:5349?transport=tcp
    secret: Secret | None = None  # coturn's static-auth-secret
    lifetime: int = 3600  # seconds a credential lives; MED-11 allows no more

    def __post_init__(self) -> None:
        in_range("lifetime", self.lifetime, 60, 3600)
        for url in self.urls:
            if not url.startswith(("turn:", "turns:")):
                raise ValueError(f"urls: {url} is to begin with turn: or turns:")
        if self.urls and not self.secret:
            raise ValueError("urls need the server's secret: give secret_file or secret_env")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    enabled: bool = True
    host: str = "127.0.0.1"  # counts tell who is at home: not for everyone
    port: int = 9189  # beside the media port's number

    def __post_init__(self) -> None:
        in_range("port", self.port, 0, 65_535)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    enabled: bool = True  # agents on the same LAN find the hub without being told; names no one


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """What one source may ask for in a minute before it gets 429 (MED-10)."""

    calls_per_minute: int = 1200  # of one session: a wall of 100 asks for 100 stills and states
    media_per_minute: int = 600  # WHIP and WHEP calls a token's holder: a wall of 100 joins at once
    enrolments_per_minute: int = 20  # a home enrols once; its typed code has 5 tries besides
    vouches_per_minute: int = 300  # every agent behind one carrier NAT asks when the hub restarts

    def __post_init__(self) -> None:
        in_range("calls_per_minute", self.calls_per_minute, 10, 1_000_000)
        in_range("media_per_minute", self.media_per_minute, 1, 1_000_000)
        in_range("enrolments_per_minute", self.enrolments_per_minute, 1, 10_000)
        in_range("vouches_per_minute", self.vouches_per_minute, 1, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """Who sends text messages and places calls for this hub (docs/guide/notices.md)."""

    url: str = ""  # empty: nobody; notices are then on the page only
    secret: Secret | None = None  # signs what goes there and what comes back
    sender: str = ""  # the sign that text messages begin with

    def __post_init__(self) -> None:
        if self.url:
            _check_outgoing(self.url)
            if not self.secret:
                raise ValueError("url needs the gateway's secret: give secret_file or secret_env")
            _ = key_bytes(self.secret)
        if len(self.sender) > 10:
            raise ValueError("sender is to have at most 10 characters: it counts in every message")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig:
    """A unit's own system that is told what the unit is told."""

    unit: str  # its id
    url: str
    secret: Secret

    def __post_init__(self) -> None:
        _check_outgoing(self.url)
        _ = key_bytes(self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesConfig:
    """How people are told (PRM-23)."""

    ring_seconds: int = 30  # an SOS call goes on to the next one after this: a phone rings 5 times
    ring_at_once: int = 1  # phones that ring at a time: in order, and nobody sets out in vain
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    webhooks: list[WebhookConfig] = field(default_factory=list)

    def __post_init__(self) -> None:
        in_range("ring_seconds", self.ring_seconds, 10, 120)
        in_range("ring_at_once", self.ring_at_once, 1, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustConfig:
    """Whose word about people of other hubs counts (docs/guide/tree.md). A hub that joined another
    one has it from there."""

    root: str = ""  # the county's root key, as text; hubs that join learn it from here

    def __post_init__(self) -> None:
        if self.root:
            try:
                PublicKey.from_text(self.root)
            except KeyTextError as error:
                raise ValueError(f"root: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"  # read by people first, by journald's tools as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    name: str = "village hub"  # what pages and agents show
    tier: Literal["village", "township", "bureau"] = "village"
    place: str = ""  # administrative code: county 6 digits, township 9, village 12
    state: Path = DEFAULT_STATE  # keys, database; 0700
    public_url: str = ""  # how browsers and agents reach it; empty: the listening address
    listen: ListenConfig = field(default_factory=ListenConfig)
    tls: TlsConfig = field(default_factory=TlsConfig)
    proxy: ProxyConfig = field(default_factory=ProxyConfig)
    media: MediaConfig = field(default_factory=MediaConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    turn: TurnConfig = field(default_factory=TurnConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    notices: NoticesConfig = field(default_factory=NoticesConfig)
    trust: TrustConfig = field(default_factory=TrustConfig)
    log: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 80:
            raise ValueError("name is to have 1 to 80 characters")
        if self.place and not (self.place.isascii() and self.place.isdigit()):
            raise ValueError("place is an administrative code: digits alone")
        if self.place and len(self.place) != DIGITS[self.tier]:
            raise ValueError(f"place of a {self.tier} is to have {DIGITS[self.tier]} digits")
        self._check_plain_http()
        if self.public_url:
            self._check_public_url()
        elif self.listen.hosts[0] in WILDCARDS:
            raise ValueError(f"public_url is needed when listening on {self.listen.hosts[0]}")

    def _check_plain_http(self) -> None:
        exposed = [host for host in self.listen.hosts if not is_loopback(host)]
        if exposed and not self.tls.on and not self.proxy.trusted:
            raise ValueError(
                f"listening on {exposed[0]} needs [tls], or a proxy that ends TLS named in "
                "proxy.trusted: plain HTTP is for loopback only"
            )

    def _check_public_url(self) -> None:
        parts = urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"public_url is to be https://host[:port], not {self.public_url}")
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
            raise ValueError("public_url has no path, query or user")
        if self.tls.on and parts.scheme != "https":
            raise ValueError("public_url is to begin with https:// when [tls] is on")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(
                "public_url is to begin with https://: plain HTTP is for loopback only"
            )

    @property
    def url(self) -> str:
        """How others reach this hub: scheme, host and port, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = self.listen.hosts[0]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls.on else 'http'}://{shown}:{self.listen.port}"

    @property
    def database_url(self) -> str:
        """For the catalogue alone: it may hold a password."""
        return self.database.whole_url or f"sqlite:///{self.state.absolute() / 'hub.sqlite'}"


def _check_database(url: str) -> None:
    """The books hold who looked at whose home: over a network they go sealed, to the right one."""
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    host = said.get("host", [parts.hostname or ""])[0]
    if not parts.scheme.startswith("postgresql") or host.startswith("/") or is_loopback(host):
        return
    if host and said.get("sslmode") != ["verify-full"]:
        raise ValueError("url: a database on another machine needs ?sslmode=verify-full")


def _check_outgoing(url: str) -> None:
    """An address that this hub will call with people's numbers and names."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(f"url is to be https://host[:port]/path, not {url}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("url is to begin with https://: plain HTTP is for loopback only")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """The settings from the file and the environment. Raises SettingsError."""
    return load(Config, path, environ=environ, prefix=PREFIX)
