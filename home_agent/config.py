"""The agent's settings: one TOML file plus HOME_AGENT_* variables (village_core.settings).

state = "/var/lib/home-agent"

[hub]
url = "https://hub.example:8443"        # left out: found by mDNS on the LAN

[cameras.gate]                          # the key stays when the name changes
name = "大门"
main = "rtsp://192.0.2.10/stream1"
sub = "rtsp://192.0.2.10/stream2"
user = "viewer"
password_file = "gate.password"         # or password_env, or STATE/passwords/gate
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from village_core.messages import CAMERA_ID, MOST_CAMERAS, NAMING, PRINTABLE
from village_core.permits import CameraClass
from village_core.settings import Secret, SettingsError, in_range, load

PREFIX = "HOME_AGENT"
SOURCES = ("rtsp", "rtsps", "v4l2", "file", "test")
DEFAULT_STATE = Path("/var/lib/home-agent")
USUAL = (Path("agent.toml"), Path("/etc/home-agent/agent.toml"))
KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

LONGEST_TOKEN = 64  # characters of an alarm input's token; ONVIF's own limit
MOST_INPUTS = 16

Polygon = list[list[float]]  # points [x, y], each 0 to 1 from the picture's top left


class AlarmContact(StrEnum):
    """How an alarm input stands while nobody calls: LogicalState false, or true."""

    NORMALLY_OPEN = "normally-open"
    NORMALLY_CLOSED = "normally-closed"  # a cut wire then calls, too


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """One camera: its addresses, by URL or by ONVIF, and what is switched on for it."""

    name: str
    id: str = ""  # set only to take over the id of a camera of an older box
    main: str = ""
    sub: str = ""
    onvif: str = ""  # host, host:port or device service URL; main and sub are then asked for
    snapshot: str = ""  # http(s) address of a JPEG
    user: str = ""
    password: Secret | None = None
    udp: bool = False  # RTSP over TCP first: UDP loses packets on house wiring
    class_: CameraClass = CameraClass.H_IN  # what nobody said is guarded like a room (PRM-1)
    audio: bool = False  # CAM-11: off until the household switches it on
    transcode: bool = False  # costs most of a small box's processor
    mask: list[Polygon] = field(default_factory=list)
    alarm_inputs: list[str] = field(default_factory=list)  # tokens of those that call for help
    alarm_contact: AlarmContact = AlarmContact.NORMALLY_OPEN

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 80:
            raise ValueError("name is to have 1 to 80 characters")
        if not re.fullmatch(NAMING, self.name):
            raise ValueError("name is to hold no control or unseen characters")
        if self.id and not re.fullmatch(CAMERA_ID, self.id):
            raise ValueError("id is to be 1 to 64 letters, digits, - and _")
        if ":" in self.user:
            raise ValueError("user is to hold no colon (RFC 7617)")
        if not (self.main or self.sub or self.onvif):
            raise ValueError("needs main, sub or onvif: the camera's address")
        for key in ("main", "sub"):
            _check_source(key, getattr(self, key))
        _check_snapshot(self.snapshot)
        for polygon in self.mask:
            _check_polygon(polygon)
        _check_inputs(self.alarm_inputs, self.onvif)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    url: str = ""  # empty: the enrolment's, else mDNS

    def __post_init__(self) -> None:
        if self.url:
            check_hub_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanConfig:
    """The household's own page: plays live without hub and Internet."""

    enabled: bool = True
    host: str = ""  # empty: every address of the box; plain HTTP only on a loopback address
    port: int = 8443
    tls: bool = True
    media_port: int = 8199  # UDP; hubs on the same machine take 8189 and up
    media_addresses: list[str] = field(default_factory=list)  # empty: the box's own, as found
    names: list[str] = field(default_factory=list)  # further host names the page answers to
    networks: list[str] = field(default_factory=list)  # further networks that count as the home's

    def __post_init__(self) -> None:
        in_range("port", self.port, 0, 65_535)
        in_range("media_port", self.media_port, 0, 65_535)
        if not self.tls and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("tls = false needs host = a loopback address")
        for network in self.networks:
            ipaddress.ip_network(network, strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchConfig:
    """The privacy switch's button and lamp; command and LAN page are always there."""

    button: str = ""  # /dev/input/event*
    button_key: int = 0  # a KEY_* code of linux/input-event-codes.h; 0: any key
    lamp: str = ""  # /dev/input/event* with a LED, or a folder of /sys/class/leds
    lamp_led: int = 7  # LED_* code of an input device's lamp; 7 is LED_MUTE
    lamp_when: Literal["on", "off"] = "off"  # the state of the pictures in which the lamp is lit


@dataclass(frozen=True, slots=True, kw_only=True)
class SosConfig:
    """A button that calls for help, and a lamp that says whether the call was sent."""

    button: str = ""  # /dev/input/event*
    button_key: int = 0  # as the privacy switch's
    lamp: str = ""  # blinks until the hub has taken the call, then it is lit
    lamp_led: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentConfig:
    window: bool = False  # PRM-21: consent on paper counts only where the household wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    state: Path = DEFAULT_STATE
    hub: HubConfig = field(default_factory=HubConfig)
    cameras: dict[str, CameraConfig] = field(default_factory=dict)
    lan: LanConfig = field(default_factory=LanConfig)
    switch: SwitchConfig = field(default_factory=SwitchConfig)
    sos: SosConfig = field(default_factory=SosConfig)
    consent: ConsentConfig = field(default_factory=ConsentConfig)
    log: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        for key in self.cameras:
            if not KEY.fullmatch(key):
                raise ValueError(f'cameras: the key "{key}" is to be a-z, 0-9, - and _')
        if self.sos.button and self.sos.button == self.switch.button:
            keys = {self.sos.button_key, self.switch.button_key}
            if 0 in keys or len(keys) < 2:
                raise ValueError("sos: one device with two buttons needs a button_key for each")
        if len(self.cameras) > MOST_CAMERAS:
            raise ValueError(f"cameras: more than {MOST_CAMERAS} are too many for one box")


def read(path: Path | None, environ: Mapping[str, str] | None = None) -> Config:
    """The settings; `environ` is the process's own unless given. Raises SettingsError."""
    return load(Config, path, environ=os.environ if environ is None else environ, prefix=PREFIX)


def read_or_default(path: Path | None) -> Config:
    """For the small commands: the file when one is named, else the first of USUAL there is."""
    return read(path or next((usual for usual in USUAL if usual.is_file()), None))


def check_hub_url(url: str) -> None:
    """Raises SettingsError unless `url` is https, or http on a loopback address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"url is not an address: {error}") from error
    if parts.scheme == "http" and host not in ("127.0.0.1", "::1", "localhost"):
        raise SettingsError("url is plain http, which is for loopback only: use https")
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError("url is to be https://host[:port]")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("url is to hold no user, query or fragment")


def _check_source(key: str, url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{key} is not an address") from error
    if parts.scheme not in SOURCES:
        raise ValueError(f"{key} is to begin with one of {', '.join(f'{s}:' for s in SOURCES)}")
    if parts.scheme in ("rtsp", "rtsps") and not parts.hostname:
        raise ValueError(f"{key} names no host")
    if parts.password is not None:
        raise ValueError(f"{key} holds a password: give user and password_file instead")


def _check_snapshot(url: str) -> None:
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("snapshot is to be an http or https address")
    if "@" in urlsplit(url).netloc:
        raise ValueError("snapshot holds a user: give user and password_file instead")


def _check_inputs(tokens: list[str], onvif: str) -> None:
    if tokens and not onvif:
        raise ValueError("alarm_inputs needs onvif: alarm inputs are heard by ONVIF")
    if len(tokens) > MOST_INPUTS or len(set(tokens)) < len(tokens):
        raise ValueError(f"alarm_inputs is to name at most {MOST_INPUTS}, each once")
    for token in tokens:
        if not 1 <= len(token) <= LONGEST_TOKEN or token != token.strip():
            raise ValueError(f"alarm_inputs: a token is 1 to {LONGEST_TOKEN} characters")
        if not re.fullmatch(PRINTABLE, token):
            raise ValueError("alarm_inputs: a token is to hold no control characters")


def _check_polygon(polygon: Polygon) -> None:
    if len(polygon) < 3:
        raise ValueError("mask: a polygon needs at least 3 points")
    for point in polygon:
        if len(point) != 2 or not all(0.0 <= part <= 1.0 for part in point):
            raise ValueError("mask: a point is [x, y], each 0 to 1")
