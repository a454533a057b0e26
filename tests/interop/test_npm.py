"""npm's whip-whep in Chromium: WHIP and WHEP from a page of another origin, on the real hub."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, Response, async_playwright

from tests.browser.real import RealHub, real_hub

# `make setup` puts it there.
PACKAGE = Path(__file__).resolve().parents[2] / ".cache/interop/node_modules/whip-whep"
CHROMIUM = shutil.which("chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PACKAGE.is_dir(), reason="no npm package whip-whep: run make setup"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

PUBLISH = """
async ([url, token]) => {
  const {WHIPClient} = await import("/whip.js");
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 360;
  const pen = canvas.getContext("2d");
  let count = 0;
  setInterval(() => {
    pen.fillStyle = `hsl(${count++ * 7 % 360} 60% 40%)`;
    pen.fillRect(0, 0, 640, 360);
  }, 50);
  const pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  const sending = pc.addTransceiver(canvas.captureStream(20).getVideoTracks()[0],
    {direction: "sendonly"});
  const codecs = RTCRtpSender.getCapabilities("video").codecs;
  sending.setCodecPreferences(codecs.filter((each) => /H264|rtx/i.test(each.mimeType)));
  window.publishing = pc;
  window.whip = new WHIPClient();
  await whip.publish(pc, url, token);
}
"""
WATCH = """
async ([url, token]) => {
  const {WHEPClient} = await import("/whep.js");
  const pc = new RTCPeerConnection({bundlePolicy: "max-bundle"});
  pc.addTransceiver("video", {direction: "recvonly"});
  pc.addTransceiver("audio", {direction: "recvonly"});
  window.watching = pc;
  window.whep = new WHEPClient();
  await whep.view(pc, url, token);
}
"""
STATE = "(name) => window[name].connectionState"
DECODED = """
async () => {
  const stats = [...(await watching.getStats()).values()];
  const video = stats.find((each) => each.type === "inbound-rtp" && each.kind === "video");
  return video ? video.framesDecoded : 0;
}
"""
STOP = "async () => { await whep.stop(); await whip.stop(); }"


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path) as running:
        yield running


async def empty(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html>", content_type="text/html")


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """An empty page of somebody else's, with the package's modules beside it."""
    app = web.Application()
    app.router.add_get("/", empty)
    app.router.add_static("/", PACKAGE)
    server = TestServer(app)
    await server.start_server()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        made = await browser.new_page()
        await made.goto(str(server.make_url("/")))
        yield made
        await browser.close()
    await server.close()


async def media_token(village: RealHub, camera: str) -> str:
    """As a person's program gets one: sign in, ask."""
    code = (await village.sign_in_link()).split("#code=")[1]
    async with ClientSession(village.url, cookie_jar=CookieJar(unsafe=True)) as http:
        async with http.post("/api/v1/sign-in", json={"code": code}) as response:
            assert response.status == 200
        headers = {"Origin": village.url}
        path = f"/api/v1/cameras/{camera}/media-token"
        async with http.post(path, headers=headers) as response:
            token: str = (await response.json())["token"]
            return token


async def test_whip_whep_publishes_trickles_watches_and_leaves(
    village: RealHub, page: Page
) -> None:
    """MED-1, MED-4, MED-6, MED-7: a foreign page, so by CORS; PATCH with candidates; DELETE."""
    answers: list[tuple[str, str, int]] = []  # method, "whip" or "whep", status

    def hear(response: Response) -> None:
        answers.append((response.request.method, response.url.split("/")[3], response.status))

    page.on("response", hear)
    camera, publish_token = await village.push_camera("打谷场")
    await page.evaluate(PUBLISH, [f"{village.url}/whip/{camera}", publish_token])
    async with asyncio.timeout(15):
        while await page.evaluate(STATE, "publishing") != "connected":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        token = await media_token(village, camera)
        await page.evaluate(WATCH, [f"{village.url}/whep/{camera}", token])
        while await page.evaluate(DECODED) < 20:  # noqa: ASYNC110 - it is in the browser
            await asyncio.sleep(0.05)
    await page.evaluate(STOP)
    for kind, patched in (("whip", {204}), ("whep", {428})):
        statuses = {
            method: {status for each, where, status in answers if (each, where) == (method, kind)}
            for method in ("POST", "PATCH", "DELETE")
        }
        assert statuses["POST"] == {201}
        # The package's WHEP half forgets the ETag (RFC 9725 section 4.3.1), and plays all the same.
        assert statuses["PATCH"] == patched
        # It closes its connection first, which ends the session: DELETE may come too late.
        assert statuses["DELETE"] <= {200, 404}
    assert village.sessions == 0
