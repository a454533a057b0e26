"""The tables of staff: units, appointments, shifts, passkeys, acts of two persons, kiosks.

No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text, text
from sqlmodel import Field, SQLModel


def _time(*, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class Unit(SQLModel, table=True):
    """Where staff belong: a committee, a station, an operator."""

    id: str = Field(primary_key=True)
    kind: str
    name: str
    place: str  # a prefix of administrative codes: what it answers for
    parent_id: str | None = Field(default=None, foreign_key="unit.id", index=True)
    created: int = Field(sa_column=_time())
    removed: int | None = Field(default=None, sa_column=_time(nullable=True))


class Appointment(SQLModel, table=True):
    """One person in one role of one unit, for a term. Made by two persons."""

    __table_args__ = (CheckConstraint("begins < until", name="term"),)

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    unit_id: str = Field(foreign_key="unit.id", index=True)
    role: str
    begins: int = Field(sa_column=_time())
    until: int = Field(sa_column=_time())
    appointed_by: str  # a person's id, or how the first admin came to be
    confirmed_by: str | None = None
    confirmed: int | None = Field(default=None, sa_column=_time(nullable=True))
    ended: int | None = Field(default=None, sa_column=_time(nullable=True))
    ended_by: str | None = None
    declared_unrelated: bool = False  # an auditor's declaration (PRM-11)
    version: int = 1


class Shift(SQLModel, table=True):
    """A turn of duty. At most one a person is open."""

    __table_args__ = (
        Index(
            "one_shift_a_person",
            "person_id",
            unique=True,
            sqlite_where=text("ended IS NULL"),
            postgresql_where=text("ended IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id")
    unit_id: str = Field(foreign_key="unit.id", index=True)
    appointment_id: str = Field(foreign_key="appointment.id")
    sign_in_id: str  # the session it was opened in; those are forgotten earlier
    started: int = Field(sa_column=_time())
    ends: int = Field(sa_column=_time())
    ended: int | None = Field(default=None, sa_column=_time(nullable=True))


class Passkey(SQLModel, table=True):
    """A WebAuthn credential: what verifies a person's key, which never leaves their device."""

    id: str = Field(primary_key=True)  # the credential's id, base64url
    person_id: str = Field(foreign_key="person.id", index=True)
    public_key: str = Field(sa_column=Column(Text, nullable=False))  # COSE, base64url
    sign_count: int = Field(sa_column=_time())
    transports: str  # as the browser named them, by commas
    duty: bool = False  # opens sessions on duty: added before two persons, or on duty
    name: str
    created: int = Field(sa_column=_time())
    used: int | None = Field(default=None, sa_column=_time(nullable=True))
    ended: int | None = Field(default=None, sa_column=_time(nullable=True))


class Second(SQLModel, table=True):
    """An act that one named person asked for and that waits for another to confirm it."""

    id: str = Field(primary_key=True)
    kind: str
    data: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    unit_id: str | None = Field(default=None, foreign_key="unit.id", index=True)
    requested_by: str
    created: int = Field(sa_column=_time())
    expires: int = Field(sa_column=_time())
    confirmed_by: str | None = None
    done: int | None = Field(default=None, sa_column=_time(nullable=True))
    withdrawn: int | None = Field(default=None, sa_column=_time(nullable=True))


class DeviceGrant(SQLModel, table=True):
    """A kiosk that waits to be opened (RFC 8628)."""

    __tablename__ = "device_grant"

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)  # of the device code
    user_digest: str = Field(index=True)  # of the code that it shows
    name: str  # what the kiosk says it is called, and where it stands
    place: str
    created: int = Field(sa_column=_time())
    expires: int = Field(sa_column=_time())
    pause: int  # seconds that it has to leave between two polls
    polled: int | None = Field(default=None, sa_column=_time(nullable=True))
    denied: int | None = Field(default=None, sa_column=_time(nullable=True))
    approved: int | None = Field(default=None, sa_column=_time(nullable=True))
    shift_id: str | None = Field(default=None, foreign_key="shift.id")
    used: int | None = Field(default=None, sa_column=_time(nullable=True))
