"""The database behind threads that write and threads that read; queries are plain functions.

    rows = await catalogue.read(cameras.of_person, person_id)
    await catalogue.write(people.end_sign_in, session_id, now)

A query gets a Session first and is one transaction: it commits when the function returns and rolls
back when it raises. A write sees the database as if no other write ran meanwhile; where others do
run (PostgreSQL) it may be called again from its start, so it changes nothing but its session.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
)
from sqlmodel import Session as Session  # for those who write inside a transaction

from village_hub.catalogue import backend, migrate
from village_hub.catalogue.backend import Backend, CatalogueError, DoesNotFit, why
from village_hub.catalogue.postgres import Postgres
from village_hub.catalogue.sqlite import Sqlite

P = ParamSpec("P")
T = TypeVar("T")
BACKENDS: dict[str, type[Sqlite] | type[Postgres]] = {"sqlite": Sqlite, "postgresql": Postgres}
ATTEMPTS = (False, True, True)  # of a write: whether it runs alone
OUR_MISTAKES = (IntegrityError, ProgrammingError)  # of a query, not of the disk

__all__ = ["Catalogue", "CatalogueError", "DoesNotFit", "check_url"]


class Catalogue:
    """Opened by `open`, closed by `close`; usable from one event loop."""

    def __init__(self, database: Backend) -> None:
        self._database = database
        self._write_threads = _threads(database.writers, "catalogue-writer")
        self._read_threads = _threads(backend.READERS, "catalogue-reader")

    @classmethod
    async def open(cls, url: str) -> "Catalogue":
        """The catalogue at `url`, migrated to the newest schema. Raises CatalogueError."""
        return await asyncio.to_thread(cls._open, url)

    @classmethod
    def _open(cls, url: str) -> "Catalogue":
        database = check_url(url)
        catalogue = cls(database)
        try:
            with _named(database.name):
                database.prepare()
        except CatalogueError:
            catalogue._close()
            raise
        return catalogue

    async def write(
        self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `query` as one transaction in a writer thread."""

        return await self._run(self._write_threads, self._write, query, *args, **kwargs)

    async def read(
        self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `query` on one consistent state of the database."""

        return await self._run(self._read_threads, self._read, query, *args, **kwargs)

    async def close(self) -> None:
        """Wait for what runs, then let go of the database."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._write_threads.shutdown()
        self._read_threads.shutdown()
        self._database.reader.dispose()
        self._database.writer.dispose()

    async def _run(
        self,
        threads: ThreadPoolExecutor,
        how: Callable[[Callable[[Session], T]], T],
        query: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def call(session: Session) -> T:
            return query(session, *args, **kwargs)

        run = copy_context().run  # an audit entry in it says where the request came from
        return await asyncio.get_running_loop().run_in_executor(threads, run, how, call)

    def _write(self, query: Callable[[Session], T]) -> T:
        database = self._database
        with _in_words():
            for alone in ATTEMPTS:
                try:
                    with _transaction(database.writer) as session:
                        database.begin_write(session, alone=alone)
                        return query(session)
                except DBAPIError as error:
                    if not database.collided(error, alone=alone):
                        raise
        raise CatalogueError("the database: others kept changing what was to be written")

    def _read(self, query: Callable[[Session], T]) -> T:
        with _in_words(), _transaction(self._database.reader) as session:
            return query(session)


def check_url(url: str) -> Backend:
    """The database at the URL, not opened. Raises CatalogueError when it cannot be used."""
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise CatalogueError(
            "the database URL is not one; try sqlite:////path/hub.sqlite or postgresql://host/hub"
        ) from error
    kind = BACKENDS.get(place.get_backend_name())
    if kind is None:
        raise CatalogueError(
            f"the database {place.drivername} is not supported; use sqlite or postgresql"
        )
    return kind(place)


def _threads(count: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix=name)


@contextmanager
def _transaction(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def _in_words() -> Iterator[None]:
    """What the database cannot do, as CatalogueError; a query's own mistakes stay what they are."""
    try:
        yield
    except OUR_MISTAKES:
        raise
    except DataError as error:
        raise DoesNotFit(why(error)) from error
    except DBAPIError as error:
        raise CatalogueError(f"the database: {why(error)}") from error


@contextmanager
def _named(name: str) -> Iterator[None]:
    """At the start whatever fails is the database's state."""
    try:
        yield
    except (DBAPIError, OSError, migrate.CannotMigrate) as error:
        raise CatalogueError(f"the database {name}: {why(error)}") from error
