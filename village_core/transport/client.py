"""The client half: push media to a WHIP server as a full ICE agent (RFC 9725, design.md)."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from village_core.clock import SYSTEM_CLOCK, Clock
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.media.packet import Burst, Kind, Rewrite, SessionHandler
from village_core.transport.dtls import Certificate, Dtls, HandshakeError
from village_core.transport.ice import IceClient
from village_core.transport.ice_servers import IceServer
from village_core.transport.sdp_choose import new_ssrc
from village_core.transport.sdp_model import Answer, Choice, Codec, SdpError, Transport
from village_core.transport.sdp_read import read_answer
from village_core.transport.sdp_write import write_offer
from village_core.transport.srtp import Inbound, Receiver, Sender
from village_core.transport.whip import Created, PushError, Whip

log = logging.getLogger(__name__)

VIDEO_TYPE, REPAIR_TYPE, OPUS_TYPE = 96, 97, 111  # dynamic payload types we offer
FEEDBACK = ("nack", "nack pli", "ccm fir")
AUDIO = {
    "pcmu": Codec(0, "pcmu", 8000),
    "pcma": Codec(8, "pcma", 8000),
    "opus": Codec(OPUS_TYPE, "opus", 48_000, 2, {"minptime": "10", "useinbandfec": "1"}),
}


@dataclass(frozen=True, slots=True)
class PushMedia:
    """What is pushed: H.264 of this profile-level-id, and "PCMA", "PCMU" or "opus" or no audio."""

    profile_level_id: str | None
    audio: str | None = None
    repair: bool = False  # offer RTX (RFC 4588) besides plain retransmission


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings:
    """What all pushes of a process share. Times are seconds."""

    supervisor: Supervisor
    certificate: Certificate
    clock: Clock = SYSTEM_CLOCK
    ice_servers: Sequence[IceServer] = ()  # besides those that the server's answer names
    within: float = 15.0  # for the POST, and again for ICE and DTLS
    servers_after: float = 0.5  # of ICE without success until a relay is asked for
    relay_only: bool = False
    turn_tls: ssl.SSLContext | None = None  # for turns: servers; None trusts the public CAs
    plain_http: bool = False  # allow http beyond loopback


class Push:
    """One WHIP session, connected; an `Outlet`. Made by `start`, ended by `stop` or by the peer."""

    def __init__(self, whip: Whip, settings: PushSettings) -> None:
        self.id = new_id(settings.clock)
        self.choices: tuple[Choice, ...] = ()  # as answered: payload types and our SSRCs
        self.reason = ""
        self._whip = whip
        self._settings = settings
        self._clock = settings.clock
        self._ice = IceClient(
            settings.supervisor,
            settings.clock,
            f"push {self.id}",
            relay_only=settings.relay_only,
            loopback=whip.local,
            tls=settings.turn_tls,
        )
        self._created: Created | None = None
        self._handler: SessionHandler | None = None
        self._dtls: Dtls | None = None
        self._sender: Sender | None = None
        self._receiver: Receiver | None = None
        self._pump: asyncio.Task[Any] | None = None
        self._inbound = Inbound(2048)
        self._closed = False

    @classmethod
    async def start(
        cls,
        endpoint: str,
        bearer: str | None,
        media: PushMedia,
        handler: "SessionHandler | Callable[[Push], SessionHandler]",
        *,
        http: ClientSession,
        settings: PushSettings,
    ) -> "Push":
        """POST an offer, then connect; returns when media can be sent.

        `handler` may be made from the push, whose `choices` are known by then. PushError: refused,
        or not connected in time; nothing is left behind.
        """
        whip = Whip(http, endpoint, bearer, within=settings.within, plain_http=settings.plain_http)
        push = cls(whip, settings)
        try:
            created, answer = await push._post(media)
            push._handler = handler(push) if callable(handler) else handler
            async with asyncio.timeout(settings.within):
                await push._connect(created, answer)
        except (PushError, asyncio.CancelledError) as error:
            await push.stop(str(error) or "cancelled")
            raise
        except TimeoutError:
            sentence = "the server's media address does not answer: is its UDP port reachable?"
            await push.stop(sentence)
            raise PushError(sentence) from None
        return push

    # Outlet

    def send(self, burst: Burst, rewrite: Rewrite) -> bool:
        sender = self._sender
        return sender is not None and sender.send(burst, rewrite)

    def send_rtcp(self, compound: bytes) -> None:
        if self._sender is not None:
            self._sender.send_rtcp(compound)

    @property
    def sender(self) -> Sender | None:
        return self._sender

    def choice(self, kind: Kind) -> Choice | None:
        return next((each for each in self.choices if each.kind == kind), None)

    async def stop(self, reason: str = "stopped") -> None:
        """Cut the media at once, say goodbye, DELETE the session, free everything. Idempotent."""
        if self._cut(reason):
            await self._leave()

    def close(self, reason: str) -> None:
        """Cut the media before this returns; the rest of `stop` follows in the background."""
        if self._cut(reason):
            _ = self._settings.supervisor.once(f"end of push {self.id}", self._leave())

    # Inside

    async def _post(self, media: PushMedia) -> tuple[Created, Answer]:
        try:
            await self._ice.gather()
        except OSError as error:
            raise PushError(str(error)) from error
        offered = _offered(media)
        if not offered:
            raise PushError("there is neither video nor audio to push")
        local = Transport(
            self._ice.ufrag,
            self._ice.pwd,
            self._settings.certificate.fingerprint,
            self._ice.candidates,
        )
        self._created = created = await self._whip.publish(write_offer(offered, local))
        try:
            answer = read_answer(created.answer)
            self.choices = _accepted(offered, answer)
        except SdpError as error:
            raise PushError(f"the server's answer cannot be used: {error}") from error
        return created, answer

    async def _connect(self, created: Created, answer: Answer) -> None:
        try:
            await self._ice.connect(
                answer.transport,
                answer.candidates,
                lite=answer.lite,
                servers=[*self._settings.ice_servers, *created.servers],
                servers_after=self._settings.servers_after,
            )
        except ConnectionError as error:
            raise PushError("no path to the server's media address was found") from error
        role = "server" if answer.transport.setup == "active" else "client"
        self._dtls = Dtls(
            self._settings.certificate,
            answer.transport.fingerprints,
            role,
            self._ice.write,
            self._peer_left,
        )
        self._pump = self._settings.supervisor.once(f"pump of push {self.id}", self._run())
        try:
            keys = await self._dtls.handshake()
        except HandshakeError as error:
            raise PushError(str(error)) from error
        socket, address, offload = self._ice.selected()
        self._receiver = Receiver(keys.inbound, keys.tag)
        self._sender = Sender(keys.outbound, keys.tag, socket, address, offload=offload)
        if self._handler is not None:
            self._handler.on_connected()

    async def _run(self) -> None:
        try:
            while True:
                self._take(await self._ice.recv())
        except ConnectionError:
            self.close("the connection to the server was lost")

    def _take(self, data: bytes) -> None:
        if 19 < data[0] < 64 and self._dtls is not None:
            self._dtls.feed(data)
        elif 127 < data[0] < 192 and self._receiver is not None and len(data) <= 2048:
            self._inbound.buffer[0 : len(data)] = data
            rtp: list[bytes] = []
            self._receiver.take(self._inbound, len(data), len(data), rtp, self._on_rtcp)
            if rtp and self._handler is not None:
                self._handler.on_rtp(rtp, self._clock.monotonic())

    def _on_rtcp(self, compound: bytes) -> None:
        if self._handler is not None:
            self._handler.on_rtcp(compound, self._clock.monotonic())

    def _peer_left(self) -> None:
        self.close("the server ended the push")

    def _cut(self, reason: str) -> bool:
        if self._closed:
            return False
        self._closed = True
        self.reason = reason
        self._sender = self._receiver = None
        if self._dtls is not None:
            self._dtls.close()
        if self._pump is not None and self._pump is not asyncio.current_task():
            self._pump.cancel()
        log.info("push %s ended: %s", self.id, reason)
        if self._handler is not None:
            self._handler.on_closed(reason)
        return True

    async def _leave(self) -> None:
        await self._ice.close()
        if self._created is not None:
            await self._whip.end(self._created.location)


def _offered(media: PushMedia) -> list[Choice]:
    choices = []
    if media.profile_level_id is not None:
        parameters = {
            "level-asymmetry-allowed": "1",
            "packetization-mode": "1",
            "profile-level-id": media.profile_level_id.lower(),
        }
        video = Codec(VIDEO_TYPE, "h264", 90_000, 1, parameters, FEEDBACK)
        repair = Codec(REPAIR_TYPE, "rtx", 90_000, 1, {"apt": str(VIDEO_TYPE)})
        choices.append(
            Choice(
                "0",
                Kind.VIDEO,
                video,
                new_ssrc(),
                repair if media.repair else None,
                new_ssrc() if media.repair else None,
            )
        )
    if media.audio is not None:
        codec = AUDIO.get(media.audio.lower())
        if codec is None:
            raise PushError(f"audio must be PCMA, PCMU or opus, not {media.audio}")
        choices.append(Choice(str(len(choices)), Kind.AUDIO, codec, new_ssrc()))
    return choices


def _accepted(offered: Sequence[Choice], answer: Answer) -> tuple[Choice, ...]:
    """Our choices with the payload types that the answer gives them."""
    accepted = []
    for choice, section in zip(offered, answer.sections, strict=False):
        codec = next((c for c in section.codecs if c.name == choice.codec.name), None)
        if section.rejected or codec is None or section.direction not in ("recvonly", "sendrecv"):
            raise SdpError(f"it does not take our {choice.kind}")
        repair = next((c for c in section.codecs if c.name == "rtx"), None)
        wanted = choice.repair is not None and repair is not None
        accepted.append(
            Choice(
                choice.mid,
                choice.kind,
                codec,
                choice.ssrc,
                repair if wanted else None,
                choice.repair_ssrc if wanted else None,
            )
        )
    if len(accepted) != len(offered):
        raise SdpError("it has fewer m-sections than our offer")
    return tuple(accepted)
