"""A whole home for tests: film, hub double with a media port, a running agent."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
from aiohttp.test_utils import TestServer

from home_agent.agent import Agent, running
from home_agent.config import CameraConfig, Config, LanConfig
from home_agent.enrol import enrol_by_qr
from home_agent.state import State
from tests.agent.hub_double import HubDouble, Tls
from village_core.clock import SYSTEM_CLOCK
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.media.h264 import split_annex_b
from village_core.transport import Certificate, MediaPort, PortSettings

FPS = 25


@cache
def film(width: int = 320, height: int = 180, pictures: int = 50) -> bytes:
    """Two seconds of H.264 with access unit delimiters, a keyframe each second."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {
        "profile": "main",
        "tune": "zerolatency",
        "x264-params": "aud=1:keyint=25:scenecut=0:bframes=0:repeat-headers=1:nal-hrd=none",
        "crf": "20",
    }
    data = b""
    for number in range(pictures):
        frame = av.VideoFrame(width, height, "yuv420p")
        noise = os.urandom(frame.planes[0].buffer_size // 8)
        frame.planes[0].update((noise * 9)[: frame.planes[0].buffer_size])
        for plane in frame.planes[1:]:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts = number
        data += b"".join(bytes(packet) for packet in encoder.encode(frame))
    data += b"".join(bytes(packet) for packet in encoder.encode(None))
    assert split_annex_b(data)
    return data


@dataclass
class Home:
    hub: HubDouble
    agent: Agent
    url: str
    port: MediaPort
    camera: str = ""
    permits: list[str] = field(default_factory=list)

    @property
    def told(self) -> dict[str, Any]:
        """The last status that the hub got."""
        return self.hub.statuses[-1] if self.hub.statuses else {"privacy_off": None, "cameras": []}

    def permit(self, **changed: Any) -> dict[str, Any]:
        note = {
            "id": new_id(),
            "subject": "person-1",
            "via": "hub-1",
            "camera": self.camera,
            "quality": "main",
            "action": "live",
            "purpose": "own_view",
            "basis": "O",
            "until": SYSTEM_CLOCK.utc_ms() + 90_000,
            "outside": False,
        }
        return {**note, **changed}

    def push(self, *permits: dict[str, Any], **changed: Any) -> dict[str, Any]:
        body = {
            "push": new_id(),
            "camera": self.camera,
            "quality": "main",
            "to": {"url": f"{self.url}/whip/{self.camera}", "ticket": "ticket"},
            "permits": list(permits) or [self.permit()],
        }
        return {**body, **changed}


@asynccontextmanager
async def home(folder: Path, **camera: Any) -> AsyncIterator[Home]:
    """An enrolled agent with one camera (`main` is a film unless given), connected to a double."""
    supervisor = Supervisor()
    tls = await asyncio.to_thread(Tls.make, folder)
    hub = HubDouble(certificates=[tls.digest])
    hub.port = await MediaPort.open(
        PortSettings(addresses=["127.0.0.1"], port=0), Certificate.make(), supervisor
    )
    server = TestServer(hub.app())
    await server.start_server(ssl=tls.context)
    url = str(server.make_url("")).rstrip("/")
    try:
        async with enrolled_agent(folder, hub.qr(url), **camera) as agent:
            ids = list(agent.cameras)
            yield Home(hub, agent, url, hub.port, ids[0] if ids else "")
    finally:
        await hub.port.close()
        await supervisor.stop()
        await server.close()


@asynccontextmanager
async def enrolled_agent(folder: Path, qr: str, **camera: Any) -> AsyncIterator[Agent]:
    config = await asyncio.to_thread(settings, folder, **camera)
    await enrol_by_qr(await asyncio.to_thread(State.open, config.state), qr)
    async with running(config) as agent:
        yield agent


def settings(folder: Path, lan: LanConfig | None = None, **camera: Any) -> Config:
    """One camera that plays a film."""
    path = folder / "film.h264"
    path.write_bytes(film())
    gate = {"name": "大门", "main": f"file:{path}?fps={FPS}", **camera}
    return Config(
        state=folder / "state",
        cameras={"gate": CameraConfig(**gate)},
        lan=lan or LanConfig(enabled=False),
    )


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - conditions of several objects
            await asyncio.sleep(0.01)
