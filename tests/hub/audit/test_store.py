"""The log in the database: it only grows, together with what it tells of."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from tests.hub.audit.test_chain import entry
from village_hub.audit.chain import Head, verify
from village_hub.catalogue import audit, people
from village_hub.catalogue.store import Catalogue, CatalogueError

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def catalogue(database_url: str) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(database_url)
    yield found
    await found.close()


def links(session: Session, chain: str = audit.SERVE) -> list[audit.Kept]:
    return list(audit.Chain(session, chain))


async def test_entries_stand_one_behind_the_other(catalogue: Catalogue) -> None:
    """AUD-3: also several of one transaction, and a chain for each kind of process."""

    def two(session: Session) -> None:
        audit.append(session, entry(1))
        audit.append(session, entry(2))

    await catalogue.write(audit.append, entry(0))
    await catalogue.write(two)
    await catalogue.write(audit.append, entry(3), audit.CLI)
    kept = await catalogue.read(links)
    assert [each.entry for each in kept] == [entry(0), entry(1), entry(2)]
    assert all(each.columns_agree for each in kept)
    assert verify(audit.SERVE, [each.link for each in kept]) is None
    heads = await catalogue.read(audit.heads)
    assert heads[audit.SERVE] == Head(2, kept[2].link.hash)
    assert heads[audit.CLI].seq == 0
    assert await catalogue.read(audit.count) == 4
    assert await catalogue.read(audit.entry, "e1") == entry(1)
    assert await catalogue.read(audit.entry, "e9") is None


async def test_entries_of_many_at_once_are_one_chain(
    catalogue: Catalogue, database_url: str
) -> None:
    """In two processes: none takes another's place, none is lost."""
    other = await Catalogue.open(database_url)
    await asyncio.gather(
        *((catalogue, other)[n % 2].write(audit.append, entry(n)) for n in range(24))
    )
    kept = [each.link for each in await catalogue.read(links)]
    assert [each.seq for each in kept] == list(range(24))
    assert verify(audit.SERVE, kept) is None
    await other.close()


async def test_a_long_chain_is_read_in_parts(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 10)

    def many(session: Session) -> None:
        for number in range(2 * audit.BATCH + 1):
            audit.append(session, entry(number))

    def check(session: Session) -> int:
        chain = audit.Chain(session, audit.SERVE)
        assert sum(1 for _ in chain) == sum(1 for _ in chain)  # twice the same
        assert verify(audit.SERVE, [each.link for each in chain]) is None
        return len(list(audit.Chain(session, audit.SERVE, since=5)))

    await catalogue.write(many)
    assert await catalogue.read(check) == 2 * audit.BATCH + 1 - 6


async def test_an_act_and_its_entry_are_one_transaction(catalogue: Catalogue) -> None:
    def act(session: Session) -> None:
        people.add_household(session, "h", "Wang", 1)
        audit.append(session, entry(0))
        raise KeyError("the act failed")

    with pytest.raises(KeyError):
        await catalogue.write(act)
    assert await catalogue.read(audit.count) == 0
    await catalogue.write(audit.append, entry(0))
    assert (await catalogue.read(links))[0].link.seq == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET result = 'allowed'",
        "UPDATE audit_entry SET household_id = NULL",
        "DELETE FROM audit_entry",
        "UPDATE audit_checkpoint SET utc_ms = 0",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_entry",
    ],
)
async def test_the_database_refuses_to_change_the_log(
    catalogue: Catalogue, statement: str, database: str
) -> None:
    def checkpoint(session: Session) -> None:
        session.connection().execute(
            text("INSERT INTO audit_checkpoint (number, utc_ms, document) VALUES (0, 1, 'x')")
        )

    def change(session: Session) -> None:
        session.connection().execute(text(statement))

    if statement.startswith("TRUNCATE") and database == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    await catalogue.write(audit.append, entry(0))
    await catalogue.write(checkpoint)
    with pytest.raises((DBAPIError, CatalogueError), match="only grows"):
        await catalogue.write(change)
    assert len(await catalogue.read(links)) == 1


async def test_many_write_at_once_and_the_chain_stays_one(catalogue: Catalogue) -> None:
    """AUD-3: on PostgreSQL in several threads."""
    await asyncio.gather(*(catalogue.write(audit.append, entry(number)) for number in range(40)))
    kept = await catalogue.read(links)
    assert sorted(each.entry.id for each in kept) == sorted(f"e{number}" for number in range(40))
    assert verify(audit.SERVE, [each.link for each in kept]) is None
