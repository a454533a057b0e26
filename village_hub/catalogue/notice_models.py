"""The tables of notices: columns only. Times are integer UTC milliseconds.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel


def _time(*, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class Notice(SQLModel, table=True):
    """One addressee told of one thing. `progress` is the delivery machine's inner state."""

    __table_args__ = (
        CheckConstraint("state IN ('queued', 'failed', 'delivered', 'seen')", name="state"),
        CheckConstraint(
            "person_id IS NOT NULL OR household_id IS NOT NULL"
            " OR unit_id IS NOT NULL OR role IS NOT NULL",
            name="addressee",
        ),
        Index("ix_notice_about", "about_kind", "about_id"),
        Index("ix_notice_undelivered", "state", "due"),
    )

    id: str = Field(primary_key=True)
    kind: str
    whom: str
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    household_id: str | None = Field(default=None, foreign_key="household.id", index=True)
    unit_id: str | None = Field(default=None, index=True)
    role: str | None = Field(default=None, index=True)
    about_kind: str
    about_id: str
    params: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    created: int = Field(sa_column=_time())
    release_at: int = Field(sa_column=_time())  # not shown or sent before
    due: int = Field(sa_column=_time())
    ground: str | None = Field(default=None, sa_column=Column(Text))  # of a delay, in words
    approver: str | None = None  # of a delay
    state: str
    progress: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    attempts: int = 0
    next_attempt: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=True, index=True)
    )
    delivered: int | None = Field(default=None, sa_column=_time(nullable=True))
    seen: int | None = Field(default=None, sa_column=_time(nullable=True))
    answer: str | None = None  # by phone key: no or stop
    version: int = 1


class Contact(SQLModel, table=True):
    """How a person or a unit is reached; the phone number stands nowhere else."""

    holder: str = Field(primary_key=True)  # id of a person or a unit
    phone: str  # E.164
    channels: str  # in order of preference, by commas
    language: str
    changed: int = Field(sa_column=_time())


class Ring(SQLModel, table=True):
    """An SOS that rings people in order; `data` is the state machine's, as JSON."""

    id: str = Field(primary_key=True)  # of the SOS
    household_id: str = Field(foreign_key="household.id", index=True)
    state: str = Field(index=True)
    data: str = Field(sa_column=Column(Text, nullable=False))
    version: int = 1
