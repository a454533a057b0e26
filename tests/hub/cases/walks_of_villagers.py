"""Walks of what villagers begin: objections, calls for help, disputes."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.hub.cases.cast import CLERK, EVERYBODY, NOW, VILLAGE, WANG, Walk
from village_hub.cases import objection
from village_hub.cases.effects import Receipt
from village_hub.cases.matter import BY_RECEIPT, DAY, Person

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
            objection.Withdraw(),
        ],
        people=(*EVERYBODY, OBJECTOR, WANG, CLERK),
        jumps=(0, DAY, 8 * DAY),
    ),
}


def _is_settled_by_two_who_approved_one_view(matter: Any) -> bool:
    """PRM-19."""
    if matter.state != "settled":
        return True
    two = matter.owner_by.key != matter.mediator_by.key
    answered = bool(matter.owner_words and matter.mediator_words)
    return bool(two and answered and matter.owner_view == matter.mediator_view != "")


SOUND: Mapping[str, Callable[[Any], bool]] = {
    "objection": _is_settled_by_two_who_approved_one_view,
}
