"""An SOS (PRM-6): opens the cameras that the household chose to those who are called, for 15 min
and once 15 more; closed with a reason within 24 h, else the auditor sees it; one that nobody needed
or nobody looked at is reviewed.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub.access.facts import PersonKey
from village_hub.cases.checks import AUDITORS
from village_hub.cases.effects import Addressee, Cut, Effect, HangUp, Note, Tell
from village_hub.cases.matter import (
    CLOCK,
    DAY,
    MINUTE,
    Act,
    CameraPart,
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
    hour,
    who,
)
from village_hub.notices import due
from village_hub.notices import kinds as notices
from village_hub.notices.kinds import Whom

OPEN_FOR = 15 * MINUTE
REASON_WITHIN = DAY
REVIEW_WITHIN = 3 * DAY  # a working day or two, and a Sunday between


class Called(Part):
    """Who is called, in this order."""

    kind: Literal["person", "unit"]
    id: str
    issuer: str = ""  # the hub where they sign in; of a unit "" is this one
    name: str = ""


class Sos(Matter):
    household: str
    household_name: str = ""
    own: tuple[str, ...] = ()  # ids of the household's owners and adult members, of this hub
    raised_by: Literal["page", "button", "lan", "command", "alarm", "helper"]
    cameras: tuple[str, ...] = ()  # the household's standing choice; none: people are told only
    grant: tuple[str, ...] = Field(default=(), repr=False)  # the standing grant, as signed
    called: tuple[Called, ...] = ()  # named in the grant: they may look
    told: tuple[Called, ...] = ()  # are told, and see nothing by it
    ends: int
    renewed: bool = False
    escalated: bool = False
    viewed: bool = False  # somebody called has looked
    reason: str = ""
    false_alarm: bool = False
    review: str = ""

    @property
    def people(self) -> frozenset[PersonKey]:
        return frozenset((each.issuer, each.id) for each in self.called if each.kind == "person")

    @property
    def units(self) -> frozenset[str]:
        return frozenset(each.id for each in self.called if each.kind == "unit")


class Renew(Act):
    name: ClassVar[str] = "renew"


class Escalate(Act):
    """The bureau's unit is called as well. `hub`: where its people sign in; "" is here."""

    name: ClassVar[str] = "escalate"

    hub: str = Field(default="", max_length=80, pattern=PRINTABLE)
    unit: str = Field(max_length=80)
    unit_name: str = Field(default="", max_length=120, pattern=PRINTABLE)


class Looked(Act):
    name: ClassVar[str] = "looked"


class Stop(Act):
    """Nobody needs to look any more."""

    name: ClassVar[str] = "stop"


class GiveReason(Act):
    name: ClassVar[str] = "give_reason"

    reason: str = Field(min_length=2, max_length=1000, pattern=PRINTABLE)
    false_alarm: bool = False


class Review(Act):
    name: ClassVar[str] = "review"

    words: str = Field(min_length=2, max_length=1000, pattern=PRINTABLE)


SosTurn = Turn[Sos, Act]
LIVING = ("open", "renewed")
ENDED = ("over", "late")


def _of_household(turn: SosTurn) -> bool:
    """Who raised it, and whoever is grown up in the household."""
    hub = turn.matter.asker.issuer
    return turn.by.key in {turn.matter.asker.key, *((hub, each) for each in turn.matter.own)}


def _called(turn: SosTurn) -> bool:
    by = turn.by
    return by.key in turn.matter.people or any(
        each.kind == "unit" and each.id == by.unit and each.issuer in ("", by.issuer)
        for each in (*turn.matter.called, *turn.matter.told)
    )


HOUSEHOLD_OR_CALLED = who(
    "the household, or who is called", lambda turn: _of_household(turn) or _called(turn)
)
CALLED = who("who is called", _called)
REVIEWER = who(
    "a committee, or the auditor, who was not called",
    lambda turn: (
        turn.by.holds(Role.COMMITTEE, Role.AUDITOR)
        and turn.by.key != turn.matter.asker.key
        and not _called(turn)
    ),
)
NOT_YET_RENEWED = Check(
    "it was not renewed before",
    lambda turn: not turn.matter.renewed,
    code="renewed_once",
    sentence="an SOS is renewed once: raise a new one if it is still needed",
)
NEEDS_REVIEW = Check(
    "nobody needed it, or nobody looked",
    lambda turn: turn.act.false_alarm or not turn.matter.viewed,
    code="no_review",
    sentence="this needs no review",
)


def _raised(sos: Sos) -> tuple[Effect, ...]:
    """What an SOS brings about at once."""
    return (
        _tell(sos, notices.Kind.SOS_RAISED, Whom.OWNER, Whom.KIN, Whom.RESPONDER),
        _note("sos_raised", sos, sos.raised_by),
        Cut(),
    )


def _renew(turn: SosTurn) -> Next[Sos]:
    matter = turn.matter.now_with(renewed=True, ends=turn.matter.ends + OPEN_FOR)
    return Next(matter, (_note("sos_renewed", matter),))


def _escalate(turn: Turn[Sos, Escalate]) -> Next[Sos]:
    act = turn.act
    unit = Called(kind="unit", id=act.unit, issuer=act.hub, name=act.unit_name)
    matter = turn.matter.now_with(escalated=True, called=(*turn.matter.called, unit))
    told = _tell(matter, notices.Kind.SOS_RAISED, Whom.RESPONDER)
    return Next(matter, (told, Note("sos_escalated", matter.household, why=unit.name)))


def _looked(turn: SosTurn) -> Next[Sos]:
    if turn.matter.viewed:
        return Next(turn.matter)
    said = {"who": turn.by.unit_name or turn.by.name, "until": hour(turn.matter.ends)}
    told = _tell(turn.matter, notices.Kind.SOS_VIEWED, Whom.OWNER, **said)
    return Next(turn.matter.now_with(viewed=True), (told,))


def _over(turn: SosTurn) -> Next[Sos]:
    matter = turn.matter.now_with(ends=min(turn.matter.ends, turn.now))
    due = _tell(matter, notices.Kind.SOS_REASON_DUE, Whom.RESPONDER)
    return Next(matter, (Cut(), HangUp(), due, _note("sos_over", matter)))


def _late(turn: SosTurn) -> Next[Sos]:
    matter = turn.matter
    told = _tell(matter, notices.Kind.SOS_REVIEW_LATE, Whom.AUDITOR, Whom.OWNER)
    return Next(matter, (told, Note("sos_without_reason", matter.household)))


def _reason(turn: Turn[Sos, GiveReason]) -> Next[Sos]:
    said = turn.act
    matter = turn.matter.now_with(reason=said.reason, false_alarm=said.false_alarm)
    return Next(matter, (Note("sos_reason", matter.household, why=said.reason),))


def _review(turn: Turn[Sos, Review]) -> Next[Sos]:
    matter = turn.matter.now_with(review=turn.act.words)
    told = _tell(matter, notices.Kind.SOS_REVIEWED, Whom.OWNER, what=matter.review)
    return Next(matter, (told, Note("sos_reviewed", matter.household, why=matter.review)))


def _tell(sos: Sos, kind: notices.Kind, *whom: Whom, **params: str) -> Tell:
    """Those of `whom`; of the others whom the rules name for this, nobody."""
    called = tuple(_address(each) for each in (*sos.called, *sos.told))
    all_of_them = {
        Whom.OWNER: (Addressee(household=sos.household),),
        Whom.KIN: (),
        Whom.RESPONDER: called,
        Whom.AUDITOR: AUDITORS,
    }
    wanted = [duty.whom for duty in due.RULES[kind].duties]
    told = {each: all_of_them[each] if each in whom else () for each in wanted}
    said = {
        "home": sos.household_name,
        "at": hour(sos.opened),
        "who": sos.asker.name or sos.household_name,
        "until": hour(sos.opened + REASON_WITHIN),
    }
    return Tell(kind, told, {**said, **params})


def _note(what: str, sos: Sos, why: str = "") -> Note:
    return Note(what, sos.household, why=why, about={"cameras": " ".join(sos.cameras)})


def _address(each: Called) -> Addressee:
    if each.kind == "person":
        return Addressee(person=(each.issuer, each.id))
    return Addressee(unit=each.id, hub=each.issuer)


def _cameras(sos: Sos) -> Iterable[CameraPart]:
    return (CameraPart(each, sos.opened, sos.ends, sos.state) for each in sos.cameras)


KIND = Kind(
    name="sos",
    title="SOS",
    requirement="PRM-6",
    document=Sos,
    states=("open", "renewed", "over", "late", "to_review", "closed", "reviewed"),
    ends=frozenset({"closed", "reviewed"}),
    ways=(
        Way(
            at=("open",),
            act=Renew,
            to="renewed",
            who=HOUSEHOLD_OR_CALLED,
            given=(NOT_YET_RENEWED,),
            does=_renew,
        ),
        Way(at=LIVING, act=Escalate, to=None, who=CALLED, does=_escalate),
        Way(at=LIVING, act=Looked, to=None, who=CALLED, does=_looked),
        Way(at=LIVING, act=Stop, to="over", who=HOUSEHOLD_OR_CALLED, does=_over),
        Way(at=LIVING, act=TimeIsUp, to="over", who=CLOCK, does=_over),
        Way(at=("over",), act=TimeIsUp, to="late", who=CLOCK, does=_late),
        Way(
            at=ENDED,
            act=GiveReason,
            to="to_review",
            who=HOUSEHOLD_OR_CALLED,
            given=(NEEDS_REVIEW,),
            does=_reason,
        ),
        Way(at=ENDED, act=GiveReason, to="closed", who=HOUSEHOLD_OR_CALLED, does=_reason),
        Way(at=("to_review",), act=Review, to="reviewed", who=REVIEWER, does=_review),
    ),
    timers={
        "open": (Timer("15 min after it was raised", lambda sos: sos.ends),),
        "renewed": (Timer("30 min after it was raised", lambda sos: sos.ends),),
        "over": (Timer("24 h after it was raised", lambda sos: sos.opened + REASON_WITHIN),),
    },
    cameras=_cameras,
)


def new(sos_id: str, asker: Person, now: int, **more: object) -> Sos:
    """One that is open from now on."""
    said = {"id": sos_id, "state": "open", "asker": asker, "opened": now, "ends": now + OPEN_FOR}
    return Sos.model_validate({**said, **more})


def begin(made: Sos) -> Next[Sos]:
    """It is raised."""
    return Next(made, _raised(made))
