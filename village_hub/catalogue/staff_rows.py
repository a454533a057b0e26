"""Values that the queries about staff return: frozen, free of a database session. Times: UTC ms."""

from dataclasses import dataclass
from enum import StrEnum

from village_core.permits import Role


class UnitKind(StrEnum):
    COMMITTEE = "committee"
    CLINIC = "clinic"
    TOWNSHIP = "township"
    STATION = "station"
    BUREAU = "bureau"
    OPERATOR = "operator"
    OVERSIGHT = "oversight"


@dataclass(frozen=True, slots=True)
class UnitRow:
    id: str
    kind: UnitKind
    name: str
    place: str  # a prefix of administrative codes
    parent: str | None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """With the names that lists show."""

    id: str
    person: str
    person_name: str
    unit: str
    unit_name: str
    place: str  # the unit's
    role: Role
    begins: int
    until: int
    appointed_by: str
    confirmed_by: str | None
    ended: int | None
    version: int


@dataclass(frozen=True, slots=True)
class ShiftRow:
    id: str
    person: str
    person_name: str
    unit: str
    appointment: str
    started: int
    ends: int
    ended: int | None


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    id: str  # the credential's, base64url
    person: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...]
    duty: bool  # opens sessions on duty
    name: str
    created: int
    used: int | None


@dataclass(frozen=True, slots=True)
class SecondRow:
    """An act that waits for a second person, or had one."""

    id: str
    kind: str
    data: str  # JSON
    unit: str | None
    requested_by: str
    created: int
    expires: int


@dataclass(frozen=True, slots=True)
class DeviceGrantRow:
    id: str
    name: str
    place: str
    created: int
    expires: int
    pause: int
    polled: int | None
    denied: bool
    shift: str | None
    used: bool = False
