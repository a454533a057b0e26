"""A dispute between villagers (PRM-22): a wall that was hit, water that was led away. One of them
says place, time and thing; who the other is, the clerk learns at the window and names the home.
Both are told what was looked at, and both see the same at the window: it is over when both have
seen what was looked at last. What each may read here is the same, too.
"""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_hub.access.facts import PersonKey
from village_hub.cases.checks import ANOTHER, ASKER, CUSTODIAN, CUSTODIANS, check_window
from village_hub.cases.effects import Addressee, Effect, Hold, HoldKind, Note, Release, Tell
from village_hub.cases.matter import (
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
    day,
    hour,
)
from village_hub.cases.things import Close, PublicCamera, ThingTerms, looks
from village_hub.errors import Conflict
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

JOINED_WITHIN = 14 * DAY
STANDS = 30 * DAY  # after the last step: as long as public footage is kept


class State(StrEnum):
    FILED = "filed"
    JOINED = "joined"  # the other one is known, and told
    LOOKED = "looked"
    SEEN = "seen"  # by both
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Party(StrEnum):
    ASKER = "asker"
    OTHER = "other"


class Look(Part):
    """What the village looked at, and what it says of it."""

    at: int
    by: Person
    cameras: tuple[PublicCamera, ...]
    begin: int
    end: int
    words: str


class Dispute(Matter):
    """`people`: everybody of the other's home."""

    state: State
    terms: ThingTerms
    other: str | None = None  # household
    people: tuple[PersonKey, ...] = ()
    looks: tuple[Look, ...] = ()
    seen: tuple[Party, ...] = ()  # who has seen what was looked at last
    words: str = ""  # why it was closed
    moved: int  # when the last step was taken


class Join(Act):
    """`people`: everybody of that household, as the hub's books say."""

    name: ClassVar[str] = "join"
    household: str = Field(max_length=80)
    people: tuple[PersonKey, ...] = ()


class Looked(Act):
    name: ClassVar[str] = "look"
    cameras: tuple[PublicCamera, ...] = Field(min_length=1, max_length=12)
    begin: int
    end: int
    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)


class Seen(Act):
    """At the window, one of both saw what was looked at last."""

    name: ClassVar[str] = "seen"
    party: Party


def _both(dispute: Dispute, party: Party) -> bool:
    return {*dispute.seen, party} == set(Party)


NO_PARTY = Check(
    "nobody of the other's home",
    lambda turn: turn.by.key not in turn.matter.people,
    code="self_approval",
    sentence="nobody mediates in their own dispute",
)
OF_ANOTHER_HOME = Check(
    "it is another home than the clerk's",
    lambda turn: turn.by.key not in turn.act.people,
    code="self_approval",
    sentence="nobody mediates in their own dispute",
)
TWO_SIDES = Check(
    "it is another home than the asker's",
    lambda turn: turn.matter.asker.key not in turn.act.people,
    code="one_side",
    sentence="both are of the same home",
)
IN_WINDOW = Check(
    "within the window",
    lambda turn: turn.matter.terms.begin <= turn.act.begin < turn.act.end <= turn.matter.terms.end,
    code="window",
    sentence="only what the dispute is about is looked at",
)
NOT_YET = Check(
    "that one has not seen it yet",
    lambda turn: turn.act.party not in turn.matter.seen,
    code="seen_already",
    sentence="that one has seen it already",
    error=Conflict,
)
OTHER_SAW = Check(
    "the other has seen it",
    lambda turn: _both(turn.matter, turn.act.party),
    code="waits",
    sentence="the other has not seen it yet",
)
AT_WORK = (State.JOINED, State.LOOKED)
LIVING = (State.FILED, *AT_WORK)


def begin(terms: ThingTerms, by: Person, now: int) -> Next[Dispute]:
    """Raises StepRefused."""
    check_window(terms.begin, terms.end, now)
    dispute = Dispute(
        id=new_id(),
        state=State.FILED,
        opened=now,
        asker=by,
        place=terms.place,
        terms=terms,
        moved=now,
    )
    told = {"who": by.name, "what": terms.thing, "at": terms.where}
    tell = Tell(Told.DISPUTE_FILED, {Whom.CUSTODIAN: CUSTODIANS}, told)
    return Next(dispute, (tell, _note(dispute, "dispute_filed")))


def _note(dispute: Dispute, what: str, why: str = "") -> Note:
    return Note(what, footage=(dispute.terms.begin, dispute.terms.end), why=why)


def _tell(kind: Told, dispute: Dispute, **more: str) -> Tell:
    """Both of them alike."""
    asker = Addressee(person=dispute.asker.key)
    other = (Addressee(household=dispute.other),) if dispute.other else ()
    return Tell(kind, {Whom.PARTY: (asker, *other)}, {"what": dispute.terms.thing, **more})


def _joined(turn: Turn[Dispute, Join]) -> Next[Dispute]:
    act = turn.act
    found = turn.matter.now_with(other=act.household, people=act.people, moved=turn.now)
    tell = _tell(Told.DISPUTE_JOINED, found, at=found.terms.where)
    note = Note("dispute_joined", household=act.household)
    return Next(found, (tell, note))


def _looked(turn: Turn[Dispute, Looked]) -> Next[Dispute]:
    """Whoever has seen what was looked at before has to see this, too."""
    act = turn.act
    look = Look(at=turn.now, by=turn.by, **dict(act))
    found = turn.matter.now_with(looks=(*turn.matter.looks, look), seen=(), moved=turn.now)
    at = f"{day(act.begin)} {hour(act.begin)}"
    tell = _tell(Told.DISPUTE_LOOKED, found, who=turn.by.unit_name or turn.by.name, at=at)
    until = turn.now + STANDS
    holds = [Hold(HoldKind.REQUEST, act.begin, act.end, until, camera=c.id) for c in act.cameras]
    notes = looks("dispute_looked", act.cameras, (act.begin, act.end), act.words)
    return Next(found, (*holds, tell, *notes))


def _seen(turn: Turn[Dispute, Seen]) -> Next[Dispute]:
    party = turn.act.party
    found = turn.matter.now_with(seen=(*turn.matter.seen, party), moved=turn.now)
    over: tuple[Effect, ...] = (Release(),) if _both(found, party) else ()
    return Next(found, (*over, Note("dispute_seen", about={"party": party.value})))


def _ended(what: str) -> Any:
    def does(turn: Turn[Dispute, Any]) -> Next[Dispute]:
        found = turn.matter.now_with(words=getattr(turn.act, "words", ""), moved=turn.now)
        tell = _tell(Told.DISPUTE_CLOSED, found, day=day(found.opened))
        return Next(found, (Release(), tell, _note(found, what, found.words)))

    return does


def _cameras(dispute: Dispute) -> tuple[CameraPart, ...]:
    parts = {
        camera.id: CameraPart(camera.id, look.begin, look.end, dispute.state)
        for look in dispute.looks
        for camera in look.cameras
    }
    return tuple(parts.values())


def _households(dispute: Dispute) -> dict[str, int]:
    return {dispute.other: dispute.opened} if dispute.other else {}


def _by_clerk(
    at: tuple[str, ...], act: type[Act], to: str | None, does: Any, given: tuple[Check, ...] = ()
) -> Way:
    return Way(at=at, act=act, to=to, who=CUSTODIAN, given=(ANOTHER, NO_PARTY, *given), does=does)


KIND = Kind(
    name="dispute",
    title="A dispute between villagers",
    requirement="PRM-22",
    document=Dispute,
    states=tuple(State),
    ends=frozenset({State.SEEN, State.CLOSED, State.WITHDRAWN, State.EXPIRED}),
    ways=(
        _by_clerk((State.FILED,), Join, State.JOINED, _joined, (OF_ANOTHER_HOME, TWO_SIDES)),
        _by_clerk(AT_WORK, Looked, State.LOOKED, _looked, (IN_WINDOW,)),
        _by_clerk((State.LOOKED,), Seen, State.SEEN, _seen, (NOT_YET, OTHER_SAW)),
        _by_clerk((State.LOOKED,), Seen, None, _seen, (NOT_YET,)),
        _by_clerk(LIVING, Close, State.CLOSED, _ended("dispute_closed")),
        Way(
            at=LIVING,
            act=Withdraw,
            to=State.WITHDRAWN,
            who=ASKER,
            does=_ended("dispute_withdrawn"),
        ),
        Way(at=LIVING, act=TimeIsUp, to=State.EXPIRED, who=CLOCK, does=_ended("dispute_expired")),
    ),
    timers={
        State.FILED: (
            Timer("14 days after it was filed", lambda each: each.opened + JOINED_WITHIN),
        ),
        **dict.fromkeys(
            AT_WORK, (Timer("30 days after the last step", lambda each: each.moved + STANDS),)
        ),
    },
    cameras=_cameras,
    households=_households,
)
