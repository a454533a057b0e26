"""Matters that other nodes keep and people here have a part in: columns only.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel


class FarMatter(SQLModel, table=True):
    """Where it is; what it says, its own hub is asked."""

    __tablename__ = "far_matter"

    id: str = Field(primary_key=True)
    kind: str  # as its path names it
    owner: str  # the node that keeps it
    place: str  # that node's administrative code
    opened: int = Field(sa_column=Column(BigInteger, nullable=False))


class FarParty(SQLModel, table=True):
    """Whose it is here: a unit whose people began it, or which was told of it; or a person."""

    __tablename__ = "far_party"

    matter: str = Field(primary_key=True)
    holder: str = Field(primary_key=True, index=True)  # id of the unit, or the person


class FarUnit(SQLModel, table=True):
    """A unit of a hub above that answers for places here, as the hub above said last."""

    __tablename__ = "far_unit"

    id: str = Field(primary_key=True)
    hub: str = Field(primary_key=True)
    kind: str
    name: str
    place: str
