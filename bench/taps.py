"""Kernel receive times of the RTP packets on loopback (AF_PACKET with SO_TIMESTAMPNS; root).

On loopback the kernel stamps a packet once, when it is received; the tap and the socket it is for
are given the same stamp. So this is what SO_TIMESTAMPNS says at the hub's socket and at a viewer's,
without a change to either. Packets written in one call with segmentation offload share their stamp.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ETH_P_IP = 0x0800
SOL_PACKET, PACKET_VNET_HDR = 263, 15
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
PACKET_HOST = 0
VNET, ETHERNET, IP, UDP = 10, 14, 20, 8  # bytes of headers
LARGEST = 1 << 17
_vnet = struct.Struct("=BBHHHH")
_time = struct.Struct("qq")


@dataclass(frozen=True, slots=True)
class Seen:
    """One RTP packet: `at` in nanoseconds, ports, and what SRTP leaves clear."""

    at: int
    source: int
    target: int
    number: int
    timestamp: int
    marker: bool
    size: int


class Tap:
    """Hears all RTP to or from one UDP port on loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.bind(("lo", ETH_P_IP))
        self.socket.setblocking(False)

    def read(self) -> Iterator[Seen]:
        """All that waits."""
        while True:
            try:
                data, ancillary, _, sender = self.socket.recvmsg(LARGEST, 64)
            except BlockingIOError:
                return
            if sender[2] == PACKET_HOST:
                for level, kind, value in ancillary:
                    if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                        seconds, rest = _time.unpack(value[:16])
                        yield from self._packets(data, seconds * 1_000_000_000 + rest)

    def close(self) -> None:
        self.socket.close()

    def _packets(self, data: bytes, at: int) -> Iterator[Seen]:
        start = VNET + ETHERNET
        if len(data) < start + IP + UDP or data[start + 9] != socket.IPPROTO_UDP:
            return
        start += IP
        source, target = struct.unpack_from("!HH", data, start)
        if self._port not in (source, target):
            return
        start += UDP
        step = _vnet.unpack_from(data)[3] or len(data) - start
        for offset in range(start, len(data), step):
            first, second, number, stamp = struct.unpack_from("!BBHI", data, offset)
            if first >> 6 == 2 and not 191 < second < 224:
                size = min(step, len(data) - offset)
                yield Seen(at, source, target, number, stamp, second > 127, size)
