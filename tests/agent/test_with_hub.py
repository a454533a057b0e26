"""The agent against the real hub, both in process: view, still, switch, hub's restart."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from home_agent.agent import Agent, running
from home_agent.boxclock import BoxClock
from home_agent.config import Config, LanConfig
from home_agent.enrol import enrol_by_code, enrol_by_qr, stored_enrolment
from home_agent.state import State
from tests.agent.home import enrolled_agent, until
from tests.support.peers import LightPeer, Pull
from tests.support.village import Village
from village_core.enrolment import EnrolmentError
from village_core.jobs import Supervisor

pytestmark = pytest.mark.timeout(120)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def begun(folder: Path) -> Iterator[Village]:
    port = free_port()
    settings = {
        "listen": {"port": port},
        "media": {"port": free_port()},
        "metrics": {"enabled": False},
        "discovery": {"enabled": False},
    }
    with Village.begin(folder / "village", f"http://127.0.0.1:{port}", settings) as village:
        village.household("张家")
        yield village


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """One hub for all; each test enrols a box of its own, which ends the last one's."""
    with begun(tmp_path_factory.mktemp("hub")) as village:
        yield village


@pytest.fixture
async def agent(village: Village, tmp_path: Path) -> AsyncIterator[Agent]:
    qr = (await asyncio.to_thread(village.do, "enrolments", "new", "张家"))[-1]
    async with enrolled_agent(tmp_path, qr) as agent:
        await until(lambda: agent.link.connected)
        yield agent


def delegated(village: Village, name: str) -> None:
    """A new member of the household, with the owner's delegation, signed in."""
    owner = village.client("张家")
    home = village.do("households", "list")[0].split()[0]
    path = f"/api/v1/households/{home}/members"
    status, made, _ = owner.call("POST", path, {"name": name})
    assert status == 201, made
    wish = {"adult": True, "delegated": True}
    status, said, _ = owner.call("PATCH", f"{path}/{made['person']}", wish)
    assert status == 204, said
    village.know(name, made["code"])


class Phone:
    """A household's phone: signs in and watches."""

    def __init__(self, village: Village, person: str = "张家") -> None:
        self.client = village.client(person)
        self.camera = self.client.camera("大门")
        self.url = village.url

    async def watch(self, http: aiohttp.ClientSession, supervisor: Supervisor) -> Pull:
        token = await asyncio.to_thread(self.client.media_token, self.camera)
        endpoint = f"{self.url}/whep/{self.camera}"
        return await Pull.start(endpoint, token, http=http, supervisor=supervisor)

    async def session(
        self, http: aiohttp.ClientSession, supervisor: Supervisor
    ) -> tuple[str, dict[str, str]]:
        """Asked for and given, and never connected: its URL, and the headers to ask after it."""
        token = await asyncio.to_thread(self.client.media_token, self.camera)
        peer = LightPeer(supervisor)
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        url = f"{self.url}/whep/{self.camera}"
        async with http.post(url, data=peer.offer, headers=headers) as response:
            peer.close()
            assert response.status == 201
            kind = {"Content-Type": "application/trickle-ice-sdpfrag"}
            return self.url + response.headers["Location"], {**headers, **kind}

    async def call(self, method: str, path: str) -> tuple[int, Any]:
        status, said, _ = await asyncio.to_thread(self.client.call, method, path)
        return status, said


async def gone(http: aiohttp.ClientSession, session: str, headers: dict[str, str]) -> bool:
    """True once the hub has ended it."""
    async with asyncio.timeout(15):
        while True:
            async with http.patch(session, data=b"", headers=headers) as response:
                if response.status == 404:
                    return True
            await asyncio.sleep(0.1)


Story = Callable[[Phone, aiohttp.ClientSession, Supervisor], Awaitable[None]]


async def tell(village: Village, story: Story) -> None:
    phone = await asyncio.to_thread(Phone, village)
    supervisor = Supervisor()
    async with aiohttp.ClientSession() as http:
        try:
            await story(phone, http, supervisor)
        finally:
            await supervisor.stop()


async def test_what_the_box_wrote_down_is_in_the_household_s_log_within_60_s(
    village: Village, agent: Agent
) -> None:
    """AUD-2, AUD-4: an SOS pressed at home is; a look that the hub wrote down itself is there
    once."""

    async def story(phone: Phone, http: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        pull = await phone.watch(http, supervisor)
        await until(lambda: len(pull.peer.rtp) > 30)
        await agent.sos.press("button")
        last = agent.journal.last
        assert last >= 2

        async def seen() -> list[Any]:
            _, said = await phone.call("GET", "/api/v1/me/log")
            return list(said["items"])

        async with asyncio.timeout(60):
            while True:
                if "sos_at_home" in [each["action"] for each in await seen()]:
                    break
                await asyncio.sleep(0.1)
        began = [each for each in await seen() if each["until"] is None]
        assert [(each["action"], each["late"]) for each in began] == [("live", False)]
        await pull.stop()

    await tell(village, story)


async def test_a_phone_sees_the_home_through_the_hub_and_the_push_ends_after_it(
    village: Village, agent: Agent
) -> None:
    async def story(phone: Phone, http: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        pull = await phone.watch(http, supervisor)
        await until(lambda: len(pull.peer.rtp) > 30)
        assert [push.camera.name for push in agent.pushes.running] == ["大门"]
        assert await pull.stop() in (200, 404)
        await until(lambda: not agent.pushes.running, 15.0)  # the hub lingers for 10 s
        assert agent.cameras[phone.camera].online

    await tell(village, story)


async def test_a_still_comes_through_the_hub(village: Village, agent: Agent) -> None:
    async def story(phone: Phone, _: aiohttp.ClientSession, __: Supervisor) -> None:
        status, picture = await phone.call("GET", f"/api/v1/cameras/{phone.camera}/still")
        assert status == 200
        assert picture.startswith(b"\xff\xd8\xff")

    await tell(village, story)


async def test_the_switch_ends_what_the_hub_shows_and_the_hub_cannot_turn_it_on(
    village: Village, agent: Agent
) -> None:
    async def story(phone: Phone, http: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        pull = await phone.watch(http, supervisor)
        await until(lambda: len(pull.peer.rtp) > 30)
        await agent.switch.turn_off("test")
        await until(lambda: not agent.pushes.running, 1.0)
        await asyncio.sleep(0.3)  # what was on its way
        seen = len(pull.peer.rtp)
        await asyncio.sleep(2.0)  # the hub asks again meanwhile
        assert len(pull.peer.rtp) == seen
        assert not agent.pushes.running
        cameras = await asyncio.to_thread(phone.client.cameras)
        states = {camera["id"]: camera["trouble"] for camera in cameras}
        assert states[phone.camera] == "privacy_off"
        pull.peer.close()

    await tell(village, story)


async def test_an_owner_whom_the_home_does_not_know_sees_nothing_by_another_s_view(
    village: Village, agent: Agent
) -> None:
    """The hub knows another who may what the owner may: no picture before somebody at home has
    said yes."""
    await asyncio.to_thread(delegated, village, "李四")
    other = await asyncio.to_thread(Phone, village, "李四")

    async def story(phone: Phone, http: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        pull = await phone.watch(http, supervisor)
        await until(lambda: len(pull.peer.rtp) > 30)
        assert await gone(http, *await other.session(http, supervisor))
        before = len(pull.peer.rtp)
        await until(lambda: len(pull.peer.rtp) > before + 30)
        (push,) = agent.pushes.running
        assert {note.name for note in push.permitted.notes.values()} == {"张家"}
        pull.peer.close()

    await tell(village, story)


async def test_the_picture_comes_back_within_15_s_of_the_hub_s_restart(
    village: Village, agent: Agent
) -> None:
    async def story(phone: Phone, http: aiohttp.ClientSession, supervisor: Supervisor) -> None:
        pull = await phone.watch(http, supervisor)
        await until(lambda: len(pull.peer.rtp) > 30)
        assert village.hub is not None
        await asyncio.to_thread(village.hub.stop)
        pull.peer.close()
        await until(lambda: not agent.link.connected)
        await asyncio.to_thread(village.start_hub)
        await until(lambda: agent.link.connected, 15.0)
        pull = await phone.watch(http, supervisor)
        await until(lambda: len(pull.peer.rtp) > 30)
        pull.peer.close()

    await tell(village, story)


async def test_enrolling_another_box_revokes_this_one(
    village: Village, agent: Agent, tmp_path: Path
) -> None:
    """IDN-15."""
    qr = (await asyncio.to_thread(village.do, "enrolments", "new", "张家"))[-1]
    second = tmp_path / "second"
    await asyncio.to_thread(second.mkdir)
    async with enrolled_agent(second, qr) as other:
        await until(lambda: other.link.connected)
        await until(lambda: not agent.link.connected, 15.0)
        await until(lambda: "revoked" in agent.link.trouble, 15.0)


async def test_a_running_box_takes_up_its_enrolment(village: Village, tmp_path: Path) -> None:
    config = Config(state=tmp_path / "state", lan=LanConfig(enabled=False))
    async with running(config) as agent:
        assert agent.link.trouble == "not enrolled"
        qr = (await asyncio.to_thread(village.do, "enrolments", "new", "张家"))[-1]
        await enrol_by_qr(agent.state, qr)
        await until(lambda: agent.link.connected)


async def test_a_typed_code_enrols_at_the_real_hub(village: Village, tmp_path: Path) -> None:
    """IDN-15: six digits compared on both sides."""
    lines = await asyncio.to_thread(village.do, "enrolments", "new", "--typed", "张家")
    said = "\n".join(lines)
    code = said.split("--code ")[1].split()[0]
    name = said.split("confirm ")[1].split()[0]

    async def same(digits: str) -> bool:
        await asyncio.to_thread(village.do, "enrolments", "confirm", name, digits)
        return True

    state = await asyncio.to_thread(State.open, tmp_path / "state")
    made = await enrol_by_code(state, village.url, code, same, BoxClock())
    assert made.household_name == "张家"


async def test_digits_that_differ_enrol_nobody(village: Village, tmp_path: Path) -> None:
    lines = await asyncio.to_thread(village.do, "enrolments", "new", "--typed", "张家")
    code = "\n".join(lines).split("--code ")[1].split()[0]

    async def differ(_: str) -> bool:
        return False

    state = await asyncio.to_thread(State.open, tmp_path / "state")
    with pytest.raises(EnrolmentError, match="digits differ"):
        await enrol_by_code(state, village.url, code, differ, BoxClock())
    assert stored_enrolment(state) is None
    assert await asyncio.to_thread(village.do, "enrolments", "list") == ["no open enrolment"]
