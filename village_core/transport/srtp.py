"""SRTP in place, and whole bursts in one system call (RFC 3711, RFC 7714; design.md, media path).

A burst is laid out once for all legs: headers, payloads and room for the tags in one block. Each
leg copies the block into one reused buffer, writes its own headers, protects every packet where it
lies and hands the lot to the kernel with UDP segmentation offload. The loops here run for every
packet of every viewer: they are written for speed, and measured.
"""

import errno
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, Protocol, cast

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from village_core.media.packet import HEADER, Burst, Packet, Rewrite

UDP_SEGMENT = 103  # linux/udp.h; Python's socket module does not name it
MOST_SEGMENTS = 64  # UDP_MAX_SEGMENTS of the kernels before 6.9
LARGEST_WRITE = 65_000  # bytes of one UDP datagram before segmentation, below IPv4's 65,507
SCRATCH = 1 << 17  # bytes: any burst within packet.MOST_BYTES and MOST_PACKETS, and to spare
MOST_LAID_OUT = 128  # packets
LARGEST_RTCP = 1400  # bytes of a compound packet before SRTCP's trailer
MOST_SIZES = 64  # of coalesced datagrams whose places are remembered
RTCP_TYPES = frozenset(range(192, 224))  # in the second byte (RFC 5761 section 4)
MOST_SOURCES = 64  # SSRCs one peer may use: libsrtp keeps a context for each, for good

ANY_SIZE = 1 << 16
# The kernel, the route's device or its MTU has no segmentation offload for us.
NO_OFFLOAD = frozenset({errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP})

_write_head = struct.Struct("!IQ").pack_into  # V..M PT seq | timestamp SSRC
_segment_size = struct.Struct("=H").pack

Address = tuple[Any, ...]
Ancillary = list[tuple[int, int, bytes]]


class Scratch:
    """The buffer packets are protected in: one per thread, as libsrtp runs without the GIL."""

    def __init__(self) -> None:
        self.memory = ffi.new("char[]", SCRATCH)
        self.buffer = ffi.buffer(self.memory)
        self.view = memoryview(self.buffer)
        self.lengths = ffi.new("int[]", MOST_LAID_OUT)


class _Local(threading.local):
    def __init__(self) -> None:
        self.scratch = Scratch()


_local = _Local()


class Run:
    """Packets of one size behind each other (the last may be shorter): one write with offload."""

    __slots__ = ("ancillary", "pieces", "size", "views")

    def __init__(self, view: memoryview, size: int, count: int) -> None:
        self.size = size
        self.views = [view]
        self.ancillary: Ancillary = []
        if count > 1:
            self.ancillary = [(socket.IPPROTO_UDP, UDP_SEGMENT, _segment_size(size))]
        self.pieces = [view[at : at + size] for at in range(0, len(view), size)]


class Layout:
    """A burst as it will lie in the scratch buffer for one length of tag; shared by all legs."""

    __slots__ = ("block", "heads", "length_points", "lengths", "points", "runs", "scratch", "size")

    def __init__(self, burst: Burst, tag: int, scratch: Scratch) -> None:
        packets = burst.packets
        self.size = sum(HEADER + tag + len(packet.payload) for packet in packets)
        if self.size > SCRATCH or len(packets) > MOST_LAID_OUT:
            raise ValueError(f"a burst of {len(packets)} packets, {self.size} bytes is too large")
        self.scratch = scratch
        room, space = bytes(HEADER), bytes(tag)
        self.block = b"".join([room + packet.payload + space for packet in packets])
        offsets = list(_offsets(packets, tag))
        self.heads = [
            (offset, packet.number, packet.marker << 23, packet.timestamp)
            for offset, packet in zip(offsets, packets, strict=True)
        ]
        self.points = [scratch.memory + offset for offset in offsets]
        self.length_points = [scratch.lengths + index for index in range(len(packets))]
        self.lengths = ffi.new("int[]", [HEADER + len(packet.payload) for packet in packets])
        self.runs = list(_runs([HEADER + tag + len(p.payload) for p in packets], scratch.view))


def _offsets(packets: list[Packet], tag: int) -> Iterator[int]:
    offset = 0
    for packet in packets:
        yield offset
        offset += HEADER + tag + len(packet.payload)


def _runs(sizes: list[int], view: memoryview) -> Iterator[Run]:
    """Cut into runs that one write with offload may carry."""
    start = index = 0
    while index < len(sizes):
        size = sizes[index]
        count, end = 0, start
        while index < len(sizes) and count < MOST_SEGMENTS:
            this = sizes[index]
            if this > size or end + this - start > LARGEST_WRITE:
                break
            end += this
            count += 1
            index += 1
            if this < size:  # a shorter packet can only be the last
                break
        if not count:  # one packet above the limit: let the kernel refuse it
            end, count, index = start + size, 1, index + 1
        yield Run(view[start:end], size, count)
        start = end


class Writes(Protocol):
    """What a sender writes through: a UDP socket, or a relay."""

    def sendmsg(
        self, buffers: list[memoryview], ancillary: Ancillary, flags: int, address: Address, /
    ) -> int: ...

    def sendto(self, data: memoryview | bytes, address: Address, /) -> int: ...


class Sender:
    """Protects and writes what one peer is sent; `Outlet.send` of both halves.

    `full` counts bursts lost to a full socket, `failed` those lost to another error.
    """

    def __init__(
        self, session: Session, tag: int, socket_: Writes, address: Address, *, offload: bool = True
    ) -> None:
        self._session = session  # keeps libsrtp's context alive
        self._context = repeat(session._srtp[0])
        self._tag = tag
        self._scratch = _local.scratch
        self._socket = socket_
        self.address = address
        self._refused_from = ANY_SIZE if offload else 0  # bytes a packet
        self.packets = self.bytes = self.full = self.failed = 0

    @property
    def offload(self) -> bool:
        """Whether the kernel still segments for us."""
        return self._refused_from > 0

    def move(self, socket_: Writes, address: Address) -> None:
        """Write to another address from now on."""
        self._socket, self.address = socket_, address

    def send(self, burst: Burst, rewrite: Rewrite) -> bool:
        """`Outlet.send`: False means that the burst is lost."""
        laid_out = burst.laid_out
        if laid_out is None:
            laid_out = burst.laid_out = {}
        layouts = cast(dict[int, Layout], laid_out)
        layout = layouts.get(self._tag)
        scratch = self._scratch
        if layout is None or layout.scratch is not scratch:
            layout = layouts[self._tag] = Layout(burst, self._tag, scratch)
        scratch.buffer[0 : layout.size] = layout.block
        number_shift, timestamp_shift = rewrite.number_shift, rewrite.timestamp_shift
        first, ssrc = 0x80000000 | rewrite.payload_type << 16, rewrite.ssrc
        buffer, write_head = scratch.buffer, _write_head
        for offset, number, marker, timestamp in layout.heads:
            write_head(
                buffer,
                offset,
                first | marker | (number + number_shift & 0xFFFF),
                (timestamp + timestamp_shift & 0xFFFFFFFF) << 32 | ssrc,
            )
        ffi.memmove(scratch.lengths, layout.lengths, 4 * len(layout.heads))
        if any(map(lib.srtp_protect, self._context, layout.points, layout.length_points)):
            self.failed += 1
            return False
        return self._write(layout)

    def _write(self, layout: Layout) -> bool:
        try:
            for run in layout.runs:
                if run.ancillary and run.size < self._refused_from:
                    self._write_run(run)
                else:
                    for piece in run.pieces:
                        self._socket.sendto(piece, self.address)
        except BlockingIOError:
            self.full += 1
            return False
        except OSError:
            self.failed += 1
            return False
        self.packets += len(layout.heads)
        self.bytes += layout.size
        return True

    def _write_run(self, run: Run) -> None:
        try:
            self._socket.sendmsg(run.views, run.ancillary, 0, self.address)
        except OSError as error:
            if error.errno not in NO_OFFLOAD:
                raise
            # EINVAL may mean packets above the route's MTU: smaller ones may still pass.
            self._refused_from = run.size if error.errno == errno.EINVAL else 0
            for piece in run.pieces:
                self._socket.sendto(piece, self.address)

    def send_rtcp(self, compound: bytes) -> None:
        """Protect and write one compound packet; lost silently like any datagram.

        ValueError: longer than LARGEST_RTCP bytes or not whole 32-bit words.
        """
        size = len(compound)
        if not 8 <= size <= LARGEST_RTCP or size % 4:
            raise ValueError(f"{size} bytes are no RTCP packet to send")
        scratch = self._scratch
        scratch.buffer[0:size] = compound
        scratch.lengths[0] = size
        if lib.srtp_protect_rtcp(next(self._context), scratch.memory, scratch.lengths):
            self.failed += 1
            return
        try:
            self._socket.sendto(scratch.view[: scratch.lengths[0]], self.address)
        except OSError:
            self.failed += 1


class Inbound:
    """The buffer datagrams are read into and unprotected in."""

    def __init__(self, size: int = 1 << 16) -> None:
        self.memory = ffi.new("char[]", size)
        self.buffer = ffi.buffer(self.memory)
        self.view = memoryview(self.buffer)
        self.lengths = ffi.new("int[]", MOST_SEGMENTS)
        self.length_points = [self.lengths + index for index in range(MOST_SEGMENTS)]
        self._points: dict[int, list[Any]] = {}

    def points(self, size: int) -> list[Any]:
        """Where datagrams of one size lie that the kernel coalesced (UDP_GRO)."""
        found = self._points.get(size)
        if found is None:
            if len(self._points) >= MOST_SIZES:
                self._points.clear()
            most = min(MOST_SEGMENTS, -(-len(self.view) // size))
            found = self._points[size] = [self.memory + index * size for index in range(most)]
        return found


class Receiver:
    """Unprotects what one peer sends, in place."""

    def __init__(self, session: Session, tag: int) -> None:
        self._session = session
        self._context = session._srtp[0]
        self._length = ffi.new("int *")
        self._least_rtp = HEADER + tag
        self._least_rtcp = 8 + 4 + tag  # SRTCP adds its index (RFC 3711 section 3.4)
        self._sources: set[bytes] = set()
        self.refused = 0  # not authentic, replayed, or beyond MOST_SOURCES

    def take(
        self,
        inbound: Inbound,
        total: int,
        size: int,
        rtp: list[bytes],
        on_rtcp: Callable[[bytes], None],
    ) -> bool:
        """Unprotect `total` bytes of datagrams of `size` each (the last may be shorter).

        RTP is appended to `rtp`, each RTCP packet given to `on_rtcp` (RFC 5761 section 4). True
        when at least one was authentic.
        """
        if total > size and self._sources and (run := self._take_run(inbound, total, size)):
            rtp += run
            return True
        view, buffer, memory = inbound.view, inbound.buffer, inbound.memory
        context, length, unprotect = self._context, self._length, lib.srtp_unprotect
        sources, least = self._sources, self._least_rtp
        authentic = False
        for offset in range(0, total, size):
            here = min(total - offset, size)
            if 191 < view[offset + 1 if here > 1 else offset] < 224:
                if self._take_rtcp(inbound, offset, here, on_rtcp):
                    authentic = True
                continue
            if here < least:
                self.refused += 1
                continue
            length[0] = here
            source = buffer[offset + 8 : offset + 12]
            if source not in sources and not self._may_add(source):
                continue
            if unprotect(context, memory + offset, length):
                self.refused += 1
                continue
            sources.add(source)
            authentic = True
            rtp.append(buffer[offset : offset + length[0]])
        return authentic

    def _take_run(self, inbound: Inbound, total: int, size: int) -> list[bytes]:
        """Coalesced datagrams that are all RTP, in one go; none taken when they are not that.

        Nothing is lost by trying: what did not authenticate is left as it was received, and what
        did is given back. Sources are counted afterwards: they may exceed MOST_SOURCES by one run.
        """
        count = -(-total // size)
        last = total - (count - 1) * size
        if (
            count > MOST_SEGMENTS
            or last < self._least_rtp
            or len(self._sources) >= MOST_SOURCES
            or not RTCP_TYPES.isdisjoint(inbound.view[1:total:size])
        ):
            return []
        lengths = inbound.lengths
        lengths[0:count] = [size] * (count - 1) + [last]
        points = inbound.points(size)[:count]
        failures = list(
            map(lib.srtp_unprotect, repeat(self._context), points, inbound.length_points)
        )
        ends = zip(range(0, total, size), ffi.unpack(lengths, count), failures, strict=True)
        buffer = inbound.buffer
        taken = [buffer[at : at + length] for at, length, failed in ends if not failed]
        self.refused += count - len(taken)
        self._sources.update({packet[8:12] for packet in taken})
        return taken

    def _take_rtcp(
        self, inbound: Inbound, offset: int, here: int, on_rtcp: Callable[[bytes], None]
    ) -> bool:
        source = inbound.buffer[offset + 4 : offset + 8]
        if here < self._least_rtcp or (source not in self._sources and not self._may_add(source)):
            self.refused += 1
            return False
        self._length[0] = here
        if lib.srtp_unprotect_rtcp(self._context, inbound.memory + offset, self._length):
            self.refused += 1
            return False
        self._sources.add(source)
        on_rtcp(inbound.buffer[offset : offset + self._length[0]])
        return True

    def _may_add(self, source: bytes) -> bool:
        if len(self._sources) < MOST_SOURCES:
            return True
        self.refused += 1
        return False
