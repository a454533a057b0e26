"""The tables of consent: columns only. Times are integer UTC milliseconds.

What a grant says stands in `text`, signed by the household key; every other column is for looking
it up, and no decision believes it. No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text
from sqlmodel import Field, SQLModel


def _time(*, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class GrantRecord(SQLModel, table=True):
    """A grant that a household gave, as its agent signed it."""

    __tablename__ = "grant_record"
    __table_args__ = (
        CheckConstraint("status IN ('valid', 'stopped', 'suspended')", name="status"),
        Index("ix_grant_record_household", "household_id", "id"),
        Index("ix_grant_record_person", "recipient_person", "id"),
        Index("ix_grant_record_unit", "recipient_unit", "id"),
        Index("ix_grant_record_until", "until"),
    )

    id: str = Field(primary_key=True)  # the token's jti
    household_id: str = Field(foreign_key="household.id")
    node_id: str = Field(foreign_key="node.id", index=True)
    draft_id: str | None = None
    text: str = Field(sa_column=Column(Text, nullable=False))  # grant+jwt
    kind: str
    recipient_person: str = ""
    recipient_unit: str = ""
    not_before: int = Field(sa_column=_time())
    until: int = Field(sa_column=_time())
    route: str  # passkey, home, window
    given_by: str = ""  # person id
    given: int = Field(sa_column=_time())  # when the hub heard of it
    status: str = "valid"
    status_index: int = Field(unique=True)  # in this hub's status list
    stopped: int | None = Field(default=None, sa_column=_time(nullable=True))
    stopped_by: str = ""  # person id, or `home`
    why: str = ""
    told_home: bool = False  # the agent knows that it is stopped
    reminded: int | None = Field(default=None, sa_column=_time(nullable=True))
    ended_told: bool = False  # that it ran out
    copies_deleted: int | None = Field(default=None, sa_column=_time(nullable=True))
    version: int = 1


class GrantDraft(SQLModel, table=True):
    """What somebody wishes the household to sign; nothing of it holds."""

    __tablename__ = "grant_draft"

    id: str = Field(primary_key=True)
    household_id: str = Field(foreign_key="household.id", index=True)
    route: str  # passkey, home, window; "" until it is confirmed
    state: str = Field(index=True)
    terms: str = Field(sa_column=Column(Text, nullable=False))  # GrantTerms in their one text
    made_by: str
    made_name: str
    made_unit: str = ""  # the window's
    created: int = Field(sa_column=_time())
    expires: int = Field(sa_column=_time())
    confirmed: str | None = Field(default=None, sa_column=Column(Text, nullable=True))  # JSON
    refused: str = ""  # the agent's code
    grant_id: str | None = None
    status_index: int | None = None  # the place that is kept for the grant that comes of it
    ask_id: str | None = None
    witness: str = ""
    scan: str = ""  # SHA-256 of the scanned paper
    version: int = 1


class Invitation(SQLModel, table=True):
    """Somebody is to become a person whom the household may share with."""

    id: str = Field(primary_key=True)
    household_id: str = Field(foreign_key="household.id", index=True)
    made_by: str
    name: str  # whom the owner means
    wish: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    digest: str = Field(unique=True)  # of the link's secret
    voice: str  # digest of the link's secret and the code told by voice
    tries: int  # left
    created: int = Field(sa_column=_time())
    expires: int = Field(sa_column=_time())
    ended: int | None = Field(default=None, sa_column=_time(nullable=True))
    person_id: str | None = Field(default=None, foreign_key="person.id")  # who came
    draft_id: str | None = None


class GrantAsk(SQLModel, table=True):
    """Somebody asks a household to share; its answer is the household's alone (PRM-20)."""

    __tablename__ = "grant_ask"
    __table_args__ = (Index("ix_grant_ask_asker", "asker_issuer", "asker_id", "household_id"),)

    id: str = Field(primary_key=True)
    household_id: str = Field(foreign_key="household.id", index=True)
    asker_issuer: str
    asker_id: str
    asker_name: str
    unit_id: str = ""
    unit_name: str = ""
    role: str = ""
    wish: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    created: int = Field(sa_column=_time())
    expires: int = Field(sa_column=_time())
    answer: str = ""  # no, yes; never shown to who asks


class FilmedPerson(SQLModel, table=True):
    """Somebody who lives in view of a camera inside the home (PRM-13)."""

    __tablename__ = "filmed_person"

    camera_id: str = Field(primary_key=True, foreign_key="camera.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id", index=True)
    guardian: bool = False  # speaks for a child under 14, or for somebody who cannot
    named_by: str
    since: int = Field(sa_column=_time())
    objects: int | None = Field(default=None, sa_column=_time(nullable=True))  # says no, since
