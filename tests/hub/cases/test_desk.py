"""The desk: a step, what it brings about and its history are kept together or not at all."""

import asyncio
import json
from typing import Any

import pytest
from sqlmodel import select

from tests.hub.cases.cast import AREA, CHEN, LI, SUN, ZHAO
from tests.hub.support import Hub
from village_hub import keys
from village_hub.audit.entry import EntryKind
from village_hub.cases import preserve
from village_hub.cases.desk import Desk, Kept
from village_hub.cases.effects import Cut, Spawn, Tell
from village_hub.cases.matter import DAY, HOUR, THE_CLOCK, Next, TimeIsUp, Withdraw
from village_hub.cases.preserve import Confirm, Preserve, PreserveTerms
from village_hub.catalogue import letters, matters, notices
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, Forbidden, HubError, NotFound, PreconditionFailed
from village_hub.notices.kinds import Kind as Told

pytestmark = pytest.mark.both_databases


def began(hub: Hub, *households: str) -> Next[Preserve]:
    now = hub.clock.utc_ms()
    terms = PreserveTerms(incident="110-0042", area=AREA, begin=now - 2 * HOUR, end=now - HOUR)
    return preserve.begin(terms, LI, now, households)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    return hub.app[keys.DESK]


async def opened(hub: Hub, *households: str) -> Kept[Preserve]:
    return await hub.app[keys.DESK].open(began(hub, *households), LI)


async def test_what_is_opened_is_found_with_its_holds_notices_and_history(
    hub: Hub, desk: Desk
) -> None:
    """PRM-18, AUD-1."""
    household = await hub.household()
    owner = await hub.person(household)
    kept = await opened(hub, household)
    assert await desk.find(Preserve, kept.matter.id) == kept
    read, now = hub.app[keys.CATALOGUE].read, hub.clock.utc_ms()
    (hold,) = await read(matters.holds, now)
    assert (hold.matter, hold.place, hold.camera) == (kept.matter.id, AREA.place, None)
    told = await read(notices.about, "preserve", kept.matter.id)
    assert {row.person or row.unit for row in told} == {owner}
    (letter,) = await read(letters.waiting)
    assert (letter.to, json.loads(letter.body)["unit"]) == (LI.issuer, "the station")
    (step,) = await read(matters.steps, kept.matter.id)
    assert (step.seq, step.act, json.loads(step.by)["id"]) == (1, "opened", "li")
    wanted = matters.Wanted(("preserve",), 10)
    assert len(await read(matters.of_households, [household], now, wanted)) == 1
    assert await read(matters.of_households, [household], now - 1, wanted) == []


async def test_every_step_is_in_the_audit_log_with_who_and_the_second_person(
    hub: Hub, desk: Desk
) -> None:
    """AUD-1."""
    kept = await opened(hub)
    await desk.act(kept.matter.id, Confirm(), CHEN)
    entries = await hub.app[keys.CATALOGUE].read(entries_about, kept.matter.id)
    assert [(each["action"], each["who"]["id"]) for each in entries] == [
        ("preserve_placed", "li"),
        ("preserve_confirmed", "chen"),
    ]
    assert entries[1]["second"]["id"] == "li"
    assert {each["case"] for each in entries} == {"110-0042"}


def entries_about(session: Session, matter: str) -> list[dict[str, Any]]:
    found = [json.loads(text) for text in session.exec(select(AuditEntry.document))]
    return [each for each in found if each.get("grant") == matter]


async def test_of_two_officers_at_once_one_wins(hub: Hub, desk: Desk) -> None:
    kept = await opened(hub)
    answers = await asyncio.gather(
        *(desk.act(kept.matter.id, Confirm(), by, kept.version) for by in (CHEN, ZHAO, SUN)),
        return_exceptions=True,
    )
    won = [each for each in answers if isinstance(each, Kept)]
    lost = [each for each in answers if isinstance(each, HubError)]
    assert (len(won), len(lost)) == (1, 2)
    assert {(type(each), each.code) for each in lost} == {(PreconditionFailed, "matter_moved")}
    assert {each.headers["ETag"] for each in lost} == {'"2"'}
    assert "confirmed" in str(lost[0])


async def test_without_a_version_the_slower_one_is_told_how_it_stands(hub: Hub, desk: Desk) -> None:
    kept = await opened(hub)
    await desk.act(kept.matter.id, Withdraw(), CHEN)
    with pytest.raises(Conflict) as error:
        await desk.act(kept.matter.id, Confirm(), ZHAO)
    assert error.value.code == "matter_over"


async def test_a_refused_step_changes_nothing(hub: Hub, desk: Desk) -> None:
    kept = await opened(hub)
    with pytest.raises(Forbidden):
        await desk.act(kept.matter.id, Confirm(), THE_CLOCK)
    assert await desk.find(Preserve, kept.matter.id) == kept
    assert len(await hub.app[keys.CATALOGUE].read(matters.steps, kept.matter.id)) == 1


async def test_what_cannot_be_carried_out_undoes_the_step(hub: Hub, desk: Desk) -> None:
    """A notice that lacks its words: the matter is not there either."""
    start = began(hub)
    broken = Next(start.matter, (*start.effects, Tell(Told.PRESERVE_LAPSED, {}, {})))
    with pytest.raises(ValueError, match="differ"):
        await desk.open(broken, LI)
    with pytest.raises(NotFound):
        await desk.find(Preserve, start.matter.id)
    assert await hub.app[keys.CATALOGUE].read(matters.holds, hub.clock.utc_ms()) == []


async def test_the_clock_acts_once_when_time_is_up(hub: Hub, desk: Desk) -> None:
    kept = await opened(hub)
    await desk.look()
    assert (await desk.find(Preserve, kept.matter.id)).version == 1
    hub.clock.turn(DAY / 1000)
    await asyncio.gather(desk.look(), desk.look())
    await desk.look()
    found = await desk.find(Preserve, kept.matter.id)
    assert (found.matter.state, found.version) == ("lapsed", 2)
    assert await hub.app[keys.CATALOGUE].read(matters.holds, hub.clock.utc_ms()) == []
    entries = await hub.app[keys.CATALOGUE].read(entries_about, kept.matter.id)
    assert entries[-1]["kind"] == EntryKind.SYSTEM
    assert "who" not in entries[-1]


async def test_one_matter_that_cannot_move_stops_no_other(hub: Hub, desk: Desk) -> None:
    first, second = await opened(hub), await opened(hub)
    await hub.app[keys.CATALOGUE].write(make_due, first.matter.id, hub.clock.utc_ms() - 1)
    await desk.look()  # refused: its own time says otherwise
    hub.clock.turn(DAY / 1000)
    await desk.look()
    assert (await desk.find(Preserve, second.matter.id)).matter.state == "lapsed"


def make_due(session: Session, matter_id: str, due: int) -> None:
    row = matters.find(session, matter_id)
    assert row is not None
    values = {name: getattr(row, name) for name in matters.MatterRow.__slots__}
    assert matters.keep(
        session, matters.MatterRow(**{**values, "due": due, "version": row.version + 1})
    )


async def test_one_matter_begins_another_in_the_same_transaction(hub: Hub, desk: Desk) -> None:
    start, other = began(hub), began(hub)
    await desk.open(Next(start.matter, (Spawn(other),)), LI)
    assert (await desk.find(Preserve, other.matter.id)).matter == other.matter
    hub.clock.turn(DAY / 1000)
    kept = await desk.act(other.matter.id, TimeIsUp(), THE_CLOCK)
    assert kept.matter.state == "lapsed"


async def test_what_ends_a_basis_has_every_view_looked_at(hub: Hub, desk: Desk) -> None:
    """MED-17."""
    looked = []
    quick = Desk(hub.id, hub.app[keys.CATALOGUE], hub.clock, lambda: looked.append(True))
    start = began(hub)
    await quick.open(start, LI)
    assert not looked
    again = began(hub)
    await quick.open(Next(again.matter, (Cut(),)), LI)
    assert looked


async def test_a_matter_of_another_kind_or_none_is_not_found(hub: Hub, desk: Desk) -> None:
    kept = await opened(hub)

    class Other(Preserve):
        pass

    for document, name in ((Other, kept.matter.id), (Preserve, "x")):
        with pytest.raises(NotFound):
            await desk.find(document, name)
    with pytest.raises(NotFound):
        await desk.act("x", Confirm(), CHEN)
