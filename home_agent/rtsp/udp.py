"""A pair of UDP ports for one track, and the order of its packets (RFC 3550 section 11)."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

from home_agent.rtsp.failure import SourceFailure
from village_core.media import rtp
from village_core.troubles import Trouble

ATTEMPTS = 20  # at finding an even port whose neighbour is free
RECEIVE_BUFFER = 1 << 20  # bytes: a keyframe arrives at once
_EMPTY_RTP = bytes((0x80, 0)) + bytes(10)
_EMPTY_RTCP = bytes((0x80, 201, 0, 1)) + bytes(4)


def _ignore(packet: bytes) -> None:
    """Until somebody listens."""


class _Port(asyncio.DatagramProtocol):
    def __init__(self, pair: "UdpPair", *, rtcp: bool) -> None:
        self._pair = pair
        self._rtcp = rtcp

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0] == self._pair.remote_host:
            (self._pair.on_rtcp if self._rtcp else self._pair.on_rtp)(data)


class UdpPair:
    """RTP on an even port, RTCP on the next. Packets from other hosts are passed over."""

    def __init__(self, remote_host: str) -> None:
        self.remote_host = remote_host
        self.on_rtp: Callable[[bytes], None] = _ignore
        self.on_rtcp: Callable[[bytes], None] = _ignore
        self.server_ports: tuple[int, int] | None = None
        self.port = 0
        self._transports: list[asyncio.DatagramTransport] = []

    @classmethod
    async def open(cls, local_host: str, remote_host: str) -> "UdpPair":
        """Raises SourceFailure when no two neighbouring ports are free."""
        for _ in range(ATTEMPTS):
            sockets = _bind_pair(local_host)
            if sockets is None:
                continue
            pair = cls(remote_host)
            pair.port = sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            for index, each in enumerate(sockets):
                make = partial(_Port, pair, rtcp=index == 1)
                transport, _ = await loop.create_datagram_endpoint(make, sock=each)
                pair._transports.append(transport)
            return pair
        raise SourceFailure(Trouble.PROTOCOL, "No two neighbouring UDP ports are free here.")

    def open_path(self) -> None:
        """One small packet each way out, so that a firewall between lets the camera's in."""
        self._send(0, _EMPTY_RTP)
        self.send_rtcp(_EMPTY_RTCP)

    def send_rtcp(self, packet: bytes) -> None:
        self._send(1, packet)

    def close(self) -> None:
        for transport in self._transports:
            transport.abort()

    def _send(self, index: int, packet: bytes) -> None:
        port = self.server_ports[index] if self.server_ports else 0
        if 0 < port <= 65_535:
            self._transports[index].sendto(packet, (self.remote_host, port))


def _bind_pair(host: str) -> tuple[socket.socket, socket.socket] | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first, second = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
    try:
        first.bind((host, 0))
        port = first.getsockname()[1]
        second.bind((host, port + 1 if port % 2 == 0 and port < 65_535 else 0))
        if port % 2 == 0:
            for each in (first, second):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                each.settimeout(0)
            return first, second
    except OSError:
        pass
    first.close()
    second.close()
    return None


class Order:
    """Hands packets on in the order of their numbers; holds back at most `most` behind a gap."""

    def __init__(self, hand_on: Callable[[bytes], None], most: int = 64) -> None:
        self._hand_on = hand_on
        self._most = most
        self._next: int | None = None
        self._held: dict[int, bytes] = {}

    def take(self, packet: bytes) -> None:
        if len(packet) < 12:
            return
        number = int.from_bytes(packet[2:4])
        if self._next is None:
            self._next = number
        ahead = rtp.signed(number - self._next, 16)
        if ahead < -self._most or ahead > 8 * self._most:  # the camera began to count anew
            self._release()
            self._next = number
        elif ahead < 0:
            return
        self._held[number] = packet
        self._drain()
        if len(self._held) > self._most:
            self._skip()

    def _drain(self) -> None:
        while self._next is not None and (packet := self._held.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            self._hand_on(packet)

    def _skip(self) -> None:
        """Give the gap up: go on with the nearest packet held."""
        start = self._next or 0
        self._next = min(self._held, key=lambda number: (number - start) & 0xFFFF)
        self._drain()

    def _release(self) -> None:
        while self._held:
            self._skip()
