"""A person concerned asks to view public footage (PRM-12)."""

from typing import Any

import pytest

from tests.hub.cases.cast import CLERK, FANG, LI, NOW, WANG, villager
from tests.hub.cases.walks_of_asks import CONCERNED
from village_core.permits import Role
from village_hub.cases.concerned import KIND, Approve, Concerned, Refuse, Viewed, begin
from village_hub.cases.effects import Hold, Note, Release, Tell
from village_hub.cases.matter import DAY, HOUR, THE_CLOCK, StepRefused, TimeIsUp, Withdraw
from village_hub.notices.kinds import Whom

APPROVE = Approve(cameras=("square",), words="Monday at nine, bring your papers")


def asked() -> Concerned:
    return begin(CONCERNED, FANG, NOW).matter


def approved() -> Concerned:
    return KIND.step(asked(), APPROVE, CLERK, NOW).matter


def test_the_village_is_told_and_decides_and_the_footage_stays() -> None:
    """PRM-12."""
    told = next(each for each in begin(CONCERNED, FANG, NOW).effects if isinstance(each, Tell))
    assert told.told[Whom.CUSTODIAN][0].role is Role.COMMITTEE
    found = KIND.step(asked(), APPROVE, CLERK, NOW)
    assert found.matter.cameras == ("square",)
    assert [each.camera for each in found.effects if isinstance(each, Hold)] == ["square"]
    assert any(isinstance(each, Note) for each in found.effects)


def test_nobody_else_decides_and_nobody_about_their_own() -> None:
    """PRM-11."""
    for by in (LI, WANG, FANG):
        with pytest.raises(StepRefused) as error:
            KIND.step(asked(), APPROVE, by, NOW)
        assert error.value.code == "not_yours"
    own = begin(CONCERNED, villager("clerk"), NOW).matter
    with pytest.raises(StepRefused) as error:
        KIND.step(own, APPROVE, CLERK, NOW)
    assert error.value.code == "self_approval"


def test_that_it_was_viewed_is_written_down() -> None:
    """PRM-12, REG 21-22."""
    found = KIND.step(approved(), Viewed(words="with Fang; others were blurred"), CLERK, NOW)
    assert found.matter.state == "viewed"
    assert Release() in found.effects
    note = next(each for each in found.effects if isinstance(each, Note))
    assert (note.what, note.about["cameras"]) == ("concerned_viewed", "square")


def test_it_ends_by_refusal_by_who_asked_or_by_time() -> None:
    assert KIND.step(asked(), Refuse(words="not there"), CLERK, NOW).matter.words == "not there"
    assert KIND.step(approved(), Withdraw(), FANG, NOW).matter.state == "withdrawn"
    late = KIND.step(asked(), TimeIsUp(), THE_CLOCK, NOW + 14 * DAY).matter
    assert late.state == "expired"
    assert KIND.due(approved()) == NOW + 30 * DAY


@pytest.mark.parametrize(
    "more", [{"end": CONCERNED.begin + 12 * HOUR + 1}, {"begin": NOW - 40 * DAY}]
)
def test_the_window_is_short_and_recent(more: dict[str, Any]) -> None:
    with pytest.raises(StepRefused) as error:
        begin(CONCERNED.model_copy(update=more), FANG, NOW)
    assert error.value.code == "window"
