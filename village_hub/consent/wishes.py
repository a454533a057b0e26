"""A wish as somebody writes it, made into terms that a home can sign. Pure but for the shapes."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from village_core.grant_limits import LIMITS, TermsError, check_terms
from village_core.grants import (
    Filmed,
    GrantKind,
    GrantTerms,
    Hours,
    Recipient,
    canonical,
    night_hours,
)
from village_core.messages import NAMING, PRINTABLE
from village_core.permits import Action, CameraClass, Purpose, Role
from village_hub.errors import Unprocessable
from village_hub.notices import sentences

WINDOW_BEGINS = 48 * 3600 * 1000  # paper is to be confirmed within a day, and waits for another

Id = Annotated[str, Field(max_length=80, pattern=r"^[0-9A-Za-z_-]*$")]
Text = Annotated[str, Field(max_length=120, pattern=NAMING)]
Minute = Annotated[int, Field(ge=0, le=1440)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Somebody(Shape):
    """A person of this hub, or whoever holds a role in one of its units or of a unit above that
    answers for its place. `contact`: how the
    household reaches them; a unit's own number is put in where none is said."""

    person: Id = ""
    unit: Id = ""
    role: Role | None = None
    contact: Text = ""


class DayHours(Shape):
    """Weekdays (Monday 0) and minutes of the day in the village's time; an end that is not later
    than the begin is on the next day."""

    days: frozenset[Annotated[int, Field(ge=0, le=6)]] = Field(min_length=1)
    begin: Minute
    end: Minute


class InView(Shape):
    """Somebody in view of a camera inside the home who agrees, or their guardian."""

    name: Text = Field(min_length=1)
    guardian: Text = ""


class Intent(Shape):
    """A wish without its recipient: what an invitation and an ask hold."""

    kind: GrantKind
    purpose: Purpose
    actions: frozenset[Action] = Field(min_length=1)
    hours: tuple[DayHours, ...] = Field(default=(), max_length=14)
    not_before: int | None = Field(default=None, ge=0)  # UTC ms; null: now
    until: int | None = Field(default=None, ge=0)  # null: as long as this kind usually lasts
    why: Annotated[str, Field(min_length=1, max_length=240, pattern=PRINTABLE)]
    language: Literal["zh", "en"] = "zh"  # in which the household reads how to stop it


class Chosen(Intent):
    """With the cameras that the household chose."""

    cameras: frozenset[Id] = Field(min_length=1, max_length=64)
    footage: tuple[int, int] | None = None  # UTC ms, of recordings
    sensitive: bool = False  # agreed apart: a camera inside the home
    filmed: tuple[InView, ...] = Field(default=(), max_length=8)


class Wish(Chosen):
    recipient: Somebody
    responders: tuple[Somebody, ...] = Field(default=(), max_length=12)  # of an SOS
    ask: Id | None = None  # what it answers


def terms_of(
    wish: Chosen, recipients: list[Recipient], now: int, *, at_window: bool = False
) -> GrantTerms:
    """Raises Unprocessable for what no terms can say."""
    soonest = now + WINDOW_BEGINS if at_window else now
    begin = soonest if wish.not_before is None else wish.not_before
    until = begin + LIMITS[wish.kind].default if wish.until is None else wish.until
    try:
        return GrantTerms(
            kind=wish.kind,
            recipient=recipients[0],
            responders=tuple(recipients[1:]),
            cameras=wish.cameras,
            actions=wish.actions,
            purpose=wish.purpose,
            hours=_hours(wish.hours),
            not_before=begin,
            until=until,
            footage=wish.footage,
            sensitive=wish.sensitive,
            filmed=tuple(Filmed(name=f.name, guardian=f.guardian, at=now) for f in wish.filmed),
            why=wish.why,
            stop=sentences.words()[wish.language]("consent.stop.how"),
        )
    except ValueError as error:  # pydantic's is one
        raise Unprocessable("these terms cannot be: times or days", code="bad_terms") from error


def must_fit(terms: GrantTerms, classes: Mapping[str, CameraClass], now: int) -> None:
    """Raises Unprocessable with the sentence of what to change."""
    try:
        check_terms(terms, classes, now)
    except TermsError as error:
        raise Unprocessable(str(error), code=f"unfit_{error.code}") from error


def text_of(terms: GrantTerms) -> str:
    return canonical(terms).decode()


def _hours(wanted: tuple[DayHours, ...]) -> tuple[Hours, ...]:
    return tuple(part for each in wanted for part in night_hours(each.days, each.begin, each.end))
