"""The store on PostgreSQL alone: a server that is away, a password, what errors may say."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, text

from tests.support import postgres
from village_hub.catalogue import people
from village_hub.catalogue.models import Enrolment, Household
from village_hub.catalogue.store import Catalogue, CatalogueError


@pytest.fixture
def url(postgresql_server: postgres.Server) -> str:
    return postgresql_server.database()


@pytest.fixture
async def catalogue(url: str, postgresql_server: postgres.Server) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(url)
    yield found
    await found.close()
    await asyncio.to_thread(postgresql_server.drop, url)


async def test_a_server_that_is_away_is_said_and_used_again_when_it_is_back(
    catalogue: Catalogue, postgresql_server: postgres.Server
) -> None:
    await catalogue.write(people.add_household, "h", "Wang", 1)
    postgresql_server.stop()
    try:
        for query in (catalogue.read(people.households), catalogue.write(people.households)):
            with pytest.raises(CatalogueError, match=r"No such file|refused"):
                await query
    finally:
        postgresql_server.start()
    assert len(await catalogue.read(people.households)) == 1
    await catalogue.write(people.add_household, "i", "Li", 1)


async def test_a_connection_cut_in_the_middle_leaves_nothing_half_done(
    catalogue: Catalogue, postgresql_server: postgres.Server
) -> None:
    def cut(session: Session) -> None:
        session.add(Household(id="h", name="s3cr3t", created=1))
        session.flush()
        mine = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        postgresql_server.do(f"SELECT pg_terminate_backend({mine})")
        session.flush()
        session.connection().exec_driver_sql("SELECT 1")

    with pytest.raises(CatalogueError, match=r"terminat|closed") as failed:
        await catalogue.write(cut)
    assert "s3cr3t" not in f"{failed.value} {failed.value.__cause__}"
    assert await catalogue.write(people.households) == []


async def test_a_server_that_does_not_answer_stops_the_start_with_a_sentence() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        port = bound.getsockname()[1]
        with pytest.raises(CatalogueError, match="refused") as failed:
            await Catalogue.open(f"postgresql://hub:s3cr3t@127.0.0.1:{port}/hub")
    assert str(failed.value).startswith("the database hub on 127.0.0.1: ")
    assert "\n" not in str(failed.value)
    assert "s3cr3t" not in f"{failed.value} {failed.value.__cause__!r}"


async def test_the_password_opens_and_stands_nowhere(
    postgresql_server: postgres.Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = await asyncio.to_thread(postgresql_server.database, empty=True)
    name = url.partition("?")[0].rpartition("/")[2]
    for statement in (
        "CREATE ROLE hub LOGIN PASSWORD 'right: @/'",
        f"ALTER DATABASE {name} OWNER TO hub",
    ):
        await asyncio.to_thread(postgresql_server.do, statement)
    place = f"127.0.0.1:{postgresql_server.port}/{name}"
    found = await Catalogue.open(f"postgresql://hub:right%3A%20%40%2F@{place}")
    assert await found.read(people.households) == []
    await found.close()
    with pytest.raises(CatalogueError, match="password authentication failed") as failed:
        await Catalogue.open(f"postgresql://hub:wr0ng@{place}")
    assert "wr0ng" not in f"{failed.value} {failed.value.__cause__!r} {caplog.text}"
    assert "right" not in caplog.text
    await asyncio.to_thread(postgresql_server.drop, url)
    await asyncio.to_thread(postgresql_server.do, "DROP ROLE hub")


async def test_a_user_who_may_make_no_tables_is_said(postgresql_server: postgres.Server) -> None:
    url = await asyncio.to_thread(postgresql_server.database, empty=True)
    await asyncio.to_thread(postgresql_server.do, "CREATE ROLE guest LOGIN")
    with pytest.raises(CatalogueError, match="permission denied for schema public"):
        await Catalogue.open(url.replace("postgres@", "guest@"))
    await asyncio.to_thread(postgresql_server.drop, url)
    await asyncio.to_thread(postgresql_server.do, "DROP ROLE guest")


async def test_a_database_that_cannot_hold_every_name_is_refused(
    postgresql_server: postgres.Server,
) -> None:
    make = "CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
    await asyncio.to_thread(postgresql_server.do, make)
    url = postgresql_server.url("latin")
    with pytest.raises(CatalogueError, match="UTF8"):
        await Catalogue.open(url)
    await asyncio.to_thread(postgresql_server.drop, url)


async def test_what_is_refused_is_not_quoted(catalogue: Catalogue) -> None:
    """AUD-9: PostgreSQL would quote the row, and an enrolment's secret with it."""
    row: dict[str, Any] = {"household_id": "none", "state": "open", "tries": 5, "expires": 1}

    def add(session: Session) -> None:
        session.add(Enrolment(id="e", secret="s3cr3t", digest="d1gest", **row))

    def twice(session: Session) -> None:
        people.add_household(session, "h", "Wang", 1)
        session.flush()
        for name in ("a", "b"):
            more = {**row, "household_id": "h"}
            session.add(Enrolment(id=name, secret="s3cr3t", digest="d1gest", **more))
        session.flush()

    for query, sentence in ((add, "violates foreign key"), (twice, "duplicate key")):
        with pytest.raises(IntegrityError, match=sentence) as failed:
            await catalogue.write(query)
        told = f"{failed.value} {failed.value.orig} {failed.value!r}"
        assert "s3cr3t" not in told
        assert "d1gest" not in told


async def test_a_query_that_hangs_is_ended(
    url: str, postgresql_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a lock gives up after a while, as on SQLite."""
    monkeypatch.setattr("village_hub.catalogue.backend.BUSY", 0.05)
    found, other = await Catalogue.open(url), await Catalogue.open(url)
    holding, let_go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(session: Session) -> None:
        session.exec(text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))  # type: ignore[call-overload]
        loop.call_soon_threadsafe(holding.set)
        asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(10)

    held = loop.create_task(found.write(hold))
    await holding.wait()
    with pytest.raises(CatalogueError, match="lock timeout"):
        await other.write(people.add_household, "h", "Wang", 1)
    assert await other.read(people.households) == []
    let_go.set()
    await held
    await other.write(people.add_household, "h", "Wang", 1)
    for each in (found, other):
        await each.close()
    await asyncio.to_thread(postgresql_server.drop, url)
