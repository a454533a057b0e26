"""Light WHIP and WHEP clients for tests and load generators: a hundred of them fit in one process.

One UDP socket each, no candidates gathered: the server must be ICE-lite, as ours is, and be reached
at the first of its candidates that fits the socket's family. Everything is on by call: reports and
NACKs are sent only when the user sends them.
"""

import asyncio
import contextlib
import ipaddress
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urljoin

from aiohttp import ClientSession
from aioice import stun

from village_core.jobs import Supervisor
from village_core.media.packet import Burst, Rewrite
from village_core.transport.dtls import PROFILES, Certificate, Dtls, Keys
from village_core.transport.sdp import Answer, read_answer
from village_core.transport.srtp import Address, Inbound, Receiver, Sender

VIDEO_TYPE, REPAIR_TYPE, AUDIO_TYPE = 102, 103, 8
CHECK_EVERY = 0.05  # seconds until the first answer
KEEP_EVERY = 5.0  # seconds between checks afterwards (RFC 7675)
_inbound = Inbound()

OnRtp = Callable[[list[bytes]], None]
OnRtcp = Callable[[bytes], None]


class LightPeer:
    """One peer: give its `offer` to the server and the answer to `connect`.

    `direction` is "recvonly" or "sendonly". A `deaf` peer counts packets without unprotecting them.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        direction: str = "recvonly",
        host: str = "127.0.0.1",
        audio: bool = False,
        profile_level_id: str = "42e01f",
        srtp_profiles: Sequence[Any] = PROFILES,
        deaf: bool = False,
        on_rtp: OnRtp | None = None,
        on_rtcp: OnRtcp | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self.supervisor = supervisor
        self.certificate = certificate or _shared_certificate()
        self.direction, self.audio, self.profile_level_id = direction, audio, profile_level_id
        self.srtp_profiles = srtp_profiles
        self.deaf = deaf
        self.on_rtp, self.on_rtcp = on_rtp or self._keep_rtp, on_rtcp or self._keep_rtcp
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.packets = self.bytes = self.checks_answered = 0
        self.ssrc = secrets.randbits(31) | 1
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(16)
        self.socket = _bound(host)
        self.server: Address = ()
        self.answer: Answer | None = None
        self.keys: Keys | None = None
        self.sender: Sender | None = None
        self.left = asyncio.Event()
        self._receiver: Receiver | None = None
        self._early: list[bytes] = []
        self._dtls: Dtls | None = None
        self._answered = asyncio.Event()
        self._keeping: asyncio.Task[Any] | None = None
        asyncio.get_running_loop().add_reader(self.socket, self._read)

    @property
    def offer(self) -> str:
        return _offer(self)

    async def connect(self, answer: str, within: float = 10.0) -> None:
        """ICE and DTLS with the server of this answer. TimeoutError."""
        self.answer = read_answer(answer)
        self.server = self._reachable(self.answer)
        self._dtls = Dtls(
            self.certificate,
            self.answer.transport.fingerprints,
            "client",
            self._write,
            self.left.set,
            self.srtp_profiles,
        )
        self._keeping = self.supervisor.once(f"checks {self.ufrag}", self._keep_checking())
        async with asyncio.timeout(within):
            await self._answered.wait()
            self.keys = keys = await self._dtls.handshake()
        self._receiver = Receiver(keys.inbound, keys.tag)
        self.sender = Sender(keys.outbound, keys.tag, self.socket, self.server)
        self._take_early()

    def send(self, burst: Burst, rewrite: Rewrite) -> bool:
        assert self.sender is not None
        return self.sender.send(burst, rewrite)

    def send_rtcp(self, compound: bytes) -> None:
        assert self.sender is not None
        self.sender.send_rtcp(compound)

    def check(self, *, nominate: bool = True) -> bytes:
        """A connectivity check as the controlling agent sends it."""
        assert self.answer is not None
        return build_check(
            f"{self.answer.transport.ufrag}:{self.ufrag}",
            self.answer.transport.pwd,
            nominate=nominate,
        )

    def move(self, host: str = "127.0.0.1") -> socket.socket:
        """Go on from a new socket (a NAT that changed its mind); returns the old one, open."""
        loop = asyncio.get_running_loop()
        old = self.socket
        loop.remove_reader(old)
        self.socket = _bound(host)
        loop.add_reader(self.socket, self._read)
        if self.sender is not None:
            self.sender.move(self.socket, self.server)
        return old

    def stop_checking(self) -> None:
        """Send no more checks, as webrtcbin does once it is connected."""
        if self._keeping is not None:
            self._keeping.cancel()

    def vanish(self) -> None:
        """Stop without a word, as a phone that lost its network."""
        self.stop_checking()
        if self.socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.socket)
            self.socket.close()

    def close(self) -> None:
        """Say goodbye and stop."""
        if self._dtls is not None and self.socket.fileno() >= 0:
            self._dtls.close()
        self.vanish()

    # Inside

    def _keep_rtp(self, packets: list[bytes]) -> None:
        self.rtp += packets

    def _keep_rtcp(self, compound: bytes) -> None:
        self.rtcp.append(compound)

    def _reachable(self, answer: Answer) -> Address:
        for candidate in answer.candidates:
            version = ipaddress.ip_address(candidate.host).version
            if (version == 6) == (self.socket.family == socket.AF_INET6):
                return (candidate.host, candidate.port)
        raise ConnectionError("the answer has no candidate of this family")

    async def _keep_checking(self) -> None:
        while True:
            self._write(self.check())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), CHECK_EVERY)
                await asyncio.sleep(KEEP_EVERY)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # lost, as datagrams are
            self.socket.sendto(data, self.server)

    def _read(self) -> None:
        receive, buffer = self.socket.recv_into, _inbound.buffer
        rtp: list[bytes] = []
        try:
            for _ in range(256):
                size = receive(buffer)
                first = _inbound.view[0]
                if 127 < first < 192:
                    self._count(size, rtp)
                elif 19 < first < 64 and self._dtls is not None:
                    self._dtls.feed(buffer[:size])
                elif first < 4:
                    self._on_stun(buffer[:size])
        except BlockingIOError:
            pass
        except ConnectionError:
            self.left.set()  # the server's port is closed
        if rtp:
            self.on_rtp(rtp)

    def _count(self, size: int, rtp: list[bytes]) -> None:
        self.packets += 1
        self.bytes += size
        if self.deaf:
            return
        if self._receiver is None:
            self._early.append(_inbound.buffer[:size])
        else:
            self._receiver.take(_inbound, size, size, rtp, self.on_rtcp)

    def _take_early(self) -> None:
        """What came behind the handshake's last record, before its task went on."""
        assert self._receiver is not None
        rtp: list[bytes] = []
        for data in self._early:
            _inbound.buffer[: len(data)] = data
            self._receiver.take(_inbound, len(data), len(data), rtp, self.on_rtcp)
        self._early.clear()
        if rtp:
            self.on_rtp(rtp)

    def _on_stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.message_class == stun.Class.RESPONSE:
            self.checks_answered += 1
            self._answered.set()


def build_check(
    username: str, pwd: str, *, nominate: bool = True, controlled: bool = False
) -> bytes:
    """A binding request (RFC 8445 section 7.1.1)."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1853693695
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = secrets.randbits(64)
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(pwd.encode())
    return bytes(message)


class Pull:
    """A WHEP client over HTTP: `await Pull.start(...)`, then `peer` receives; `await stop()`."""

    def __init__(self, http: ClientSession, location: str, bearer: str | None, peer: LightPeer):
        self.http, self.location, self.bearer, self.peer = http, location, bearer, peer

    @classmethod
    async def start(
        cls,
        endpoint: str,
        bearer: str | None,
        *,
        http: ClientSession,
        supervisor: Supervisor,
        **peer_options: Any,
    ) -> "Pull":
        """Also a WHIP client, with direction="sendonly". RuntimeError: no 201."""
        peer = LightPeer(supervisor, **peer_options)
        headers = {"Content-Type": "application/sdp", **_authorization(bearer)}
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(peer.close)
            async with http.post(endpoint, data=peer.offer, headers=headers) as response:
                text = await response.text()
                if response.status != 201:
                    raise RuntimeError(f"{response.status}: {text}")
                location = urljoin(str(response.url), response.headers["Location"])
            await peer.connect(text)
            undo.pop_all()
        return cls(http, location, bearer, peer)

    async def stop(self) -> int:
        """DELETE; returns its status."""
        self.peer.close()
        async with self.http.delete(self.location, headers=_authorization(self.bearer)) as response:
            return response.status


def _authorization(bearer: str | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}


_certificates: list[Certificate] = []


def _shared_certificate() -> Certificate:
    if not _certificates:
        _certificates.append(Certificate.make())
    return _certificates[0]


def _bound(host: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    bound.bind((host, 0))
    return bound


def _offer(peer: LightPeer) -> str:
    common = [
        f"a=ice-ufrag:{peer.ufrag}",
        f"a=ice-pwd:{peer.pwd}",
        f"a=fingerprint:sha-256 {peer.certificate.fingerprint.value}",
        "a=setup:actpass",
        f"a={peer.direction}",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
    ]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {'0 1' if peer.audio else '0'}",
        f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO_TYPE} {REPAIR_TYPE}",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        *common,
        f"a=rtpmap:{VIDEO_TYPE} H264/90000",
        f"a=fmtp:{VIDEO_TYPE} level-asymmetry-allowed=1;packetization-mode=1;"
        f"profile-level-id={peer.profile_level_id}",
        *(f"a=rtcp-fb:{VIDEO_TYPE} {each}" for each in ("nack", "nack pli", "ccm fir")),
        f"a=rtpmap:{REPAIR_TYPE} rtx/90000",
        f"a=fmtp:{REPAIR_TYPE} apt={VIDEO_TYPE}",
    ]
    if peer.direction == "sendonly":
        lines += [f"a=ssrc:{peer.ssrc} cname:light", "a=msid:light video"]
    if peer.audio:
        lines += [f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO_TYPE}", "c=IN IP4 0.0.0.0", "a=mid:1"]
        lines += [*common, f"a=rtpmap:{AUDIO_TYPE} PCMA/8000"]
    return "\r\n".join(lines) + "\r\n"
