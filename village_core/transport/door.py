"""The sockets of the media port: one for each local address."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from village_core.transport.srtp import Address

if TYPE_CHECKING:
    from village_core.transport.lite import ServerSession

log = logging.getLogger(__name__)

UDP_GRO = 104  # linux/udp.h; Python's socket module does not name it
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33  # asm-generic/socket.h: above the sysctl limit, for root
BUFFERS = 8 << 20  # bytes wanted for each socket: a keyframe of every camera at once
TRIES = 10  # to find one free port on all addresses, when any will do


class PortError(Exception):
    """The media port cannot be opened; the sentence says which address and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSettings:
    """Where to listen, and what to tell peers.

    `addresses`: local IPv4 and IPv6 addresses, no wildcards. `advertised`: addresses or host names
    put into candidates (default: `addresses`). `advertised_port`: when a forwarded port differs.
    """

    addresses: Sequence[str]
    advertised: Sequence[str] = ()
    port: int = 8189
    advertised_port: int | None = None


class Door:
    """One bound socket, and who is known at which remote address."""

    def __init__(self, bound: socket.socket) -> None:
        self.socket = bound
        self.sessions: dict[Address, ServerSession] = {}
        self.last_read = 0.0
        self.timer: asyncio.TimerHandle | None = None


def write(door: Door, data: bytes, address: Address) -> None:
    """One datagram; lost like any other when the socket is full or the route is gone."""
    try:
        door.socket.sendto(data, address)
    except OSError as error:
        log.debug("a datagram could not be sent: %s", error)


def bind_all(settings: PortSettings) -> list[socket.socket]:
    if not settings.addresses:
        raise PortError("the media port needs at least one address")
    for _ in range(TRIES):
        bound: list[socket.socket] = []
        try:
            port = settings.port
            for host in settings.addresses:
                bound.append(_bind(host, port))
                port = port or bound[0].getsockname()[1]
        except PortError:
            for each in bound:
                each.close()
            if settings.port or len(bound) == 0:
                raise
            continue
        return bound
    raise PortError(f"no port is free on all of {', '.join(settings.addresses)}")


def _bind(host: str, port: int) -> socket.socket:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise PortError(f"the media port's address {host!r} is no IP address") from None
    if address.is_unspecified:
        raise PortError(f"the media port needs a real address of this machine, not {host}")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)  # noqa: FBT003 - the standard library's signature
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortError(f"UDP port {port} on {host}: {error.strerror}") from error
    _tune(bound)
    return bound


def _tune(bound: socket.socket) -> None:
    """Room for bursts, and datagrams joined by the kernel: each only where it can be had."""
    for forced, plain in (
        (SO_RCVBUFFORCE, socket.SO_RCVBUF),
        (SO_SNDBUFFORCE, socket.SO_SNDBUF),
    ):
        try:
            bound.setsockopt(socket.SOL_SOCKET, forced, BUFFERS)
        except OSError:
            bound.setsockopt(socket.SOL_SOCKET, plain, BUFFERS)
    try:
        bound.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    except OSError:
        log.info("this kernel does not join UDP datagrams (UDP_GRO)")
