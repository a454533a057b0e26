"""The tables: columns only. Times are integer UTC milliseconds, ids UUIDs as text.

Secrets stand here as SHA-256 digests; the one exception is an open enrolment's, which a MAC is
checked with. No `from __future__ import annotations` (sqlmodel issue 196).
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

# Names for constraints that have none, so that a migration can name them.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA: MetaData = SQLModel.metadata


def _time(*, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class Household(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str
    created: int = Field(sa_column=_time())
    place: str = ""  # administrative code
    unit_id: str | None = Field(default=None, foreign_key="unit.id")  # a unit's own site
    version: int = 1  # of place and unit


class Person(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str
    created: int = Field(sa_column=_time())
    removed: int | None = Field(default=None, sa_column=_time(nullable=True))
    signed_in: int | None = Field(
        default=None, sa_column=_time(nullable=True)
    )  # for the first time


class Membership(SQLModel, table=True):
    """Who is what in a household: an owner, or a member."""

    household_id: str = Field(primary_key=True, foreign_key="household.id")
    person_id: str = Field(primary_key=True, foreign_key="person.id", index=True)
    role: str
    adult: bool = True
    delegated: bool = False  # a member who may what the owner may


class Node(SQLModel, table=True):
    """An enrolled home agent. A household has at most one that is not revoked."""

    __table_args__ = (
        Index(
            "one_agent_a_household",
            "household_id",
            unique=True,
            sqlite_where=text("revoked IS NULL"),
            postgresql_where=text("revoked IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    household_id: str = Field(foreign_key="household.id")
    node_key: str = Field(index=True)  # PublicKey.text
    household_key: str
    enrolled: int = Field(sa_column=_time())
    revoked: int | None = Field(default=None, sa_column=_time(nullable=True))
    version: str = ""
    privacy_off: bool = False
    seen: int | None = Field(default=None, sa_column=_time(nullable=True))  # last status


class HubBelow(SQLModel, table=True):
    """A hub of the tier below that has joined. A place has at most one that has not left."""

    __tablename__ = "hub_below"
    __table_args__ = (
        Index(
            "one_hub_a_place",
            "place",
            unique=True,
            sqlite_where=text("revoked IS NULL"),
            postgresql_where=text("revoked IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)  # its own
    place: str  # administrative code
    name: str
    node_key: str
    joined: int = Field(sa_column=_time())
    revoked: int | None = Field(default=None, sa_column=_time(nullable=True))


class Camera(SQLModel, table=True):
    __table_args__ = (CheckConstraint("kind IN ('agent', 'push')", name="kind"),)

    id: str = Field(primary_key=True)
    household_id: str = Field(foreign_key="household.id", index=True)
    node_id: str | None = Field(default=None, foreign_key="node.id", index=True)
    kind: str
    name: str
    online: bool = False
    trouble: str | None = None
    main: str | None = Field(default=None, sa_column=Column(Text))  # EncodingNote as JSON
    sub: str | None = Field(default=None, sa_column=Column(Text))
    audio: str | None = None
    masked: bool = False
    transcoded: bool = False
    created: int = Field(sa_column=_time())
    gone: int | None = Field(default=None, sa_column=_time(nullable=True))  # tombstone
    told_class: str | None = None  # in its agent's own settings


class SignIn(SQLModel, table=True):
    """A browser's session."""

    __tablename__ = "sign_in"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    digest: str = Field(unique=True)  # of the cookie's secret
    device: str  # what the browser calls itself, shortened
    created: int = Field(sa_column=_time())
    used: int = Field(sa_column=_time())
    expires: int = Field(sa_column=_time())
    ended: int | None = Field(default=None, sa_column=_time(nullable=True))
    capacity: str = "household"  # or `duty`, which stands on the appointment
    method: str = "code"  # how it came to be: code, passkey, device
    appointment_id: str | None = Field(default=None, foreign_key="appointment.id")
    kiosk: bool = False
    shift_id: str | None = Field(default=None, foreign_key="shift.id")  # a kiosk's
    passkey_id: str | None = Field(default=None, index=True)  # the key that opened it


class OneTimeCode(SQLModel, table=True):
    __tablename__ = "one_time_code"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    digest: str = Field(unique=True)
    selector: str | None = Field(default=None, index=True)  # of a typed code
    tries: int  # left
    expires: int = Field(sa_column=_time())
    used: int | None = Field(default=None, sa_column=_time(nullable=True))
    capacity: str = "household"  # what it opens: a session, or `passkey`: adding a first passkey


class Enrolment(SQLModel, table=True):
    """A work order's enrolment: open -> (begun -> revealed -> confirmed ->) done, or over."""

    id: str = Field(primary_key=True)
    household_id: str | None = Field(default=None, foreign_key="household.id", index=True)
    state: str
    expires: int = Field(sa_column=_time())
    tries: int  # left, of a typed code
    place: str = ""  # of a hub that is to join: its administrative code, and how it is called here
    name: str = ""
    hub: str | None = None  # the id that it brought
    secret: str | None = None  # of a QR; emptied when over
    digest: str | None = Field(default=None, unique=True)  # of a typed code
    selector: str | None = Field(default=None, index=True)
    commitment: str | None = None
    hub_nonce: str | None = None
    node_key: str | None = None
    household_key: str | None = None
    digits: str | None = None
    node_id: str | None = Field(default=None, foreign_key="node.id")


class PublishToken(SQLModel, table=True):
    __tablename__ = "publish_token"

    id: str = Field(primary_key=True)
    camera_id: str = Field(foreign_key="camera.id", index=True)
    digest: str = Field(unique=True)
    created: int = Field(sa_column=_time())
    revoked: int | None = Field(default=None, sa_column=_time(nullable=True))
