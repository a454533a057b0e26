"""The database behind one writer thread and a few reading ones; queries are plain functions.

    rows = await catalogue.read(cameras.of_person, person_id)
    await catalogue.write(people.end_sign_in, session_id, now)

A query gets a Session first and is one transaction: it commits when the function returns and rolls
back when it raises. SQLite in WAL mode; the writer begins IMMEDIATE, so that it never fails halfway
for a lock that another process (the command line) holds.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlmodel import Session as Session  # for those who write inside a transaction

from village_hub.catalogue import migrate

P = ParamSpec("P")
T = TypeVar("T")
READERS = 4  # threads
BUSY = 5.0  # seconds to wait for another process' write
OUR_MISTAKES = (IntegrityError, ProgrammingError, DataError)  # of a query, not of the disk


class CatalogueError(Exception):
    """The database cannot be used (full disk, damaged, locked for long); the sentence says why, for
    whoever looks after the hub, and holds nothing of what was written."""


class Catalogue:
    """Opened by `open`, closed by `close`; usable from one event loop."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="catalogue-writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="catalogue-reader")

    @classmethod
    async def open(cls, url: str) -> "Catalogue":
        """The catalogue at `url`, migrated to the newest schema. Raises CatalogueError."""
        return await asyncio.to_thread(cls._open, check_url(url))

    @classmethod
    def _open(cls, place: URL) -> "Catalogue":
        catalogue = cls(_engine(place, "BEGIN IMMEDIATE"), _engine(place, "BEGIN"))
        try:
            _prepare(place, catalogue._writer)
        except (DatabaseError, OSError, migrate.NewerSchema) as error:
            catalogue._close()
            raise CatalogueError(f"the database {place.database}: {_why(error)}") from error
        return catalogue

    async def write(
        self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `query` as one transaction in the writer thread."""
        return await self._run(self._write_thread, self._writer, query, *args, **kwargs)

    async def read(
        self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `query` on one consistent state of the database."""
        return await self._run(self._read_threads, self._reader, query, *args, **kwargs)

    async def close(self) -> None:
        """Wait for what runs, then let go of the file."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._write_thread.shutdown()
        self._read_threads.shutdown()
        self._reader.dispose()
        self._writer.dispose()

    async def _run(
        self,
        threads: ThreadPoolExecutor,
        engine: Engine,
        query: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def transaction() -> T:
            try:
                with Session(engine, expire_on_commit=False) as session, session.begin():
                    return query(session, *args, **kwargs)
            except OUR_MISTAKES:
                raise
            except DatabaseError as error:
                raise CatalogueError(f"the database: {_why(error)}") from error

        return await asyncio.get_running_loop().run_in_executor(threads, transaction)


def check_url(url: str) -> URL:
    """The parsed URL of a database that this version can use; raises CatalogueError."""
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise CatalogueError(
            "the database URL is not one; try sqlite:////path/hub.sqlite"
        ) from error
    if place.get_backend_name() != "sqlite":
        raise CatalogueError(f"the database {place.drivername} is not supported; use sqlite")
    if not place.database or place.database == ":memory:":
        raise CatalogueError("the database needs a file: sqlite:////path/hub.sqlite")
    return place


def _prepare(place: URL, writer: Engine) -> None:
    """Make the file for its owner alone, then bring the schema up to date."""
    file = Path(place.database or "")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    migrate.upgrade(writer)


def _engine(place: URL, begin: str) -> Engine:
    engine = create_engine(
        place,
        connect_args={"timeout": BUSY, "check_same_thread": False},
        hide_parameters=True,  # AUD-9: among them are secrets
    )

    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _why(error: Exception) -> str:
    """SQLite's own words, without the statement."""
    return str(error.orig) if isinstance(error, DatabaseError) else str(error)
