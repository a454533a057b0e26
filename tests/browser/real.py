"""A whole real hub for the browser: its app, media port and database, one household, one camera."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from village_core.clock import SYSTEM_CLOCK
from village_core.ids import new_id, new_secret
from village_hub import keys
from village_hub.access import codes
from village_hub.access.credentials import digest
from village_hub.app import make_app
from village_hub.catalogue import cameras, people
from village_hub.config import (
    Config,
    DiscoveryConfig,
    ListenConfig,
    MediaConfig,
    MetricsConfig,
    TurnConfig,
)
from village_hub.media.live import open_live

# Publishes a moving canvas by WHIP with nothing but what a browser has.
PUBLISH = """
async ([camera, token, ownPolicy]) => {
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 360;
  const pen = canvas.getContext("2d");
  let count = 0;
  setInterval(() => {
    pen.fillStyle = "hsl(" + (count * 7 % 360) + " 60% 40%)";
    pen.fillRect(0, 0, 640, 360);
    pen.fillStyle = "#fff"; pen.font = "90px sans-serif"; pen.fillText(String(count++), 80, 200);
  }, 50);
  const track = canvas.captureStream(20).getVideoTracks()[0];
  track.contentHint = "detail";
  const pc = window.publishing = new RTCPeerConnection();
  const sending = pc.addTransceiver(track, {direction: "sendonly"});
  const codecs = RTCRtpSender.getCapabilities("video").codecs;
  sending.setCodecPreferences(codecs.filter((codec) => /H264|rtx/i.test(codec.mimeType)));
  await pc.setLocalDescription(await pc.createOffer());
  const response = await fetch("/whip/" + camera, {
    method: "POST", body: pc.localDescription.sdp,
    headers: {"Content-Type": "application/sdp", Authorization: "Bearer " + token},
  });
  if (response.status !== 201) return response.status + " " + await response.text();
  window.location_ = response.headers.get("Location");
  await pc.setRemoteDescription({type: "answer", sdp: await response.text()});
  for (let tries = 0; pc.connectionState !== "connected" && tries < 100; tries++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  return pc.connectionState;
}
"""


@dataclass
class RealHub:
    app: web.Application
    url: str
    person: str
    household: str

    async def sign_in_link(self) -> str:
        write = self.app[keys.CATALOGUE].write
        return f"/sign-in#code={await write(codes.link, SYSTEM_CLOCK, self.person)}"

    async def typed_code(self) -> str:
        return await self.app[keys.CATALOGUE].write(codes.typed, SYSTEM_CLOCK, self.person)

    async def push_camera(self, name: str) -> tuple[str, str]:
        """A camera that pushes by itself: its id and its publish token."""
        catalogue, now = self.app[keys.CATALOGUE], SYSTEM_CLOCK.utc_ms()
        camera, token = new_id(), new_secret()
        await catalogue.write(cameras.add_push_camera, camera, name, self.household, now)
        await catalogue.write(cameras.add_publish_token, new_id(), camera, digest(token), now)
        return camera, token

    @property
    def sessions(self) -> int:
        """WHIP and WHEP sessions that live."""
        return len(self.app[keys.LIVE].sessions())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def real_hub(
    state: Path, turn: TurnConfig | None = None, *, named: bool = False
) -> AsyncIterator[RealHub]:
    """A started hub on loopback, its media on this machine's own addresses: Chromium gathers no
    loopback candidates. `named`: by a name, as passkeys need it."""
    port = free_port()
    config = Config(
        name="西村",
        state=state,
        public_url=f"http://localhost:{port}" if named else "",
        listen=ListenConfig(hosts=["127.0.0.1"], port=port),
        media=MediaConfig(port=0),
        metrics=MetricsConfig(enabled=False),
        discovery=DiscoveryConfig(enabled=False),
        turn=turn or TurnConfig(),
    )
    app = make_app(config, open_live)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    household, person, now = new_id(), new_id(), SYSTEM_CLOCK.utc_ms()
    catalogue = app[keys.CATALOGUE]
    await catalogue.write(people.add_household, household, "王家", now)
    await catalogue.write(people.add_owner, person, "王芳", household, now)
    try:
        yield RealHub(app, config.url, person, household)
    finally:
        await runner.cleanup()
