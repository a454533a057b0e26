"""The base of all matters: a frozen document with a state, and a table of the steps it can take.

A kind of matter is data: `Way`s (from which states, which act, who may, under which conditions, to
which state, and what comes of it) and the `Timer`s of its states. `step` is the only thing that
moves a matter; it is pure. `docs/ref/matters.md` is drawn from the same data.

    REQUEST.step(request, Approve(), by, now) -> Next(matter, effects), or raises StepRefused

Kinds are the modules of this package that have a `KIND`; `kinds.py` finds them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub.access.facts import PersonKey, Subject
from village_hub.cases.effects import Addressee, Effect
from village_hub.errors import Conflict, Forbidden, HubError, Unprocessable

MINUTE = 60_000  # ms
HOUR = 60 * MINUTE
DAY = 24 * HOUR


CHINA = timezone(timedelta(hours=8))


def day(utc_ms: int) -> str:
    """For sentences to people here."""
    return datetime.fromtimestamp(utc_ms / 1000, CHINA).strftime("%Y-%m-%d")


def hour(utc_ms: int) -> str:
    """The time of day as the village's clocks show it."""
    return datetime.fromtimestamp(utc_ms / 1000, CHINA).strftime("%H:%M")


class Part(BaseModel):
    """A part of a matter's document: nothing unknown in it, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(Part):
    """Somebody as their verified claims say, at the moment they acted."""

    issuer: str
    id: str
    name: str = ""
    unit: str | None = None
    unit_name: str = ""
    place: str = ""
    roles: tuple[Role, ...] = ()
    owns: tuple[str, ...] = ()  # households, as the hub's own books say; none while on duty

    @classmethod
    def of(cls, subject: Subject, owns: Iterable[str] = ()) -> Self:
        return cls(
            issuer=subject.issuer,
            id=subject.id,
            name=subject.name,
            unit=subject.unit,
            unit_name=subject.unit_name,
            place=subject.place or "",
            roles=tuple(sorted(subject.roles)),
            owns=() if subject.roles else tuple(sorted(owns)),
        )

    @property
    def key(self) -> PersonKey:
        return self.issuer, self.id

    def holds(self, *roles: Role) -> bool:
        return any(role in self.roles for role in roles)

    @property
    def address(self) -> Addressee:
        return Addressee(person=self.key, unit=self.unit, hub=self.issuer)

    @property
    def office(self) -> Addressee:
        """Whoever is on duty in their unit."""
        return Addressee(unit=self.unit, hub=self.issuer)

    def answers_for(self, place: str) -> bool:
        """Whether the unit's place covers this one."""
        return bool(self.place) and bool(place) and place.startswith(self.place)


BY_RECEIPT = "receipt"  # the issuer of somebody who is known by a receipt alone

THE_CLOCK = Person(issuer="", id="")
"""By whom the acts of time are."""


class Named(Part):
    """Somebody whom another names; what they may, their own claims say when they act."""

    issuer: str = Field(min_length=1, max_length=80, pattern=PRINTABLE)
    id: str = Field(min_length=1, max_length=80, pattern=PRINTABLE)
    name: str = Field(min_length=1, max_length=80, pattern=PRINTABLE)

    @property
    def key(self) -> PersonKey:
        return self.issuer, self.id


class Act(Part):
    """What somebody does with a matter; its fields are what they say with it. `name` is unique
    within its kind, and the word that the API and the history know it by."""

    name: ClassVar[str]


class TimeIsUp(Act):
    """The clock's own act, when the timer of a state has run out."""

    name: ClassVar[str] = "time_is_up"


class Withdraw(Act):
    """Whoever asked takes it back."""

    name: ClassVar[str] = "withdraw"


class Matter(Part):
    """What every matter has. Times are integer UTC milliseconds."""

    id: str
    state: str
    opened: int
    asker: Person
    place: str = ""  # administrative code
    incident: str = Field(default="", max_length=60)  # of the 110 call, or the case
    household: str | None = None  # the one that it is of, if there is one
    closed: int | None = None

    def now_with(self, **changes: Any) -> Self:
        """The same with other values. Not validated again: what comes in was."""
        return self.model_copy(update=changes)


M = TypeVar("M", bound=Matter)
A = TypeVar("A", bound=Act)


@dataclass(frozen=True, slots=True)
class Turn(Generic[M, A]):
    """One step about to be taken."""

    matter: M
    act: A
    by: Person
    now: int


@dataclass(frozen=True, slots=True)
class Next(Generic[M]):
    """What came of a step."""

    matter: M
    effects: tuple[Effect, ...] = ()


class StepRefused(Exception):  # noqa: N818 - what happened
    """The step is not taken. `error` is the kind of failure that it is to a caller."""

    def __init__(self, sentence: str, *, code: str, error: type[HubError] = Conflict) -> None:
        super().__init__(sentence)
        self.code = code
        self.error = error

    def to_caller(self) -> HubError:
        return self.error(str(self), code=self.code)


@dataclass(frozen=True, slots=True)
class Check:
    """A condition of a step: as the drawing says it, and what is said when it does not hold."""

    says: str
    holds: Callable[[Turn[Any, Any]], bool]
    code: str
    sentence: str
    error: type[HubError] = Unprocessable


def who(says: str, holds: Callable[[Turn[Any, Any]], bool]) -> Check:
    """Who may take a step."""
    return Check(
        says, holds, code="not_yours", sentence="this step is not yours to take", error=Forbidden
    )


CLOCK = who("the clock", lambda turn: turn.by == THE_CLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One row of a kind's table. Of several with the same state and act the first whose conditions
    hold is taken. `does` gives the matter's new values and the effects; `to` is its new state."""

    at: tuple[str, ...]
    act: type[Act]
    to: str | None  # None: it stays where it is
    who: Check
    given: tuple[Check, ...] = ()
    does: Callable[[Turn[Any, Any]], Next[Any]] = field(default=lambda turn: Next(turn.matter))


@dataclass(frozen=True, slots=True)
class Timer:
    """When the time of a state is up; None: not by this timer."""

    says: str
    ends: Callable[[Any], int | None]


@dataclass(frozen=True, slots=True)
class CameraPart:
    """A camera that a matter is about, for those who look matters up by camera."""

    camera: str
    begin: int
    end: int
    state: str


def no_cameras(_matter: Any) -> tuple[CameraPart, ...]:
    return ()


def own_household(matter: Any) -> Mapping[str, int]:
    return {matter.household: matter.opened} if matter.household else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[M]):
    """One kind of matter. `cameras` and `households` say by what it is looked up: a household is
    given with the time from which it may know."""

    name: str
    title: str
    requirement: str
    document: type[M]
    states: tuple[str, ...]  # the first is where it begins
    ends: frozenset[str]  # nothing moves it from there
    ways: tuple[Way, ...]
    timers: Mapping[str, tuple[Timer, ...]] = field(default_factory=dict)
    cameras: Callable[[M], Iterable[CameraPart]] = no_cameras
    households: Callable[[M], Mapping[str, int]] = own_household

    @property
    def acts(self) -> Mapping[str, type[Act]]:
        return {way.act.name: way.act for way in self.ways}

    def due(self, matter: M) -> int | None:
        """When time will be up for it."""
        ends = [timer.ends(matter) for timer in self.timers.get(matter.state, ())]
        return min((end for end in ends if end is not None), default=None)

    def may(self, matter: M, by: Person) -> list[str]:
        """The acts whose turn it is and whom `by` fits; whether they hold, their words decide."""
        return list(
            dict.fromkeys(
                way.act.name
                for way in self._ways(matter)
                if way.act is not TimeIsUp and way.who.holds(Turn(matter, Act(), by, 0))
            )
        )

    def step(self, matter: M, act: Act, by: Person, now: int) -> Next[M]:
        """The matter after the act. Raises StepRefused."""
        turn = Turn(matter, act, by, now)
        if isinstance(act, TimeIsUp):
            self._check_time(matter, now)
        ways = [way for way in self._ways(matter) if way.act is type(act)]
        if not ways:
            raise self._out_of_turn(matter, act)
        failures = [_failing(way, turn) for way in ways]
        for way, failure in zip(ways, failures, strict=True):
            if failure is None:
                return self._taken(way, turn)
        found = [failure for failure in failures if failure is not None]
        theirs = [each for way, each in zip(ways, found, strict=True) if each is not way.who]
        first = [*theirs, *found][0]  # of the ways that are theirs, if any is
        raise StepRefused(first.sentence, code=first.code, error=first.error)

    def _ways(self, matter: M) -> list[Way]:
        return [way for way in self.ways if matter.state in way.at]

    def _check_time(self, matter: M, now: int) -> None:
        due = self.due(matter)
        if due is None or now < due:
            raise StepRefused("its time is not up yet", code="too_early")

    def _out_of_turn(self, matter: M, act: Act) -> StepRefused:
        if matter.state in self.ends:
            return StepRefused(
                "this is over: nothing can be done with it any more", code="matter_over"
            )
        return StepRefused(f"it is {matter.state} now: {act.name} has no turn", code="out_of_turn")

    def _taken(self, way: Way, turn: Turn[M, Act]) -> Next[M]:
        found: Next[M] = way.does(turn)
        state = way.to or turn.matter.state
        closed = turn.now if state in self.ends else None
        return Next(found.matter.now_with(state=state, closed=closed), found.effects)


def _failing(way: Way, turn: Turn[Any, Any]) -> Check | None:
    return next((check for check in (way.who, *way.given) if not check.holds(turn)), None)
