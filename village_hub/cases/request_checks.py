"""Who may take the steps of a police request, and under which conditions."""

from typing import Any

from village_core.permits import Role
from village_hub.cases import request_terms as rules
from village_hub.cases.checks import POLICE, fits_over, is_custodian, stands_above
from village_hub.cases.matter import DAY, Check, Turn, who
from village_hub.cases.request import Answer, AskedPart, Request
from village_hub.errors import Forbidden

LONGEST_DELAY = 7 * DAY
LONGEST_RENEWED = 30 * DAY


# who

_R = Turn[Request, Any]


def _is_owner(turn: _R) -> bool:
    """And may know already: nobody answers what they have not been told."""
    return bool(set(turn.by.owns) & set(turn.matter.households))


def _is_using(turn: _R) -> bool:
    officers = {officer.key for officer in turn.matter.terms.officers}
    return turn.by.key in officers | {turn.matter.asker.key}


APPROVER = who(
    "the approver it names, of the same unit or above",
    lambda turn: (
        turn.by.key == turn.matter.terms.approver.key and fits_over(turn.by, turn.matter.asker)
    ),
)
ONE_RANK_UP = who(
    "police of one rank up",
    lambda turn: turn.by.holds(*POLICE) and stands_above(turn.by, turn.matter.asker),
)
LEGAL_AFFAIRS = who(
    "the county's legal affairs",
    lambda turn: turn.by.holds(Role.BUREAU_OFFICER) and stands_above(turn.by, turn.matter.asker),
)
OWNER = who("an owner", _is_owner)
CUSTODIAN = who("the village", lambda turn: is_custodian(turn.by, turn.matter.place))
OFFICERS = who("the officers it names", _is_using)

# conditions

TWO = Check(
    "two officers are named",
    lambda turn: rules.two_officers(turn.matter.terms),
    code="need_two",
    sentence="a request names two officers at least",
)
ANOTHER_APPROVES = Check(
    "the approver is neither who asks nor one of the officers",
    lambda turn: rules.approver_is_another(turn.matter.terms, turn.matter.asker),
    code="self_approval",
    sentence="nobody approves their own request",
)
NOTICED = Check(
    "notice number and scan are there",
    lambda turn: bool(turn.matter.terms.notice.strip()) and turn.matter.scan is not None,
    code="no_notice",
    sentence="give the number of the notice and attach its scan",
)
WINDOWS = Check(
    "at most 12 h of each camera, once",
    lambda turn: rules.windows_fit(turn.matter.terms, turn.now),
    code="window",
    sentence="at most 12 hours of each camera, of what has been recorded",
)
WHAT = Check(
    "cameras or an area",
    lambda turn: rules.names_what(turn.matter.terms),
    code="bad_place",
    sentence="name cameras, or an area in the place",
)
RETURN = Check(
    "return within 30 days",
    lambda turn: rules.returns_in_time(turn.matter.terms, turn.now),
    code="return_by",
    sentence="the return date is to lie within the next 30 days",
)
SAME_PLACE = Check(
    "in the same place",
    lambda turn: turn.act.terms.place == turn.matter.place,
    code="bad_place",
    sentence="a request keeps its place: begin another one",
)
UNUSED = Check(
    "not past its return date",
    lambda turn: turn.now < turn.matter.terms.return_by,
    code="return_by",
    sentence="its return date has passed",
)
NO_PART_OF_IT = Check(
    "no part of the request",
    lambda turn: (
        turn.by.key not in (turn.matter.asker.key, turn.matter.terms.approver.key)
        and turn.by.key not in {officer.key for officer in turn.matter.terms.officers}
    ),
    code="self_approval",
    sentence="who has a part in the request does not allow its delay",
)
DELAY_WANTED = Check(
    "a delay of at most 7 days is asked for",
    lambda turn: (
        turn.matter.terms.delay is not None
        and turn.now < turn.matter.terms.delay.until <= turn.now + LONGEST_DELAY
    ),
    code="delay_too_long",
    sentence="a delay lasts 7 days at most, and gives its ground in writing",
)
DELAYED = Check(
    "the notice is held back",
    lambda turn: turn.matter.delayed(turn.now) and turn.matter.resolved,
    code="not_delayed",
    sentence="the notice is not held back",
)
TO_30_DAYS = Check(
    "to 30 days at most",
    lambda turn: (
        turn.matter.delay.until < turn.act.until <= (turn.matter.approved or 0) + LONGEST_RENEWED
    ),
    code="delay_too_long",
    sentence="a delay may be renewed to 30 days at most",
)
ANOTHER_RENEWS = Check(
    "another than who allowed it",
    lambda turn: turn.by.key != turn.matter.delay.by.key,
    code="self_approval",
    sentence="another person than who allowed the delay renews it",
)
UNRESOLVED = Check(
    "an area whose cameras are not named yet",
    lambda turn: not turn.matter.resolved,
    code="resolved",
    sentence="the cameras are named already",
)


def its(turn: _R) -> list[AskedPart]:
    return [part for part in turn.matter.open_parts if part.household == turn.act.household]


TOLD = Check(
    "told already",
    lambda turn: not turn.matter.delayed(turn.now),
    code="not_yours",
    sentence="this step is not yours to take",
    error=Forbidden,
)
THEIRS = Check(
    "of their own household, not answered yet",
    lambda turn: bool(its(turn)) and turn.act.household in turn.by.owns,
    code="no_such_part",
    sentence="there is nothing of this household to answer",
)
UNREACHED = Check(
    "whose owner was not reached in time, or is told later",
    lambda turn: (
        bool(its(turn))
        and (
            turn.matter.delayed(turn.now)
            or all(part.answer is Answer.UNREACHED for part in its(turn))
        )
    ),
    code="owner_first",
    sentence="the owner still has time to answer",
)
LAST = Check(
    "the last one",
    lambda turn: turn.matter.resolved and len(its(turn)) == len(turn.matter.open_parts),
    code="not_last",
    sentence="others have not answered yet",
)
NONE_FOUND = Check(
    "there are none", lambda turn: not turn.act.parts, code="not_last", sentence="there are some"
)
PAST_RETURN = Check(
    "the return date has passed",
    lambda turn: turn.matter.terms.return_by <= turn.now,
    code="too_early",
    sentence="its time is not up yet",
)
