"""A villager asks the committee for help with something lost: a cow, a cart (place, window, what
happened). A clerk takes it and answers in words, from cameras of public places, each answer naming
those that were looked at; or has the households near asked, which is a public ask like any other,
with its second person and its safe "no" (PRM-9, PRM-20). No picture is handed out: residents see
none of public places (PRM-17).
"""

from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_core.permits import Purpose
from village_hub.cases import public_ask
from village_hub.cases.checks import ANOTHER, ASKER, CUSTODIAN, CUSTODIANS, check_window
from village_hub.cases.effects import Area, Effect, Move, Note, Spawn, Tell
from village_hub.cases.matter import (
    CLOCK,
    DAY,
    Act,
    Check,
    Kind,
    Matter,
    Next,
    Part,
    Person,
    TimeIsUp,
    Timer,
    Turn,
    Way,
    Withdraw,
    day,
)
from village_hub.cases.public_answer import End
from village_hub.cases.public_ask import AskTerms
from village_hub.cases.things import Close, PublicCamera, ThingTerms, looks
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

TAKEN_WITHIN = 3 * DAY
ANSWERED_WITHIN = 30 * DAY  # an ask of the households takes up to three weeks
STANDS = 14 * DAY  # after the last answer
MOST_ASKS = 3


class State(StrEnum):
    ASKED = "asked"
    TAKEN = "taken"
    ANSWERED = "answered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Said(Part):
    """One step, as whoever asked reads it."""

    at: int
    step: str  # the act's name
    by: str = ""
    words: str = ""
    cameras: tuple[PublicCamera, ...] = ()


class Help(Matter):
    state: State
    terms: ThingTerms
    taken_by: Person | None = None
    asks: tuple[str, ...] = ()  # public asks that came of it
    steps: tuple[Said, ...] = ()

    @property
    def moved(self) -> int:
        """When the last step was taken."""
        return self.steps[-1].at if self.steps else self.opened


class Take(Act):
    name: ClassVar[str] = "take"


class Answer(Act):
    """`cameras`: of public places, which somebody looked at."""

    name: ClassVar[str] = "answer"
    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)
    cameras: tuple[PublicCamera, ...] = Field(default=(), max_length=12)


class AskNear(Act):
    """Have the households of an area asked, once a second person has reviewed it."""

    name: ClassVar[str] = "ask_near"
    area: Area
    contact: str = Field(min_length=4, max_length=120, pattern=PRINTABLE)
    no_gathering: Literal[True]


LOOKED_OR_ASKED = Check(
    "it names cameras, or households were asked",
    lambda turn: bool(turn.act.cameras or turn.matter.asks),
    code="nothing_looked_at",
    sentence="say which cameras were looked at, or ask the households first",
)
FEW_ASKS = Check(
    f"{MOST_ASKS} asks at most",
    lambda turn: len(turn.matter.asks) < MOST_ASKS,
    code="asked_enough",
    sentence="the households were asked often enough",
)
LIVING = (State.ASKED, State.TAKEN, State.ANSWERED)
AT_WORK = (State.TAKEN, State.ANSWERED)


def begin(terms: ThingTerms, by: Person, now: int) -> Next[Help]:
    """Raises StepRefused."""
    check_window(terms.begin, terms.end, now)
    asked = Help(
        id=new_id(), state=State.ASKED, opened=now, asker=by, place=terms.place, terms=terms
    )
    told = {"who": by.name, "what": terms.thing, "at": terms.where}
    tell = Tell(Told.HELP_ASKED, {Whom.CUSTODIAN: CUSTODIANS}, told)
    return Next(asked, (tell, _note(asked, "help_asked")))


def _note(asked: Help, what: str, why: str = "") -> Note:
    return Note(what, footage=(asked.terms.begin, asked.terms.end), why=why)


def _tell(kind: Told, asked: Help, *, village: bool = False) -> Tell:
    told = {Whom.ASKER: (asked.asker.address,)}
    if village:
        told[Whom.CUSTODIAN] = CUSTODIANS
    return Tell(kind, told, {"what": asked.terms.thing, "day": day(asked.opened)})


def _with(turn: Turn[Help, Any], **changes: Any) -> Help:
    """What this step adds to what the asker reads."""
    said = Said(
        at=turn.now,
        step=turn.act.name,
        by=turn.by.name or turn.by.unit_name,
        words=getattr(turn.act, "words", ""),
        cameras=getattr(turn.act, "cameras", ()),
    )
    return turn.matter.now_with(steps=(*turn.matter.steps, said), **changes)


def _taken(turn: Turn[Help, Take]) -> Next[Help]:
    found = _with(turn, taken_by=turn.by)
    return Next(found, (_tell(Told.HELP_TAKEN, found), _note(found, "help_taken")))


def _answered(turn: Turn[Help, Answer]) -> Next[Help]:
    act, found = turn.act, _with(turn)
    footage = (found.terms.begin, found.terms.end)
    notes = looks("help_answered", act.cameras, footage, act.words)
    return Next(found, (_tell(Told.HELP_ANSWERED, found), *notes))


def _asking(turn: Turn[Help, AskNear]) -> Next[Help]:
    act, terms = turn.act, turn.matter.terms
    asked = public_ask.begin(
        AskTerms(
            incident=turn.matter.id,
            contact=act.contact,
            what=f"{terms.thing}: {terms.what}",
            purpose=Purpose.LOST,
            no_gathering=act.no_gathering,
            area=act.area,
            begin=terms.begin,
            end=terms.end,
        ),
        turn.by,
        turn.now,
    )
    found = _with(turn, asks=(*turn.matter.asks, asked.matter.id))
    return Next(found, (Spawn(asked), _note(found, "help_asked_near")))


def _ended(kind: Told | None, what: str, *, village: bool = False) -> Any:
    """However it ends, nobody is asked any more."""

    def does(turn: Turn[Help, Any]) -> Next[Help]:
        found = _with(turn)
        told = (_tell(kind, found, village=village),) if kind else ()
        ends: list[Effect] = [Move(each, End()) for each in found.asks]
        words = getattr(turn.act, "words", "")
        return Next(found, (*ends, *told, _note(found, what, words)))

    return does


KIND = Kind(
    name="help",
    title="A villager asks the committee for help",
    requirement="PRM-9, PRM-17",
    document=Help,
    states=tuple(State),
    ends=frozenset({State.CLOSED, State.WITHDRAWN, State.EXPIRED}),
    ways=(
        Way(
            at=(State.ASKED,),
            act=Take,
            to=State.TAKEN,
            who=CUSTODIAN,
            given=(ANOTHER,),
            does=_taken,
        ),
        Way(
            at=AT_WORK,
            act=Answer,
            to=State.ANSWERED,
            who=CUSTODIAN,
            given=(ANOTHER, LOOKED_OR_ASKED),
            does=_answered,
        ),
        Way(
            at=AT_WORK,
            act=AskNear,
            to=None,
            who=CUSTODIAN,
            given=(ANOTHER, FEW_ASKS),
            does=_asking,
        ),
        Way(
            at=AT_WORK,
            act=Close,
            to=State.CLOSED,
            who=CUSTODIAN,
            given=(ANOTHER,),
            does=_ended(Told.HELP_CLOSED, "help_closed"),
        ),
        Way(
            at=LIVING,
            act=Withdraw,
            to=State.WITHDRAWN,
            who=ASKER,
            does=_ended(None, "help_withdrawn"),
        ),
        Way(
            at=(State.ASKED, State.TAKEN),
            act=TimeIsUp,
            to=State.EXPIRED,
            who=CLOCK,
            does=_ended(Told.HELP_EXPIRED, "help_expired", village=True),
        ),
        Way(
            at=(State.ANSWERED,),
            act=TimeIsUp,
            to=State.CLOSED,
            who=CLOCK,
            does=_ended(Told.HELP_CLOSED, "help_closed"),
        ),
    ),
    timers={
        State.ASKED: (Timer("3 days after it was asked", lambda each: each.opened + TAKEN_WITHIN),),
        State.TAKEN: (
            Timer("30 days after it was asked", lambda each: each.opened + ANSWERED_WITHIN),
        ),
        State.ANSWERED: (Timer("14 days after the last step", lambda each: each.moved + STANDS),),
    },
)
