"""One household's side of a public ask (PRM-20: no is safe).

It is a matter of the household's own: only its owners can see it, it has a version of its own, and
"no" brings about nothing at all: no notice, no line in the audit log, no change of the ask. What
was offered can be taken back until the ask closes.
"""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_core.permits import Purpose
from village_hub.access.bases import LONGEST_FOOTAGE
from village_hub.cases.effects import Addressee, Area, Effect, Move, Note, Tell
from village_hub.cases.matter import (
    CLOCK,
    THE_CLOCK,
    Act,
    Check,
    Kind,
    Matter,
    Next,
    Part,
    TimeIsUp,
    Timer,
    Turn,
    Way,
    who,
)
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom


class State(StrEnum):
    ASKED = "asked"
    OFFERED = "offered"
    PUT_AWAY = "put_away"  # no; may still change its mind
    OVER = "over"


class Question(Part):
    """What is asked, by whom: all that a household needs to know."""

    ask: str
    who: str
    contact: str
    incident: str
    what: str
    purpose: Purpose
    area: Area
    begin: int
    end: int
    closes: int


class Offer(Part):
    """What a household offers of its own will; how to get it, they agree with the contact."""

    household: str
    camera: str = ""
    begin: int
    end: int
    words: str = ""
    at: int


class PublicAnswer(Matter):
    state: State
    household: str
    question: Question
    offer: Offer | None = None


class Offering(Act):
    """`camera`: one of the household's own, or none for what lies elsewhere (a phone)."""

    name: ClassVar[str] = "offer"
    camera: str = Field(default="", max_length=80)
    begin: int
    end: int
    words: str = Field(default="", max_length=400, pattern=PRINTABLE)


class PutAway(Act):
    name: ClassVar[str] = "no"


class TakeBack(Act):
    name: ClassVar[str] = "take_back"


class End(Act):
    """The ask has ended."""

    name: ClassVar[str] = "end"


class Offered(Act):
    """Of the ask: a household offers something."""

    name: ClassVar[str] = "offered"
    offer: Offer


class Dropped(Act):
    """Of the ask: a household took its offer back."""

    name: ClassVar[str] = "dropped"
    household: str


OWNER = who("an owner of the household", lambda turn: turn.matter.household in turn.by.owns)
WINDOW = Check(
    "12 h at most, in the window",
    lambda turn: (
        0 < turn.act.end - turn.act.begin <= LONGEST_FOOTAGE
        and turn.matter.question.begin <= turn.act.begin
        and turn.act.end <= turn.matter.question.end
    ),
    code="window",
    sentence="offer at most what was asked for",
)


def begin(question: Question, household: str, now: int) -> Next[PublicAnswer]:
    """Nobody of the staff stands in it: it is found by its household alone."""
    answer = PublicAnswer(
        id=new_id(),
        state=State.ASKED,
        opened=now,
        asker=THE_CLOCK,
        household=household,
        question=question,
    )
    told = {Whom.OWNER: (Addressee(household=household),)}
    tell = Tell(Told.ASK_MADE, told, {"who": question.who, "what": question.what})
    return Next(answer, (tell,))


def _offering(turn: Turn[PublicAnswer, Offering]) -> Next[PublicAnswer]:
    answer, act = turn.matter, turn.act
    offer = Offer(
        household=answer.household,
        camera=act.camera,
        begin=act.begin,
        end=act.end,
        words=act.words,
        at=turn.now,
    )
    effects: tuple[Effect, ...] = (
        Move(answer.question.ask, Offered(offer=offer)),
        Note(
            "public_offer",
            household=answer.household,
            camera=act.camera,
            footage=(act.begin, act.end),
            case=answer.question.incident,
        ),
    )
    return Next(answer.now_with(offer=offer), effects)


def _taken_back(turn: Turn[PublicAnswer, Any]) -> Next[PublicAnswer]:
    answer = turn.matter
    drop = Move(answer.question.ask, Dropped(household=answer.household))
    note = Note(
        "public_offer_taken_back", household=answer.household, case=answer.question.incident
    )
    return Next(answer.now_with(offer=None), (drop, note))


_OPEN = (State.ASKED, State.OFFERED, State.PUT_AWAY)

KIND = Kind(
    name="public_answer",
    title="One household's answer to a public ask",
    requirement="PRM-20",
    document=PublicAnswer,
    states=tuple(State),
    ends=frozenset({State.OVER}),
    ways=(
        Way(
            at=_OPEN,
            act=Offering,
            to=State.OFFERED,
            who=OWNER,
            given=(WINDOW,),
            does=_offering,
        ),
        Way(at=(State.ASKED, State.PUT_AWAY), act=PutAway, to=State.PUT_AWAY, who=OWNER),
        Way(at=(State.OFFERED,), act=TakeBack, to=State.ASKED, who=OWNER, does=_taken_back),
        Way(at=_OPEN, act=End, to=State.OVER, who=CLOCK),
        Way(at=_OPEN, act=TimeIsUp, to=State.OVER, who=CLOCK),
    ),
    timers=dict.fromkeys(_OPEN, (Timer("when the ask closes", lambda each: each.question.closes),)),
)
