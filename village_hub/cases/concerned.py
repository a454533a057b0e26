"""A person concerned asks to view footage of a public place (PRM-12, REG 21): injured there, their
guardian or carer. The village, which manages the cameras, decides and writes down that it was
viewed, at its window, with others blurred. Nothing is handed out here.
"""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_hub.cases.checks import ANOTHER, ASKER, CUSTODIAN, CUSTODIANS, check_window
from village_hub.cases.effects import Hold, HoldKind, Note, Release, Tell
from village_hub.cases.matter import (
    CLOCK,
    DAY,
    Act,
    CameraPart,
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
)
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

ANSWERED_WITHIN = 14 * DAY
VIEWED_WITHIN = 30 * DAY


class State(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    VIEWED = "viewed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Relation(StrEnum):
    INJURED = "injured"
    GUARDIAN = "guardian"
    CARER = "carer"
    LOSS = "loss"  # of property


class ConcernedTerms(Part):
    """The form asks for place, time and thing, not for a person."""

    place: str = Field(pattern=r"^[0-9]{6,20}$")
    where: str = Field(min_length=2, max_length=200, pattern=PRINTABLE)
    what: str = Field(min_length=10, max_length=400, pattern=PRINTABLE)
    relation: Relation
    begin: int
    end: int


class Concerned(Matter):
    state: State
    terms: ConcernedTerms
    cameras: tuple[str, ...] = ()
    decided_by: Person | None = None
    words: str = Field(default="", max_length=400)
    decided: int | None = None


class Approve(Act):
    """`cameras`: public ones only, as the hub has on record. `words`: when to come."""

    name: ClassVar[str] = "approve"
    cameras: tuple[str, ...] = Field(min_length=1, max_length=12)
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)


class Refuse(Act):
    name: ClassVar[str] = "refuse"
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)


class Viewed(Act):
    """They saw it at the window; `words` says who was there and that others were blurred."""

    name: ClassVar[str] = "viewed"
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)


def begin(terms: ConcernedTerms, by: Person, now: int) -> Next[Concerned]:
    """Raises StepRefused."""
    check_window(terms.begin, terms.end, now)
    asked = Concerned(
        id=new_id(), state=State.ASKED, opened=now, asker=by, place=terms.place, terms=terms
    )
    tell = Tell(Told.CONCERNED_ASKED, {Whom.CUSTODIAN: CUSTODIANS}, {"who": by.name})
    return Next(asked, (tell, _note(asked, "concerned_asked")))


def _note(asked: Concerned, what: str, why: str = "") -> Note:
    footage = (asked.terms.begin, asked.terms.end)
    about = {"cameras": ",".join(asked.cameras)} if asked.cameras else {}
    return Note(what, footage=footage, why=why, about=about)


def _decided(turn: Turn[Concerned, Any]) -> Next[Concerned]:
    cameras = getattr(turn.act, "cameras", ())
    said = {"decided_by": turn.by, "decided": turn.now, "words": turn.act.words}
    asked = turn.matter.now_with(cameras=cameras, **said)
    tell = Tell(Told.CONCERNED_ANSWERED, {Whom.ASKER: (asked.asker.address,)})
    begin, end = asked.terms.begin, asked.terms.end
    until = turn.now + VIEWED_WITHIN
    holds = [Hold(HoldKind.REQUEST, begin, end, until, camera=camera) for camera in cameras]
    what = "concerned_approved" if cameras else "concerned_refused"
    return Next(asked, (*holds, tell, _note(asked, what, turn.act.words)))


def _viewed(turn: Turn[Concerned, Viewed]) -> Next[Concerned]:
    return Next(turn.matter, (Release(), _note(turn.matter, "concerned_viewed", turn.act.words)))


def _ended(turn: Turn[Concerned, Any]) -> Next[Concerned]:
    return Next(turn.matter, (Release(), _note(turn.matter, "concerned_ended")))


def _cameras(asked: Concerned) -> tuple[CameraPart, ...]:
    begin, end = asked.terms.begin, asked.terms.end
    return tuple(CameraPart(camera, begin, end, asked.state) for camera in asked.cameras)


KIND = Kind(
    name="concerned",
    title="A person concerned asks to view public footage",
    requirement="PRM-12",
    document=Concerned,
    states=tuple(State),
    ends=frozenset({State.VIEWED, State.REFUSED, State.WITHDRAWN, State.EXPIRED}),
    ways=(
        Way(
            at=(State.ASKED,),
            act=Approve,
            to=State.APPROVED,
            who=CUSTODIAN,
            given=(ANOTHER,),
            does=_decided,
        ),
        Way(
            at=(State.ASKED,),
            act=Refuse,
            to=State.REFUSED,
            who=CUSTODIAN,
            given=(ANOTHER,),
            does=_decided,
        ),
        Way(
            at=(State.ASKED, State.APPROVED),
            act=Withdraw,
            to=State.WITHDRAWN,
            who=ASKER,
            does=_ended,
        ),
        Way(
            at=(State.APPROVED,),
            act=Viewed,
            to=State.VIEWED,
            who=CUSTODIAN,
            given=(ANOTHER,),
            does=_viewed,
        ),
        Way(
            at=(State.ASKED, State.APPROVED),
            act=TimeIsUp,
            to=State.EXPIRED,
            who=CLOCK,
            does=_ended,
        ),
    ),
    timers={
        State.ASKED: (
            Timer("14 days after it was asked", lambda each: each.opened + ANSWERED_WITHIN),
        ),
        State.APPROVED: (
            Timer("30 days after it was approved", lambda each: each.decided + VIEWED_WITHIN),
        ),
    },
    cameras=_cameras,
)
