"""An objection to a camera (PRM-19): one table, walked step by step."""

from typing import Any

import pytest

from tests.hub.cases.cast import AUDITOR, CLERK, FANG, LI, NOW, VILLAGE, WANG, ZHOU, villager
from tests.hub.cases.walks_of_villagers import OBJECTOR, OTHER_VIEW, SEEN, VIEW, objected
from village_core.permits import Role
from village_hub.cases.effects import Cut, Pause, Resume, Tell
from village_hub.cases.matter import DAY, THE_CLOCK, Next, Person, StepRefused, TimeIsUp, Withdraw
from village_hub.cases.objection import KIND, Answer, ApproveView, Objection
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

SAID = Answer(words="turned away from it")
APPROVED = ApproveView(picture_sha256=VIEW)


def walked(*steps: tuple[Any, Person], start: Objection | None = None) -> Next[Objection]:
    found: Next[Objection] = Next(start or objected().matter)
    for act, by in steps:
        found = KIND.step(found.matter, act, by, NOW)
    return found


def refused(act: Any, by: Person, objection: Objection) -> str:
    with pytest.raises(StepRefused) as error:
        KIND.step(objection, act, by, NOW)
    return error.value.code


def told(found: Next[Objection]) -> list[tuple[Told, set[Whom]]]:
    return [(each.kind, set(each.told)) for each in found.effects if isinstance(each, Tell)]


def test_sharing_pauses_at_once_and_owner_mediator_and_auditor_are_told() -> None:
    """PRM-19."""
    began = objected()
    assert Pause("gate") in began.effects
    assert Cut() in began.effects
    assert told(began) == [(Told.OBJECTION_FILED, {Whom.OWNER, Whom.MEDIATOR, Whom.AUDITOR})]


def test_a_sign_that_is_no_cameras_pauses_nothing_and_is_told_to_nobody() -> None:
    began = objected(None)
    assert [type(each).__name__ for each in began.effects] == ["Receipt"]
    assert began.matter.state == objected().matter.state
    ended = KIND.step(began.matter, TimeIsUp(), THE_CLOCK, NOW + 7 * DAY)
    assert (ended.matter.state, ended.effects) == ("no_such_sign", ())


def test_it_goes_on_when_both_answered_and_both_approved_the_same_view() -> None:
    """PRM-19."""
    answered = walked((SAID, WANG), (SAID, CLERK))
    assert answered.matter.state == "answered"
    assert told(answered) == [(Told.VIEW_TO_APPROVE, {Whom.OWNER})]
    one = walked((APPROVED, CLERK), start=answered.matter)
    assert Resume("gate") not in one.effects
    other = walked((ApproveView(picture_sha256=OTHER_VIEW), WANG), start=one.matter)
    assert other.matter.state == "answered"
    both = walked((APPROVED, WANG), start=other.matter)
    assert both.matter.state == "settled"
    assert Resume("gate") in both.effects


def test_one_side_alone_settles_nothing() -> None:
    answered = walked((SAID, WANG), (SAID, WANG))
    assert answered.matter.state == "filed"
    assert refused(APPROVED, WANG, answered.matter) == "out_of_turn"
    twice = walked((SAID, WANG), (SAID, CLERK), (APPROVED, WANG), (APPROVED, WANG))
    assert twice.matter.state == "answered"


@pytest.mark.parametrize("by", [FANG, ZHOU, AUDITOR, LI, OBJECTOR])
def test_nobody_else_answers(by: Person) -> None:
    assert refused(SAID, by, objected().matter) == "not_yours"


def test_the_mediator_is_not_whose_camera_it_is() -> None:
    """PRM-11: on duty, an owner does not mediate about their own camera, nor a unit about its."""
    owner_on_duty = villager("wang", Role.COMMITTEE)
    assert refused(SAID, owner_on_duty, objected().matter) == "not_yours"
    lane = objected(SEEN.model_copy(update={"unit": CLERK.unit})).matter
    found = walked((SAID, CLERK), start=lane)
    assert (found.matter.owner_words, found.matter.mediator_words) == (SAID.words, "")
    township = Person(issuer="t", id="t", unit="t", place=VILLAGE[:9], roles=(Role.TOWNSHIP,))
    assert walked((SAID, township), start=found.matter).matter.state == "answered"


def test_unanswered_for_seven_days_it_is_late_and_stays_paused() -> None:
    """PRM-19."""
    late = KIND.step(walked((SAID, WANG)).matter, TimeIsUp(), THE_CLOCK, NOW + 7 * DAY)
    assert late.matter.state == "late"
    assert told(late) == [(Told.OBJECTION_LATE, {Whom.MEDIATOR, Whom.AUDITOR})]
    assert not any(isinstance(each, Resume) for each in late.effects)
    assert walked((SAID, CLERK), start=late.matter).matter.state == "answered"


def test_who_objected_takes_it_back_and_nobody_else() -> None:
    found = walked((Withdraw(), OBJECTOR))
    assert found.matter.state == "withdrawn"
    assert Resume("gate") in found.effects
    assert {refused(Withdraw(), by, objected().matter) for by in (WANG, CLERK, FANG)} == {
        "not_yours"
    }
