"""A documented emergency without an SOS (PRM-7): fire, a missing child or elder. One officer opens
the yards of one place for 15 min with the number of the 110 call; the owners are told at once, a
second officer confirms within 30 min, the unit's head approves within 24 h, or it is a breach.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from village_core.messages import PRINTABLE
from village_hub.cases.checks import ASKER, ASKING_UNIT, AUDITORS, OVER_ASKER
from village_hub.cases.effects import Addressee, Cut, Effect, Note, Tell
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
)
from village_hub.errors import Forbidden
from village_hub.notices import kinds as notices
from village_hub.notices.kinds import Whom

OPEN_FOR = 15 * MINUTE
SECOND_WITHIN = 30 * MINUTE
APPROVED_WITHIN = DAY
MOST_CAMERAS = 12


class Yard(Part):
    """A camera of class H-OUT and the household whose it is."""

    camera: str
    household: str


class Emergency(Matter):
    """Never H-IN: the service resolves the place to yards alone, and the decision and the agent
    each check the class again."""

    incident: str = Field(min_length=4, max_length=60, pattern=PRINTABLE)  # of the 110 call
    what: Literal["fire", "missing_child", "missing_elder", "other_danger"]
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)
    yards: tuple[Yard, ...] = Field(max_length=MOST_CAMERAS)
    ends: int
    second: Person | None = None
    approver: Person | None = None
    refusal: str = ""


class Confirm(Act):
    """A second officer has heard of the same call."""

    name: ClassVar[str] = "confirm"


class Close(Act):
    name: ClassVar[str] = "close"


class Approve(Act):
    name: ClassVar[str] = "approve"


class Disapprove(Act):
    name: ClassVar[str] = "disapprove"

    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)


EmergencyTurn = Turn[Emergency, Act]

NOT_ONESELF = Check(
    "it is somebody else than who opened it",
    lambda turn: turn.by.key != turn.matter.asker.key,
    code="self_approval",
    sentence="nobody confirms or approves what they opened themselves",
    error=Forbidden,
)
A_THIRD = Check(
    "it is neither who opened nor who confirmed it",
    lambda turn: (
        turn.by.key
        not in (turn.matter.asker.key, turn.matter.second.key if turn.matter.second else None)
    ),
    code="self_approval",
    sentence="nobody approves what they opened or confirmed themselves",
    error=Forbidden,
)


def _opened(emergency: Emergency) -> tuple[Effect, ...]:
    """What it brings about at once: the owners are told while it is open."""
    told = {
        Whom.OWNER: _owners(emergency),
        Whom.SECOND: (emergency.asker.office,),
        Whom.UNIT_HEAD: (emergency.asker.office,),
    }
    return (
        Tell(notices.Kind.EMERGENCY_OPENED, told, _params(emergency)),
        *_notes(emergency, "emergency_opened"),
        Cut(),
    )


def _confirm(turn: EmergencyTurn) -> Next[Emergency]:
    matter = turn.matter.now_with(second=turn.by)
    return Next(matter, tuple(_notes(matter, "emergency_confirmed")))


def _close(turn: EmergencyTurn) -> Next[Emergency]:
    matter = turn.matter.now_with(ends=min(turn.matter.ends, turn.now))
    return Next(matter, (Cut(), *_notes(matter, "emergency_closed")))


def _lapse(turn: EmergencyTurn) -> Next[Emergency]:
    """Nobody confirmed it: what is still open closes, and it is a breach."""
    matter = turn.matter.now_with(ends=min(turn.matter.ends, turn.now))
    told = {Whom.ASKER: (matter.asker.address,), Whom.UNIT_HEAD: (matter.asker.office,)}
    lapsed = Tell(notices.Kind.EMERGENCY_LAPSED, told, _params(matter))
    return Next(matter, (Cut(), lapsed, *_breach(matter, "emergency_lapsed")))


def _approve(turn: EmergencyTurn) -> Next[Emergency]:
    matter = turn.matter.now_with(approver=turn.by)
    return Next(matter, tuple(_notes(matter, "emergency_approved")))


def _disapprove(turn: Turn[Emergency, Disapprove]) -> Next[Emergency]:
    matter = turn.matter.now_with(
        approver=turn.by, refusal=turn.act.words, ends=min(turn.matter.ends, turn.now)
    )
    return Next(matter, (Cut(), *_breach(matter, "emergency_disapproved")))


def _unapproved(turn: EmergencyTurn) -> Next[Emergency]:
    return Next(turn.matter, tuple(_breach(turn.matter, "emergency_unapproved")))


def _breach(matter: Emergency, what: str) -> Iterable[Effect]:
    told = {
        Whom.AUDITOR: AUDITORS,
        Whom.OWNER: _owners(matter),
        Whom.UNIT_HEAD: (matter.asker.office,),
    }
    yield Tell(notices.Kind.EMERGENCY_BREACH, told, _params(matter))
    yield from _notes(matter, what)


def _notes(matter: Emergency, what: str) -> Iterable[Note]:
    """One in each household's log (AUD-4)."""
    households: list[str | None] = [*sorted({yard.household for yard in matter.yards})]
    for household in households or [None]:
        cameras = [each.camera for each in matter.yards if each.household == household]
        yield Note(what, household, why=matter.words, about={"cameras": " ".join(cameras)})


def _owners(matter: Emergency) -> tuple[Addressee, ...]:
    households = sorted({yard.household for yard in matter.yards})
    return tuple(Addressee(household=each) for each in households)


def _params(matter: Emergency) -> dict[str, str]:
    who = f"{matter.asker.unit_name} {matter.asker.name}".strip()
    return {"who": who, "case": matter.incident, "until": hour(matter.ends)}


def _cameras(matter: Emergency) -> Iterable[CameraPart]:
    return (
        CameraPart(each.camera, matter.opened, matter.ends, matter.state) for each in matter.yards
    )


KIND = Kind(
    name="emergency",
    title="Documented emergency",
    requirement="PRM-7",
    document=Emergency,
    states=("open", "confirmed", "approved", "breach"),
    ends=frozenset({"approved", "breach"}),
    ways=(
        Way(
            at=("open",),
            act=Confirm,
            to="confirmed",
            who=ASKING_UNIT,
            given=(NOT_ONESELF,),
            does=_confirm,
        ),
        Way(at=("open", "confirmed"), act=Close, to=None, who=ASKER, does=_close),
        Way(at=("open",), act=TimeIsUp, to="breach", who=CLOCK, does=_lapse),
        Way(
            at=("confirmed",),
            act=Approve,
            to="approved",
            who=OVER_ASKER,
            given=(A_THIRD,),
            does=_approve,
        ),
        Way(
            at=("open", "confirmed"),
            act=Disapprove,
            to="breach",
            who=OVER_ASKER,
            given=(NOT_ONESELF,),
            does=_disapprove,
        ),
        Way(at=("confirmed",), act=TimeIsUp, to="breach", who=CLOCK, does=_unapproved),
    ),
    timers={
        "open": (Timer("30 min after it was opened", lambda each: each.opened + SECOND_WITHIN),),
        "confirmed": (
            Timer("24 h after it was opened", lambda each: each.opened + APPROVED_WITHIN),
        ),
    },
    cameras=_cameras,
    households=lambda matter: {each.household: matter.opened for each in matter.yards},
)


def begin(matter_id: str, asker: Person, now: int, **more: object) -> Next[Emergency]:
    """A new emergency, open from now on."""
    said = {"id": matter_id, "state": "open", "asker": asker, "opened": now}
    made = Emergency.model_validate({**said, "ends": now + OPEN_FOR, **more})
    return Next(made, _opened(made))
