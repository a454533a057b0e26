"""The table of a police request: which step when, by whom, under which conditions."""

from village_hub.cases import request_acts as acts
from village_hub.cases import request_checks as checks
from village_hub.cases import request_steps as steps
from village_hub.cases.checks import ASKER, ASKING_UNIT
from village_hub.cases.matter import CLOCK, Act, Kind, TimeIsUp, Timer, Way, Withdraw
from village_hub.cases.request import (
    DECIDED_WITHIN,
    DRAFT_KEPT,
    Request,
    State,
    cameras,
    knowing,
)

_FILING = (
    *(checks.TWO, checks.ANOTHER_APPROVES, checks.WHAT, checks.WINDOWS, checks.NOTICED),
    checks.RETURN,
)
_RUNNING = (State.APPROVED, State.ANSWERED)


def _answering(act: type[Act]) -> tuple[Way, ...]:
    """By the owner first, by the village where it must; the last answer completes it."""
    ways = []
    for who, given in (
        (checks.OWNER, (checks.TOLD, checks.THEIRS)),
        (checks.CUSTODIAN, (checks.UNREACHED,)),
    ):
        at = (State.APPROVED,)
        ways += [
            Way(
                at=at,
                act=act,
                to=State.ANSWERED,
                who=who,
                given=(*given, checks.LAST),
                does=steps.answered,
            ),
            Way(at=at, act=act, to=None, who=who, given=given, does=steps.answered),
        ]
    return tuple(ways)


_DRAFTING = (
    Way(
        at=(State.DRAFT,),
        act=acts.Amend,
        to=None,
        who=ASKER,
        given=(checks.SAME_PLACE,),
        does=steps.amended,
    ),
    Way(at=(State.DRAFT,), act=acts.Attach, to=None, who=ASKER, does=steps.attached),
    Way(
        at=(State.DRAFT,),
        act=acts.File,
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
        act=acts.GrantDelay,
        to=None,
        who=checks.ONE_RANK_UP,
        given=(checks.NO_PART_OF_IT, checks.DELAY_WANTED),
        does=steps.delay_granted,
    ),
    Way(
        at=(State.FILED,),
        act=acts.Approve,
        to=State.APPROVED,
        who=checks.APPROVER,
        given=(checks.ANOTHER_APPROVES, checks.UNUSED),
        does=steps.approved,
    ),
    Way(
        at=(State.FILED,),
        act=acts.Refuse,
        to=State.REFUSED,
        who=checks.APPROVER,
        does=steps.refused,
    ),
    Way(at=(State.FILED,), act=TimeIsUp, to=State.EXPIRED, who=CLOCK, does=steps.over),
)
_ANSWERING = (
    Way(
        at=(State.APPROVED,),
        act=acts.Resolve,
        to=State.ANSWERED,
        who=checks.CUSTODIAN,
        given=(checks.UNRESOLVED, checks.NONE_FOUND),
        does=steps.resolved,
    ),
    Way(
        at=(State.APPROVED,),
        act=acts.Resolve,
        to=None,
        who=checks.CUSTODIAN,
        given=(checks.UNRESOLVED,),
        does=steps.resolved,
    ),
    *_answering(acts.Countersign),
    *_answering(acts.NoteRefusal),
    Way(
        at=(State.APPROVED,),
        act=TimeIsUp,
        to=State.EXPIRED,
        who=CLOCK,
        given=(checks.PAST_RETURN,),
        does=steps.over,
    ),
    Way(at=(State.APPROVED,), act=TimeIsUp, to=None, who=CLOCK, does=steps.unreached),
    Way(at=(State.ANSWERED,), act=TimeIsUp, to=State.EXPIRED, who=CLOCK, does=steps.over),
)
_ALWAYS = (
    Way(
        at=_RUNNING,
        act=acts.RenewDelay,
        to=None,
        who=checks.LEGAL_AFFAIRS,
        given=(checks.DELAYED, checks.ANOTHER_RENEWS, checks.TO_30_DAYS),
        does=steps.delay_renewed,
    ),
    Way(
        at=_RUNNING,
        act=acts.EndDelay,
        to=None,
        who=ASKING_UNIT,
        given=(checks.DELAYED,),
        does=steps.delay_ended,
    ),
    Way(at=_RUNNING, act=acts.Returned, to=State.RETURNED, who=checks.OFFICERS, does=steps.over),
    Way(
        at=(State.DRAFT, State.FILED),
        act=Withdraw,
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
