"""Bring a database to the newest schema, at every start; Alembic without its command line."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 7_305_801_926  # any number, always the same: who holds it migrates
PATIENCE = {"lock_timeout": 60_000, "statement_timeout": 0}  # ms


class CannotMigrate(Exception):  # noqa: N818 - a state of the database
    """It was written by a newer version of this program, or its rows do not fit together."""


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the migrations that are missing, in one transaction. Raises CannotMigrate."""
    with engine.connect() as connection, _alone(connection):
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in revisions():
            raise CannotMigrate(
                f"its schema {found} is newer than this program; update the program"
            )
        if found != revisions()[-1]:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            _check_references(connection)


def revisions() -> list[str]:
    """Of every schema there has been, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """One transaction that no other process' migration runs beside; it commits at the end."""
    alone = _alone_in_postgresql if connection.dialect.name == "postgresql" else _alone_in_sqlite
    with alone(connection):
        yield


@contextmanager
def _alone_in_postgresql(connection: Connection) -> Iterator[None]:
    """READ COMMITTED: who waited for the lock is to see what the other one made."""
    connection = connection.execution_options(isolation_level="READ COMMITTED")
    with connection.begin():
        for name, value in PATIENCE.items():
            connection.exec_driver_sql(f"SET LOCAL {name} = {value}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        yield


@contextmanager
def _alone_in_sqlite(connection: Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE is alone. To alter a table SQLite makes it anew and drops the old one, which
    references forbid: they are off until they are checked (www.sqlite.org/lang_altertable.html)."""
    file = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    before = file.execute("PRAGMA foreign_keys").fetchone()[0]
    file.execute("PRAGMA foreign_keys = OFF")
    try:
        with connection.begin():
            yield
    finally:
        file.execute(f"PRAGMA foreign_keys = {before}")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise CannotMigrate(f"a row of its table {broken[0]} refers to nothing")
