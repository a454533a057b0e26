"""The far end of a WHEP session: a page of the same browser that sends a moving canvas."""

import asyncio
import re
from typing import Any

from aiohttp import web
from playwright.async_api import Page

SCRIPT = """
() => {
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 360;
  const pen = canvas.getContext("2d");
  let count = 0;
  window.moving = true;
  setInterval(() => {
    if (!window.moving) return;
    pen.fillStyle = "hsl(" + (count % 360) + " 60% 40%)";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#fff";
    pen.font = "90px sans-serif";
    pen.fillText(String(count++), 80, 200);
  }, 66);
  window.resize = (width, height) => { canvas.width = width; canvas.height = height; };
  const stream = canvas.captureStream(15);
  const gathered = (pc) => new Promise((done) => {
    if (pc.iceGatheringState === "complete") return done();
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
  });
  const codecs = RTCRtpSender.getCapabilities("video").codecs;
  const h264 = codecs.filter((c) => /H264|rtx/i.test(c.mimeType));
  window.sessions = {};
  const open = (id) => (window.sessions[id] = new RTCPeerConnection());
  const track = stream.getVideoTracks()[0];
  track.contentHint = "detail"; // keep the size, drop frames instead
  const settle = async (pc, description) => {
    await pc.setLocalDescription(description);
    await gathered(pc);
    return pc.localDescription.sdp;
  };
  window.answer = async (id, sdp) => {
    const pc = open(id);
    pc.addTrack(track, stream); // unlike a transceiver of its own, it joins the one offered
    await pc.setRemoteDescription({type: "offer", sdp});
    pc.getTransceivers()[0].setCodecPreferences(h264);
    return settle(pc, await pc.createAnswer());
  };
  window.offer = async (id) => {
    const pc = open(id);
    pc.addTransceiver(track, {direction: "sendonly", streams: [stream]}).setCodecPreferences(h264);
    return settle(pc, await pc.createOffer());
  };
  window.finish = (id, sdp) => window.sessions[id].setRemoteDescription({type: "answer", sdp});
  window.restart = async (id, ufrag, pwd) => {
    const pc = window.sessions[id];
    const sdp = pc.currentRemoteDescription.sdp
      .replace(/a=ice-ufrag:.*/g, "a=ice-ufrag:" + ufrag)
      .replace(/a=ice-pwd:.*/g, "a=ice-pwd:" + pwd)
      .replace(/a=candidate:.*\\r\\n/g, "");
    await pc.setRemoteDescription({type: "offer", sdp});
    return settle(pc, await pc.createAnswer());
  };
  window.end = (id) => { window.sessions[id].close(); delete window.sessions[id]; };
}
"""


class Peer:
    """Keeps what it was asked, and can stop moving, change its size or offer instead of answer."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.opened = 0
        self.ended: list[str] = []
        self.restarts = 0
        self.counter_offers = False
        self.refuse_restarts = False
        self.headers: dict[str, str] = {}
        self.offers: list[str] = []
        self.ended_one = asyncio.Event()

    async def prepare(self) -> None:
        await self._page.evaluate(SCRIPT)

    async def stop_moving(self) -> None:
        """No more frames, on a connection that stays."""
        await self._page.evaluate("() => { window.moving = false; }")

    async def move(self) -> None:
        await self._page.evaluate("() => { window.moving = true; }")

    async def resize(self, width: int, height: int) -> None:
        await self._page.evaluate("([w, h]) => window.resize(w, h)", [width, height])

    async def whep(self, request: web.Request) -> web.Response:
        self.opened += 1
        identity = f"session-{self.opened}"
        self.offers.append(await request.text())
        headers = {
            "Location": f"{request.path}/{identity}",
            "ETag": f'"{self.opened}"',
            **self.headers,
        }
        if self.counter_offers:
            sdp = await self._page.evaluate("(id) => window.offer(id)", identity)
            return web.Response(
                status=406, text=sdp, content_type="application/sdp", headers=headers
            )
        sdp = await self._call("answer", identity, self.offers[-1])
        return web.Response(status=201, text=sdp, content_type="application/sdp", headers=headers)

    async def session(self, request: web.Request) -> web.Response:
        identity = request.match_info["session"]
        if request.method == "DELETE":
            self.ended.append(identity)
            self.ended_one.set()
            if not self._page.is_closed():
                await self._page.evaluate("(id) => window.end(id)", identity)
            return web.Response()
        body = await request.text()
        if request.content_type == "application/sdp":
            await self._call("finish", identity, body)
            return web.Response(status=204)
        return await self._restart(identity, body)

    async def _restart(self, identity: str, fragment: str) -> web.Response:
        self.restarts += 1
        if self.refuse_restarts:
            return web.Response(status=422)
        found = dict(re.findall(r"a=ice-(ufrag|pwd):(\S+)", fragment))
        sdp = await self._page.evaluate(
            "([id, ufrag, pwd]) => window.restart(id, ufrag, pwd)",
            [identity, found["ufrag"], found["pwd"]],
        )
        wanted = re.findall(r"a=(?:ice-ufrag|ice-pwd|candidate):[^\r\n]*", sdp)
        return web.Response(
            text="\r\n".join(dict.fromkeys(wanted)) + "\r\n",
            content_type="application/trickle-ice-sdpfrag",
            headers={"ETag": f'"restart-{self.restarts}"'},
        )

    async def _call(self, name: str, identity: str, sdp: str) -> Any:
        return await self._page.evaluate(f"([id, sdp]) => window.{name}(id, sdp)", [identity, sdp])
