"""A device that answers WS-Discovery, for tests on loopback or in a namespace.

Strict as the standard lets a device be: it answers only probes whose every type it has, in the
2005/04 namespace, addressed `To` the discovery URN, and never the same MessageID twice.
"""

import asyncio
import socket
import struct
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from lxml import etree  # type: ignore[import-untyped]

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
D = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
TO = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
NVT = "{http://www.onvif.org/ver10/network/wsdl}NetworkVideoTransmitter"
TDS_DEVICE = "{http://www.onvif.org/ver10/device/wsdl}Device"
GROUP4, GROUP6, PORT = "239.255.255.250", "ff02::c", 3702


@dataclass
class WsdDevice(asyncio.DatagramProtocol):
    """Answers on one interface."""

    xaddrs: str = "http://127.0.0.1:8080/onvif/device_service"
    scopes: str = (
        "onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/hardware/LC-1"
        " onvif://www.onvif.org/Profile/Streaming"
    )
    types: frozenset[str] = frozenset({NVT, TDS_DEVICE})
    endpoint_reference: str = field(default_factory=lambda: f"urn:uuid:{uuid.uuid4()}")
    knows_resolve: bool = True
    probed: list[frozenset[str]] = field(default_factory=list)  # the types of each Probe
    message_ids: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False))
        message_id = root.findtext(f"{{{S}}}Header/{{{A}}}MessageID")
        to = root.findtext(f"{{{S}}}Header/{{{A}}}To")
        if to != TO or message_id is None or message_id in self._seen:
            return
        self._seen.add(message_id)
        self.message_ids.append(message_id)
        probe = root.find(f"{{{S}}}Body/{{{D}}}Probe")
        if probe is not None and self._matches(probe):
            self._answer("ProbeMatch", message_id, addr)
        elif self.knows_resolve and self._is_resolved(root):
            self._answer("ResolveMatch", message_id, addr)

    def _matches(self, probe: etree._Element) -> bool:
        types = probe.find(f"{{{D}}}Types")
        wanted = frozenset(
            f"{{{types.nsmap[name.partition(':')[0]]}}}{name.partition(':')[2]}"
            for name in (types.text or "").split()
        )
        self.probed.append(wanted)
        return wanted <= self.types

    def _is_resolved(self, root: etree._Element) -> bool:
        path = f"{{{S}}}Body/{{{D}}}Resolve/{{{A}}}EndpointReference/{{{A}}}Address"
        return bool(root.findtext(path) == self.endpoint_reference)

    def _answer(self, kind: str, relates_to: str, addr: tuple[str, int]) -> None:
        names = " ".join(f"t{n}:{each.partition('}')[2]}" for n, each in enumerate(self.types))
        spaces = "".join(
            f' xmlns:t{n}="{each[1:].partition("}")[0]}"' for n, each in enumerate(self.types)
        )
        text = (
            f'<?xml version="1.0"?><s:Envelope xmlns:s="{S}" xmlns:a="{A}" xmlns:d="{D}"{spaces}>'
            f"<s:Header><a:Action>{D}/{kind}es</a:Action><a:MessageID>urn:uuid:{uuid.uuid4()}"
            f"</a:MessageID><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body>"
            f"<d:{kind}es><d:{kind}><a:EndpointReference><a:Address>{self.endpoint_reference}"
            f"</a:Address></a:EndpointReference><d:Types>{names}</d:Types>"
            f"<d:Scopes>{self.scopes}</d:Scopes><d:XAddrs>{self.xaddrs}</d:XAddrs>"
            f"<d:MetadataVersion>1</d:MetadataVersion></d:{kind}></d:{kind}es></s:Body></s:Envelope>"
        )
        assert self._transport
        self._transport.sendto(text.encode(), addr)


@asynccontextmanager
async def wsd_device(address: str = "127.0.0.1", **settings: object) -> AsyncIterator[WsdDevice]:
    """Listening on the interface of `address`; "::%eth0" listens by IPv6 on eth0."""
    device = WsdDevice(**settings)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: device, sock=_socket(address))
    try:
        yield device
    finally:
        transport.abort()


def _socket(address: str) -> socket.socket:
    six = ":" in address
    ear = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if six:
        index = socket.if_nametoindex(address.partition("%")[2])
        group = socket.inet_pton(socket.AF_INET6, GROUP6) + struct.pack("@I", index)
        ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        ear.bind(("::", PORT))
    else:
        member = socket.inet_aton(GROUP4) + socket.inet_aton(address)
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        ear.bind(("", PORT))
    ear.settimeout(0)
    return ear
