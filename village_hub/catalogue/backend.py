"""What the store asks of a database: two engines, a way to begin, and what its errors mean."""

from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

BUSY = 5.0  # seconds to wait for another's write
READERS = 4  # threads


class CatalogueError(Exception):
    """The database cannot be used (full disk, damaged, locked for long, not reached); the sentence
    says why, for whoever looks after the hub, and holds nothing of what was written."""


class DoesNotFit(Exception):  # noqa: N818 - what was handed in
    """A value that this database cannot hold: NUL in a text, a number of more than 64 bits."""


class Backend(Protocol):
    """One database that is not opened before `prepare`."""

    name: str  # for sentences; without a password
    writer: Engine
    reader: Engine
    writers: int  # threads

    def prepare(self) -> None:
        """The newest schema is there afterwards."""

    def begin_write(self, session: Session, *, alone: bool) -> None:
        """Before the first statement; `alone`: no other write runs until this one ends."""

    def collided(self, error: DBAPIError, *, alone: bool) -> bool:
        """Whether another write that ran at the same time may be the reason."""


def why(error: Exception) -> str:
    """The database's own words, without the statement."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return said.partition("\n")[0]
