"""Three real hubs with real media and a real box at home, in one process: pictures from a lane up
to the county."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession

from home_agent.agent import Agent
from tests.agent.home import enrolled_agent
from tests.hub.support import Hub, Viewer, until
from tests.support.peers import OnRtp, Pull
from tests.support.tree import (
    COUNTY,
    TOWN,
    WEST,
    hub_of,
    joined,
    known,
    on_record,
    site,
    trusted,
)
from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.keys import SigningKey
from village_core.permits import CameraClass, Role
from village_hub import keys
from village_hub.access.classes import Place
from village_hub.catalogue import cameras
from village_hub.config import MediaConfig, TrustConfig
from village_hub.media.live import Live, open_live

REASON = {"purpose": "public_security", "reason": "a van in the lane"}
ROOT = SigningKey.make()


@dataclass
class Tree:
    county: Hub
    town: Hub
    west: Hub
    agent: Agent
    http: ClientSession
    supervisor: Supervisor
    pulls: list[Pull] = field(default_factory=list)

    @property
    def camera(self) -> str:
        return next(iter(self.agent.cameras))

    async def officer(self, hub: Hub, role: Role) -> Viewer:
        viewer = await hub.staff(role, place=hub.app[keys.CONFIG].place, name="Zhao")
        await hub.shift(viewer)
        return viewer

    async def token(self, hub: Hub, who: Viewer) -> str:
        path = f"/api/v1/cameras/{self.camera}/media-token"
        answer = await hub.ask("POST", path, json=REASON, headers=who.headers)
        assert answer.status == 200, await answer.text()
        token: str = (await answer.json())["token"]
        return token

    async def watch(
        self, hub: Hub, who: Viewer, token: str | None = None, on_rtp: OnRtp | None = None
    ) -> Pull:
        pull = await Pull.start(
            f"{hub.origin}/whep/{self.camera}",
            token or await self.token(hub, who),
            http=self.http,
            supervisor=self.supervisor,
            on_rtp=on_rtp,
        )
        self.pulls.append(pull)
        return pull

    async def watched(self, count: int) -> list[Pull]:
        """So many officers of the county, each with pictures."""
        pulls = []
        for _ in range(count):
            zhao = await self.officer(self.county, Role.BUREAU_OFFICER)
            pulls.append(await self.watch(self.county, zhao))
        await until(lambda: all(len(pull.peer.rtp) > 20 for pull in pulls), 20)
        return pulls


def live(hub: Hub) -> Live:
    found = hub.app[keys.LIVE]
    assert isinstance(found, Live)
    return found


@asynccontextmanager
async def live_tree(
    folder: Path, addresses: tuple[str, ...] = ("127.0.0.1",)
) -> AsyncIterator[Tree]:
    """`addresses` of the hubs' media; none: all of this machine, which a browser needs."""
    media = MediaConfig(port=0, addresses=list(addresses))
    async with AsyncExitStack() as stack:

        async def hub(place: str, root: str = "") -> Hub:
            trust = TrustConfig(root=root)
            return await stack.enter_async_context(
                hub_of(folder, place, open_live, SYSTEM_CLOCK, media=media, trust=trust)
            )

        county, town, west = await hub(COUNTY, ROOT.public.text), await hub(TOWN), await hub(WEST)
        await joined(town, county)
        await joined(west, town)
        text = trusted(1, ROOT, county, town, west)
        await county.app[keys.TRUST].take(text)
        await until(lambda: west.app[keys.TRUST].text == text)
        home = folder / "home"
        home.mkdir()
        qr = await west.app[keys.ENROLMENTS].new_qr(await site(west))
        boxed = enrolled_agent(home, qr.text(), class_=CameraClass.P9)
        agent = await stack.enter_async_context(boxed)
        http = await stack.enter_async_context(ClientSession())
        supervisor = Supervisor()
        stack.push_async_callback(supervisor.stop)
        found = Tree(county, town, west, agent, http, supervisor)
        await until(lambda: agent.link.connected)
        await told(west, found.camera)
        await on_record(west, found.camera, CameraClass.P9, Place.LANE)
        await known(county, found.camera)
        yield found
        for pull in found.pulls:
            await pull.stop()


async def told(hub: Hub, camera: str) -> None:
    async def there() -> bool:
        return await hub.app[keys.CATALOGUE].read(cameras.find, camera) is not None

    await until(there)
