"""What is written when: fail closed for those outside, nothing lost silently (AUD-2, AUD-3)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from tests.hub.audit.books import everything, locked, written
from tests.hub.audit.test_chain import entry
from tests.hub.conftest import open_fake
from tests.hub.support import SENT, Hub, TurnedClock, until
from village_core.permits import Action, Purpose, Quality
from village_hub import keys
from village_hub.access.audit import AuditFailed
from village_hub.access.facts import Permit, Reason, Subject
from village_hub.access.guard import Guard
from village_hub.access.identity import PersonCaller
from village_hub.access.matrix import Column
from village_hub.app import make_app
from village_hub.audit import log as log_module
from village_hub.audit.entry import EntryKind
from village_hub.audit.log import AuditLog
from village_hub.audit.strangers import MOST_NETWORKS, Strangers
from village_hub.catalogue import audit, cameras
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Catalogue
from village_hub.config import Config
from village_hub.errors import Overloaded, Refused


@pytest.fixture(autouse=True)
def _not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("village_hub.catalogue.backend.BUSY", 0.05)


async def watched(hub: Hub) -> tuple[str, str, Any]:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    url, token = await hub.watch(viewer, camera)
    return camera, url, token


async def test_a_look_leaves_a_decision_a_start_and_an_end(hub: Hub) -> None:
    """AUD-1: who, what, why, when, from where, and what was delivered."""
    camera, url, token = await watched(hub)
    hub.clock.turn(61)
    assert (await hub.ask("DELETE", url, headers=token)).status < 300
    await hub.app[keys.VIEWS].settle()
    decision, start, end = await written(hub)
    assert [each.kind for each in (decision, start, end)] == ["decision", "view_start", "view_end"]
    for each in (decision, start, end):
        assert each.who is not None
        assert (each.who.name, each.who.issuer) == ("Fang", hub.id)
        assert (each.camera, each.camera_name, each.action) == (camera, "Phone", "live")
        assert (each.purpose, each.basis, each.result) == ("own_view", "O", "allowed")
        assert each.permit == decision.id
        assert each.household
        assert each.source == "127.0.0.1"
        assert "aiohttp" in each.device
    assert end.bytes == SENT
    assert end.seconds == 61
    assert end.about["start"] == start.id
    assert end.about["start_ms"] == start.utc_ms == end.utc_ms - 61_000


async def test_a_revoked_view_says_so(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    await hub.ask("POST", "/api/v1/sign-out", headers=viewer.headers)
    await hub.app[keys.RENEWAL].look()
    await hub.app[keys.VIEWS].settle()
    (end,) = await written(hub, "view_end")
    assert end.about["why"] == "revoked"


async def test_a_crash_leaves_an_unknown_end(config: Config, clock: TurnedClock) -> None:
    """AUD-3: closed as 'unknown', with the time the log was last known to work."""
    catalogue = await Catalogue.open(config.database_url)
    start = entry(0).model_copy(update={"kind": EntryKind.VIEW_START, "permit": "p0"})
    closed = entry(1).model_copy(update={"kind": EntryKind.VIEW_START, "permit": "p1"})
    end = entry(2).model_copy(update={"kind": EntryKind.VIEW_END, "permit": "p1"})
    for each in (start, closed, end):
        await catalogue.write(audit.append, each)
    await catalogue.write(audit.keep_pulse, audit.SERVE, start.utc_ms + 7000)
    await catalogue.close()
    app = await hub_app(config, clock)
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    await client.start_server()
    found = await app[keys.CATALOGUE].read(everything)
    await client.close()
    assert len(found) == 4
    last = found[-1]
    assert (last.kind, last.permit, last.seconds) == ("view_end", "p0", None)
    assert last.about["why"] == "unknown"
    assert last.about["alive_ms"] == start.utc_ms + 7000


async def hub_app(config: Config, clock: TurnedClock) -> web.Application:
    return await asyncio.to_thread(make_app, config, open_fake, clock)


async def test_the_end_of_the_hub_is_written_too(config: Config, clock: TurnedClock) -> None:
    app = await hub_app(config, clock)
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    await client.start_server()
    hub = Hub(app, client, clock)
    await watched(hub)
    session = hub.live.sessions()[0]
    await hub.live.end(session, "the hub is stopping")
    await client.close()
    catalogue = await Catalogue.open(config.database_url)
    last = (await catalogue.read(everything))[-1]
    await catalogue.close()
    assert (last.kind, last.about["why"]) == ("view_end", "hub_stopped")


@pytest.mark.sqlite_only  # another process keeps the file
async def test_the_household_goes_on_while_nothing_can_be_written(hub: Hub) -> None:
    """AUD-2: and it is written later, marked late."""
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    token = await hub.media_token(viewer, camera)
    with locked(hub.app[keys.CONFIG]):
        url, _ = await watch_with(hub, camera, token)
        assert hub.app[keys.AUDIT].failing
    await hub.app[keys.AUDIT].look()
    assert not hub.app[keys.AUDIT].failing
    found = await written(hub)
    assert [(each.kind, each.late, each.result) for each in found] == [
        ("decision", True, "allowed"),
        ("view_start", True, "allowed"),
    ]
    await hub.ask("DELETE", url, headers=token)
    await hub.app[keys.VIEWS].settle()
    assert not (await written(hub, "view_end"))[0].late


async def watch_with(hub: Hub, camera: str, token: dict[str, str]) -> tuple[str, dict[str, str]]:
    response = await hub.ask(
        "POST",
        f"/whep/{camera}",
        data="v=0\r\n",
        headers={**token, "Content-Type": "application/sdp"},
    )
    assert response.status == 201, await response.text()
    return response.headers["Location"], token


@pytest.mark.sqlite_only  # another process keeps the file
async def test_nobody_outside_begins_while_nothing_can_be_written(hub: Hub) -> None:
    """AUD-2 (ASVS 16.5.3)."""
    camera, guard = await a_push_camera(hub)
    stranger = PersonCaller(Subject(hub.id, "li"), "s")
    with locked(hub.app[keys.CONFIG]), pytest.raises(Overloaded) as refused:
        await guard.permit(stranger, camera, Quality.SUB, Action.LIVE)
    assert refused.value.code == "audit"
    await hub.app[keys.AUDIT].look()
    (late,) = await written(hub)
    assert (late.late, late.result) == (True, "no_basis")


async def a_push_camera(hub: Hub) -> tuple[CameraRow, Guard]:
    household = await hub.household()
    name, _ = await hub.push_camera(household)
    camera = await hub.app[keys.CATALOGUE].read(cameras.find, name)
    assert camera is not None
    return camera, hub.app[keys.GUARD]


def outside_permit(hub: Hub, camera: str) -> Permit:
    return Permit(
        id="p1",
        subject=Subject(hub.id, "li", "u", name="Li"),
        via=hub.id,
        camera=camera,
        quality=Quality.SUB,
        action=Action.LIVE,
        purpose=Purpose.SOS,
        basis="S",
        until=hub.clock.utc_ms() + 90_000,
        outside=True,
        sign_in="s",
    )


@pytest.mark.sqlite_only  # another process keeps the file
async def test_a_view_from_outside_does_not_begin_unwritten(hub: Hub) -> None:
    """AUD-2: between the decision and the session the log may fail, too."""
    camera, _ = await a_push_camera(hub)
    permit = outside_permit(hub, camera.id)
    with locked(hub.app[keys.CONFIG]), pytest.raises(Overloaded):
        await hub.app[keys.VIEWS].started(permit, camera)
    hub.app[keys.VIEWS].ended(permit, 0, "not written down")
    await hub.app[keys.VIEWS].settle()
    assert await written(hub) == []


async def test_views_from_outside_end_at_their_renewal_when_the_log_fails(hub: Hub) -> None:
    """AUD-3."""
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    own = hub.live.sessions()[0].permit
    assert own is not None
    guard = hub.app[keys.GUARD]
    outside = replace(own, id="other", outside=True)
    hub.app[keys.AUDIT].failing = True
    verdicts = await guard.renew([own, outside])
    assert isinstance(verdicts[own.id], Permit)
    assert verdicts["other"] is Reason.AUDIT
    hub.app[keys.AUDIT].failing = False
    assert isinstance((await guard.renew([outside]))["other"], Permit)


@pytest.mark.sqlite_only  # another process keeps the file
async def test_a_log_that_fails_is_noticed_without_anybody_writing(
    catalogue: Catalogue, clock: TurnedClock, config: Config
) -> None:
    book = AuditLog(catalogue, clock, Strangers(clock), CollectorRegistry())
    seen = []

    async def look() -> None:
        await book.look()
        seen.append(book.failing)

    await look()
    with locked(config):
        await look()  # not time yet
        clock.turn(21)
        await look()
    clock.turn(21)
    await look()
    assert seen == [False, False, True, False]


async def test_what_does_not_fit_is_counted(
    catalogue: Catalogue, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUD-2: nothing is lost silently."""
    monkeypatch.setattr(log_module, "MOST_KEPT", 2)
    registry = CollectorRegistry()
    book = AuditLog(catalogue, clock, Strangers(clock), registry)
    for number in range(3):
        book.keep(entry(number))
    assert registry.get_sample_value("hub_audit_waiting") == 2
    assert registry.get_sample_value("hub_audit_lost_total") == 1
    await book.look()
    assert [each.late for each in await catalogue.read(everything)] == [True, True]
    assert registry.get_sample_value("hub_audit_waiting") == 0
    assert registry.get_sample_value("hub_audit_late_total") == 2


@pytest.fixture
async def catalogue(config: Config) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(config.database_url)
    yield found
    await found.close()


@pytest.mark.sqlite_only  # another process keeps the file
async def test_a_closed_database_is_a_failed_audit(
    catalogue: Catalogue, clock: TurnedClock, config: Config
) -> None:
    book = AuditLog(catalogue, clock, Strangers(clock), CollectorRegistry())
    with locked(config), pytest.raises(AuditFailed, match="lock"):
        await book.write(entry(0))
    await book.write(entry(0))


async def test_strangers_are_counted_by_network_and_minute(hub: Hub) -> None:
    """AUD-3: nobody fills the disk."""
    for _ in range(30):
        assert (await hub.ask("GET", "/api/v1/cameras")).status == 401
    assert await written(hub) == []

    async def there() -> bool:
        return len(await written(hub)) > 0

    hub.clock.turn(60)
    await until(there)
    (counted,) = await written(hub)
    assert (counted.kind, counted.result, counted.source) == (
        "refusal_count",
        "unauthorized",
        "127.0.0.1",
    )
    assert counted.about["count"] == 30
    await hub.app[keys.AUDIT].look()
    assert len(await written(hub)) == 1


def test_ever_new_networks_are_counted_as_one(clock: TurnedClock) -> None:
    strangers = Strangers(clock)
    for number in range(5000):
        strangers.note(f"2001:db8:{number:x}::1")
    strangers.note("2001:db8:0::9")  # a network that is there already
    entries = list(strangers.all())
    assert len(entries) == MOST_NETWORKS + 1
    assert sum(int(each.about["count"]) for each in entries) == 5001
    assert entries[0].about["count"] == 2
    assert list(strangers.all()) == []


async def test_a_refused_act_is_written_down(hub: Hub) -> None:
    """AUD-1: denied attempts too."""
    _, viewer = await hub.owner()
    caller = PersonCaller(Subject(hub.id, viewer.person), "s")
    with pytest.raises(Refused):
        await hub.app[keys.GUARD].allow(caller, Column.AUDIT)
    (tried,) = await written(hub)
    assert (tried.kind, tried.action, tried.result) == ("act", "try.audit", "no_basis")
