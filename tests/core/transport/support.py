"""A hub in miniature: a MediaPort behind WHIP and WHEP routes, on loopback."""

from village_core.media.packet import Burst, Kind, Packet


class Recorder:
    """A SessionHandler that keeps what it is told."""

    def __init__(self) -> None:
        self.connected = False
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.closed: list[str] = []

    def on_connected(self) -> None:
        self.connected = True

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        self.rtp += packets

    def on_rtcp(self, compound: bytes, now: float) -> None:
        self.rtcp.append(compound)

    def on_closed(self, reason: str) -> None:
        self.closed.append(reason)


def burst(first: int, *sizes: int, timestamp: int = 0) -> Burst:
    """Packets numbered from `first`, payloads of these sizes filled with their number."""
    packets = [
        Packet(first + index, timestamp, index == len(sizes) - 1, bytes([index % 256]) * size)
        for index, size in enumerate(sizes)
    ]
    return Burst(Kind.VIDEO, packets)
