"""What media is made of here, and the port through which it leaves.

Packet -> Burst -> Stream -> Leg -> Outlet. A burst is what is written at once: a frame or a part of
one (design.md: flushed at the marker bit, a timestamp change, 40 packets, 64,000 bytes or 5 ms).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

HEADER = 12  # bytes of an RTP header without CSRC and extension (RFC 3550 section 5.1)
VIDEO_CLOCK = 90_000  # Hz
MOST_PACKETS = 40
MOST_BYTES = 64_000
LONGEST_HOLD = 0.005  # seconds


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"


class Packet(NamedTuple):  # made for every packet received: a frozen dataclass takes twice as long
    """One RTP packet inside a node: no extension, CSRC, padding; payload as the source sent it."""

    number: int  # extended sequence number: counts on past 65,535, keeps the source's gaps
    timestamp: int  # extended RTP timestamp, in the codec's clock
    marker: bool
    payload: bytes


@dataclass(slots=True)
class Burst:
    """Packets of one timestamp, in order, written at once. Numbers are consecutive unless lost."""

    kind: Kind
    packets: list[Packet]
    keyframe: bool = False  # its first packet begins a picture that decodes alone (SPS, PPS, IDR)
    laid_out: object = None  # the outlet's cache of its own layout, shared by all legs
    octets: int = 0  # payload bytes of all packets, for sender reports; the stream fills it in


@dataclass(slots=True)
class Rewrite:
    """How one leg's copy differs: header fields of RFC 3550 section 5.1, added modulo width."""

    ssrc: int
    payload_type: int
    number_shift: int
    timestamp_shift: int


class Outlet(Protocol):
    """A connected peer to send to; implemented by village_core.transport, faked in pure tests."""

    def send(self, burst: Burst, rewrite: Rewrite) -> bool:
        """Protect and write the burst. False: the socket was full and the burst is lost whole.

        The same ssrc and number are never given twice with different bytes (GCM nonce).
        """
        ...

    def send_rtcp(self, compound: bytes) -> None:
        """Protect and write one compound RTCP packet (RFC 3550 section 6.1)."""
        ...


class SessionHandler(Protocol):
    """Who is told what a transport session receives. `now` is the monotonic clock, in seconds."""

    def on_connected(self) -> None: ...

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        """Unprotected RTP packets, as received, of one read of the socket."""
        ...

    def on_rtcp(self, compound: bytes, now: float) -> None:
        """One unprotected compound RTCP packet."""
        ...

    def on_closed(self, reason: str) -> None:
        """The session ended: peer left, 30 s without a sign of life, closed by us. Called once."""
        ...
