"""The tables of what hubs write to each other: columns only. Times are integer UTC milliseconds.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel


def _number(*, key: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=False, primary_key=key, autoincrement=False)


class BookPeer(SQLModel, table=True):
    """A hub beside this one: how far each has told the other."""

    __tablename__ = "book_peer"

    peer: str = Field(primary_key=True)
    said: int = Field(default=0, sa_column=_number())  # the last line written for it
    took: int = Field(default=0, sa_column=_number())  # the last that it says it took
    heard: int = Field(default=0, sa_column=_number())  # the last of its lines taken here
    last: str | None = None  # that line's id


class BookOut(SQLModel, table=True):
    """A line for another hub; kept for a while after it was taken, for one restored from a copy."""

    __tablename__ = "book_out"

    peer: str = Field(primary_key=True)
    number: int = Field(sa_column=_number(key=True))
    id: str
    kind: str
    body: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    written: int = Field(sa_column=_number())


class BookIn(SQLModel, table=True):
    """A line that was taken, by name: kept for as long as its writer keeps it."""

    __tablename__ = "book_in"

    peer: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    taken: int = Field(sa_column=_number())


class LetterOut(SQLModel, table=True):
    """A letter that stands in no book yet: its way is not known, or nobody has looked."""

    __tablename__ = "letter_out"

    id: str = Field(primary_key=True)
    to_hub: str
    kind: str  # "": it is signed already, by another hub
    body: str = Field(sa_column=Column(Text, nullable=False))  # JSON, or as signed
    written: int = Field(sa_column=_number())


class LetterIn(SQLModel, table=True):
    """A letter that was read here: a hub between that was restored from a copy may bring it
    again."""

    __tablename__ = "letter_in"

    issuer: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    taken: int = Field(sa_column=_number())


class PeerCheckpoint(SQLModel, table=True):
    """What another hub signed of its log; two of one number are a fork, and both are kept."""

    __tablename__ = "peer_checkpoint"

    peer: str = Field(primary_key=True)
    number: int = Field(sa_column=_number(key=True))
    digest: str = Field(primary_key=True)
    document: str = Field(sa_column=Column(Text, nullable=False))  # checkpoint+jwt
    received: int = Field(sa_column=_number())
