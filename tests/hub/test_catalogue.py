"""The store and its migrations."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from village_hub.catalogue import migrate, people
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Catalogue, CatalogueError, check_url
from village_hub.catalogue.tables import METADATA


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/state/hub.sqlite"


@pytest.fixture
async def catalogue(url: str) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(url)
    yield found
    await found.close()


def test_the_migrated_schema_is_the_one_in_the_models(url: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    migrated, fresh = create_engine(url), create_engine(f"sqlite:///{tmp_path}/fresh.sqlite")
    migrate.upgrade(migrated)
    METADATA.create_all(fresh)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
    assert shape(migrated) == shape(fresh)
    migrated.dispose()
    fresh.dispose()


def shape(engine: object) -> dict[str, object]:
    seen = inspect(engine)
    names = [name for name in seen.get_table_names() if name != "alembic_version"]
    return {
        name: (
            [(column["name"], column["nullable"]) for column in seen.get_columns(name)],
            sorted(index["name"] for index in seen.get_indexes(name)),
            seen.get_pk_constraint(name)["constrained_columns"],
            len(seen.get_foreign_keys(name)),
            len(seen.get_check_constraints(name)),
        )
        for name in names
    }


def test_migrating_twice_changes_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    engine = create_engine(url)
    migrate.upgrade(engine)
    before = shape(engine)
    migrate.upgrade(engine)
    assert shape(engine) == before
    engine.dispose()


async def test_a_newer_schema_is_refused_in_words(catalogue: Catalogue, url: str) -> None:
    await catalogue.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(CatalogueError, match="update the program"):
        await Catalogue.open(url)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "not one"),
        ("postgresql://h/d", "not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_database_that_cannot_be_used_is_said(text: str, sentence: str) -> None:
    with pytest.raises(CatalogueError, match=sentence):
        check_url(text)


async def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("not a database, but long enough to look like a header")
    with pytest.raises(CatalogueError, match=r"x\.sqlite"):
        await Catalogue.open(f"sqlite:///{tmp_path}/x.sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogueError, match="file"):
        await Catalogue.open(f"sqlite:///{tmp_path}/file/x.sqlite")


async def test_the_file_is_its_owners_alone(catalogue: Catalogue, tmp_path: Path) -> None:
    await catalogue.write(people.add_household, "h", "Wang", 1)
    files = list((tmp_path / "state").iterdir())
    assert len(files) >= 2  # with its write-ahead log
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


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


async def test_writes_come_one_after_another_in_one_thread(catalogue: Catalogue) -> None:
    seen: set[int] = set()

    def count(session: Session) -> None:
        seen.add(threading.get_ident())
        row = session.get(Household, "h")
        if row is None:
            session.add(Household(id="h", name="0", created=1))
        else:
            row.name = str(int(row.name) + 1)

    await asyncio.gather(*(catalogue.write(count) for _ in range(50)))
    assert (await catalogue.read(people.households))[0].name == "49"
    assert len(seen) == 1
    assert threading.get_ident() not in seen


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


async def test_reading_does_not_write(catalogue: Catalogue, url: str) -> None:
    other = await Catalogue.open(url)  # as the command line does, beside a running hub
    await other.write(people.add_household, "h", "Wang", 1)
    assert len(await catalogue.read(people.households)) == 1
    await other.close()


async def test_a_lock_that_another_process_keeps_is_an_error_after_a_while(
    catalogue: Catalogue, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("village_hub.catalogue.store.BUSY", 0.05)
    other = await Catalogue.open(url)
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogueError, match="locked"):
        await other.write(people.add_household, "h", "Wang", 1)
    holder.execute("ROLLBACK")
    holder.close()
    await other.write(people.add_household, "h", "Wang", 1)
    await other.close()
