"""home_agent/enrol.py and parent.py against a hub double over TLS (IDN-15, PRM-21, DEV-5)."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from home_agent.boxclock import BoxClock
from home_agent.enrol import enrol_by_code, enrol_by_qr, stored_enrolment
from home_agent.parent import Parent
from home_agent.state import State, StateError
from tests.agent.hub_double import AGENT, HUB, HubDouble, Tls
from village_core.enrolment import EnrolmentError
from village_core.keys import SigningKey
from village_core.line import Line, ParentError
from village_core.messages import AgentStatus


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.open(tmp_path / "state")


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls.make(tmp_path)


@pytest.fixture
def hub(tls: Tls) -> HubDouble:
    return HubDouble(certificates=[tls.digest])


@pytest.fixture
async def url(hub: HubDouble, tls: Tls) -> AsyncIterator[str]:
    server = TestServer(hub.app())
    await server.start_server(ssl=tls.context)
    yield str(server.make_url("")).rstrip("/")
    await server.close()


async def yes(_: str) -> bool:
    return True


async def test_a_qr_enrols_and_the_agent_then_calls_as_itself(
    hub: HubDouble, url: str, state: State
) -> None:
    made = await enrol_by_qr(state, hub.qr(url))
    assert (made.hub, made.agent, made.household_name) == (HUB, AGENT, "李家")
    stored = stored_enrolment(state)
    assert stored is not None
    enrolment, key = stored
    parent = Parent(enrolment, enrolment.url, key, BoxClock())
    await parent.dial()
    await parent.tell(AgentStatus(version="1", privacy_off=False, cameras=[]))
    await parent.close()
    assert hub.statuses[0]["version"] == "1"


async def test_every_secret_is_private_and_no_new_key_is_left(
    hub: HubDouble, url: str, state: State
) -> None:
    """DEV-4."""
    await enrol_by_qr(state, hub.qr(url))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.folder.iterdir()}
    assert modes == dict.fromkeys(["enrolment.json", "household.key", "node.key"], 0o600)


async def test_enrolling_again_makes_a_new_node_key_and_keeps_the_household_key(
    hub: HubDouble, url: str, state: State
) -> None:
    first = await enrol_by_qr(state, hub.qr(url))
    household = state.path("household.key").read_bytes()
    second = await enrol_by_qr(state, hub.qr(url))
    assert first.node != second.node
    assert state.path("household.key").read_bytes() == household


async def test_an_enrolment_cut_short_is_repeated_with_the_same_key(
    hub: HubDouble, url: str, state: State
) -> None:
    hub.secret, right = "wrong", hub.secret
    qr = hub.qr(url).replace("wrong", right)
    with pytest.raises(ParentError, match="no_such_enrolment") as caught:
        await enrol_by_qr(state, qr)
    assert caught.value.status == 404
    assert stored_enrolment(state) is None
    waiting = SigningKey.load(state.path("node.key.new")).public.fingerprint
    hub.secret = right
    assert (await enrol_by_qr(state, qr)).node == waiting


async def test_power_lost_between_the_two_renames_costs_nothing(
    hub: HubDouble, url: str, state: State
) -> None:
    await enrol_by_qr(state, hub.qr(url))
    state.path("node.key").rename(state.path("node.key.new"))
    assert stored_enrolment(state) is not None
    state.path("node.key.new").unlink()
    with pytest.raises(StateError, match="enrol again"):
        stored_enrolment(state)


async def test_another_key_than_the_qr_names_is_not_believed(
    hub: HubDouble, url: str, state: State
) -> None:
    qr = hub.qr(url)
    hub.key = SigningKey.make()
    with pytest.raises(ParentError, match="its key is another"):
        await enrol_by_qr(state, qr)


async def test_a_certificate_the_hub_does_not_vouch_for_ends_the_call(
    hub: HubDouble, url: str, state: State
) -> None:
    """Somebody in between who relays the vouch gets nothing more."""
    hub.certificates = [bytes(32)]
    with pytest.raises(aiohttp.ServerFingerprintMismatch):
        await enrol_by_qr(state, hub.qr(url))


async def test_without_a_pinned_certificate_the_rules_of_the_web_hold(
    hub: HubDouble, url: str, state: State
) -> None:
    hub.certificates = []
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await enrol_by_qr(state, hub.qr(url))


async def test_a_new_certificate_is_met_by_asking_again(
    hub: HubDouble, url: str, tmp_path: Path, state: State
) -> None:
    enrolment = await enrol_by_qr(state, hub.qr(url))
    renewed = Tls.make(tmp_path)
    hub.certificates = [renewed.digest]
    server = TestServer(hub.app())
    await server.start_server(ssl=renewed.context)
    line = Line(str(server.make_url("")), enrolment.fingerprint)
    await line.vouch()
    with pytest.raises(ParentError, match="answered 404"):
        await line.ask("GET", "/nothing")
    await line.close()
    await server.close()


async def test_a_typed_code_and_six_digits_enrol(hub: HubDouble, url: str, state: State) -> None:
    shown: list[str] = []

    async def same(digits: str) -> bool:
        shown.append(digits)
        hub.confirmed = True
        return True

    made = await enrol_by_code(state, url, "bcdf-ghjk", same, BoxClock())
    assert made.agent == AGENT
    assert shown == [hub.digits]


async def test_digits_that_differ_end_the_enrolment(hub: HubDouble, url: str, state: State) -> None:
    async def differ(_: str) -> bool:
        return False

    with pytest.raises(EnrolmentError, match="digits differ"):
        await enrol_by_code(state, url, "BCDFGHJK", differ, BoxClock())
    assert hub.denied
    assert stored_enrolment(state) is None


@pytest.mark.parametrize("code", ["", "BCDFGHJ", "ABCDEFGH", "BCDFGHJKL"])
async def test_a_text_that_is_no_code_is_not_sent(code: str, state: State) -> None:
    with pytest.raises(EnrolmentError, match="eight letters"):
        await enrol_by_code(state, "https://192.0.2.1", code, yes, BoxClock())


async def test_a_wrong_code_says_so(hub: HubDouble, url: str, state: State) -> None:
    with pytest.raises(ParentError, match="wrong_code"):
        await enrol_by_code(state, url, "BBBBBBBB", yes, BoxClock())


@pytest.mark.parametrize(
    "text", ["", "https://x", "secvillage:1?u=https://x", "secvillage:1?u=x&e=1&s=2&k=3"]
)
async def test_a_text_that_is_no_qr_is_refused(text: str, state: State) -> None:
    with pytest.raises(EnrolmentError):
        await enrol_by_qr(state, text)


async def test_nobody_there_is_a_connection_error(state: State) -> None:
    line = Line("https://127.0.0.1:1", None)
    with pytest.raises(aiohttp.ClientError):
        await line.vouch()
    with pytest.raises(ParentError, match="not vouched"):
        await line.ask("GET", "/")
    await line.close()


async def test_a_box_with_a_wrong_clock_runs_on_its_hub_s_time(
    hub: HubDouble, url: str, state: State
) -> None:
    class Year1970:
        def utc_ms(self) -> int:
            return 1000

        def monotonic(self) -> float:
            return asyncio.get_running_loop().time()

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds)

    enrolment = await enrol_by_qr(state, hub.qr(url))
    stored = stored_enrolment(state)
    assert stored is not None
    clock = BoxClock(Year1970(), synchronised=lambda: False)
    parent = Parent(enrolment, url, stored[1], clock)
    await parent.dial()
    await parent.tell(AgentStatus(version="1", privacy_off=False, cameras=[]))
    await parent.close()
    assert abs(clock.utc_ms() - hub.clock.utc_ms()) < 3000
    assert hub.statuses
