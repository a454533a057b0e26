"""The tables of what children told of their cameras: columns only. Their state has a table of its
own, so that a change of it touches no index of places and names.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column, Index, Text, func, text
from sqlmodel import Field, SQLModel


def _number(*, nullable: bool = False, key: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable, primary_key=key)


class RemoteChild(SQLModel, table=True):
    """A hub below: what it may tell of, and how far it has told."""

    __tablename__ = "remote_child"

    id: str = Field(primary_key=True)  # its node id
    place: str  # a prefix of administrative codes: nothing outside it is taken
    number: int = Field(sa_column=_number())  # of the last batch taken; 0: none
    heard: int = Field(sa_column=_number())  # when it last told anything
    away: bool = False  # its line is known to be down
    syncing: int | None = Field(default=None, sa_column=_number(nullable=True))  # a number
    page: int = 0  # the next one of that
    began: int | None = Field(default=None, sa_column=_number(nullable=True))  # when that did


class RemoteCamera(SQLModel, table=True):
    """Keyed by the child as well: nobody touches another child's rows, whatever ids it says."""

    __tablename__ = "remote_camera"
    __table_args__ = (
        Index("ix_remote_camera_place", "place", "id", "child"),
        Index("ix_remote_camera_cell", "cell"),
        Index("ix_remote_camera_id", "id"),
        Index(
            "ix_remote_camera_grams",
            func.string_to_array(text("grams"), text("' '::text")),
            postgresql_using="gin",
        ).ddl_if(dialect="postgresql"),
    )

    child: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    owner: str  # the node that decides about it
    place: str
    name: str
    grams: str = Field(sa_column=Column(Text, nullable=False))  # what the name is found by
    camera_class: str
    lat: int | None = None  # millionths of a degree
    lon: int | None = None
    cell: int | None = None  # of the grid
    seen: int = Field(sa_column=_number())  # number of the batch that last told it


class RemoteState(SQLModel, table=True):
    __tablename__ = "remote_state"
    __table_args__ = (
        Index(
            "ix_remote_state_offline",
            *("place", "camera", "child"),
            sqlite_where=text("online = 0"),
            postgresql_where=text("NOT online"),
        ),
    )

    child: str = Field(primary_key=True)
    camera: str = Field(primary_key=True)
    place: str
    online: bool
    since: int = Field(sa_column=_number())
    trouble: str | None = None
    picture: int | None = Field(default=None, sa_column=_number(nullable=True))
    number: int = Field(sa_column=_number())  # the child's count of its states


class RemoteNamed(SQLModel, table=True):
    """Who alone may know of a home's camera; "" is no unit, or no person."""

    __tablename__ = "remote_named"

    child: str = Field(primary_key=True)
    camera: str = Field(primary_key=True)
    unit: str = Field(primary_key=True, index=True)
    person: str = Field(primary_key=True, index=True)
