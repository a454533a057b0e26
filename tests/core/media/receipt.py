"""A receiver's test bench: packets of a made source, and what came out."""

from tests.core.media.support import TICKS, Sink
from village_core.media import rtp
from village_core.media.receiver import Receiver
from village_core.media.receiving import Receiving

SSRC = 77


def packet(
    number: int,
    *,
    timestamp: int | None = None,
    marker: bool = True,
    ssrc: int = SSRC,
    payload: bytes | None = None,
    kind: int = 96,
) -> bytes:
    """The `number`th small picture of a source, unless told otherwise."""
    return rtp.build(
        kind,
        number,
        number * TICKS if timestamp is None else timestamp,
        ssrc,
        b"\x41\x9a" + number.to_bytes(8) if payload is None else payload,
        marker=marker,
    )


def repair(number: int) -> bytes:
    """The same picture as RFC 4588 sends it again."""
    original = rtp.parse(packet(number))
    assert original is not None
    payload = (number & 0xFFFF).to_bytes(2) + original.payload
    return rtp.build(97, 5000 + number, original.timestamp, SSRC + 1, payload, marker=True)


class Receipt:
    """A receiver and what came out of it, in one clock."""

    def __init__(self, receiving: Receiving | None = None) -> None:
        self.sink = Sink()
        self.receiver = Receiver(receiving or Receiving(96, rtx_payload_type=97), self.sink)
        self.now = 50.0
        self.nacks: list[int] = []

    def take(self, *datagrams: bytes) -> None:
        self.receiver.feed(list(datagrams), self.now)
        self.nacks += self.receiver.take_nacks()

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until - 1e-9:
            self.now = min(self.now + 0.005, until)
            self.receiver.tick(self.now)
            self.nacks += self.receiver.take_nacks()

    @property
    def numbers(self) -> list[int]:
        """What was handed on, counted from the first."""
        return [number - self.sink.number for number in self.sink.numbers]
