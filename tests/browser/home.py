"""A real home for the browser: an enrolled agent whose camera is the `test:` picture."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from home_agent.agent import Agent, running
from home_agent.config import CameraConfig, Config, HubConfig, LanConfig
from home_agent.enrol import enrol_by_qr
from home_agent.state import State
from tests.browser.real import RealHub
from village_hub import keys

MAIN = "test:?size=1280x720&fps=15&rate=1200&gop=30"
SUB = "test:?size=640x360&fps=15&rate=300&gop=30"
CAMERA = CameraConfig(name="院门", main=MAIN, sub=SUB)


async def enrol(hub: RealHub, state: Path) -> None:
    qr = await hub.app[keys.ENROLMENTS].new_qr(hub.household)
    await enrol_by_qr(State.open(state), qr.text())


@asynccontextmanager
async def home(hub: RealHub, state: Path, camera: CameraConfig = CAMERA) -> AsyncIterator[Agent]:
    """The household's agent, running; `enrol` it first."""
    config = Config(
        state=state,
        hub=HubConfig(url=hub.url),
        cameras={"gate": camera},
        lan=LanConfig(enabled=False),
    )
    async with running(config) as agent:
        yield agent
