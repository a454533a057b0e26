"""The RTSP dialogue with a camera (RFC 2326): describe, set up, play, keep alive, tear down."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from home_agent.rtsp.address import Address, read_address
from home_agent.rtsp.connection import ANSWER_TIMEOUT, Connection, connect
from home_agent.rtsp.digest import Authenticator
from home_agent.rtsp.failure import SourceFailure
from home_agent.rtsp.messages import Response
from home_agent.rtsp.sdp import Description, SdpSyntaxError, Track, read_description
from home_agent.rtsp.udp import UdpPair
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

MOST_REDIRECTS = 3
MOST_ATTEMPTS = 3  # of one request: unauthorised, stale nonce, right
USER_AGENT = "security-village"
SESSION_TIMEOUT = 60  # seconds, section 12.37, when the camera names none
SHORTEST_KEEP_ALIVE, LONGEST_KEEP_ALIVE = 1.0, 25.0
_SESSION = re.compile(r"\s*([^\s;]+)\s*(?:;\s*timeout\s*=\s*(\d{1,6}))?", re.IGNORECASE)
_INTERLEAVED = re.compile(r"interleaved\s*=\s*(\d{1,3})\s*-\s*(\d{1,3})", re.IGNORECASE)
_SERVER_PORTS = re.compile(r"server_port\s*=\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?", re.IGNORECASE)

OnPacket = Callable[[bytes], None]


@dataclass(slots=True)
class Receiving:
    """Who gets a track's packets; `rtcp_channel` and `udp` say how reports go back."""

    on_rtp: OnPacket
    on_rtcp: OnPacket
    rtcp_channel: int | None = None
    udp: UdpPair | None = None


@dataclass(slots=True)
class _State:
    session: str = ""
    timeout: int = SESSION_TIMEOUT
    public: set[str] = field(default_factory=set)
    playing: str = ""  # the aggregate URL


class RtspClient:
    """One session with one camera. Every method raises SourceFailure; `close` never does."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None
        self._authenticator = Authenticator(address.credentials)
        self._routes: dict[int, OnPacket] = {}
        self._tracks: list[Receiving] = []
        self._state = _State()

    @property
    def scheme(self) -> str | None:
        """How the camera wanted us to sign in: None, "basic", "digest MD5", "digest SHA-256"."""
        return self._authenticator.scheme

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise SourceFailure(Trouble.STALLED, "There is no connection to the camera.")
        return self._connection

    @property
    def keep_alive_every(self) -> float:
        """Seconds: below half the session's timeout."""
        half = self._state.timeout * 0.45
        return min(max(half, SHORTEST_KEEP_ALIVE), LONGEST_KEEP_ALIVE)

    async def describe(self) -> Description:
        """Connects and asks what there is, following redirections."""
        for _ in range(MOST_REDIRECTS + 1):
            self._connection = await connect(self._address, self._on_frame)
            await self._options()
            response = await self._ask(
                "DESCRIBE", self._address.url, [("Accept", "application/sdp")]
            )
            if response.status not in (301, 302, 303, 305, 307, 308):
                return self._description(response)
            self._redirect(response)
        raise SourceFailure(Trouble.PROTOCOL, "The camera redirects in circles.")

    async def set_up(self, track: Track, receiving: Receiving, *, udp: bool = False) -> None:
        """Prepares a track; TCP unless `udp`. The camera may insist on the other (461)."""
        set_up = self._set_up_udp if udp else self._set_up_tcp
        response = await set_up(track, receiving)
        if response.status == 461:
            set_up = self._set_up_tcp if udp else self._set_up_udp
            response = await set_up(track, receiving)
        _expect_ok(response, "SETUP")
        self._tracks.append(receiving)

    async def play(self, description: Description) -> None:
        response = await self._ask("PLAY", description.control, [("Range", "npt=now-")])
        if response.status not in (200, 401, 454):  # a camera that knows no "now" (section 3.6)
            response = await self._ask("PLAY", description.control, [])
        _expect_ok(response, "PLAY")
        self._state.playing = description.control
        for receiving in self._tracks:
            if receiving.udp is not None:
                receiving.udp.open_path()

    async def keep_alive(self) -> None:
        """Any request refreshes the session (CAM-6); GET_PARAMETER where the camera lists it."""
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._state.public else "OPTIONS"
        response = await self._ask(method, self._state.playing or self._address.url, [])
        if response.status == 454:
            raise SourceFailure(Trouble.STALLED, "The camera has forgotten the session.")
        if response.status in (404, 405, 501, 551):
            self._state.public.discard("GET_PARAMETER")

    def report(self, receiving: Receiving, rtcp: bytes) -> None:
        """Sends a receiver report back: some cameras take a silent receiver for a dead one."""
        if receiving.udp is not None:
            receiving.udp.send_rtcp(rtcp)
        elif receiving.rtcp_channel is not None:
            self.connection.send_frame(receiving.rtcp_channel, rtcp)

    async def close(self) -> None:
        """Tears the session down, politely but not patiently."""
        connection = self._connection
        if connection is None:
            return
        try:
            if self._state.session and not connection.lost.done():
                await self._ask("TEARDOWN", self._state.playing or self._address.url, [], 1.0)
        except SourceFailure as failure:
            log.debug("teardown: %s", failure)
        finally:
            connection.close()
            for receiving in self._tracks:
                if receiving.udp is not None:
                    receiving.udp.close()

    async def _options(self) -> None:
        response = await self._ask("OPTIONS", self._address.url, [])
        public = response.headers.first("public") or ""
        self._state.public = {word.strip().upper() for word in public.split(",")}

    async def _ask(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        timeout: float = ANSWER_TIMEOUT,  # noqa: ASYNC109 - passed on
    ) -> Response:
        """One request, signed in as far as the camera asks for it."""
        for _ in range(MOST_ATTEMPTS):
            response = await self.connection.request(
                method, url, [*self._common(method, url), *headers], timeout
            )
            if response.status != 401:
                self._remember(response)
                return response
            challenges = response.headers.get("www-authenticate", [])
            if not self._authenticator.challenged(challenges):
                raise self._unauthorised()
        raise self._unauthorised()

    def _common(self, method: str, url: str) -> list[tuple[str, str]]:
        headers = [("User-Agent", USER_AGENT)]
        if self._state.session:
            headers.append(("Session", self._state.session))
        if authorization := self._authenticator.header(method, url):
            headers.append(("Authorization", authorization))
        return headers

    def _remember(self, response: Response) -> None:
        match = _SESSION.match(response.headers.first("session") or "")
        if match and response.status < 300:
            self._state.session = match[1]
            if match[2]:
                self._state.timeout = max(int(match[2]), 1)

    def _unauthorised(self) -> SourceFailure:
        if self._address.credentials is None:
            sentence = "The camera asks for a user and password, and none is set."
        elif self._authenticator.scheme is None:
            sentence = "The camera offers no way of signing in that is known here."
            return SourceFailure(Trouble.PROTOCOL, sentence)
        else:
            sentence = "The camera refuses the user or password."
        return SourceFailure(Trouble.WRONG_PASSWORD, sentence)

    def _description(self, response: Response) -> Description:
        _expect_ok(response, "DESCRIBE")
        base = (
            response.headers.first("content-base")
            or response.headers.first("content-location")
            or self._address.url
        )
        base = base if "://" in base else urljoin(self._address.url, base)
        try:
            return read_description(response.body, base)
        except SdpSyntaxError as error:
            raise SourceFailure(Trouble.PROTOCOL, f"The camera broke SDP: {error}.") from error

    def _redirect(self, response: Response) -> None:
        self.connection.close()
        location = response.headers.first("location")
        if not location:
            raise SourceFailure(Trouble.PROTOCOL, "The camera redirects to nowhere.")
        target = read_address(urljoin(self._address.url, location), self._address.credentials)
        if self._address.tls and not target.tls:
            raise SourceFailure(Trouble.PROTOCOL, "The camera redirects from rtsps to rtsp.")
        if target.host != self._address.host:
            # A household's password goes to the device that it was given for, and to no other.
            raise SourceFailure(Trouble.PROTOCOL, "The camera redirects to another device.")
        self._address = target
        self._authenticator = Authenticator(target.credentials)

    async def _set_up_tcp(self, track: Track, receiving: Receiving) -> Response:
        channel = 2 * len(self._tracks)
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        self._route(channel, channel + 1, receiving)  # some cameras play before they answer
        response = await self._ask("SETUP", track.control, [("Transport", transport)])
        if response.status == 200:
            match = _INTERLEAVED.search(response.headers.first("transport") or "")
            if match:  # the camera's choice counts
                self._route(int(match[1]), int(match[2]), receiving)
        return response

    def _route(self, rtp: int, rtcp: int, receiving: Receiving) -> None:
        receiving.udp, receiving.rtcp_channel = None, rtcp & 0xFF
        self._routes[rtp] = receiving.on_rtp
        self._routes[rtcp] = receiving.on_rtcp

    async def _set_up_udp(self, track: Track, receiving: Receiving) -> Response:
        pair = await UdpPair.open(self.connection.local_host, self.connection.remote_host)
        pair.on_rtp, pair.on_rtcp = receiving.on_rtp, receiving.on_rtcp
        transport = f"RTP/AVP;unicast;client_port={pair.port}-{pair.port + 1}"
        granted = False
        try:
            response = await self._ask("SETUP", track.control, [("Transport", transport)])
            granted = response.status == 200
        finally:
            if not granted:
                pair.close()
        if not granted:
            return response
        match = _SERVER_PORTS.search(response.headers.first("transport") or "")
        if match:
            rtp = int(match[1])
            pair.server_ports = (rtp, int(match[2]) if match[2] else rtp + 1)
        receiving.udp, receiving.rtcp_channel = pair, None
        return response

    def _on_frame(self, channel: int, payload: bytes) -> None:
        take = self._routes.get(channel)
        if take is not None:
            take(payload)


def _expect_ok(response: Response, method: str) -> None:
    if response.status == 200:
        return
    said = f"{response.status} {response.reason}"[:80]
    trouble, why = {
        403: (Trouble.WRONG_PASSWORD, "The camera's account may not watch this stream"),
        404: (Trouble.NO_STREAM, "The camera has no such stream"),
        453: (Trouble.PROTOCOL, "The camera has too many viewers already"),
        461: (Trouble.PROTOCOL, "The camera sends neither over TCP nor over UDP"),
    }.get(response.status, (Trouble.PROTOCOL, f"The camera refuses {method}"))
    raise SourceFailure(trouble, f"{why} ({said}).")
