"""WS-Discovery 1.0 (2005/04) as ONVIF Core 7 profiles it: probes out, matches in, no socket.

Written here because the library that there is puts all types into one Probe, where they are ANDed,
expands entities, and lets its threads die.
"""

import uuid
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
TO = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
GROUP4, GROUP6, PORT = "239.255.255.250", "ff02::c", 3702
LARGEST = 64 * 1024  # bytes of a datagram
SCOPE = "onvif://www.onvif.org/"

# Two Probes, not one with both types: devices answer only when they have all that are listed, and
# many have only one of these (CAM-1).
TYPES = (
    ("dn", "http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("tds", "http://www.onvif.org/ver10/device/wsdl", "Device"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A message to send; answers name its id."""

    message_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Match:
    """One device of a ProbeMatches or ResolveMatches."""

    relates_to: str
    endpoint_reference: str
    scopes: tuple[str, ...]
    xaddrs: tuple[str, ...]

    def scope(self, name: str) -> str:
        """The last part of scope onvif://www.onvif.org/<name>/...; "" when there is none."""
        prefix = f"{SCOPE}{name}/"
        for scope in self.scopes:
            if scope.lower().startswith(prefix.lower()):
                return scope[len(prefix) :]
        return ""


def probes() -> list[Question]:
    """One Probe for each of TYPES, each with a fresh MessageID."""
    return [_probe(*kind) for kind in TYPES]


def _probe(prefix: str, namespace: str, name: str) -> Question:
    body = f'<d:Probe><d:Types xmlns:{prefix}="{namespace}">{prefix}:{name}</d:Types></d:Probe>'
    return _question("Probe", body)


def resolve(endpoint_reference: str) -> Question:
    """Asks where one device is now (directed: CAM-2 allows it at any time)."""
    address = Xml.Element("a:Address")
    address.text = endpoint_reference
    text = Xml.tostring(address, encoding="unicode")
    body = f"<d:Resolve><a:EndpointReference>{text}</a:EndpointReference></d:Resolve>"
    return _question("Resolve", body)


def _question(action: str, body: str) -> Question:
    message_id = f"urn:uuid:{uuid.uuid4()}"
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:d="{DISCOVERY}"><s:Header>'
        f'<a:Action s:mustUnderstand="1">{DISCOVERY}/{action}</a:Action>'
        f"<a:MessageID>{message_id}</a:MessageID>"
        f"<a:ReplyTo><a:Address>{ADDRESSING}/role/anonymous</a:Address></a:ReplyTo>"
        f'<a:To s:mustUnderstand="1">{TO}</a:To>'
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return Question(message_id, text.encode())


def read_matches(data: bytes) -> list[Match]:
    """The devices that a datagram tells of; none when it is anything else.

    Document types are refused before the parser sees them, so there are no entities (DEV-11).
    """
    root = _parse(data)
    if root is None or root.tag != f"{{{SOAP}}}Envelope":
        return []
    relates_to = root.findtext(f"{{{SOAP}}}Header/{{{ADDRESSING}}}RelatesTo", "").strip()
    body = f"{{{SOAP}}}Body/{{{DISCOVERY}}}"
    devices = [
        *root.findall(f"{body}ProbeMatches/{{{DISCOVERY}}}ProbeMatch"),
        *root.findall(f"{body}ResolveMatches/{{{DISCOVERY}}}ResolveMatch"),
    ]
    matches = (_match(device, relates_to) for device in devices)
    return [match for match in matches if match.endpoint_reference]


def _parse(data: bytes) -> Xml.Element | None:
    if len(data) > LARGEST:
        return None
    try:
        text = data.decode("utf-8-sig").strip("\0 \r\n\t")
        if "<!" in text.replace("<!--", ""):
            return None
        return Xml.fromstring(text)  # noqa: S314 - no document type, so no entities
    except (UnicodeDecodeError, Xml.ParseError, ValueError):
        return None


def _match(device: Xml.Element, relates_to: str) -> Match:
    path = f"{{{ADDRESSING}}}EndpointReference/{{{ADDRESSING}}}Address"
    return Match(
        relates_to=relates_to,
        endpoint_reference=_plain(device.findtext(path, "")),
        scopes=tuple(_plain(device.findtext(f"{{{DISCOVERY}}}Scopes", "")).split()),
        xaddrs=tuple(_plain(device.findtext(f"{{{DISCOVERY}}}XAddrs", "")).split()),
    )


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
