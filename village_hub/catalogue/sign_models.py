"""The tables of cameras' signs and of receipts: columns only.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class Sign(SQLModel, table=True):
    """The code on a camera's sign. No secret: it hangs in the lane."""

    __tablename__ = "sign"
    __table_args__ = (UniqueConstraint("camera_id"),)

    code: str = Field(primary_key=True)
    camera_id: str = Field(foreign_key="camera.id")


class Receipt(SQLModel, table=True):
    """What somebody without an account was given for a matter, as a digest."""

    __tablename__ = "receipt"

    digest: str = Field(primary_key=True)
    matter_id: str = Field(foreign_key="matter.id")
    source: str | None = Field(default=None, index=True)  # digest of network and sign, while open
