"""A household's grants: what is agreed to, for whom, for what, until when (PRM-3, PRM-5). Pure.

    grants.py        the terms, and whether they cover a look
    grant_limits.py  what each kind of grant may hold at most: `check_terms`, before it is signed
    grant_tokens.py  signed by the household key, and read again
    grant_chain.py   handed on, narrower each time (IDN-7)

Times are UTC milliseconds of the household's hub, ends are exact and without leeway.
"""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from village_core.permits import Action, Purpose, Role

LOCAL_MINUTES = 8 * 60  # hours are those of the village: UTC+8, and no summer time
DAY_MINUTES = 24 * 60
MOST_CAMERAS = 64
MOST_HOURS = 28  # a night watch of a week takes 14
MOST_RESPONDERS = 12

_NO_TRICKS = r"^[^\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]*$"  # nothing that changes how it reads
Ms = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Id = Annotated[str, Field(max_length=80, pattern=_NO_TRICKS)]
Name = Annotated[str, Field(max_length=120, pattern=_NO_TRICKS)]
Sentence = Annotated[str, Field(max_length=240, pattern=_NO_TRICKS)]
Flag = Annotated[bool, Field(strict=True)]


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
    WINDOW = "window"


class Terms(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipient(Terms):
    """A named person, whoever holds a role in a unit, or a person while holding it."""

    issuer: Id = ""  # the hub that signs them in; for a unit "" is any that is trusted with it
    person: Id = ""
    unit: Id = ""
    role: Role | None = None
    name: Name = ""  # as the household reads it
    contact: Name = ""  # how the household reaches them (PRM-3)

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not self.person and not self.unit:
            raise ValueError("a recipient is a person, or a role of a unit")
        if self.person and not self.issuer:
            raise ValueError("a person is named with the hub that signs them in")
        if bool(self.unit) is (self.role is None):
            raise ValueError("a unit goes with a role, and a role with a unit")
        return self

    def names(self, *, issuer: str, person: str, unit: str | None, roles: frozenset[Role]) -> bool:
        """Whether this subject is meant."""
        if self.issuer and self.issuer != issuer:
            return False
        if self.person and self.person != person:
            return False
        return not self.unit or (self.unit == unit and self.role in roles)


class Hours(Terms):
    """Recurring, within one day: weekdays (Monday 0) and minutes of the day in UTC+8."""

    days: frozenset[Annotated[int, Field(strict=True, ge=0, le=6)]] = Field(min_length=1)
    begin: int = Field(strict=True, ge=0, lt=DAY_MINUTES)
    end: int = Field(strict=True, gt=0, le=DAY_MINUTES)

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.begin >= self.end:
            raise ValueError("hours end after they begin; a night is two, see night_hours")
        return self

    @field_serializer("days")
    def _sorted(self, days: frozenset[int]) -> list[int]:
        return sorted(days)

    def include(self, now: int) -> bool:
        minutes = now // 60_000 + LOCAL_MINUTES
        day, minute = (minutes // DAY_MINUTES + 3) % 7, minutes % DAY_MINUTES  # 1970 began Thursday
        return day in self.days and self.begin <= minute < self.end


def night_hours(days: frozenset[int], begin: int, end: int) -> tuple[Hours, ...]:
    """Hours that may pass midnight: from `begin` on each of `days` to `end`, on the next day when
    that is not later."""
    if begin < end:
        return (Hours(days=days, begin=begin, end=end),)
    late = Hours(days=days, begin=begin, end=DAY_MINUTES)
    if end == 0:
        return (late,)
    return late, Hours(days=frozenset((day + 1) % 7 for day in days), begin=0, end=end)


class Filmed(Terms):
    """Somebody who lives in view of a camera inside the home agrees (PRM-13)."""

    name: Name = Field(min_length=1)
    guardian: Name = ""  # who agrees for a child under 14, or for somebody who cannot
    at: Ms


class GrantTerms(Terms):
    """What the household agrees to, all of it shown before it is confirmed (PRM-3)."""

    kind: GrantKind
    recipient: Recipient
    cameras: frozenset[Id] = Field(min_length=1, max_length=MOST_CAMERAS)
    actions: frozenset[Action] = Field(min_length=1)
    purpose: Purpose
    hours: tuple[Hours, ...] = Field(default=(), max_length=MOST_HOURS)  # (): at any hour
    not_before: Ms
    until: Ms
    footage: tuple[Ms, Ms] | None = None  # what of the recordings; None: no such limit
    responders: tuple[Recipient, ...] = Field(default=(), max_length=MOST_RESPONDERS)  # SOS only
    sensitive: Flag = False  # agreed apart: these pictures are from inside the home
    filmed: tuple[Filmed, ...] = Field(default=(), max_length=8)
    may_hand_on: Flag = False  # the recipient may hand it on, narrower (IDN-7)
    why: Sentence = ""
    stop: Sentence = ""  # how to stop it, as the household was told

    @field_serializer("cameras", "actions")
    def _sorted(self, items: frozenset[str]) -> list[str]:
        return sorted(items)

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        return (self.recipient, *self.responders)

    def names(self, *, issuer: str, person: str, unit: str | None, roles: frozenset[Role]) -> bool:
        """Whether this subject is one of those meant."""
        return any(
            each.names(issuer=issuer, person=person, unit=unit, roles=roles)
            for each in self.recipients
        )


def plain(terms: Terms) -> dict[str, object]:
    """As JSON has it, in one way only: sets sorted, and what is not said left out, so that a field
    of a later version changes no older grant."""
    found: dict[str, object] = terms.model_dump(mode="json", exclude_defaults=True)
    return found


def canonical(terms: Terms) -> bytes:
    """The one text of these terms (sorted names, no spaces, UTF-8)."""
    text = json.dumps(plain(terms), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def digest(terms: Terms) -> bytes:
    """SHA-256 of the one text: the challenge of the owner's passkey, and what two clerks sign."""
    return hashlib.sha256(canonical(terms)).digest()


def covers(
    terms: GrantTerms,
    *,
    camera: str,
    action: Action,
    purpose: Purpose,
    now: int,
    footage: tuple[int, int] | None = None,
) -> Uncovered | None:
    """Why not, or None when it does. `footage` is what of the recordings is asked for."""
    if camera not in terms.cameras:
        return Uncovered.CAMERA
    if action not in terms.actions:
        return Uncovered.ACTION
    if purpose is not terms.purpose:
        return Uncovered.PURPOSE
    if terms.footage is not None and not _inside(footage, terms.footage):
        return Uncovered.WINDOW
    return at_this_time(terms, now)


def at_this_time(terms: GrantTerms, now: int) -> Uncovered | None:
    if now < terms.not_before:
        return Uncovered.NOT_YET
    if now >= terms.until:
        return Uncovered.EXPIRED
    if terms.hours and not any(each.include(now) for each in terms.hours):
        return Uncovered.TIME
    return None


def _inside(asked: tuple[int, int] | None, window: tuple[int, int]) -> bool:
    return asked is not None and window[0] <= asked[0] < asked[1] <= window[1]
