"""A hub of one camera: WHEP plays a canned H.264 clip, WHIP decodes what it gets.

It stands on village_core.transport alone, so that other people's clients test exactly that.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from aiohttp import web

from village_core.jobs import Supervisor
from village_core.media import rfc6184, rtp
from village_core.media.packet import Burst, Kind, Packet, Rewrite
from village_core.transport import MediaPort, SdpError, ServerSession, sdp, signalling

WIDTH, HEIGHT, RATE, CLIP = 640, 360, 15, 30  # pixels, pixels, frames a second, frames
PROFILE = "42c01f"
CLOCK = 90_000


def clip(frames: int = CLIP) -> list[list[bytes]]:
    """Access units (lists of NAL units) of a moving test pattern, a keyframe every second."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {
        "profile": "baseline",
        "tune": "zerolatency",
        "preset": "ultrafast",
        "x264-params": f"keyint={RATE}:repeat-headers=1:slices=1",
    }
    with av.open(f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}", format="lavfi") as source:
        units: list[list[bytes]] = []
        for frame in source.decode(video=0):
            if len(units) == frames:
                break
            picture = frame.reformat(format="yuv420p")
            units += [nals(bytes(packet)) for packet in encoder.encode(picture)]
    return units


def nals(annex_b: bytes) -> list[bytes]:
    parts = annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts if part]


@dataclass
class Watching:
    """One WHEP session."""

    session: ServerSession | None = None
    video: sdp.Choice | None = None
    rtcp: list[bytes] = field(default_factory=list)
    closed: str | None = None

    def on_connected(self) -> None: ...

    def on_rtp(self, packets: list[bytes], now: float) -> None: ...

    def on_rtcp(self, compound: bytes, now: float) -> None:
        self.rtcp.append(compound)

    def on_closed(self, reason: str) -> None:
        self.closed = reason


@dataclass
class Publishing:
    """One WHIP session: its packets are put together and decoded."""

    payload_type: int
    packets: int = 0
    frames: list[tuple[int, int]] = field(default_factory=list)
    closed: str | None = None
    _unpack: rfc6184.Depacketiser = field(default_factory=rfc6184.Depacketiser)
    _decoder: Any = field(default_factory=lambda: av.CodecContext.create("h264", "r"))

    def on_connected(self) -> None: ...

    def on_rtp(self, packets: list[bytes], now: float) -> None:
        for raw in packets:
            self.packets += 1
            parsed = rtp.parse(raw)
            if parsed is None or parsed.payload_type != self.payload_type or not parsed.payload:
                continue
            packet = Packet(parsed.number, parsed.timestamp, parsed.marker, parsed.payload)
            for unit in self._unpack.feed(packet):
                self._decode(unit.nals)

    def on_rtcp(self, compound: bytes, now: float) -> None: ...

    def on_closed(self, reason: str) -> None:
        self.closed = reason

    def _decode(self, units: list[bytes]) -> None:
        data = b"".join(b"\0\0\0\1" + nal for nal in units)
        with contextlib.suppress(av.FFmpegError):
            self.frames += [(f.width, f.height) for f in self._decoder.decode(av.Packet(data))]


class TinyHub:
    def __init__(self, port: MediaPort, supervisor: Supervisor) -> None:
        self.port = port
        self.supervisor = supervisor
        self.watching: list[Watching] = []
        self.publishing: list[Publishing] = []
        self.urls: dict[str, signalling.SessionUrl] = {}
        self.bearers: list[str | None] = []
        self._units = clip()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/whep", self._whep)
        app.router.add_post("/whip", self._whip)
        for path in ("/whep", "/whip", "/sessions/{id}"):
            app.router.add_options(path, self._options)
        app.router.add_get("/", self._page)
        app.router.add_patch("/sessions/{id}", self._patch)
        app.router.add_delete("/sessions/{id}", self._delete)
        return app

    async def play(self) -> None:
        """Send the clip round and round to every connected viewer."""
        number = count = 0
        while True:
            for unit in self._units:
                timestamp = count * CLOCK // RATE
                payloads = rfc6184.packetise(unit)
                packets = [
                    Packet(number + i, timestamp, i == len(payloads) - 1, payload)
                    for i, payload in enumerate(payloads)
                ]
                self._send(packets)
                number, count = number + len(packets), count + 1
                await asyncio.sleep(1 / RATE)

    def _send(self, packets: list[Packet]) -> None:
        bursts = [Burst(Kind.VIDEO, packets[at : at + 40]) for at in range(0, len(packets), 40)]
        for each in self.watching:
            if each.session is not None and each.video is not None:
                rewrite = Rewrite(each.video.ssrc, each.video.codec.payload_type, 0, 0)
                for burst in bursts:
                    each.session.send(burst, rewrite)

    async def _whep(self, request: web.Request) -> web.Response:
        self.bearers.append(request.headers.get("Authorization"))
        if refused := signalling.post_type(request.headers.get("Content-Type", "")):
            return _response(refused)
        try:
            offer = sdp.read_offer(await request.text())
            choices = sdp.choose_to_send(offer, PROFILE, None)
        except SdpError as error:
            return _response(signalling.offer_refused(error))
        watching = Watching(video=choices[0])
        watching.session = self.port.accept(offer, watching, choices)
        self.watching.append(watching)
        return self._created(watching.session, offer, choices, "sendonly")

    async def _whip(self, request: web.Request) -> web.Response:
        self.bearers.append(request.headers.get("Authorization"))
        try:
            offer = sdp.read_offer(await request.text())
            choices = sdp.choose_to_receive(offer)
        except SdpError as error:
            return _response(signalling.offer_refused(error))
        video = next(each for each in choices if each.kind == Kind.VIDEO)
        publishing = Publishing(video.codec.payload_type)
        self.publishing.append(publishing)
        session = self.port.accept(offer, publishing, choices)
        return self._created(session, offer, choices, "recvonly")

    def _created(
        self,
        session: ServerSession,
        offer: sdp.Offer,
        choices: list[sdp.Choice],
        direction: str,
    ) -> web.Response:
        url = signalling.SessionUrl(session, offer, choices)
        self.urls[url.secret] = url
        answer = sdp.write_answer(offer, choices, session.description, direction)
        return _response(url.created(answer, f"/sessions/{url.secret}"))

    async def _patch(self, request: web.Request) -> web.Response:
        headers = request.headers
        url = self.urls[request.match_info["id"]]
        content_type, match = headers.get("Content-Type", ""), headers.get("If-Match")
        return _response(url.patch(content_type, match, await request.text()))

    async def _delete(self, request: web.Request) -> web.Response:
        return _response(self.urls[request.match_info["id"]].delete())

    async def _options(self, request: web.Request) -> web.Response:
        return _response(signalling.preflight())

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>t</title>", content_type="text/html")


def _response(reply: signalling.Reply) -> web.Response:
    response = web.Response(status=reply.status, text=reply.body or reply.detail)
    for name, value in reply.headers:
        if name == "Content-Type":
            response.content_type = value
        else:
            response.headers.add(name, value)
    return response
