"""A real Chromium with plain JavaScript, no player library: watching and publishing."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from tests.interop.conftest import HubUrl, own_address
from tests.interop.tiny_hub import HEIGHT, WIDTH, TinyHub

pytestmark = pytest.mark.browser

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

WATCH = """
async ([url, token]) => {
  const pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  pc.addTransceiver("video", {direction: "recvonly"});
  pc.addTransceiver("audio", {direction: "recvonly"});
  const video = document.createElement("video");
  video.muted = true; video.autoplay = true; document.body.append(video);
  pc.ontrack = (event) => { if (event.track.kind === "video") video.srcObject = event.streams[0]; };
  const begun = performance.now();
  const painted = new Promise((done) => video.requestVideoFrameCallback(
    () => done(performance.now() - begun)));
  await pc.setLocalDescription();
  const headers = {"Content-Type": "application/sdp", "Authorization": "Bearer " + token};
  const reply = await fetch(url, {method: "POST", headers, body: pc.localDescription.sdp});
  await pc.setRemoteDescription({type: "answer", sdp: await reply.text()});
  Object.assign(window, {pc, video, headers, reply,
    session: new URL(reply.headers.get("Location"), url).href, etag: reply.headers.get("ETag")});
  return {status: reply.status, first: await painted};
}
"""

STATE = """
async () => {
  const stats = [...(await pc.getStats()).values()];
  const inbound = stats.find((each) => each.type === "inbound-rtp" && each.kind === "video") || {};
  const path = stats.find((each) => each.type === "transport") || {};
  const width = window.video.videoWidth, height = window.video.videoHeight;
  const pen = Object.assign(document.createElement("canvas"), {width, height}).getContext("2d");
  pen.drawImage(window.video, 0, 0);
  const pixels = pen.getImageData(0, 0, width, height).data;
  return {decoded: inbound.framesDecoded, lost: inbound.packetsLost, width, height,
    srtp: path.srtpCipher, ice: pc.iceConnectionState, colours: new Set(pixels).size};
}
"""

RESTART = """
async () => {
  pc.restartIce();
  await pc.setLocalDescription(await pc.createOffer());
  const pick = (name) => pc.localDescription.sdp.match(new RegExp("a=" + name + ":(.*)"))[0].trim();
  const body = [pick("ice-ufrag"), pick("ice-pwd")].join("\\r\\n") + "\\r\\n";
  const reply = await fetch(session, {method: "PATCH", body, headers: {...headers,
    "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}});
  const fragment = await reply.text();
  const take = (name) => fragment.match(new RegExp("a=" + name + ":.*"))[0].trim();
  const answer = pc.remoteDescription.sdp
    .replace(/a=ice-ufrag:.*/g, take("ice-ufrag")).replace(/a=ice-pwd:.*/g, take("ice-pwd"));
  await pc.setRemoteDescription({type: "answer", sdp: answer});
  return {status: reply.status, renewed: reply.headers.get("ETag") !== etag};
}
"""

PUBLISH = """
async ([url, token]) => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 240});
  const pen = canvas.getContext("2d");
  let count = 0;
  setInterval(() => {
    pen.fillStyle = `hsl(${count++ * 7} 80% 50%)`;
    pen.fillRect(0, 0, 320, 240);
  }, 50);
  const stream = canvas.captureStream(15);
  const pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  pc.addTransceiver(stream.getVideoTracks()[0], {direction: "sendonly", streams: [stream]});
  await pc.setLocalDescription();
  const headers = {"Content-Type": "application/sdp", "Authorization": "Bearer " + token};
  const reply = await fetch(url, {method: "POST", headers, body: pc.localDescription.sdp});
  await pc.setRemoteDescription({type: "answer", sdp: await reply.text()});
  Object.assign(window, {pc, headers, session: new URL(reply.headers.get("Location"), url).href});
  return reply.status;
}
"""

END = "async () => (await fetch(session, {method: 'DELETE', headers})).status"


@pytest.fixture
async def page(hub_url: HubUrl) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    if own_address() == "127.0.0.1":
        pytest.skip("Chromium gathers no loopback candidates, and there is no other address")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGS)
        page = await browser.new_page()
        await page.goto(hub_url.site)
        yield page
        await browser.close()


async def _state(page: Page, *, frames: int) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            state: dict[str, Any] = await page.evaluate(STATE)
            if (state["decoded"] or 0) >= frames:
                return state
            await asyncio.sleep(0.1)


async def test_chromium_shows_the_picture(page: Page, hub_url: HubUrl) -> None:
    opened = await page.evaluate(WATCH, [hub_url.whep, hub_url.watch_token])
    state = await _state(page, frames=30)
    assert opened["status"] == 201
    assert opened["first"] < 3000  # milliseconds, most of it the wait for a keyframe
    assert (state["width"], state["height"]) == (WIDTH, HEIGHT)
    assert state["colours"] > 50  # a picture, not a black or grey plane
    assert state["srtp"] == "SRTP_AEAD_AES_128_GCM"
    assert state["lost"] == 0
    assert await page.evaluate(END) == 200


async def test_chromium_goes_on_after_an_ice_restart(
    page: Page, hub_url: HubUrl, tiny_hub: TinyHub
) -> None:
    """MED-7, with the browser's own restartIce."""
    await page.evaluate(WATCH, [hub_url.whep, hub_url.watch_token])
    before = await _state(page, frames=10)
    session = tiny_hub.watching[0].session
    assert session is not None
    old = session.description.ufrag
    assert await page.evaluate(RESTART) == {"status": 200, "renewed": True}
    state = await _state(page, frames=before["decoded"] + 30)
    assert session.description.ufrag != old
    assert session._renewed is None  # the new generation is in use
    assert state["ice"] in ("connected", "completed")
    assert state["lost"] == 0


async def test_chromium_publishes_a_canvas(page: Page, hub_url: HubUrl, tiny_hub: TinyHub) -> None:
    status = await page.evaluate(PUBLISH, [hub_url.whip, hub_url.publish_token])
    assert status == 201
    (publishing,) = tiny_hub.publishing
    async with asyncio.timeout(15):
        while len(publishing.frames) < 15:  # noqa: ASYNC110 - it looks at the decoder
            await asyncio.sleep(0.05)
    assert publishing.frames[-1] == (320, 240)
    assert await page.evaluate(END) == 200
    assert publishing.closed == "ended by its client"
