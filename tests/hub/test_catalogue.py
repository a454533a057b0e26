"""The store, the same on SQLite and on PostgreSQL; what only one of them has is in test_sqlite.py
and test_postgresql.py."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from village_hub.catalogue import people
from village_hub.catalogue.models import Household, OneTimeCode
from village_hub.catalogue.store import Catalogue, CatalogueError, check_url

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def catalogue(database_url: str) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(database_url)
    yield found
    await found.close()


def name_a_newer_schema(session: Session) -> None:
    session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")


async def test_a_newer_schema_is_refused_in_words(catalogue: Catalogue, database_url: str) -> None:
    await catalogue.write(name_a_newer_schema)
    with pytest.raises(CatalogueError, match="update the program"):
        await Catalogue.open(database_url)


async def test_many_may_start_at_once_on_an_empty_database(empty_database_url: str) -> None:
    """Processes of one tier, or the hub and the command line."""
    opened = await asyncio.gather(*(Catalogue.open(empty_database_url) for _ in range(4)))
    assert [await each.read(people.households) for each in opened] == [[]] * 4
    for each in opened:
        await each.close()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "not one"),
        ("mysql://h/d", "use sqlite or postgresql"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://h", "names none"),
    ],
)
def test_a_database_that_cannot_be_used_is_said(text: str, sentence: str) -> None:
    with pytest.raises(CatalogueError, match=sentence):
        check_url(text)


async def test_what_fails_leaves_nothing_behind(catalogue: Catalogue) -> None:
    def half(session: Session) -> None:
        session.add(Household(id="a", name="A", created=1))
        session.flush()
        raise KeyError("halfway")

    with pytest.raises(KeyError):
        await catalogue.write(half)
    assert await catalogue.read(people.households) == []


async def test_references_are_checked(catalogue: Catalogue) -> None:
    with pytest.raises(IntegrityError):
        await catalogue.write(people.add_owner, "p", "Fang", "no such household", 1)


async def test_what_only_reads_cannot_write(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match=r"read-?only"):
        await catalogue.read(people.add_household, "h", "Wang", 1)


async def test_words_of_every_script_come_back_as_they_were(catalogue: Catalogue) -> None:
    name = "西村 Ünal \U0001f3e1"
    await catalogue.write(people.add_household, "h", name, 2**53)
    assert (await catalogue.read(people.households))[0].name == name


async def test_no_update_is_lost(catalogue: Catalogue, database_url: str) -> None:
    """Read, count up, write: by many at once, in two processes' catalogues."""
    other = await Catalogue.open(database_url)
    seen: set[int] = set()

    def count(session: Session) -> None:
        seen.add(threading.get_ident())
        row = session.get(Household, "h")
        if row is None:
            session.add(Household(id="h", name="0", created=1))
        else:
            row.name = str(int(row.name) + 1)

    await asyncio.gather(*(each.write(count) for each in (catalogue, other) for _ in range(25)))
    assert (await catalogue.read(people.households))[0].name == "49"
    assert threading.get_ident() not in seen
    await other.close()


async def test_a_code_spent_by_many_at_once_opens_once(
    catalogue: Catalogue, database_url: str
) -> None:
    """PRM-8."""
    other = await Catalogue.open(database_url)
    await catalogue.write(people.add_household, "h", "Wang", 1)
    await catalogue.write(people.add_owner, "p", "Fang", "h", 1)
    for number in range(5):
        code = OneTimeCode(
            id=f"c{number}", person_id="p", digest=f"d{number}", tries=5, expires=100
        )
        assert await catalogue.write(people.add_code, code, 1)
        spent = await asyncio.gather(
            *(
                each.write(people.spend_code, f"d{number}", None, 2)
                for each in (catalogue, other) * 4
            )
        )
        assert sorted(spent, key=str) == [None] * 7 + ["p"]
    await other.close()


async def test_two_who_see_no_other_cannot_both_be_the_only_one(
    catalogue: Catalogue, database_url: str
) -> None:
    """Each reads what the other writes: neither row would show that it went wrong."""
    other = await Catalogue.open(database_url)

    def be_the_first(session: Session, name: str) -> bool:
        if session.exec(select(Household)).first() is not None:
            return False
        session.add(Household(id=name, name=name, created=1))
        return True

    first = await asyncio.gather(
        *(
            each.write(be_the_first, f"{number}{id(each)}")
            for each in (catalogue, other)
            for number in range(4)
        )
    )
    assert sum(first) == 1
    assert len(await catalogue.read(people.households)) == 1
    await other.close()


async def test_a_row_handed_in_is_written_also_when_its_query_runs_again(
    catalogue: Catalogue,
) -> None:
    await catalogue.write(people.add_household, "h", "Wang", 1)
    await catalogue.write(people.add_owner, "p", "Fang", "h", 1)
    codes = [
        OneTimeCode(
            id=f"c{n}", person_id="p", digest=f"d{n}", selector=f"s{n}", tries=5, expires=100
        )
        for n in range(12)
    ]
    added = await asyncio.gather(*(catalogue.write(people.add_code, code, 1) for code in codes))
    assert added == [True] * 12
    spent = [await catalogue.write(people.spend_code, f"d{n}", None, 2) for n in range(12)]
    assert spent == ["p"] * 12


async def test_readers_do_not_wait_for_a_writer(catalogue: Catalogue) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        session.add(Household(id="h", name="new", created=1))
        session.flush()
        began.set()
        go_on.wait(5)

    writing = asyncio.get_running_loop().create_task(catalogue.write(slow))
    await asyncio.to_thread(began.wait, 5)
    assert await catalogue.read(people.households) == []
    go_on.set()
    await writing
    assert len(await catalogue.read(people.households)) == 1


async def test_what_another_process_wrote_is_read(catalogue: Catalogue, database_url: str) -> None:
    other = await Catalogue.open(database_url)  # as the command line does, beside a running hub
    await other.write(people.add_household, "h", "Wang", 1)
    assert len(await catalogue.read(people.households)) == 1
    await other.close()
