"""A real hub on a temporary folder; only its media is a double that opens no sockets."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from tests.hub.clock import TurnedClock
from tests.hub.people import People, Viewer
from village_core.ids import new_id, new_secret
from village_core.keys import SigningKey
from village_core.messages import AgentStatus, CameraNote, EncodingNote
from village_core.permits import Action, Quality
from village_core.tokens import Issuer, Kind
from village_core.transport import Certificate, PushSettings
from village_core.transport.signalling import Reply
from village_hub import keys
from village_hub.access import codes
from village_hub.access.credentials import digest
from village_hub.access.facts import Permit
from village_hub.catalogue import cameras, nodes
from village_hub.catalogue.models import Enrolment
from village_hub.catalogue.rows import CameraRow
from village_hub.config import (
    Config,
    DiscoveryConfig,
    ListenConfig,
    MetricsConfig,
    TlsConfig,
)
from village_hub.errors import HubError, NotFound
from village_hub.media.above import Above
from village_hub.media.feeds import Feeds
from village_hub.media.pull import Pulls
from village_hub.media.service import LiveNeeds, LiveSession, Opened
from village_hub.media.wanting import Wanting

OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
SDP = "application/sdp"
SENT = 1234  # octets that each viewing session of the double got
FRAGMENT = "application/trickle-ice-sdpfrag"


@dataclass
class FakeSession:
    id: str
    credential: str
    permit: Permit | None
    camera: str
    quality: Quality | None = None
    etag: str = '"1"'


class FakeLive:
    """LiveService in memory: keeps what it was asked, answers by the book."""

    def __init__(self, needs: LiveNeeds) -> None:
        self.needs = needs
        self.open: dict[str, FakeSession] = {}
        self.ended: list[tuple[str, str]] = []
        self.renewals: list[Permit] = []
        self.pins: list[Quality | None] = []
        self.offers: list[str] = []
        self.error: HubError | None = None
        self.said = Reply(204)
        self.patches: list[tuple[str, str | None, str]] = []
        self.closed = False
        self.lost: set[str] = set()
        self.above = above_of(needs)
        needs.supervisor.start("permits above", self.above.watch)

    async def watch(
        self, permit: Permit, camera: CameraRow, offer_text: str, credential: str
    ) -> Opened:
        opened = self._open(
            offer_text, FakeSession(new_secret(), credential, permit, permit.camera)
        )
        await self.needs.views.started(permit, camera)
        return opened

    async def publish(
        self,
        camera: CameraRow,
        quality: Quality,
        offer_text: str,
        credential: str,
        push: str | None = None,
    ) -> Opened:
        session = FakeSession(new_secret(), credential, None, camera.id, quality)
        return self._open(offer_text, session)

    def _open(self, offer: str, session: FakeSession) -> Opened:
        if self.error is not None:
            raise self.error
        self.offers.append(offer)
        self.open[session.id] = session
        return Opened(session.id, "v=0\r\n", session.etag)

    def awaited(self, camera_id: str) -> CameraRow | None:
        return None

    def session(self, session_id: str, credential: str) -> LiveSession:
        found = self.open.get(session_id)
        if found is None or found.credential != credential:
            raise NotFound("there is no such session")
        return found

    async def patch(
        self, session: LiveSession, content_type: str, if_match: str | None, body: str
    ) -> Reply:
        self.patches.append((content_type, if_match, body))
        return self.said

    async def end(self, session: LiveSession, reason: str) -> None:
        if self.open.pop(session.id, None) is None:
            raise NotFound("there is no such session")
        self.ended.append((session.id, reason))
        if session.permit is not None:
            self.needs.views.ended(session.permit, SENT, reason)

    async def pin(self, session: LiveSession, quality: Quality | None) -> None:
        self.pins.append(quality)

    async def still(self, permit: Permit, camera: CameraRow) -> bytes:
        if self.error is not None:
            raise self.error
        return b"\xff\xd8\xff picture"

    def publishing(self, camera_id: str) -> bool:
        return any(s.camera == camera_id and s.permit is None for s in self.open.values())

    def sessions(self) -> list[LiveSession]:
        return list(self.open.values())

    async def renewed(self, permit: Permit) -> None:
        self.renewals.append(permit)
        for session in self.open.values():
            if session.permit is not None and session.permit.id == permit.id:
                session.permit = permit

    async def close(self) -> None:
        self.closed = True


def above_of(needs: LiveNeeds) -> Above:
    """The real one; nothing connects, for nobody is above."""
    feeds = Feeds(needs.clock, lambda: None)
    pulls = Pulls(needs.url, needs.children, needs.tickets, needs.supervisor, needs.clock)
    settings = PushSettings(
        supervisor=needs.supervisor, certificate=_certificate(), clock=needs.clock
    )
    return Above(
        feeds,
        Wanting(pulls, needs.supervisor),
        settings,
        needs.above,
        profile=feeds.profile,
        audio=feeds.audio_codec,
        on_ended=needs.views.ended,
        supervisor=needs.supervisor,
        clock=needs.clock,
    )


_certificate = functools.cache(Certificate.make)


def small_config(folder: Path, **more: Any) -> Config:
    return Config(
        **{
            "name": "West Village",
            "state": folder / "state",
            "public_url": "http://127.0.0.1:8443",
            "listen": ListenConfig(port=0),
            "metrics": MetricsConfig(enabled=False),
            "discovery": DiscoveryConfig(enabled=False),
            **more,
        }
    )


def sealed_config(folder: Path, host: str, port: int) -> Config:
    """TLS by the hub's own CA, on loopback; `host` is what the hub calls itself."""
    return small_config(
        folder,
        public_url=f"https://{host}:{port}",
        listen=ListenConfig(hosts=["127.0.0.1"], port=port),
        tls=TlsConfig(own_ca=True),
    )


@dataclass
class Agent:
    """An enrolled box's keys and id."""

    id: str
    household: str
    node_key: SigningKey = field(default_factory=SigningKey.make)
    household_key: SigningKey = field(default_factory=SigningKey.make)


class Hub(People):
    """The hub under test, and short ways to put it into a state."""

    def __init__(self, app: web.Application, client: "TestClient[Any, Any]", clock: TurnedClock):
        self.app = app
        self.client = client
        self.clock = clock

    @property
    def live(self) -> FakeLive:
        live = self.app[keys.LIVE]
        assert isinstance(live, FakeLive)
        return live

    @property
    def id(self) -> str:
        return self.app[keys.NODE].id

    @property
    def origin(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    async def raw(self, request: bytes) -> bytes:
        """What comes back first when just this is sent."""
        url = self.client.make_url("/")
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(4000), 5)
        writer.close()
        await writer.wait_closed()
        return answer

    async def ask(self, method: str, path: str, **more: Any) -> ClientResponse:
        return await self.client.request(method, path, allow_redirects=False, **more)

    async def code(self, person: str) -> str:
        return await self.app[keys.CATALOGUE].write(codes.link, self.clock, person)

    async def sign_in(self, person: str) -> Viewer:
        code = await self.code(person)
        response = await self.ask("POST", "/api/v1/sign-in", json={"code": code})
        assert response.status == 200, await response.text()
        secret = response.cookies["village"].value
        self.client.session.cookie_jar.clear()
        return Viewer(person, {"Cookie": f"village={secret}", "Origin": self.origin})

    async def owner(self, name: str = "Fang") -> tuple[str, Viewer]:
        """A new household and its owner, signed in."""
        household = await self.household()
        return household, await self.sign_in(await self.person(household, name))

    async def enrolled(self, household: str) -> Agent:
        agent = Agent(new_id(), household)
        now = self.clock.utc_ms()
        row = Enrolment(
            id=new_id(),
            household_id=household,
            state="open",
            expires=now + 1000,
            tries=5,
            secret="s",
        )
        name = row.id
        catalogue = self.app[keys.CATALOGUE]
        await catalogue.write(nodes.add_enrolment, row, now)
        texts = (agent.node_key.public.text, agent.household_key.public.text, None)
        finished = await catalogue.write(nodes.finish, name, agent.id, texts, now)
        assert finished is not None
        return agent

    def node_token(self, agent: Agent, **more: Any) -> dict[str, str]:
        issuer = Issuer(agent.id, agent.node_key, self.clock)
        token = issuer.mint(
            Kind.NODE, **{"subject": agent.id, "audience": self.id, "lifetime": 60, **more}
        )
        return bearer(token)

    async def push_camera(self, household: str, name: str = "Phone") -> tuple[str, str]:
        """A camera of kind push and its publish token."""
        camera, secret, now = new_id(), new_secret(), self.clock.utc_ms()
        write = self.app[keys.CATALOGUE].write
        await write(cameras.add_push_camera, camera, name, household, now)
        await write(cameras.add_publish_token, new_id(), camera, digest(secret), now)
        return camera, secret

    async def tell(self, agent: Agent, *notes: CameraNote, privacy_off: bool = False) -> int:
        status = AgentStatus(version="1", privacy_off=privacy_off, cameras=list(notes))
        response = await self.ask(
            "PUT",
            "/api/v1/node/status",
            data=status.model_dump_json(),
            headers={**self.node_token(agent), "Content-Type": "application/json"},
        )
        return response.status

    async def media_token(self, viewer: Viewer, camera: str) -> dict[str, str]:
        path = f"/api/v1/cameras/{camera}/media-token"
        response = await self.ask("POST", path, headers=viewer.headers)
        assert response.status == 200, await response.text()
        return bearer((await response.json())["token"])

    def ticket(self, camera: str, quality: Quality = Quality.MAIN) -> dict[str, str]:
        return bearer(self.app[keys.TICKETS].for_push(camera, quality, new_id()))

    async def watch(self, viewer: Viewer, camera: str) -> tuple[str, dict[str, str]]:
        """A viewing session's URL and the token it was opened with."""
        token = await self.media_token(viewer, camera)
        response = await self.ask(
            "POST", f"/whep/{camera}", data=OFFER, headers={**token, "Content-Type": SDP}
        )
        assert response.status == 201, await response.text()
        return response.headers["Location"], token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def camera_note(camera_id: str | None = None, **more: Any) -> CameraNote:
    encoding = EncodingNote(profile_level_id="42e01f", width=1280, height=720, fps=25)
    return CameraNote(
        **{"id": camera_id or new_id(), "name": "Gate", "online": True, "main": encoding, **more}
    )


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if (await found) if not isinstance(found, bool) else found:
                return
            await asyncio.sleep(0.01)


__all__ = ["Action", "FakeLive", "Hub", "TurnedClock", "Viewer"]
