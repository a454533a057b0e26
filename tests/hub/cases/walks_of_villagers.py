"""Walks of what villagers begin: objections, calls for help, disputes."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.hub.cases.cast import (
    AREA,
    CLERK,
    EVERYBODY,
    FANG,
    LI,
    NOW,
    VILLAGE,
    WANG,
    ZHOU,
    Walk,
    villager,
)
from village_core.permits import Role
from village_hub.cases import dispute, log_dispute, objection
from village_hub.cases import help as help_request
from village_hub.cases.effects import Receipt
from village_hub.cases.matter import BY_RECEIPT, DAY, HOUR, Person, Withdraw
from village_hub.cases.things import Close, PublicCamera, ThingTerms

VIEW, OTHER_VIEW = "ab" * 32, "cd" * 32
SEEN = objection.Seen(
    camera="gate",
    name="Gate",
    household="wang",
    home="王家",
    place=VILLAGE,
    unit=None,
    owners=("wang",),
)
TERMS = objection.ObjectionTerms(words="my gate is in this picture")
OBJECTOR = Person(issuer=BY_RECEIPT, id="objection-1")

LINE = log_dispute.Line(
    entry="entry-1",
    at=NOW,
    zh="民警李看了大门",
    en="Li watched the gate",
    by=LI.key,
)
LOG_DISPUTE = log_dispute.LogDisputeTerms(words="nobody told us of any case")

THING = ThingTerms(
    place=VILLAGE,
    where="the lane by the old well",
    thing="a brown cow with one white ear",
    what="The gate stood open and she was gone when we woke up.",
    begin=NOW - 3 * HOUR,
    end=NOW - HOUR,
    no_person=True,
)
WELL = PublicCamera(id="well", name="The well")
MEI = villager("mei", Role.COMMITTEE)  # of the committee, and of Zhou's home
LOOKED = dispute.Looked(
    cameras=(WELL,), begin=THING.begin, end=THING.begin + HOUR, words="the wall stands at six"
)


def objected(seen: objection.Seen | None = SEEN, **more: Any) -> Any:
    said = {"receipt": Receipt("a digest", None), "sign": "BCDFGHJK", **more}
    return objection.begin("objection-1", TERMS, seen, NOW, **said)


WALKS: Mapping[str, Walk] = {
    "objection": Walk(
        objected,
        [
            objection.Answer(words="the camera is turned away from it"),
            objection.ApproveView(picture_sha256=VIEW),
            objection.ApproveView(picture_sha256=OTHER_VIEW),
            Withdraw(),
        ],
        people=(*EVERYBODY, OBJECTOR, WANG, CLERK),
        jumps=(0, DAY, 8 * DAY),
    ),
    "help": Walk(
        lambda: help_request.begin(THING, FANG, NOW),
        [
            help_request.Take(),
            help_request.Answer(words="she went down the lane", cameras=(WELL,)),
            help_request.Answer(words="nobody has seen her"),
            help_request.AskNear(area=AREA, contact="the committee, 0731 1", no_gathering=True),
            Close(words="she is back"),
            Withdraw(),
        ],
        jumps=(0, DAY, 4 * DAY, 31 * DAY),
    ),
    "dispute": Walk(
        lambda: dispute.begin(THING, WANG, NOW),
        [
            dispute.Join(household="zhou", people=(ZHOU.key, MEI.key)),
            dispute.Join(household="wang", people=(WANG.key,)),
            LOOKED,
            LOOKED.model_copy(update={"end": THING.end + 1}),
            dispute.Seen(party=dispute.Party.ASKER),
            dispute.Seen(party=dispute.Party.OTHER),
            Close(words="they agreed"),
            Withdraw(),
        ],
        people=(*EVERYBODY, MEI),
        jumps=(0, DAY, 15 * DAY, 31 * DAY),
    ),
    "log_dispute": Walk(
        lambda: log_dispute.begin(LOG_DISPUTE, LINE, "wang", WANG, NOW),
        [
            log_dispute.AnswerDispute(finding=log_dispute.Finding.IN_ORDER, words="case 2026-7"),
            Withdraw(),
        ],
        jumps=(0, DAY, 6 * DAY),
    ),
}


def _is_settled_by_two_who_approved_one_view(matter: Any) -> bool:
    """PRM-19."""
    if matter.state != "settled":
        return True
    two = matter.owner_by.key != matter.mediator_by.key
    answered = bool(matter.owner_words and matter.mediator_words)
    return bool(two and answered and matter.owner_view == matter.mediator_view != "")


def _is_answered_by_an_auditor(matter: Any) -> bool:
    """AUD-4: nobody answers for themselves."""
    if matter.state != "answered":
        return matter.finding is None
    by = matter.answered_by
    return by.holds(Role.AUDITOR) and by.key not in (matter.asker.key, matter.line.by)


def _answers_name_what_was_looked_at(matter: Any) -> bool:
    """Or households were asked; and nobody is asked any more when it is over."""
    said = [each for each in matter.steps if each.step == "answer"]
    looked = all(each.cameras or matter.asks for each in said)
    clerks = [each.by for each in matter.steps if each.step in ("take", "answer", "close")]
    return looked and (matter.state != "answered" or bool(said)) and FANG.name not in clerks


def _both_saw_the_same(matter: Any) -> bool:
    """PRM-22."""
    own = {ZHOU.key, MEI.key} & {each.by.key for each in matter.looks}
    if matter.state == "seen":
        return set(matter.seen) == set(dispute.Party) and bool(matter.looks) and not own
    return len(set(matter.seen)) < 2 and matter.other in (None, "zhou") and not own


SOUND: Mapping[str, Callable[[Any], bool]] = {
    "objection": _is_settled_by_two_who_approved_one_view,
    "help": _answers_name_what_was_looked_at,
    "dispute": _both_saw_the_same,
    "log_dispute": _is_answered_by_an_auditor,
}
