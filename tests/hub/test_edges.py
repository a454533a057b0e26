"""What goes wrong at the edges: half bodies, odd tokens, broken state, full tables; and metrics."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.hub.support import Hub, TurnedClock, bearer, small_config, until
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.keys import KeyFileError
from village_core.permits import Action
from village_core.tokens import Issuer, Kind
from village_hub import keys
from village_hub.access.throttle import MOST_SOURCES, Throttle
from village_hub.access.tickets import Tickets
from village_hub.access.token_keys import TokenKeys
from village_hub.config import Config, MetricsConfig
from village_hub.metrics import Metrics
from village_hub.node import load_node


def minted(hub: Hub, kind: Kind, **more: Any) -> dict[str, str]:
    issuer: Issuer = hub.app[keys.TOKEN_KEYS].issuer()
    return bearer(issuer.mint(kind, subject="x", audience=hub.id, more=more))


SAID = {"purpose": "own_view", "reason": ""}


@pytest.mark.parametrize(
    ("kind", "claims"),
    [
        (Kind.TICKET, {}),
        (Kind.TICKET, {"run": "earlier", "action": "live", "push": "p", "quality": "main"}),
        (Kind.MEDIA, {}),
        (Kind.MEDIA, {"sid": "none", "camera": "x", "action": "live", **SAID}),
        (Kind.ACCESS, {"sid": 5}),
        (Kind.ENROL, {}),
        (Kind.VOUCH, {}),
    ],
    ids=str,
)
async def test_a_token_of_ours_that_says_too_little_opens_nothing(
    hub: Hub, kind: Kind, claims: dict[str, Any]
) -> None:
    token = minted(hub, kind, **claims)
    for method, path in (
        *(("POST", "/whip/x"), ("POST", "/whep/x"), ("GET", "/api/v1/me")),
        *(("DELETE", "/whip/sessions/x"), ("PUT", "/api/v1/uploads/x"), ("GET", "/uplink")),
    ):
        assert (await hub.ask(method, path, headers=token)).status == 401


@pytest.mark.parametrize(
    "claims",
    [
        *({"roles": "x"}, {"roles": [1]}, {"roles": ["king"]}, {"unit": 5}, {"place": []}),
        *({"roles": ["committee"]}, {"unit": "u"}, {"roles": [], "unit": "u"}),
        {"roles": ["committee", "committee"], "unit": "u"},
    ],
)
async def test_claims_of_another_shape_are_refused(hub: Hub, claims: dict[str, Any]) -> None:
    _, viewer = await hub.owner()
    rows = await (await hub.ask("GET", "/api/v1/me/sign-ins", headers=viewer.headers)).json()
    sid = rows["sign_ins"][0]["id"]
    good = minted(hub, Kind.ACCESS, sid=sid, roles=["committee"], unit="u", place="110101")
    assert (await hub.ask("GET", "/api/v1/me", headers=good)).status == 200
    bad = minted(hub, Kind.ACCESS, sid=sid, **claims)
    assert (await hub.ask("GET", "/api/v1/me", headers=bad)).status == 401


@pytest.mark.parametrize("claims", [{"action": "steal"}, {"action": "live", "quality": "8k"}])
async def test_a_ticket_with_unknown_words_is_refused(hub: Hub, claims: dict[str, str]) -> None:
    run = hub.app[keys.TICKETS]._run
    token = minted(hub, Kind.TICKET, run=run, push="p", **claims)
    assert (await hub.ask("POST", "/whip/x", headers=token)).status == 401


async def test_a_media_token_with_an_unknown_action_is_refused(hub: Hub) -> None:
    _, viewer = await hub.owner()
    rows = await (await hub.ask("GET", "/api/v1/me/sign-ins", headers=viewer.headers)).json()
    sid = rows["sign_ins"][0]["id"]
    token = minted(hub, Kind.MEDIA, sid=sid, camera="x", action="steal", **SAID)
    assert (await hub.ask("GET", "/whep/x", headers=token)).status == 401
    still = minted(hub, Kind.MEDIA, sid=sid, camera="x", action=Action.STILL.value, **SAID)
    headers = {**still, "Content-Type": "application/sdp"}
    assert (await hub.ask("POST", "/whep/x", data="v=0", headers=headers)).status == 403


async def test_a_node_nobody_enrolled_is_refused(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    agent.id = new_id()
    assert (await hub.ask("GET", "/uplink", headers=hub.node_token(agent))).status == 401


async def test_a_ticket_of_an_earlier_run_opens_nothing(hub: Hub, clock: TurnedClock) -> None:
    """What was spent is kept in memory, so nothing of before counts."""
    before = Tickets(hub.id, hub.app[keys.TOKEN_KEYS], clock)
    ticket = bearer(before.for_upload("x", "u"))
    assert (await hub.ask("PUT", "/api/v1/uploads/u", headers=ticket)).status == 401


async def test_a_body_that_breaks_off_is_nobodys_fault(hub: Hub) -> None:
    answer = await hub.raw(
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    assert b" 400 " in answer.split(b"\r\n", 1)[0]
    assert (await hub.ask("GET", "/healthz")).status == 200


async def test_a_client_that_goes_away_leaves_no_error(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    async with hub.app[keys.UPLOADS].expect("gate") as expected:
        url = hub.client.make_url("/")
        _, writer = await asyncio.open_connection(url.host, url.port)
        path = expected.to.url.removeprefix(hub.app[keys.NODE].url)
        head = (
            f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
            f"Authorization: Bearer {expected.to.ticket}\r\nContent-Length: 99\r\n\r\n"
        )
        writer.write(head.encode() + b"\xff\xd8\xff")
        await writer.drain()
        await until(lambda: bool(hub.app[keys.TICKETS]._spent))
        writer.close()
        await writer.wait_closed()
        assert (await hub.ask("GET", "/healthz")).status == 200
        assert not expected.arrived.done()
    assert "Traceback" not in caplog.text


async def test_a_hub_whose_job_fails_says_that_it_is_not_ready(hub: Hub) -> None:
    async def fails() -> None:
        raise OSError("no disk")

    hub.app[keys.SUPERVISOR].start("disk", fails, expected=(OSError,))

    async def waits() -> bool:
        return (await hub.ask("GET", "/readyz")).status == 503

    await until(waits)
    response = await hub.ask("GET", "/readyz")
    if response.status == 503:
        assert (await response.json())["code"] == "not_ready"
        assert "disk" not in await response.text()  # strangers learn no more
    await hub.app[keys.SUPERVISOR].end("disk")
    assert (await hub.ask("GET", "/readyz")).status == 200


def test_a_throttle_remembers_only_so_many() -> None:
    throttle = Throttle(1, 60, TurnedClock())
    for number in range(MOST_SOURCES + 10):
        throttle.take(str(number))
    assert len(throttle._levels) == MOST_SOURCES


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_broken_id_stops_the_start(tmp_path: Path, content: bytes) -> None:
    config = small_config(tmp_path)
    config.state.mkdir()
    (config.state / "hub.id").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"hub\.id"):
        load_node(config, TurnedClock())


def test_the_id_and_key_stay_the_same(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    first, second = load_node(config, TurnedClock()), load_node(config, TurnedClock())
    assert (first.id, first.key.public) == (second.id, second.key.public)


def test_a_folder_without_room_for_token_keys_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="token key"):
        TokenKeys(tmp_path / "file" / "keys", "hub", TurnedClock()).rotate()


class TestMetrics:
    @pytest.fixture
    def config(self, tmp_path: Path, unused_tcp_port: int) -> Config:
        return small_config(tmp_path, metrics=MetricsConfig(port=unused_tcp_port))

    async def test_counts_are_answered_on_their_own_address(self, hub: Hub, config: Config) -> None:
        await hub.ask("GET", "/healthz")
        _, viewer = await hub.owner()
        await hub.ask("GET", "/api/v1/cameras", headers=viewer.headers)
        url = f"http://127.0.0.1:{config.metrics.port}/metrics"
        async with aiohttp.ClientSession() as operator, operator.get(url) as response:
            assert response.status == 200
            text = await response.text()
        assert 'hub_requests_total{route="healthz",status="200"} 1.0' in text
        assert 'hub_requests_total{route="cameras",status="200"} 1.0' in text
        assert "hub_agents_online 0.0" in text
        assert "hub_jobs_waiting 0.0" in text
        assert viewer.person not in text
        assert (await hub.ask("GET", "/metrics")).status == 404  # not where people go


async def test_an_application_has_its_own_counts() -> None:
    one, two = Metrics(), Metrics()
    one.gauge("x", "x", lambda: 1.0)
    two.gauge("x", "x", lambda: 2.0)
    supervisor = Supervisor()
    one.watch_jobs(supervisor)
    assert one.registry.get_sample_value("x") == 1.0
    assert two.registry.get_sample_value("x") == 2.0
