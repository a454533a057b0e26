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
    unit: str | None = Field(default=None, index=True)  # whose people began it here
    person: str | None = Field(default=None, index=True)  # or who was told of it
    opened: int = Field(sa_column=Column(BigInteger, nullable=False))
