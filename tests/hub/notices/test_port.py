"""Telling inside a transaction: who gets a notice, when, and what is refused."""

from collections.abc import AsyncIterator

import pytest

from tests.hub.notices.people import Village
from village_core.permits import Role
from village_hub.catalogue import notices
from village_hub.catalogue.notices import Reader
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, Unprocessable
from village_hub.notices import port
from village_hub.notices.contacts import Contact, normal_phone
from village_hub.notices.due import DAY, LONGEST_DELAY, MINUTE
from village_hub.notices.kinds import Channel, Kind, State, Whom
from village_hub.notices.port import AUDITORS, About, Delay, Event, Notice, To

T = 1_795_000_000_000
CASE = {"who": "西村派出所李警官", "camera": "大门", "case": "2026-11", "until": "14:30"}

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def village(database_url: str) -> AsyncIterator[Village]:
    catalogue = await Catalogue.open(database_url)
    yield await Village.make(catalogue)
    await catalogue.close()


def approved(at: int = T, delay: Delay | None = None) -> Event:
    return Event(Kind.REQUEST_APPROVED, About("request", "r1"), at, CASE, delay)


async def tell(village: Village, event: Event, whom: Whom, to: To) -> list[str]:
    return await village.catalogue.write(port.tell, Notice(event, whom, to))


async def read(village: Village, reader: Reader, now: int) -> list[notices.NoticeRow]:
    return await village.catalogue.write(notices.shown_to, reader, now, None, 50)


async def test_every_owner_of_a_household_is_told(village: Village) -> None:
    told = await tell(village, approved(), Whom.OWNER, To.owners(village.home))
    assert len(told) == 2
    for owner in (village.wang, village.fang):
        shown = await read(village, Reader(owner), T)
        assert [row.params["case"] for row in shown] == ["2026-11"]
        assert shown[0].progress.state is State.DELIVERED
    assert await read(village, Reader(village.zhao), T) == []


async def test_a_household_without_owner_keeps_its_notice_for_the_next_one(
    village: Village,
) -> None:
    await tell(village, approved(), Whom.OWNER, To.owners(village.empty))
    new_owner = Reader(village.zhao, households=frozenset({village.empty}))
    assert len(await read(village, new_owner, T)) == 1


async def test_a_unit_and_a_role_read_theirs_on_duty_only(village: Village) -> None:
    event = Event(Kind.OBJECTION_FILED, About("objection", "o1"), T, {**CASE, "home": "王家"})
    await tell(village, event, Whom.MEDIATOR, To.duty("unit-1"))
    await tell(village, event, Whom.AUDITOR, AUDITORS)
    on_duty = Reader(village.zhao, "unit-1", frozenset({Role.COMMITTEE}))
    elsewhere = Reader(village.zhao, "unit-2", frozenset({Role.COMMITTEE}))
    auditor = Reader(village.zhao, "unit-3", frozenset({Role.AUDITOR}))
    assert [row.whom for row in await read(village, on_duty, T)] == [Whom.MEDIATOR]
    assert [row.whom for row in await read(village, auditor, T)] == [Whom.AUDITOR]
    assert await read(village, elsewhere, T) == []
    assert await read(village, Reader(village.zhao), T) == []


async def test_at_home_and_on_duty_are_two_letter_boxes(village: Village) -> None:
    """A session has one capacity: what a home is told is not read in the office."""
    await tell(village, approved(), Whom.OWNER, To.owners(village.home))
    await tell(village, approved(), Whom.ASKER, To.one(village.wang))
    on_duty = Reader(village.wang, "unit-1", frozenset({Role.COMMITTEE}))
    assert [row.whom for row in await read(village, on_duty, T)] == [Whom.ASKER]
    assert len(await read(village, Reader(village.wang), T)) == 2


async def test_what_fails_tells_nobody(village: Village) -> None:
    """The notice is part of the transaction that it tells of."""

    def half(session: Session) -> None:
        port.tell(session, Notice(approved(), Whom.OWNER, To.owners(village.home)))
        raise KeyError("halfway")

    with pytest.raises(KeyError):
        await village.catalogue.write(half)
    assert await read(village, Reader(village.wang), T) == []


async def test_nobody_whom_the_rules_name_can_be_forgotten(village: Village) -> None:
    told = {Whom.OWNER: [To.owners(village.home)], Whom.ASKER: [To.one(village.zhao)]}
    with pytest.raises(ValueError, match="custodian"):
        await village.catalogue.write(port.announce, approved(), told)
    assert await read(village, Reader(village.wang), T) == []
    everybody = {**told, Whom.CUSTODIAN: []}
    found = await village.catalogue.write(port.announce, approved(), everybody)
    assert {whom: len(ids) for whom, ids in found.items()} == {
        Whom.OWNER: 2,
        Whom.ASKER: 1,
        Whom.CUSTODIAN: 0,
    }


async def test_a_sentence_that_cannot_be_filled_in_is_refused_at_once(village: Village) -> None:
    event = Event(Kind.REQUEST_APPROVED, About("request", "r1"), T, {"who": "x"})
    with pytest.raises(ValueError, match="camera, case"):
        await tell(village, event, Whom.OWNER, To.owners(village.home))


async def test_a_part_without_a_duty_is_refused(village: Village) -> None:
    with pytest.raises(KeyError):
        await tell(village, approved(), Whom.KIN, To.one(village.wang))


async def test_it_goes_by_the_persons_own_order(village: Village) -> None:
    phone = normal_phone("138 0013 8000")
    contact = Contact(village.wang, phone, (Channel.VOICE, Channel.SMS))
    await village.catalogue.write(notices.set_contact, contact, T)
    await tell(village, approved(), Whom.OWNER, To.owners(village.home))
    taken = await village.catalogue.write(notices.take, T, 10)
    assert {(row.person, channel) for row, channel in taken} == {
        (village.wang, Channel.VOICE),
        (village.fang, Channel.SMS),
    }
    assert await village.catalogue.write(notices.take, T, 10) == [], "each is begun once"


async def test_a_delay_needs_words_and_an_approver_and_is_at_most_7_days(
    village: Village,
) -> None:
    """PRM-10."""
    for delay in (
        Delay(T + DAY, " ", village.zhao),
        Delay(T + DAY, "would impede duty", ""),
        Delay(T + LONGEST_DELAY + 1, "would impede duty", village.zhao),
        Delay(T, "would impede duty", village.zhao),
    ):
        with pytest.raises(Unprocessable):
            await tell(village, approved(delay=delay), Whom.OWNER, To.owners(village.home))
    assert await village.catalogue.read(notices.about, "request", "r1") == []


@pytest.mark.parametrize("kind", [Kind.EMERGENCY_OPENED, Kind.SOS_VIEWED, Kind.GRANT_GIVEN])
async def test_what_must_be_told_at_once_cannot_be_delayed(village: Village, kind: Kind) -> None:
    """PRM-6, PRM-7, PRM-10."""
    delay = Delay(T + DAY, "would impede duty", village.zhao)
    event = Event(kind, About("x", "x"), T, CASE, delay)
    with pytest.raises(Unprocessable):
        await tell(village, event, Whom.OWNER, To.owners(village.home))


async def test_a_delayed_notice_is_nowhere_but_with_the_auditor_until_its_release(
    village: Village,
) -> None:
    """PRM-10: released automatically; the auditor sees every delay at once."""
    until = T + 7 * DAY
    delay = Delay(until, "would impede duty", village.zhao)
    await tell(village, approved(delay=delay), Whom.OWNER, To.owners(village.home))
    await tell(village, approved(delay=delay), Whom.ASKER, To.one(village.zhao))
    held = await village.catalogue.read(notices.delayed, None, 10)
    assert {(row.whom, row.ground, row.approver) for row in held} == {
        (Whom.OWNER, "would impede duty", village.zhao)
    }
    assert len(held) == 2
    assert await read(village, Reader(village.wang), until - 1) == []
    taken = await village.catalogue.write(notices.take, until - 1, 10)
    assert [row.whom for row, _ in taken] == [Whom.ASKER], "only the household's is held back"
    name = held[0].id
    wang = Reader(str(held[0].person))
    assert not await village.catalogue.write(notices.acknowledge, wang, name, until - 1)
    assert len(await read(village, wang, until)) == 1
    assert len(await village.catalogue.write(notices.take, until, 10)) == 2
    assert len(await village.catalogue.read(notices.delayed, None, 10)) == 2, "and stays listed"


async def test_a_delay_is_renewed_to_30_days_and_not_after_its_release(village: Village) -> None:
    """PRM-10."""
    write = village.catalogue.write
    delay = Delay(T + DAY, "would impede duty", village.zhao)
    [first, _] = await tell(village, approved(delay=delay), Whom.OWNER, To.owners(village.home))
    longer = Delay(T + 30 * DAY, "still would", village.fang)
    await write(port.hold_back, first, longer, T)
    row = await village.catalogue.read(notices.find, first)
    assert row is not None
    assert (row.progress.release_at, row.ground, row.approver) == (
        T + 30 * DAY,
        "still would",
        village.fang,
    )
    with pytest.raises(Unprocessable):
        await write(port.hold_back, first, Delay(T + 30 * DAY + 1, "more", village.fang), T)
    with pytest.raises(Conflict):
        await write(port.hold_back, first, longer, T + 30 * DAY)
    await write(port.release, first, T + 2 * DAY)
    row = await village.catalogue.read(notices.find, first)
    assert row is not None
    assert row.progress.release_at == T + 2 * DAY


async def test_what_was_not_delivered_when_due_is_failed_once(village: Village) -> None:
    await tell(village, approved(), Whom.OWNER, To.owners(village.home))
    due = T + 15 * MINUTE
    assert await village.catalogue.write(notices.fail_overdue, due - 1, 10) == []
    assert len(await village.catalogue.write(notices.fail_overdue, due, 10)) == 2
    assert await village.catalogue.write(notices.fail_overdue, due, 10) == []
    [shown] = await read(village, Reader(village.wang), due + 1)
    assert shown.progress.state is State.DELIVERED


async def test_a_slip_waits_to_be_printed_until_it_was_handed_over(village: Village) -> None:
    """PRM-21."""
    event = Event(Kind.WINDOW_GRANT, About("grant", "g1"), T, CASE)
    [first, second] = await tell(village, event, Whom.OWNER, To.owners(village.home))
    await read(village, Reader(village.wang), T)
    waiting = await village.catalogue.read(notices.slips, T, 10)
    assert {row.id for row in waiting} == {first, second}
    await village.catalogue.write(notices.arrive, first, Channel.SLIP, T + 1)
    assert [row.id for row in await village.catalogue.read(notices.slips, T, 10)] == [second]


async def test_pages_of_notices_follow_each_other(village: Village) -> None:
    for number in range(5):
        event = Event(Kind.GRANT_STOPPED, About("grant", str(number)), T + number, CASE)
        await tell(village, event, Whom.OWNER, To.owners(village.home))
    seen: list[str] = []
    after: tuple[int, str] | None = None
    reader = Reader(village.wang)
    while rows := await village.catalogue.write(notices.shown_to, reader, T + 9, after, 2):
        seen += [row.about_id for row in rows]
        after = (rows[-1].progress.release_at, rows[-1].id)
    assert seen == ["4", "3", "2", "1", "0"]


async def test_old_notices_are_forgotten(village: Village) -> None:
    await tell(village, approved(), Whom.OWNER, To.owners(village.home))
    await village.catalogue.write(notices.forget, T)
    assert len(await village.catalogue.read(notices.about, "request", "r1")) == 2
    await village.catalogue.write(notices.forget, T + 1)
    assert await village.catalogue.read(notices.about, "request", "r1") == []


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("138 0013 8000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("0731-8222 1111", "+8673182221111"),
        ("010-6552 1111", "+861065521111"),
        ("+1 (415) 555-0100", "+14155550100"),
    ],
)
def test_a_phone_number_has_one_form(written: str, number: str) -> None:
    assert normal_phone(written) == number


@pytest.mark.parametrize("written", ["", "110", "12345678901", "+86123", "1380013800x", "+86 1"])
def test_what_is_no_phone_number_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        normal_phone(written)
    assert not written or written not in str(refused.value)


def test_a_number_shows_itself_in_no_log() -> None:
    """AUD-9 in spirit: whoever reads a log learns no number."""
    assert "138" not in repr(Contact("p", "+8613800138000"))
