"""A voluntary ask to the households of a place (PRM-9): a verified unit says what happened, where
and when; another person of it or above reviews it; then each household is asked by itself
(`public_answer.py`). Who asked sees what was offered and nothing else: not who was asked, not who
said no, not who has not looked (PRM-20).
"""

from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_core.permits import MEDIALESS, Purpose
from village_hub.cases import public_answer
from village_hub.cases.checks import ANOTHER, check_window, same_unit, stands_above
from village_hub.cases.effects import Area, Move, Note, Spawn, Tell
from village_hub.cases.matter import (
    CLOCK,
    DAY,
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
    who,
)
from village_hub.cases.public_answer import Dropped, End, Offer, Offered
from village_hub.errors import Forbidden, Unprocessable
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

STANDS = 14 * DAY
PURPOSES = (Purpose.LOST, Purpose.CASE, Purpose.EMERGENCY)
"""What a household may be asked for; what people do together lawfully is none of it."""


class State(StrEnum):
    REVIEW = "review"
    OPEN = "open"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class AskTerms(Part):
    """`no_gathering` is a declaration: it is not about people who meet, march or complain."""

    incident: str = Field(min_length=4, max_length=60, pattern=PRINTABLE)
    contact: str = Field(min_length=4, max_length=120, pattern=PRINTABLE)
    what: str = Field(min_length=10, max_length=400, pattern=PRINTABLE)
    purpose: Purpose
    no_gathering: Literal[True]
    area: Area
    begin: int
    end: int


class PublicAsk(Matter):
    state: State
    terms: AskTerms
    reviewed_by: Person | None = None
    reason: str = Field(default="", max_length=400)
    closes: int | None = None
    answers: tuple[str, ...] = ()  # ids of public_answer; shown to nobody
    offers: tuple[Offer, ...] = ()


class Publish(Act):
    """`households`: those of the place that have cameras of their own, as the hub knows them."""

    name: ClassVar[str] = "publish"
    households: tuple[str, ...] = ()


class Reject(Act):
    name: ClassVar[str] = "reject"
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)


class Close(Act):
    name: ClassVar[str] = "close"


def is_staff(by: Person) -> bool:
    """On duty, in a unit that may see pictures at all."""
    return bool(by.roles) and by.unit is not None and not set(by.roles) & MEDIALESS


REVIEWER = who(
    "staff of the same unit or above",
    lambda turn: (
        is_staff(turn.by)
        and (same_unit(turn.by, turn.matter.asker) or stands_above(turn.by, turn.matter.asker))
    ),
)
UNIT = who(
    "staff of the unit that asked",
    lambda turn: is_staff(turn.by) and same_unit(turn.by, turn.matter.asker),
)


def begin(terms: AskTerms, by: Person, now: int) -> Next[PublicAsk]:
    """Raises StepRefused."""
    if not is_staff(by) or not by.answers_for(terms.area.place):
        raise StepRefused("this place is not your unit's", code="scope", error=Forbidden)
    if terms.purpose not in PURPOSES:
        raise StepRefused(
            "households are not asked for this purpose", code="purpose", error=Unprocessable
        )
    check_window(terms.begin, terms.end, now)
    ask = PublicAsk(
        id=new_id(),
        state=State.REVIEW,
        opened=now,
        asker=by,
        place=terms.area.place,
        incident=terms.incident,
        terms=terms,
    )
    tell = Tell(Told.ASK_TO_REVIEW, {Whom.SECOND: (by.office,)}, {"who": by.name or by.unit_name})
    return Next(ask, (tell, _note(ask, "public_ask_made")))


def _note(ask: PublicAsk, what: str, why: str = "") -> Note:
    footage = (ask.terms.begin, ask.terms.end)
    return Note(what, why=why, footage=footage, about={"purpose": ask.terms.purpose.value})


def _published(turn: Turn[PublicAsk, Publish]) -> Next[PublicAsk]:
    closes = turn.now + STANDS
    asked = [
        public_answer.begin(_question(turn.matter, closes), household, turn.now)
        for household in turn.act.households
    ]
    ask = turn.matter.now_with(
        reviewed_by=turn.by, closes=closes, answers=tuple(each.matter.id for each in asked)
    )
    return Next(ask, (*(Spawn(each) for each in asked), _note(ask, "public_ask_published")))


def _question(ask: PublicAsk, closes: int) -> public_answer.Question:
    terms = ask.terms
    return public_answer.Question(
        ask=ask.id,
        who=ask.asker.unit_name or ask.asker.name,
        contact=terms.contact,
        incident=terms.incident,
        what=terms.what,
        purpose=terms.purpose,
        area=terms.area,
        begin=terms.begin,
        end=terms.end,
        closes=closes,
    )


def _rejected(turn: Turn[PublicAsk, Reject]) -> Next[PublicAsk]:
    ask = turn.matter.now_with(reviewed_by=turn.by, reason=turn.act.words)
    return Next(ask, (_note(ask, "public_ask_rejected", turn.act.words),))


def _offered(turn: Turn[PublicAsk, Offered]) -> Next[PublicAsk]:
    offers = _without(turn.matter, turn.act.offer.household)
    return Next(turn.matter.now_with(offers=(*offers, turn.act.offer)))


def _dropped(turn: Turn[PublicAsk, Dropped]) -> Next[PublicAsk]:
    return Next(turn.matter.now_with(offers=_without(turn.matter, turn.act.household)))


def _without(ask: PublicAsk, household: str) -> tuple[Offer, ...]:
    return tuple(offer for offer in ask.offers if offer.household != household)


def _ended(turn: Turn[PublicAsk, Any]) -> Next[PublicAsk]:
    ends = [Move(answer, End()) for answer in turn.matter.answers]
    return Next(turn.matter, (*ends, _note(turn.matter, "public_ask_closed")))


KIND = Kind(
    name="public_ask",
    title="Public ask",
    requirement="PRM-9, PRM-20",
    document=PublicAsk,
    states=tuple(State),
    ends=frozenset({State.REJECTED, State.WITHDRAWN, State.CLOSED}),
    ways=(
        Way(
            at=(State.REVIEW,),
            act=Publish,
            to=State.OPEN,
            who=REVIEWER,
            given=(ANOTHER,),
            does=_published,
        ),
        Way(
            at=(State.REVIEW,),
            act=Reject,
            to=State.REJECTED,
            who=REVIEWER,
            given=(ANOTHER,),
            does=_rejected,
        ),
        Way(at=(State.REVIEW,), act=Close, to=State.WITHDRAWN, who=UNIT, does=_ended),
        Way(at=(State.REVIEW,), act=End, to=State.WITHDRAWN, who=CLOCK, does=_ended),
        Way(at=(State.REVIEW,), act=TimeIsUp, to=State.WITHDRAWN, who=CLOCK, does=_ended),
        Way(at=(State.OPEN,), act=Offered, to=None, who=CLOCK, does=_offered),
        Way(at=(State.OPEN,), act=Dropped, to=None, who=CLOCK, does=_dropped),
        Way(at=(State.OPEN,), act=Close, to=State.CLOSED, who=UNIT, does=_ended),
        Way(at=(State.OPEN,), act=End, to=State.CLOSED, who=CLOCK, does=_ended),
        Way(at=(State.OPEN,), act=TimeIsUp, to=State.CLOSED, who=CLOCK, does=_ended),
    ),
    timers={
        State.REVIEW: (Timer("7 days after it was made", lambda each: each.opened + 7 * DAY),),
        State.OPEN: (Timer("14 days after it was published", lambda each: each.closes),),
    },
)
