"""Walks for what police and other staff ask; `walks.py` has all."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.hub.cases.cast import (
    AREA,
    CLERK,
    EVERYBODY,
    FANG,
    LI,
    NOW,
    WANG,
    Walk,
)
from tests.hub.cases.requests import AMENDED, FOUND, LATER, SCAN, TERMS
from village_core.permits import Purpose
from village_hub.cases import concerned, public_answer, public_ask, request
from village_hub.cases import request_acts as acts
from village_hub.cases.matter import DAY, HOUR, THE_CLOCK, Withdraw

ASK = public_ask.AskTerms(
    incident="110-2026-0042",
    contact="Officer Li, 0731 1234567",
    what="A red tricycle was taken from the well on Monday night.",
    purpose=Purpose.CASE,
    no_gathering=True,
    area=AREA,
    begin=NOW - 3 * HOUR,
    end=NOW - HOUR,
)
QUESTION = public_answer.Question(
    ask="the ask",
    who="Xicun station",
    contact=ASK.contact,
    incident=ASK.incident,
    what=ASK.what,
    purpose=ASK.purpose,
    area=AREA,
    begin=ASK.begin,
    end=ASK.end,
    closes=NOW + 14 * DAY,
)
OFFERING = public_answer.Offering(begin=ASK.begin, end=ASK.end)
OFFER = public_answer.Offer(household="wang", begin=ASK.begin, end=ASK.end, at=NOW)
CONCERNED = concerned.ConcernedTerms(
    place=AREA.place,
    where="the square",
    what="I fell over a cable at the stage.",
    relation=concerned.Relation.INJURED,
    begin=NOW - 3 * HOUR,
    end=NOW - HOUR,
)

WALKS: Mapping[str, Walk] = {
    "request": Walk(
        lambda: request.begin(LATER, LI, NOW),
        [
            acts.Amend(terms=TERMS),
            acts.Amend(terms=AMENDED),
            acts.Attach(scan=SCAN),
            acts.File(parts=FOUND),
            Withdraw(),
            acts.GrantDelay(),
            acts.Approve(),
            acts.Refuse(words="no ground"),
            acts.Resolve(parts=FOUND),
            acts.Resolve(),
            acts.Countersign(household="wang"),
            acts.NoteRefusal(household="zhou"),
            acts.Countersign(household="zhou"),
            acts.RenewDelay(until=NOW + 20 * DAY, ground="would impede duty still"),
            acts.EndDelay(),
            acts.Returned(),
        ],
        jumps=(0, 0, HOUR, 2 * DAY),
        lengths=(5, 20),
    ),
    "public_ask": Walk(
        lambda: public_ask.begin(ASK, LI, NOW),
        [
            public_ask.Publish(households=("wang", "zhou")),
            public_ask.Reject(words="about a gathering"),
            public_ask.Close(),
            public_answer.Offered(offer=OFFER),
            public_answer.Dropped(household="wang"),
            public_answer.End(),
        ],
        people=(*EVERYBODY, THE_CLOCK),
    ),
    "public_answer": Walk(
        lambda: public_answer.begin(QUESTION, "wang", NOW),
        [
            OFFERING,
            OFFERING.model_copy(update={"end": ASK.end + 1}),
            public_answer.PutAway(),
            public_answer.TakeBack(),
            public_answer.End(),
        ],
        people=(WANG, FANG, LI, CLERK, THE_CLOCK),
    ),
    "concerned": Walk(
        lambda: concerned.begin(CONCERNED, FANG, NOW),
        [
            concerned.Approve(cameras=("square",), words="Monday at nine"),
            concerned.Refuse(words="not the place"),
            concerned.Viewed(words="others were blurred"),
            Withdraw(),
        ],
        people=(*EVERYBODY, FANG),
    ),
}


def _request_in_order(matter: Any) -> bool:
    """PRM-8, PRM-11: nothing opens without two officers, a scan, and the approver's word; a delay
    is another's than theirs."""
    terms = matter.terms
    part = {officer.key for officer in terms.officers} | {matter.asker.key}
    delay = matter.delay is None or matter.delay.by.key not in part | {terms.approver.key}
    opened = matter.state in ("approved", "answered") or any(each.answered for each in matter.parts)
    if not opened:
        return delay
    approver = matter.approved_by
    return (
        delay
        and approver is not None
        and approver.key not in part
        and len({officer.key for officer in terms.officers}) >= 2
        and matter.scan is not None
        and (matter.state != "answered" or not matter.open_parts)
    )


def _reviewed_by_another(matter: Any) -> bool:
    if not (matter.state in ("open", "closed") or matter.offers or matter.answers):
        return True
    return matter.reviewed_by is not None and matter.reviewed_by.key != matter.asker.key


def _decided_by_the_village(matter: Any) -> bool:
    if matter.state not in ("approved", "viewed"):
        return True
    return matter.decided_by == CLERK and bool(matter.cameras)


SOUND: Mapping[str, Callable[[Any], bool]] = {
    "request": _request_in_order,
    "public_ask": _reviewed_by_another,
    "public_answer": lambda matter: (matter.state == "offered") <= (matter.offer is not None),
    "concerned": _decided_by_the_village,
}
