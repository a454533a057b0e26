"""A household's grants: what is agreed to, for whom, for what, until when (PRM-5). Pure."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from village_core.permits import Action, Purpose, Role


class GrantKind(StrEnum):
    FAMILY = "family"
    AWAY_WATCH = "away_watch"
    CARER = "carer"
    LIVE = "live"
    CLIP = "clip"
    SOS = "sos"  # standing: opens the chosen cameras when an SOS is raised


class GrantStatus(StrEnum):
    VALID = "valid"
    STOPPED = "stopped"
    SUSPENDED = "suspended"


class Uncovered(StrEnum):
    """Why a grant does not cover a look; the words of the permission reasons."""

    CAMERA = "no_basis"
    ACTION = "action"
    PURPOSE = "purpose"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    TIME = "time"


class Terms(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipient(Terms):
    """A named person, or a role of a unit."""

    issuer: str = Field(default="", max_length=80)
    person: str = Field(default="", max_length=80)
    unit: str = Field(default="", max_length=80)
    role: Role | None = None
    name: str = Field(default="", max_length=120)

    def names(self, *, issuer: str, person: str, unit: str | None, roles: frozenset[Role]) -> bool:
        """Whether this subject is meant."""
        if self.person:
            return (self.issuer, self.person) == (issuer, person)
        return bool(self.unit) and self.unit == unit and self.role in roles


class Hours(Terms):
    """Recurring: weekdays (Monday 0) and minutes of the day, in UTC+8."""

    days: frozenset[int]
    begin: int = Field(ge=0, le=1440)
    end: int = Field(ge=0, le=1440)

    def include(self, now: int) -> bool:
        minutes = now // 60_000 + 8 * 60
        day, minute = (minutes // 1440 + 3) % 7, minutes % 1440
        return day in self.days and self.begin <= minute < self.end


class GrantTerms(Terms):
    """What the household agrees to; times are UTC ms."""

    kind: GrantKind
    recipient: Recipient
    cameras: frozenset[str]
    actions: frozenset[Action]
    purpose: Purpose
    hours: tuple[Hours, ...] = ()
    not_before: int
    until: int
    footage: tuple[int, int] | None = None


def covers(
    terms: GrantTerms, *, camera: str, action: Action, purpose: Purpose, now: int
) -> Uncovered | None:
    """Why not, or None when it does."""
    at_this_hour = not terms.hours or any(each.include(now) for each in terms.hours)
    checks = (
        (camera in terms.cameras, Uncovered.CAMERA),
        (action in terms.actions, Uncovered.ACTION),
        (purpose is terms.purpose, Uncovered.PURPOSE),
        (terms.not_before <= now, Uncovered.NOT_YET),
        (now < terms.until, Uncovered.EXPIRED),
        (at_this_hour, Uncovered.TIME),
    )
    return next((why for holds, why in checks if not holds), None)
