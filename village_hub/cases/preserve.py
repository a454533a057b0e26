"""Preserve (PRM-18): one officer freezes a place, radius and window for seven days, and sees
nothing, not even which cameras hold footage. A second person confirms within 24 h or it lapses.

It is a row among the holds, which recorders look up before they delete. The home agent's own store
is not told yet: no message for it is built.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_hub.cases.checks import ANOTHER, ASKING_UNIT, OVER_ASKER, may_ask
from village_hub.cases.effects import (
    Addressee,
    Area,
    Effect,
    Hold,
    HoldKind,
    Note,
    Release,
    Tell,
)
from village_hub.cases.matter import (
    CLOCK,
    DAY,
    HOUR,
    Act,
    Kind,
    Matter,
    Next,
    Part,
    Person,
    StepRefused,
    TimeIsUp,
    Timer,
    Turn,
    Way,
    Withdraw,
    day,
)
from village_hub.errors import Forbidden, Unprocessable
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

LASTS = 7 * DAY
CONFIRMED_WITHIN = 24 * HOUR
LONGEST_WINDOW = 24 * HOUR  # of footage
OLDEST = 31 * DAY  # nothing is kept for longer


class State(StrEnum):
    PLACED = "placed"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"  # nobody confirmed
    WITHDRAWN = "withdrawn"
    ENDED = "ended"  # after seven days


class PreserveTerms(Part):
    """What an officer says."""

    incident: str = Field(min_length=4, max_length=60, pattern=PRINTABLE)
    area: Area
    begin: int
    end: int


class Preserve(Matter):
    state: State
    area: Area
    begin: int
    end: int
    until: int
    told: tuple[str, ...] = ()  # households of the place; the asker is not shown them
    confirmed_by: Person | None = None


class Confirm(Act):
    name: ClassVar[str] = "confirm"


def begin(
    terms: PreserveTerms, by: Person, now: int, households: tuple[str, ...]
) -> Next[Preserve]:
    """`households`: those of the place. Raises StepRefused."""
    _check(terms, by, now)
    preserve = Preserve(
        id=new_id(),
        state=State.PLACED,
        opened=now,
        asker=by,
        place=terms.area.place,
        incident=terms.incident,
        area=terms.area,
        begin=terms.begin,
        end=terms.end,
        until=now + LASTS,
        told=households,
    )
    hold = Hold(HoldKind.PRESERVE, preserve.begin, preserve.end, preserve.until, area=preserve.area)
    return Next(preserve, (hold, _placed(preserve), _note(preserve, "preserve_placed")))


def _check(terms: PreserveTerms, by: Person, now: int) -> None:
    if not may_ask(by, terms.area.place):
        raise StepRefused("this place is not your unit's", code="scope", error=Forbidden)
    if not 0 < terms.end - terms.begin <= LONGEST_WINDOW:
        raise StepRefused(
            "the window is to last 24 hours at most", code="window", error=Unprocessable
        )
    if terms.end > now + LONGEST_WINDOW or terms.begin < now - OLDEST:
        raise StepRefused(
            "the window is too old, or too far ahead", code="window", error=Unprocessable
        )


def _placed(preserve: Preserve) -> Tell:
    params = {"who": preserve.asker.unit_name or preserve.asker.name, "case": preserve.incident}
    return Tell(
        Told.PRESERVE_PLACED,
        {Whom.OWNER: _owners(preserve), Whom.SECOND: (preserve.asker.office,)},
        {**params, "until": day(preserve.until)},
    )


def _owners(preserve: Preserve) -> tuple[Addressee, ...]:
    return tuple(Addressee(household=household) for household in preserve.told)


def _note(preserve: Preserve, what: str) -> Effect:
    return Note(what, footage=(preserve.begin, preserve.end))


def _confirmed(turn: Turn[Preserve, Confirm]) -> Next[Preserve]:
    found = turn.matter.now_with(confirmed_by=turn.by)
    return Next(found, (Note("preserve_confirmed", footage=(found.begin, found.end)),))


def _ended(what: str, *, tell_asker: bool) -> Callable[[Turn[Preserve, Act]], Next[Preserve]]:
    """However it ends: what it held is free, and households are told."""

    def does(turn: Turn[Preserve, Act]) -> Next[Preserve]:
        preserve = turn.matter
        asker = (preserve.asker.address,) if tell_asker else ()
        told = {Whom.ASKER: asker, Whom.OWNER: _owners(preserve)}
        tell = Tell(Told.PRESERVE_LAPSED, told, {"case": preserve.incident})
        return Next(preserve, (Release(), tell, _note(preserve, what)))

    return does


KIND = Kind(
    name="preserve",
    title="Preserve",
    requirement="PRM-18",
    document=Preserve,
    states=tuple(State),
    ends=frozenset({State.LAPSED, State.WITHDRAWN, State.ENDED}),
    ways=(
        Way(
            at=(State.PLACED,),
            act=Confirm,
            to=State.CONFIRMED,
            who=OVER_ASKER,
            given=(ANOTHER,),
            does=_confirmed,
        ),
        Way(
            at=(State.PLACED,),
            act=TimeIsUp,
            to=State.LAPSED,
            who=CLOCK,
            does=_ended("preserve_lapsed", tell_asker=True),
        ),
        Way(
            at=(State.PLACED, State.CONFIRMED),
            act=Withdraw,
            to=State.WITHDRAWN,
            who=ASKING_UNIT,
            does=_ended("preserve_withdrawn", tell_asker=False),
        ),
        Way(
            at=(State.CONFIRMED,),
            act=TimeIsUp,
            to=State.ENDED,
            who=CLOCK,
            does=_ended("preserve_ended", tell_asker=False),
        ),
    ),
    timers={
        State.PLACED: (
            Timer("24 h after it was placed", lambda each: each.opened + CONFIRMED_WITHIN),
        ),
        State.CONFIRMED: (Timer("7 days after it was placed", lambda each: each.until),),
    },
    households=lambda each: dict.fromkeys(each.told, each.opened),
)
