"""The tables of matters and of what they hold. Times are integer UTC milliseconds.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel


def _time(*, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class MatterRecord(SQLModel, table=True):
    """One matter; `document` is all of it, the other columns are what it is looked up by."""

    __tablename__ = "matter"
    __table_args__ = (
        Index("ix_matter_due", "due"),
        Index("ix_matter_kind_state", "kind", "state"),
        Index("ix_matter_asker", "issuer", "unit_id"),
    )

    id: str = Field(primary_key=True)
    kind: str
    state: str
    issuer: str  # the hub that vouched for who asks
    asker_id: str = Field(index=True)
    unit_id: str | None = None  # on whose behalf; units of other hubs too
    household_id: str | None = Field(default=None, foreign_key="household.id", index=True)
    place: str = ""
    incident: str = ""
    opened: int = Field(sa_column=_time())
    due: int | None = Field(default=None, sa_column=_time(nullable=True))
    closed: int | None = Field(default=None, sa_column=_time(nullable=True))
    version: int = 1
    document: str = Field(sa_column=Column(Text, nullable=False))  # JSON


class MatterCamera(SQLModel, table=True):
    """A camera that a matter is about, and the footage of it."""

    __tablename__ = "matter_camera"

    matter_id: str = Field(primary_key=True, foreign_key="matter.id")
    camera_id: str = Field(primary_key=True, foreign_key="camera.id", index=True)
    begin: int = Field(sa_column=_time())
    end: int = Field(sa_column=_time())
    state: str


class MatterHousehold(SQLModel, table=True):
    """A household that a matter concerns, and since when it may know."""

    __tablename__ = "matter_household"

    matter_id: str = Field(primary_key=True, foreign_key="matter.id")
    household_id: str = Field(primary_key=True, foreign_key="household.id", index=True)
    knows_from: int = Field(sa_column=_time())


class MatterStep(SQLModel, table=True):
    """The history: who did what with it when. Only added to."""

    __tablename__ = "matter_step"

    matter_id: str = Field(primary_key=True, foreign_key="matter.id")
    seq: int = Field(primary_key=True)  # the version that came of it
    act: str
    by: str = Field(sa_column=Column(Text, nullable=False))  # Person as JSON
    said: str = Field(sa_column=Column(Text, nullable=False))  # the act as JSON
    state: str  # that came of it
    utc_ms: int = Field(sa_column=_time())


class HoldRecord(SQLModel, table=True):
    """Recordings that are not deleted before `until`: of one camera, or of an area."""

    __tablename__ = "hold"
    __table_args__ = (Index("ix_hold_until", "until"),)

    id: str = Field(primary_key=True)
    matter_id: str = Field(foreign_key="matter.id", index=True)
    kind: str
    camera_id: str | None = Field(default=None, foreign_key="camera.id", index=True)
    place: str | None = None  # administrative code of the area
    area: str | None = Field(default=None, sa_column=Column(Text, nullable=True))  # JSON
    begin: int = Field(sa_column=_time())
    end: int = Field(sa_column=_time())
    until: int = Field(sa_column=_time())
