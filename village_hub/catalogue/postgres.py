"""PostgreSQL: writes in several threads and processes, each as if it were the only one.

A write is SERIALIZABLE: what it read still holds when it commits, so a query that reads, decides
and writes needs no lock of its own. Of writes that would get in each other's way PostgreSQL ends
one; that one runs again, alone. `LOCK TABLE` makes it so: unlike an advisory lock it is waited for
before the transaction's snapshot is taken, so what the others wrote is then seen. Every write holds
the lock, in the mode that lets others by.
"""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from village_hub.catalogue import backend, migrate

WRITERS = 4  # threads
TURN = "LOCK TABLE alembic_version IN {mode} MODE"  # a table that nothing else needs at run time

SERIALIZATION_FAILURE = "40001"
DEADLOCK = "40P01"
UNIQUE_VIOLATION = "23505"  # of what another write added since: alone, the query sees it
COLLISIONS = (SERIALIZATION_FAILURE, DEADLOCK)


class Postgres:
    """The database on a server. Raises CatalogueError when the URL names none."""

    writers = WRITERS

    def __init__(self, place: URL) -> None:
        if not place.database:
            raise backend.CatalogueError("the database URL names none: postgresql://host/hub")
        self.name = f"{place.database} on {place.host or place.query.get('host', 'this machine')}"
        self.writer = _engine(place, WRITERS, "SERIALIZABLE", read_only=False)
        self.reader = _engine(place, backend.READERS, "REPEATABLE READ", read_only=True)

    def prepare(self) -> None:
        with self.writer.connect() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise backend.CatalogueError(
                f"the database {self.name} is in {encoding}; make one in UTF8: createdb -E UTF8"
            )
        migrate.upgrade(self.writer)

    def begin_write(self, session: Session, *, alone: bool) -> None:
        turn = TURN.format(mode="EXCLUSIVE" if alone else "ROW EXCLUSIVE")
        session.connection().exec_driver_sql(turn)

    def collided(self, error: DBAPIError, *, alone: bool) -> bool:
        state = getattr(error.orig, "sqlstate", None)
        return state in COLLISIONS or (state == UNIQUE_VIOLATION and not alone)


def _connect_args() -> dict[str, Any]:
    """A query that hangs must not keep a thread, nor a thread that hangs the others."""
    limits = {  # ms
        "lock_timeout": round(backend.BUSY * 1000),
        "statement_timeout": 30_000,
        "idle_in_transaction_session_timeout": 60_000,
    }
    return {
        "application_name": "village-hub",
        "connect_timeout": 5,  # s
        "tcp_user_timeout": 15_000,  # ms; a server that went silent is noticed
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


def _engine(place: URL, threads: int, isolation: Any, *, read_only: bool) -> Engine:
    engine = create_engine(
        place.set(drivername="postgresql+psycopg"),
        connect_args={
            name: value for name, value in _connect_args().items() if name not in place.query
        },
        isolation_level=isolation,
        pool_size=threads,
        max_overflow=0,
        pool_pre_ping=True,  # the server was started anew: connect anew
        hide_parameters=True,  # AUD-9: among them are secrets
    )

    def on_connect(connection: Any, _record: Any) -> None:
        connection.read_only = read_only

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "handle_error", _keep_values_out)
    return engine


def _keep_values_out(context: ExceptionContext) -> None:
    """AUD-9: what PostgreSQL says in detail quotes the row, and a row may hold a secret."""
    original = context.original_exception
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    if primary is None:  # not the server's words
        return
    original.args = (primary,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(original).__name__}) {primary}",)
