"""An SOS rings people in order until one accepts: the hub, its database and a simulated gateway."""

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.hub.conftest import open_fake
from tests.hub.notices.told import PHONE, Told
from tests.hub.support import Hub, TurnedClock, until
from tests.support.gateway import GatewaySimulator
from village_core.permits import Role
from village_hub import keys
from village_hub.app import make_app
from village_hub.catalogue import rings as queries
from village_hub.config import Config, NoticesConfig
from village_hub.errors import NotFound
from village_hub.notices import rings
from village_hub.notices.delivery import LEASE
from village_hub.notices.kinds import Kind
from village_hub.notices.ringing import Callee, CallState, Ring, RingState
from village_hub.notices.rings import Answer, Sos

HELPER, SON, STATION = "+8613700137001", "+8613700137002", "+8607312110000"


@pytest.fixture
async def told(hub: Hub, gateway: GatewaySimulator) -> Told:
    return await Told.make(hub, gateway)


async def callees(told: Told, *, with_phones: bool = True) -> list[Callee]:
    """A helper, the son, the station's duty desk."""
    officer = await told.hub.staff(Role.STATION_OFFICER)
    found = [
        Callee(await told.hub.named("李婶"), "李婶"),
        Callee(await told.hub.named("王强"), "王强"),
        Callee(officer.unit, "派出所", unit=True),
    ]
    if with_phones:
        for callee, phone in zip(found, (HELPER, SON, STATION), strict=True):
            await told.phone(callee.holder, phone)
    return found


async def press_sos(told: Told, order: list[Callee], at_once: int = 1) -> None:
    sos = Sos("sos-1", told.home, "王家", "14:02", order)
    settings = NoticesConfig(ring_at_once=at_once)
    await told.hub.app[keys.CATALOGUE].write(rings.begin, sos, settings, told.hub.clock.utc_ms())


async def ring(hub: Hub) -> Ring:
    row = await hub.app[keys.CATALOGUE].read(queries.find, "sos-1")
    assert row is not None
    return row.ring


async def rung(told: Told, phone: str, times: int = 1) -> dict[str, Any]:
    """The call to `phone`, once it was placed and its carrier's word was noted."""
    await until(lambda: len(told.gateway.to(phone, "voice")) == times)
    call = told.gateway.to(phone, "voice")[-1]

    async def noted() -> bool:
        row = await told.row(call["reference"].partition(".")[0])
        return row.progress.waiting

    await until(noted)
    return call


async def becomes(hub: Hub, state: RingState) -> None:
    async def is_so() -> bool:
        return (await ring(hub)).state is state

    await until(is_so)


async def kinds(told: Told) -> list[str]:
    return [one["kind"] for one in await told.listed()]


async def test_the_first_is_rung_at_once_and_their_key_ends_it(told: Told) -> None:
    """PRM-23."""
    order = await callees(told)
    await press_sos(told, order)
    call = await rung(told, HELPER)
    assert call["keys"] == {"1": "accept_sos_call", "2": "no"}
    assert call["text"] == "王家求救，14:02。能去帮忙，请按1。不同意或去不了，请按2。"
    assert await told.gateway.press(call, "1") == "谢谢，请马上前往。"
    await becomes(told.hub, RingState.ACCEPTED)
    assert (await ring(told.hub)).coming == ("李婶",)
    assert await kinds(told) == ["sos_accepted"]
    await until(lambda: len(told.gateway.to(PHONE)) == 1)
    assert told.gateway.to(PHONE)[0]["text"].startswith("李婶已答应求救，正在赶来。")
    assert told.gateway.to(SON) == []


async def test_who_cannot_come_presses_2_and_the_next_one_rings(told: Told) -> None:
    await press_sos(told, await callees(told))
    call = await rung(told, HELPER)
    await told.gateway.press(call, "2")
    call = await rung(told, SON)
    told.hub.clock.turn(30)
    await rung(told, STATION)
    assert [one.state for one in (await ring(told.hub)).calls] == [
        CallState.DECLINED,
        CallState.SILENT,
        CallState.RINGING,
    ]


async def test_a_call_that_fails_does_not_cost_its_30_seconds(told: Told) -> None:
    await press_sos(told, await callees(told))
    await told.gateway.receipt(await rung(told, HELPER), "busy")
    told.gateway.answers = [404]
    await until(lambda: told.gateway.answers == [], 5)
    await rung(told, STATION)


async def test_who_has_no_number_is_passed_over(told: Told) -> None:
    order = await callees(told, with_phones=False)
    await told.phone(order[2].holder, STATION)
    await press_sos(told, order)
    await rung(told, STATION)


async def test_who_picked_up_has_time_to_listen(told: Told) -> None:
    await press_sos(told, await callees(told))
    call = await rung(told, HELPER)
    told.hub.clock.turn(29)
    await told.gateway.receipt(call, "answered")

    async def listening() -> bool:
        return (await ring(told.hub)).calls[0].state is CallState.LISTENING

    await until(listening)
    told.hub.clock.turn(20)
    assert await told.gateway.press(call, "1") == "谢谢，请马上前往。"
    await becomes(told.hub, RingState.ACCEPTED)
    assert told.gateway.to(SON) == []


async def test_when_nobody_accepts_it_is_said_aloud(told: Told) -> None:
    """PRM-23: who pressed for help must know that none is coming."""
    await press_sos(told, await callees(told))
    for times in (1, 2):
        for phone in (HELPER, SON, STATION):
            await rung(told, phone, times)
            told.hub.clock.turn(30)
    await becomes(told.hub, RingState.NOBODY)
    assert await kinds(told) == ["sos_nobody"]
    await until(lambda: len(told.gateway.to(PHONE, "voice")) == 1)
    assert told.gateway.to(PHONE)[0]["text"].startswith("求救电话没有人接。请马上打110或120。")


async def test_without_anybody_to_ring_that_is_said_at_once(told: Told) -> None:
    await press_sos(told, [])
    assert (await ring(told.hub)).state is RingState.NOBODY
    assert await kinds(told) == ["sos_nobody"]


async def test_a_late_yes_still_counts(told: Told) -> None:
    order = (await callees(told))[:1]
    await press_sos(told, order)
    call = await rung(told, HELPER)
    told.hub.clock.turn(30)
    await rung(told, HELPER, 2)
    told.hub.clock.turn(30)
    await becomes(told.hub, RingState.NOBODY)
    await told.gateway.press(call, "1")
    await becomes(told.hub, RingState.ACCEPTED)
    assert await kinds(told) == ["sos_accepted", "sos_nobody"]


async def test_several_ring_together_when_so_set_and_one_is_enough(told: Told) -> None:
    await press_sos(told, await callees(told), at_once=2)
    await rung(told, HELPER)
    await told.gateway.press(await rung(told, SON), "1")
    await becomes(told.hub, RingState.ACCEPTED)
    assert [one.state for one in (await ring(told.hub)).calls] == [
        CallState.LET_GO,
        CallState.ACCEPTED,
        CallState.WAITING,
    ]


async def test_it_can_be_accepted_on_the_page_by_those_who_are_asked_only(told: Told) -> None:
    order = await callees(told)
    await press_sos(told, order)
    write, now = told.hub.app[keys.CATALOGUE].write, told.hub.clock.utc_ms()
    with pytest.raises(NotFound):
        await write(rings.answer, Answer(sos="sos-1", holder=told.owner, coming=True), now)
    elsewhere = Answer(sos="sos-1", holder=order[1].holder, coming=True, hub="another")
    with pytest.raises(NotFound):
        await write(rings.answer, elsewhere, now)
    await write(rings.answer, elsewhere.model_copy(update={"hub": ""}), now)
    assert (await ring(told.hub)).coming == ("王强",)


async def test_a_closed_sos_rings_nobody(told: Told) -> None:
    await press_sos(told, await callees(told))
    await rung(told, HELPER)
    await told.hub.app[keys.CATALOGUE].write(rings.end, "sos-1", told.hub.clock.utc_ms())
    told.hub.clock.turn(300)
    await until(lambda: told.hub.clock.slept.count(1.0) > 20)
    assert told.gateway.to(SON) == []
    assert (await ring(told.hub)).state is RingState.ENDED


async def test_a_restart_in_the_middle_goes_on_where_it_was(
    told: Told, hub: Hub, config: Config, clock: TurnedClock
) -> None:
    """Nothing is lost when the hub stops while a phone rings; nobody is rung twice for it."""
    await press_sos(told, await callees(told))
    call = await rung(told, HELPER)
    await hub.client.close()
    app = await asyncio.to_thread(make_app, config, open_fake, clock)
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    await client.start_server()
    again = Hub(app, client, clock)
    try:
        told.hub = again
        told.gateway.hub = again.origin
        assert (await ring(again)).calls[0].state is CallState.RINGING
        clock.turn(30)
        await rung(told, SON)
        assert len(told.gateway.to(HELPER)) == 1
        await told.gateway.press(call, "1")
        await becomes(again, RingState.ACCEPTED)
    finally:
        await client.close()


async def test_what_was_under_way_at_a_stop_goes_out_after_the_start(
    told: Told, hub: Hub, config: Config, clock: TurnedClock
) -> None:
    told.gateway.hangs = asyncio.Event()
    name = await told.tell(Kind.GRANT_STOPPED)

    async def begun() -> bool:
        return (await told.row(name)).progress.attempts == 1

    await until(begun)
    await hub.client.close()
    told.gateway.hangs.set()
    told.gateway.letters.clear()
    app = await asyncio.to_thread(make_app, config, open_fake, clock)
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    await client.start_server()
    try:
        clock.turn(LEASE / 1000)
        await until(lambda: len(told.gateway.to(PHONE)) == 1)
        assert told.gateway.to(PHONE)[0]["reference"] == f"{name}.sms.0"
    finally:
        await client.close()
