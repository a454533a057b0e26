"""A household disputes a line of its own log (AUD-4): somebody looked, or did something about it,
that should not have been. It goes to the auditor, who answers within three working days; later
than that they are told so, and it stays open until it is answered.

The line itself is never changed: it stays in the log, and the dispute beside it.
"""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub.access.facts import PersonKey
from village_hub.audit.anomalies import DISPUTE_DAYS, after_working_days
from village_hub.cases.checks import ANOTHER, ASKER, AUDITORS
from village_hub.cases.effects import Addressee, Note, Tell
from village_hub.cases.matter import (
    CLOCK,
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
    who,
)
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom


class State(StrEnum):
    FILED = "filed"
    LATE = "late"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class Finding(StrEnum):
    """What the auditor found."""

    IN_ORDER = "in_order"
    NOT_IN_ORDER = "not_in_order"


class Line(Part):
    """The line as the household read it; `by`: whose doing it was, None: the hub's own."""

    entry: str
    at: int
    zh: str
    en: str
    by: PersonKey | None


class LogDisputeTerms(Part):
    """Why, in their own words."""

    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)


class LogDispute(Matter):
    state: State
    household: str
    line: Line
    words: str
    finding: Finding | None = None
    answer: str = ""
    answered_by: Person | None = None


class AnswerDispute(Act):
    name: ClassVar[str] = "answer"

    finding: Finding
    words: str = Field(min_length=2, max_length=1000, pattern=PRINTABLE)


AUDITOR = who("an auditor", lambda turn: turn.by.holds(Role.AUDITOR))
OF_ANOTHER = Check(
    "the line is of another than the auditor",
    lambda turn: turn.matter.line.by != turn.by.key,
    code="self_approval",
    sentence="nobody answers for what they did themselves",
)
LIVING = (State.FILED, State.LATE)


def begin(
    terms: LogDisputeTerms, line: Line, household: str, by: Person, now: int
) -> Next[LogDispute]:
    """`line`: one of the household's own log."""
    dispute = LogDispute(
        id=new_id(),
        state=State.FILED,
        opened=now,
        asker=by,
        household=household,
        line=line,
        words=terms.words,
    )
    tell = Tell(Told.LOG_DISPUTED, {Whom.AUDITOR: AUDITORS})
    return Next(dispute, (tell, _note("log_disputed", dispute, terms.words)))


def _note(what: str, dispute: LogDispute, why: str = "") -> Note:
    return Note(what, dispute.household, why=why, about={"entry": dispute.line.entry})


def _answered(turn: Turn[LogDispute, AnswerDispute]) -> Next[LogDispute]:
    act = turn.act
    found = turn.matter.now_with(finding=act.finding, answer=act.words, answered_by=turn.by)
    asker = Addressee(person=found.asker.key, household=found.household)
    tell = Tell(Told.LOG_DISPUTE_ANSWERED, {Whom.ASKER: (asker,)})
    return Next(found, (tell, _note("log_dispute_answered", found, act.words)))


def _late(turn: Turn[LogDispute, TimeIsUp]) -> Next[LogDispute]:
    tell = Tell(Told.LOG_DISPUTE_LATE, {Whom.AUDITOR: AUDITORS})
    return Next(turn.matter, (tell, _note("log_dispute_late", turn.matter)))


def _withdrawn(turn: Turn[LogDispute, Any]) -> Next[LogDispute]:
    return Next(turn.matter, (_note("log_dispute_withdrawn", turn.matter),))


KIND = Kind(
    name="log_dispute",
    title="A household disputes a line of its log",
    requirement="AUD-4",
    document=LogDispute,
    states=tuple(State),
    ends=frozenset({State.ANSWERED, State.WITHDRAWN}),
    ways=(
        Way(
            at=LIVING,
            act=AnswerDispute,
            to=State.ANSWERED,
            who=AUDITOR,
            given=(ANOTHER, OF_ANOTHER),
            does=_answered,
        ),
        Way(at=LIVING, act=Withdraw, to=State.WITHDRAWN, who=ASKER, does=_withdrawn),
        Way(at=(State.FILED,), act=TimeIsUp, to=State.LATE, who=CLOCK, does=_late),
    ),
    timers={
        State.FILED: (
            Timer(
                "3 working days after it was filed",
                lambda each: after_working_days(each.opened, DISPUTE_DAYS),
            ),
        )
    },
)
