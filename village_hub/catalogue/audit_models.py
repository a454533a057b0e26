"""The tables of the audit log: columns only. Times are integer UTC milliseconds.

They only grow: triggers (migration 0006) refuse UPDATE, and DELETE but for entries that retention
has let go (`audit_begin`). No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel


def _whole() -> Column[int]:
    return Column(BigInteger, nullable=False)


class AuditEntry(SQLModel, table=True):
    """The columns beside `document` repeat it, for readers; `audit verify` compares them."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_time", "utc_ms", "id"),
        Index("ix_audit_entry_household", "household_id", "utc_ms", "id"),
        Index("ix_audit_entry_person", "person_issuer", "person_id", "utc_ms", "id"),
        Index("ix_audit_entry_unit", "unit_id", "utc_ms", "id"),
    )

    chain: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str = Field(unique=True)
    utc_ms: int = Field(sa_column=_whole())
    kind: str
    action: str
    result: str
    household_id: str | None = None
    camera_id: str | None = None
    person_issuer: str | None = None
    person_id: str | None = None
    unit_id: str | None = None
    case_ref: str | None = None
    grant_ref: str | None = None
    permit_id: str | None = Field(default=None, index=True)
    document: str = Field(sa_column=Column(Text, nullable=False))  # canonical JSON
    prev: str  # the hash before
    hash: str


class AuditCheckpoint(SQLModel, table=True):
    """Heads of all chains, signed by the node key; each names the hash of the one before."""

    __tablename__ = "audit_checkpoint"

    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    utc_ms: int = Field(sa_column=_whole())
    document: str = Field(sa_column=Column(Text, nullable=False))  # checkpoint+jwt


class AuditBegin(SQLModel, table=True):
    """Where a chain begins: retention took what is before."""

    __tablename__ = "audit_begin"

    chain: str = Field(primary_key=True)
    seq: int = Field(sa_column=_whole())


class AuditPulse(SQLModel, table=True):
    """When the log could last be written; after a crash, views ended about then."""

    __tablename__ = "audit_pulse"

    chain: str = Field(primary_key=True)
    utc_ms: int = Field(sa_column=_whole())
