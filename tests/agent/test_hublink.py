"""The tie to the hub: moved hubs, wrong clocks, revocation, nothing left behind."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from home_agent.agent import running
from home_agent.boxclock import BoxClock, ntp_has_set_the_clock
from home_agent.enrol import enrol_by_qr, stored_enrolment
from home_agent.state import State
from tests.agent.home import home, settings, until
from tests.agent.hub_double import HubDouble, Tls
from village_core.keys import SigningKey
from village_core.line import Line
from village_core.uplink import REVOKED


@dataclass(frozen=True)
class Found:
    url: str
    fingerprint: str


async def test_a_hub_at_a_new_address_is_found_on_the_lan(tmp_path: Path) -> None:
    """Others announce themselves too: only the pinned key counts."""
    tls = await asyncio.to_thread(Tls.make, tmp_path)
    hub, liar = HubDouble(certificates=[tls.digest]), HubDouble(certificates=[tls.digest])
    first, second, third = (TestServer(each.app()) for each in (hub, hub, liar))
    await first.start_server(ssl=tls.context)
    config = await asyncio.to_thread(settings, tmp_path)
    state = await asyncio.to_thread(State.open, config.state)
    await enrol_by_qr(state, hub.qr(str(first.make_url("")).rstrip("/")))
    await first.close()
    await second.start_server(ssl=tls.context)
    await third.start_server(ssl=tls.context)
    ours, stranger = hub.key.public.fingerprint, SigningKey.make().public.fingerprint
    new = str(second.make_url("")).rstrip("/")
    announced = [
        Found("https://127.0.0.1:1", ours),  # nobody is there
        Found(str(third.make_url("")), ours),  # says so, and cannot show it
        Found(str(third.make_url("")), stranger),
        Found(new, ours),
    ]

    async def find(_: float) -> Sequence[Found]:
        return announced

    async with running(config, find_hubs=find) as agent:
        await until(lambda: agent.link.connected, 20.0)
    stored = stored_enrolment(state)
    assert stored is not None
    assert stored[0].url == new
    await second.close()
    await third.close()


async def test_a_revoked_agent_pushes_no_more(tmp_path: Path) -> None:
    """IDN-15."""
    async with home(tmp_path) as made:
        await until(lambda: made.agent.link.connected and made.agent.cameras[made.camera].online)
        await made.hub.ask("POST", "/pushes", made.push())
        await until(lambda: bool(made.hub.arrivals and made.hub.arrivals[0].packets))
        socket = await made.hub.sockets.get()
        await socket.close(code=REVOKED, message=b"revoked")
        await until(lambda: bool(made.hub.arrivals[0].closed))
        assert made.agent.pushes.running == []


async def test_pushes_leave_nothing_behind(tmp_path: Path) -> None:
    async with home(tmp_path) as made:
        await until(lambda: made.agent.link.connected and made.agent.cameras[made.camera].online)
        await cycle(made.hub, made.push, 3)
        before = counted()
        await cycle(made.hub, made.push, 30)
        camera = made.agent.cameras[made.camera]
        assert not any(stream.legs for stream in camera.streams.values())
        assert not made.agent.pace.viewers
        await until(lambda: counted()[0] <= before[0] + 1 and counted()[1] <= before[1] + 2)


async def cycle(hub: HubDouble, push: Callable[[], dict[str, str]], times: int) -> None:
    for number in range(len(hub.arrivals) + 1, len(hub.arrivals) + times + 1):
        body = push()
        assert (await hub.ask("POST", "/pushes", body))["status"] == 202
        await until(partial(came, hub, number))
        assert (await hub.ask("DELETE", f"/pushes/{body['push']}"))["status"] == 200
        await until(lambda: hub.arrivals[-1].deleted)


def came(hub: HubDouble, number: int) -> bool:
    return len(hub.arrivals) == number and hub.arrivals[-1].packets > 0


def counted() -> tuple[int, int]:
    """Tasks and open files."""
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))


class Turned:
    """A clock in the test's hand, wrong by years."""

    def __init__(self) -> None:
        self.wall, self.now = 1_000, 50.0

    def utc_ms(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("synchronised", [True, False])
def test_a_wrong_clock_runs_on_the_hub_s_time_until_ntp_has_set_it(synchronised: bool) -> None:
    system = Turned()
    clock = BoxClock(system, lambda: synchronised)
    assert clock.utc_ms() == 1_000
    clock.learn(5_000_000)
    system.now += 2.0
    assert clock.utc_ms() == (1_000 if synchronised else 5_002_000)
    assert clock.hub_utc_ms() == 5_002_000
    assert clock.until(5_012_000) == system.now + 10.0


def test_a_clock_that_is_nearly_right_is_believed() -> None:
    system = Turned()
    clock = BoxClock(system, lambda: False)
    clock.learn(2_500)
    assert clock.utc_ms() == 1_000


def test_a_step_of_the_clock_moves_no_permit_s_end() -> None:
    """Ends are counted on the monotonic clock once given."""
    system = Turned()
    clock = BoxClock(system, lambda: True)
    clock.learn(5_000_000)
    end = clock.until(5_010_000)
    system.wall += 3_600_000
    assert clock.until(5_010_000) == end


def test_the_kernel_is_asked_whether_ntp_runs() -> None:
    assert ntp_has_set_the_clock() in (True, False)


async def test_a_redirect_is_not_followed_with_a_token(tmp_path: Path) -> None:
    seen: list[str] = []

    async def away(request: web.Request) -> web.Response:
        seen.append(request.path)
        raise web.HTTPFound("/elsewhere")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", away)
    server = TestServer(app)
    await server.start_server()
    line = Line(str(server.make_url("")), None)
    with pytest.raises(Exception, match="answered 302"):
        await line.vouch()
    await line.close()
    await server.close()
    assert seen == ["/.well-known/secvillage"]
