"""An objection (PRM-19): somebody, without an account, says "my gate is in this picture". Sharing
outside the household pauses at once; whoever runs the camera and a mediator answer within seven
days, and it goes on when both have approved one and the same view.

The objector is known by a receipt alone. A sign that is no camera's is kept like one that is, and
told to nobody: the answer to a stranger says nothing about cameras.
"""

from typing import Any, ClassVar

from pydantic import Field

from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub.cases.checks import AUDITORS
from village_hub.cases.effects import (
    Addressee,
    Cut,
    Effect,
    Note,
    Pause,
    Receipt,
    Resume,
    Tell,
)
from village_hub.cases.matter import (
    BY_RECEIPT,
    CLOCK,
    DAY,
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
    Withdraw,
    who,
)
from village_hub.errors import Conflict
from village_hub.notices import kinds as notices
from village_hub.notices.kinds import Whom

ANSWERED_WITHIN = 7 * DAY


class ObjectionTerms(Part):
    """What somebody says; a contact is theirs to give."""

    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)
    contact: str = Field(default="", max_length=120, pattern=PRINTABLE)


class Seen(Part):
    """The camera that a sign is of."""

    camera: str
    name: str
    household: str
    home: str  # its name
    place: str
    unit: str | None  # that runs it; None: a household does
    owners: tuple[str, ...]  # ids, of this hub


class Objection(Matter):
    words: str
    contact: str = Field(default="", repr=False)
    sign: str
    camera: str | None = None  # None: the sign is no camera's
    camera_name: str = ""
    home: str = ""
    unit: str | None = None
    owners: tuple[str, ...] = ()
    clerk: Person | None = None  # who wrote it down at the window
    owner_words: str = ""
    owner_view: str = ""
    owner_by: Person | None = None
    mediator_words: str = ""
    mediator_view: str = ""
    mediator_by: Person | None = None


class Answer(Act):
    name: ClassVar[str] = "answer"

    words: str = Field(min_length=2, max_length=1000, pattern=PRINTABLE)


class ApproveView(Act):
    """The view whose still has this SHA-256 may be shared."""

    name: ClassVar[str] = "approve_view"

    picture_sha256: str = Field(pattern="^[0-9a-f]{64}$")


ObjectionTurn = Turn[Objection, Act]
LIVING = ("filed", "late")


def runs_it(by: Person, objection: Objection) -> bool:
    """Owner of the household, or on duty in the unit whose camera it is."""
    if objection.unit is not None:
        return by.unit == objection.unit and by.holds(Role.COMMITTEE, Role.STATION_OFFICER)
    return objection.household is not None and objection.household in by.owns


def mediates(by: Person, objection: Objection) -> bool:
    """The village, or the township above it, but nobody whose camera it is."""
    theirs = by.id in objection.owners or (by.unit is not None and by.unit == objection.unit)
    return (
        by.holds(Role.COMMITTEE, Role.TOWNSHIP) and not theirs and by.answers_for(objection.place)
    )


def _owner(turn: ObjectionTurn) -> bool:
    return runs_it(turn.by, turn.matter)


def _mediator(turn: ObjectionTurn) -> bool:
    return mediates(turn.by, turn.matter)


def _other_than(part: str) -> Check:
    def holds(turn: ObjectionTurn) -> bool:
        other: Person | None = getattr(turn.matter, f"{part}_by")
        return other is None or other.key != turn.by.key

    return Check(
        f"another person than the {part}",
        holds,
        code="self_approval",
        sentence="owner and mediator are two people",
        error=Conflict,
    )


def _has_answered(part: str) -> Check:
    return Check(
        f"the {part} has answered",
        lambda turn: bool(getattr(turn.matter, f"{part}_words")),
        code="waits",
        sentence="the other answer is still missing",
    )


def _has_approved(part: str) -> Check:
    return Check(
        f"the {part} approved the same view",
        lambda turn: getattr(turn.matter, f"{part}_view") == turn.act.picture_sha256,
        code="waits",
        sentence="the other approval is still missing",
    )


OWNER = who("who runs the camera", _owner)
MEDIATOR = who("a mediator", _mediator)
OBJECTOR = who("who objected", lambda turn: turn.by.key == turn.matter.asker.key)
ANOTHER = {"owner": _other_than("mediator"), "mediator": _other_than("owner")}
OTHER_ANSWERED = {part: _has_answered(part) for part in ("owner", "mediator")}
OTHER_APPROVED = {part: _has_approved(part) for part in ("owner", "mediator")}


def begin(
    objection_id: str,
    terms: ObjectionTerms,
    seen: Seen | None,
    now: int,
    *,
    receipt: Receipt,
    **more: Any,
) -> Next[Objection]:
    """`more`: sign, clerk."""
    about = seen and {
        **seen.model_dump(include={"camera", "household", "home", "place", "unit", "owners"}),
        "camera_name": seen.name,
    }
    objection = Objection(
        id=objection_id,
        state="filed",
        opened=now,
        asker=Person(issuer=BY_RECEIPT, id=objection_id),
        words=terms.words,
        contact=terms.contact,
        **(about or {}),
        **more,
    )
    return Next(objection, (receipt, *_filed(objection)) if seen else (receipt,))


def _filed(objection: Objection) -> tuple[Effect, ...]:
    tell = _tell(objection, notices.Kind.OBJECTION_FILED, Whom.OWNER, Whom.MEDIATOR, Whom.AUDITOR)
    return Pause(objection.camera or ""), Cut(), tell, _note("objection_filed", objection)


def _tell(objection: Objection, kind: notices.Kind, *whom: Whom) -> Tell:
    of_unit = objection.unit is not None
    told = {
        Whom.OWNER: Addressee(unit=objection.unit)
        if of_unit
        else Addressee(household=objection.household),
        Whom.MEDIATOR: Addressee(role=Role.TOWNSHIP if of_unit else Role.COMMITTEE),
        Whom.AUDITOR: AUDITORS[0],
    }
    said = {"camera": objection.camera_name, "home": objection.home}
    return Tell(kind, {each: (told[each],) for each in whom}, said)


def _note(what: str, objection: Objection, why: str = "") -> Note:
    return Note(what, objection.household, camera=objection.camera or "", why=why)


def _answers(part: str) -> Any:
    def does(turn: Turn[Objection, Answer]) -> Next[Objection]:
        found = turn.matter.now_with(**{f"{part}_words": turn.act.words, f"{part}_by": turn.by})
        note = _note("objection_answered", found, turn.act.words)
        if not (found.owner_words and found.mediator_words):
            return Next(found, (note,))
        return Next(found, (note, _tell(found, notices.Kind.VIEW_TO_APPROVE, Whom.OWNER)))

    return does


def _approves(part: str) -> Any:
    def does(turn: Turn[Objection, ApproveView]) -> Next[Objection]:
        said = {f"{part}_view": turn.act.picture_sha256, f"{part}_by": turn.by}
        found = turn.matter.now_with(**said)
        return Next(found, (_note("objection_view_approved", found),))

    return does


def _settles(part: str) -> Any:
    def does(turn: Turn[Objection, ApproveView]) -> Next[Objection]:
        found = _approves(part)(turn).matter
        return Next(found, _ended("objection_settled", found))

    return does


def _withdrawn(turn: ObjectionTurn) -> Next[Objection]:
    found = turn.matter.now_with(contact="")
    return Next(found, _ended("objection_withdrawn", found) if found.camera else ())


def _ended(what: str, objection: Objection) -> tuple[Effect, ...]:
    return Resume(objection.camera or ""), _note(what, objection)


def _late(turn: ObjectionTurn) -> Next[Objection]:
    """It stays paused."""
    late = _tell(turn.matter, notices.Kind.OBJECTION_LATE, Whom.MEDIATOR, Whom.AUDITOR)
    return Next(turn.matter, (late, _note("objection_late", turn.matter)))


def _two_ways(part: str, other: str, check: Check) -> tuple[Way, ...]:
    both = (ANOTHER[part],)
    answers, approves = _answers(part), _approves(part)
    return (
        Way(
            at=LIVING,
            act=Answer,
            to="answered",
            who=check,
            given=(*both, OTHER_ANSWERED[other]),
            does=answers,
        ),
        Way(at=LIVING, act=Answer, to=None, who=check, given=both, does=answers),
        Way(
            at=("answered",),
            act=ApproveView,
            to="settled",
            who=check,
            given=(*both, OTHER_APPROVED[other]),
            does=_settles(part),
        ),
        Way(at=("answered",), act=ApproveView, to=None, who=check, given=both, does=approves),
    )


def _cameras(each: Objection) -> tuple[CameraPart, ...]:
    return (CameraPart(each.camera, each.opened, each.opened, each.state),) if each.camera else ()


OF_A_CAMERA = Check(
    "the sign is a camera's",
    lambda turn: turn.matter.camera is not None,
    code="no_camera",
    sentence="the sign is no camera's",
)

KIND = Kind(
    name="objection",
    title="Objection",
    requirement="PRM-19",
    document=Objection,
    states=("filed", "late", "answered", "settled", "withdrawn", "no_such_sign"),
    ends=frozenset({"settled", "withdrawn", "no_such_sign"}),
    ways=(
        *_two_ways("owner", "mediator", OWNER),
        *_two_ways("mediator", "owner", MEDIATOR),
        Way(at=(*LIVING, "answered"), act=Withdraw, to="withdrawn", who=OBJECTOR, does=_withdrawn),
        Way(at=("filed",), act=TimeIsUp, to="late", who=CLOCK, given=(OF_A_CAMERA,), does=_late),
        Way(
            at=("filed",),
            act=TimeIsUp,
            to="no_such_sign",
            who=CLOCK,
            does=lambda turn: Next(turn.matter.now_with(contact="")),
        ),
    ),
    timers={
        "filed": (Timer("7 days after it was filed", lambda each: each.opened + ANSWERED_WITHIN),)
    },
    cameras=_cameras,
)
