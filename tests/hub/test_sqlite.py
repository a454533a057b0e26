"""The store on SQLite: its file, its one writer, its lock. For a disk that fails: test_disk.py."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import Session

from village_hub.catalogue import people
from village_hub.catalogue.store import Catalogue, CatalogueError


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/state/hub.sqlite"


@pytest.fixture
async def catalogue(url: str) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(url)
    yield found
    await found.close()


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


async def test_writes_come_one_after_another_in_one_thread(catalogue: Catalogue) -> None:
    seen: set[int] = set()

    def note(_session: Session) -> None:
        seen.add(threading.get_ident())

    await asyncio.gather(*(catalogue.write(note) for _ in range(50)))
    assert len(seen) == 1


async def test_a_lock_that_another_process_keeps_is_an_error_after_a_while(
    catalogue: Catalogue, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("village_hub.catalogue.backend.BUSY", 0.05)
    other = await Catalogue.open(url)
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogueError, match="locked"):
        await other.write(people.add_household, "h", "Wang", 1)
    holder.execute("ROLLBACK")
    holder.close()
    await other.write(people.add_household, "h", "Wang", 1)
    await other.close()
