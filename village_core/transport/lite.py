"""The server half of a session: ICE-lite, DTLS server, then SRTP on the port's sockets.

    waiting --first check--> connecting --keys--> connected --goodbye, silence, close--> closed

An address is *claimed* by an authenticated check: STUN answers and DTLS go there. It is *proved* by
the finished handshake or by authentic SRTP or SRTCP: only then is media sent there. Where a session
shakes hands, and where it is since, no other session can be; addresses only claimed can be lost.
Until a new address is proved, media goes to the old one, which the peer has proved to be its own.
"""

import logging
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from village_core.ids import new_id
from village_core.media.packet import Burst, Rewrite, SessionHandler
from village_core.transport.dtls import Dtls, HandshakeError, Keys
from village_core.transport.sdp_model import PeerTransport, Transport
from village_core.transport.srtp import Address, Inbound, Receiver, Sender
from village_core.transport.stun import Check, Credentials

if TYPE_CHECKING:
    from village_core.transport.door import Door
    from village_core.transport.port import MediaPort

log = logging.getLogger(__name__)

HANDSHAKE_WITHIN = 15.0  # seconds from the answer to the keys
ALIVE_WITHIN = 30.0  # seconds: webrtcbin sends no consent checks, so any authentic packet counts
MOST_ADDRESSES = 8  # a peer may try from; each claim is an entry in the port's tables


class State(StrEnum):
    WAITING = "waiting"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"


class ServerSession:
    """One peer connected to a MediaPort; an `Outlet`. Made by `MediaPort.accept`."""

    def __init__(
        self,
        port: "MediaPort",
        offered: PeerTransport,
        handler: "SessionHandler | Callable[[ServerSession], SessionHandler]",
    ) -> None:
        self.id = new_id(port.clock)
        self.state = State.WAITING
        self.reason = ""
        self.profile = ""
        self._port = port
        self._began = self._seen = port.clock.monotonic()
        self._current = _credentials(offered.ufrag)
        self._renewed: Credentials | None = None
        self._claims: list[tuple[Door, Address]] = []
        self._at: tuple[Door, Address] | None = None  # where DTLS, then media goes
        self._dtls = Dtls(
            port.certificate, offered.fingerprints, "server", self._write, self._peer_left
        )
        self._sender: Sender | None = None
        self._receiver: Receiver | None = None
        self._rtp: list[bytes] = []
        self._handler = handler(self) if callable(handler) else handler
        port.know(self._current.ufrag, self)

    @property
    def description(self) -> Transport:
        """Our end for `write_answer`; after `restart_ice` the new generation's."""
        latest = self._renewed or self._current
        port = self._port
        return Transport(latest.ufrag, latest.pwd, port.certificate.fingerprint, port.candidates)

    @property
    def peer_ufrag(self) -> str:
        """The peer's fragment of the newest generation."""
        return (self._renewed or self._current).peer

    @property
    def sender(self) -> Sender | None:
        """What has been sent, counted; None before the keys exist."""
        return self._sender

    # Outlet

    def send(self, burst: Burst, rewrite: Rewrite) -> bool:
        sender = self._sender
        return sender is not None and sender.send(burst, rewrite)

    def send_rtcp(self, compound: bytes) -> None:
        if self._sender is not None:
            self._sender.send_rtcp(compound)

    # Life

    def restart_ice(self, peer_ufrag: str) -> Transport:
        """A new generation; the old one holds until a check uses the new (RFC 8445 section 9)."""
        if self._renewed is not None:
            self._port.unknow(self._renewed.ufrag)
        self._renewed = _credentials(peer_ufrag)
        if self.state != State.CLOSED:
            self._port.know(self._renewed.ufrag, self)
        return self.description

    def close(self, reason: str) -> None:
        """Say goodbye to the peer, free everything, tell the handler. Idempotent."""
        if self.state == State.CLOSED:
            return
        self._dtls.close()
        self.state = State.CLOSED
        self.reason = reason
        self._sender = self._receiver = None
        self._rtp = []
        for door, address in self._claims:
            door.sessions.pop(address, None)
        self._claims.clear()
        self._at = None
        self._port.unknow(self._current.ufrag)
        if self._renewed is not None:
            self._port.unknow(self._renewed.ufrag)
        self._port.forget(self)
        log.info("session %s closed: %s", self.id, reason)
        self._handler.on_closed(reason)

    def tick(self, now: float) -> None:
        """Called every second by the port."""
        if self.state == State.CONNECTED:
            if now - self._seen > ALIVE_WITHIN:
                self.close("no sign of life for 30 s")
        elif now - self._began > HANDSHAKE_WITHIN:
            self.close("the peer did not connect in time")

    # From the port

    def recognise(self, check: Check) -> Credentials | None:
        """The generation that authenticates this check; using the new one retires the old."""
        renewed = self._renewed
        if renewed is not None and check.ufrag == renewed.ufrag:
            if not check.authentic(renewed):
                return None
            self._port.unknow(self._current.ufrag)
            self._current, self._renewed = renewed, None
            return renewed
        return self._current if check.authentic(self._current) else None

    def lives_at(self, door: "Door", address: Address) -> bool:
        """Whether the handshake runs there, or the peer is there since."""
        return self._at == (door, address)

    def gain(self, door: "Door", address: Address) -> None:
        if len(self._claims) >= MOST_ADDRESSES:
            oldest = next(each for each in self._claims if each != self._at)
            oldest[0].sessions.pop(oldest[1], None)
            self._claims.remove(oldest)
        self._claims.append((door, address))

    def lose(self, door: "Door", address: Address) -> None:
        self._claims.remove((door, address))

    def on_check(self, door: "Door", address: Address, now: float) -> None:
        if self.state == State.WAITING:
            self.state = State.CONNECTING
            _ = self._port.supervisor.once(f"handshake of session {self.id}", self._connect())
        if self._at == (door, address):
            self._seen = now

    def on_dtls(self, door: "Door", address: Address, record: bytes) -> None:
        if self.state == State.CONNECTING:
            self._at = (door, address)
        self._dtls.feed(record)

    def on_media(
        self, door: "Door", address: Address, inbound: Inbound, total: int, size: int
    ) -> bool:
        """Take SRTP and SRTCP of one read; True when some of it was authentic."""
        receiver = self._receiver
        return receiver is not None and receiver.take(
            inbound, total, size, self._rtp, self._on_rtcp
        )

    def seen(self, door: "Door", address: Address, now: float) -> None:
        """Authentic media came from here: this is where the peer is."""
        self._seen = now
        if self._at != (door, address) and self._sender is not None:
            self._at = (door, address)
            self._sender.move(door.socket, address)
            log.info("session %s is now at %s", self.id, address[:2])

    def deliver(self, now: float) -> None:
        """Give the handler what the last read brought."""
        if self._rtp and self.state == State.CONNECTED:
            rtp, self._rtp = self._rtp, []
            self._handler.on_rtp(rtp, now)

    # Inside

    async def _connect(self) -> None:
        try:
            keys = await self._dtls.handshake()
        except HandshakeError as error:
            self.close(str(error))
            return
        if self.state == State.CONNECTING:
            self._connected(keys)

    def _connected(self, keys: Keys) -> None:
        if self._at is None:
            return  # keys without a datagram: cannot be
        door, address = self._at
        self._sender = Sender(keys.outbound, keys.tag, door.socket, address)
        self._receiver = Receiver(keys.inbound, keys.tag)
        self.profile = keys.profile
        self.state = State.CONNECTED
        self._seen = self._port.clock.monotonic()
        log.info("session %s connected from %s with %s", self.id, address[:2], keys.profile)
        self._handler.on_connected()

    def _on_rtcp(self, compound: bytes) -> None:
        self._handler.on_rtcp(compound, self._port.clock.monotonic())

    def _peer_left(self) -> None:
        self.close("the peer left")

    def _write(self, record: bytes) -> None:
        if self._at is not None:
            door, address = self._at
            try:
                door.socket.sendto(record, address)
            except OSError as error:
                log.debug("session %s: a DTLS record was not sent: %s", self.id, error)


def _credentials(peer: str) -> Credentials:
    """128 random bits of password (RFC 8445 section 5.3 asks for 128, and 24 for the fragment)."""
    return Credentials(secrets.token_hex(8), secrets.token_hex(16), peer)
