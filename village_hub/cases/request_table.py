"""The table of a police request: which step when, by whom, under which conditions."""

from village_hub.cases import request_steps as steps
from village_hub.cases.checks import ASKER, ASKING_UNIT
from village_hub.cases.matter import CLOCK, Act, Kind, TimeIsUp, Timer, Way
from village_hub.cases.request import (
    DECIDED_WITHIN,
    DRAFT_KEPT,
    Request,
    State,
    cameras,
    knowing,
)

_FILING = (
    *(steps.TWO, steps.ANOTHER_APPROVES, steps.WHAT, steps.WINDOWS, steps.NOTICED),
    steps.RETURN,
)
_RUNNING = (State.APPROVED, State.ANSWERED)


def _answering(act: type[Act]) -> tuple[Way, ...]:
    """By the owner first, by the village where it must; the last answer completes it."""
    ways = []
    for who, given in (
        (steps.OWNER, (steps.TOLD, steps.THEIRS)),
        (steps.CUSTODIAN, (steps.UNREACHED,)),
    ):
        at = (State.APPROVED,)
        ways += [
            Way(
                at=at,
                act=act,
                to=State.ANSWERED,
                who=who,
                given=(*given, steps.LAST),
                does=steps.answered,
            ),
            Way(at=at, act=act, to=None, who=who, given=given, does=steps.answered),
        ]
    return tuple(ways)


_DRAFTING = (
    Way(
        at=(State.DRAFT,),
        act=steps.Amend,
        to=None,
        who=ASKER,
        given=(steps.SAME_PLACE,),
        does=steps.amended,
    ),
    Way(at=(State.DRAFT,), act=steps.Attach, to=None, who=ASKER, does=steps.attached),
    Way(
        at=(State.DRAFT,),
        act=steps.File,
        to=State.FILED,
        who=ASKER,
        given=_FILING,
        does=steps.filed,
    ),
    Way(at=(State.DRAFT,), act=TimeIsUp, to=State.EXPIRED, who=CLOCK, does=steps.over),
)
_DECIDING = (
    Way(
        at=(State.FILED,),
        act=steps.GrantDelay,
        to=None,
        who=steps.ONE_RANK_UP,
        given=(steps.NO_PART_OF_IT, steps.DELAY_WANTED),
        does=steps.delay_granted,
    ),
    Way(
        at=(State.FILED,),
        act=steps.Approve,
        to=State.APPROVED,
        who=steps.APPROVER,
        given=(steps.ANOTHER_APPROVES, steps.UNUSED),
        does=steps.approved,
    ),
    Way(
        at=(State.FILED,),
        act=steps.Refuse,
        to=State.REFUSED,
        who=steps.APPROVER,
        does=steps.refused,
    ),
    Way(at=(State.FILED,), act=TimeIsUp, to=State.EXPIRED, who=CLOCK, does=steps.over),
)
_ANSWERING = (
    Way(
        at=(State.APPROVED,),
        act=steps.Resolve,
        to=State.ANSWERED,
        who=steps.CUSTODIAN,
        given=(steps.UNRESOLVED, steps.NONE_FOUND),
        does=steps.resolved,
    ),
    Way(
        at=(State.APPROVED,),
        act=steps.Resolve,
        to=None,
        who=steps.CUSTODIAN,
        given=(steps.UNRESOLVED,),
        does=steps.resolved,
    ),
    *_answering(steps.Countersign),
    *_answering(steps.NoteRefusal),
    Way(
        at=(State.APPROVED,),
        act=TimeIsUp,
        to=State.EXPIRED,
        who=CLOCK,
        given=(steps.PAST_RETURN,),
        does=steps.over,
    ),
    Way(at=(State.APPROVED,), act=TimeIsUp, to=None, who=CLOCK, does=steps.unreached),
    Way(at=(State.ANSWERED,), act=TimeIsUp, to=State.EXPIRED, who=CLOCK, does=steps.over),
)
_ALWAYS = (
    Way(
        at=_RUNNING,
        act=steps.RenewDelay,
        to=None,
        who=steps.LEGAL_AFFAIRS,
        given=(steps.DELAYED, steps.ANOTHER_RENEWS, steps.TO_30_DAYS),
        does=steps.delay_renewed,
    ),
    Way(
        at=_RUNNING,
        act=steps.EndDelay,
        to=None,
        who=ASKING_UNIT,
        given=(steps.DELAYED,),
        does=steps.delay_ended,
    ),
    Way(at=_RUNNING, act=steps.Returned, to=State.RETURNED, who=steps.OFFICERS, does=steps.over),
    Way(
        at=(State.DRAFT, State.FILED),
        act=steps.Withdraw,
        to=State.WITHDRAWN,
        who=ASKER,
        does=steps.over,
    ),
)

KIND = Kind(
    name="request",
    title="Request for footage",
    requirement="PRM-8, PRM-10",
    document=Request,
    states=tuple(State),
    ends=frozenset({State.REFUSED, State.WITHDRAWN, State.RETURNED, State.EXPIRED}),
    ways=(*_DRAFTING, *_DECIDING, *_ANSWERING, *_ALWAYS),
    timers={
        State.DRAFT: (Timer("30 days after it was begun", lambda each: each.opened + DRAFT_KEPT),),
        State.FILED: (
            Timer("14 days after it was filed", lambda each: each.filed + DECIDED_WITHIN),
            Timer("at its return date", lambda each: each.terms.return_by),
        ),
        State.APPROVED: (
            Timer("3 days after owners could know of it", lambda each: each.answers_end),
            Timer("at its return date", lambda each: each.terms.return_by),
        ),
        State.ANSWERED: (Timer("at its return date", lambda each: each.terms.return_by),),
    },
    cameras=cameras,
    households=knowing,
)
