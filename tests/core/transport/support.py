"""What the transport's tests share: a recorder, a clock that can be turned, a hub without HTTP."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.support.peers import LightPeer
from village_core.jobs import Supervisor
from village_core.media.packet import Burst, Kind, Packet, Rewrite
from village_core.transport import Choice, MediaPort, ServerSession, sdp

RECEIVER_REPORT = bytes.fromhex("80c90001") + (7).to_bytes(4, "big")  # an empty one, from SSRC 7


class Recorder:
    """A SessionHandler that keeps what it is told."""

    def __init__(self) -> None:
        self.connected = 0
        self.rtp: list[bytes] = []
        self.batches: list[int] = []
        self.rtcp: list[bytes] = []
        self.closed: list[str] = []

    def on_connected(self) -> None:
        self.connected += 1

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        self.rtp += packets
        self.batches.append(len(packets))

    def on_rtcp(self, compound: bytes, now: float) -> None:
        self.rtcp.append(compound)

    def on_closed(self, reason: str) -> None:
        self.closed.append(reason)


class TurnedClock:
    """The system's clock, turned ahead by `turn`; long sleeps are short."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def turn(self, seconds: float) -> None:
        self.ahead += seconds

    def utc_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


class Hub:
    """A MediaPort that takes offers by call instead of by HTTP."""

    def __init__(self, port: MediaPort, supervisor: Supervisor) -> None:
        self.port = port
        self.supervisor = supervisor
        self.peers: list[LightPeer] = []
        self.choices: list[Choice] = []

    async def peer(self, **options: Any) -> tuple[LightPeer, ServerSession, Recorder]:
        """A connected peer: a viewer unless direction="sendonly"."""
        peer = LightPeer(self.supervisor, **options)
        self.peers.append(peer)
        session, recorder, answer = self.accept(peer)
        await peer.connect(answer)
        await until(lambda: recorder.connected)
        return peer, session, recorder

    def accept(self, peer: LightPeer) -> tuple[ServerSession, Recorder, str]:
        recorder = Recorder()
        offer = sdp.read_offer(peer.offer)
        if peer.direction == "sendonly":
            choices, direction = sdp.choose_to_receive(offer), "recvonly"
        else:
            choices, direction = sdp.choose_to_send(offer, "42e01f", None), "sendonly"
        session = self.port.accept(offer, recorder, choices)
        self.choices = choices
        return session, recorder, sdp.write_answer(offer, choices, session.description, direction)


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    """Poll until the condition holds; TimeoutError names nothing, the traceback does."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - it looks at the world, not at an event
            await asyncio.sleep(0.002)


def burst(first: int, *sizes: int, timestamp: int = 0) -> Burst:
    """Packets numbered from `first`; each payload of these sizes is filled with its index."""
    packets = [
        Packet(first + index, timestamp, index == len(sizes) - 1, bytes([index % 256]) * size)
        for index, size in enumerate(sizes)
    ]
    return Burst(Kind.VIDEO, packets)


def rewrite(
    ssrc: int = 1234, payload_type: int = 102, number: int = 0, timestamp: int = 0
) -> Rewrite:
    return Rewrite(ssrc, payload_type, number, timestamp)
