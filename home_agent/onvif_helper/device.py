"""One ONVIF device: its services, asked in the order of CAM-3 and CAM-4."""

import importlib.util
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import zeep
from lxml import etree  # type: ignore[import-untyped]
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault

from home_agent.onvif_helper.soap import DeviceTransport
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from village_core.clock import SYSTEM_CLOCK
from village_core.troubles import Trouble

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA1 = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
_WSDLS = {
    DEVICE: ("ver10/device/wsdl/devicemgmt.wsdl", "DeviceBinding"),
    MEDIA1: ("ver10/media/wsdl/media.wsdl", "MediaBinding"),
    MEDIA2: ("ver20/media/wsdl/media.wsdl", "Media2Binding"),
}
_PIN = re.compile(r"sha256[:=]?([0-9a-f]{64})")
SETTINGS = zeep.Settings(
    strict=False,  # cameras leave out what the schema demands
    forbid_dtd=True,
    forbid_entities=True,
    forbid_external=True,
    xml_huge_tree=False,
)


# What zeep raises on replies that are not what the schema says, empty ones included.
UNREADABLE = (ZeepError, etree.XMLSyntaxError, ValueError, AttributeError, TypeError, LookupError)


@cache
def wsdl_folder() -> Path:
    """The official service descriptions, as the installed ONVIF library ships them."""
    found = importlib.util.find_spec("onvif")
    if found is None or not found.submodule_search_locations:
        raise SourceFailure(Trouble.PROTOCOL, "The ONVIF service descriptions are not installed.")
    return Path(found.submodule_search_locations[0]) / "wsdl"


def service_url(address: str) -> tuple[str, str | None]:
    """The device service's URL, and the pin behind #, for what a household types.

    Raises SourceFailure(PROTOCOL).
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable("it is not host, host:port or a URL") from error
    if parts.scheme not in ("http", "https") or not host:
        raise _unusable("it is not host, host:port or a URL")
    pin = None
    if parts.fragment:
        match = _PIN.fullmatch(parts.fragment.lower().replace(":", ""))
        if match is None:
            raise _unusable("after # is expected sha256: and 64 hexadecimal digits")
        pin = match[1]
    path = parts.path if parts.path not in ("", "/") else "/onvif/device_service"
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, path, parts.query, "")), pin


def _unusable(why: str) -> SourceFailure:
    return SourceFailure(Trouble.PROTOCOL, f"The ONVIF address cannot be used: {why}.")


class Device:
    """Every call raises SourceFailure; `Unsupported` when the camera has no such operation."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self.url, pin = service_url(address)
        self._parts = urlsplit(self.url)
        self.transport = DeviceTransport(Credentials(user, password) if user else None, pin)
        self._services: dict[str, Any] = {}
        self._urls = {DEVICE: self.url}
        self.skew_ms = 0

    def meet(self) -> None:
        """Reads the clock, before signing in; then which services there are."""
        answer = self.call(DEVICE, "GetSystemDateAndTime")
        self.skew_ms = self.transport.skew_ms = _skew_ms(answer)
        try:
            for each in self.call(DEVICE, "GetServices", IncludeCapability=False) or []:
                self._urls[each.Namespace] = self.here(each.XAddr)
        except Unsupported:
            self._meet_old_device()

    def _meet_old_device(self) -> None:
        """GetServices came with ONVIF 2.0."""
        found = self.call(DEVICE, "GetCapabilities", Category="All")
        for namespace, part in ((MEDIA1, "Media"), (EVENTS, "Events")):
            url = getattr(getattr(found, part, None), "XAddr", None)
            if url:
                self._urls[namespace] = self.here(url)

    def url_of(self, namespace: str) -> str:
        """Where a service is, "" when the camera has none."""
        return self._urls.get(namespace, "")

    def has(self, namespace: str) -> bool:
        return namespace in self._urls

    def here(self, url: str) -> str:
        """A URL the camera gave, at the host that we reach it by.

        Behind a forwarded port or after a move it names hosts that are not there. Its port is
        believed when it knows its own host.
        """
        parts = urlsplit(url.strip())
        if parts.scheme in ("http", "https"):
            knows_itself = parts.hostname == self._parts.hostname
            netloc = parts.netloc if knows_itself else self._parts.netloc
            scheme = parts.scheme if knows_itself else self._parts.scheme
            return urlunsplit((scheme, netloc.rpartition("@")[2], parts.path, parts.query, ""))
        host = self._parts.hostname or ""
        shown = f"[{host}]" if ":" in host else host
        netloc = f"{shown}:{parts.port}" if parts.port else shown
        return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))

    def call(self, namespace: str, operation: str, **arguments: Any) -> Any:
        """One operation's answer as zeep gives it."""
        service = self._service(namespace)
        try:
            return service[operation](**arguments)
        except Fault as fault:
            raise _fault(operation, fault) from fault
        except UNREADABLE as error:
            sentence = f"The camera's answer to {operation} cannot be read."
            raise SourceFailure(Trouble.PROTOCOL, sentence) from error

    def _service(self, namespace: str) -> Any:
        if namespace not in self._services:
            path, binding = _WSDLS[namespace]
            client = zeep.Client(  # type: ignore[no-untyped-call]
                str(wsdl_folder() / path), transport=self.transport, settings=SETTINGS
            )
            self._services[namespace] = client.create_service(  # type: ignore[no-untyped-call]
                f"{{{namespace}}}{binding}", self._urls[namespace]
            )
        return self._services[namespace]


class Unsupported(SourceFailure):
    """The camera has no such operation."""


def _fault(operation: str, fault: Fault) -> SourceFailure:
    codes = [getattr(code, "localname", str(code)) for code in fault.subcodes or []]
    shown = "".join(letter for letter in str(fault.message) if letter.isprintable())[:120]
    sentence = f"The camera refuses {operation}: {shown or ', '.join(codes) or 'no reason given'}."
    if {"ActionNotSupported", "UnknownAction", "OptionalActionNotImplemented"} & set(codes):
        return Unsupported(Trouble.PROTOCOL, sentence)
    return SourceFailure(Trouble.PROTOCOL, sentence)


def _skew_ms(answer: Any) -> int:
    """The device's UTC clock minus ours; 0 when it gives none that makes sense."""
    moment = answer.UTCDateTime if answer is not None else None
    if moment is None or moment.Date is None or moment.Time is None:
        return 0
    date, time = moment.Date, moment.Time
    try:
        told = datetime(
            date.Year,
            date.Month,
            date.Day,
            time.Hour,
            time.Minute,
            min(time.Second, 59),
            tzinfo=UTC,
        )
    except (TypeError, ValueError):
        return 0
    # Devices tell whole seconds: half of one is the best guess of the rest.
    return int(told.timestamp() * 1000) + 500 - SYSTEM_CLOCK.utc_ms()
