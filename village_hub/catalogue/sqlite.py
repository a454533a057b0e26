"""SQLite: a file in WAL mode and one writer, which begins IMMEDIATE, so that it never fails halfway
for a lock that another process (the command line) holds."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from village_hub.catalogue import backend, migrate

PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON")


class Sqlite:
    """The database in one file. Raises CatalogueError when the URL names none."""

    writers = 1

    def __init__(self, place: URL) -> None:
        if not place.database or place.database == ":memory:":
            raise backend.CatalogueError("the database needs a file: sqlite:////path/hub.sqlite")
        self.name = place.database
        self.writer = _engine(place, "BEGIN IMMEDIATE", PRAGMAS)
        self.reader = _engine(place, "BEGIN", (*PRAGMAS, "query_only = ON"))

    def prepare(self) -> None:
        """Make the file for its owner alone, then bring the schema up to date."""
        file = Path(self.name)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        migrate.upgrade(self.writer)

    def begin_write(self, session: Session, *, alone: bool) -> None:
        """BEGIN IMMEDIATE made it alone already."""

    def collided(self, error: DBAPIError, *, alone: bool) -> bool:
        return False


def _engine(place: URL, begin: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(
        place,
        connect_args={"timeout": backend.BUSY, "check_same_thread": False},
        hide_parameters=True,  # AUD-9: among them are secrets
    )

    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine
