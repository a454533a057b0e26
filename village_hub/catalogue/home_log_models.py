"""The table of lines that homes have told of their own logs: columns only.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel


class HomeLine(SQLModel, table=True):
    """That a line was read on. A line told anew with another hash is another line: then a home's
    log was rewritten. What it says, where the hub did not know it, is in the audit log."""

    __tablename__ = "home_line"
    __table_args__ = (Index("ix_home_line_received", "node_id", "received"),)

    node_id: str = Field(primary_key=True, foreign_key="node.id")
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: str = Field(primary_key=True)
    received: int = Field(sa_column=Column(BigInteger, nullable=False))  # UTC ms
