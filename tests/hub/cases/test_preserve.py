"""Preserve (PRM-18): frozen at once, seen by nobody, gone unless a second person confirms."""

from typing import Any

import pytest

from tests.hub.cases.cast import AREA, CHEN, CLERK, ELSEWHERE, FANG, LI, NOW, SUN, area
from tests.hub.cases.walks import PRESERVE
from village_hub.cases.effects import Hold, Release, Tell
from village_hub.cases.matter import DAY, HOUR, THE_CLOCK, Person, StepRefused, TimeIsUp, Withdraw
from village_hub.cases.preserve import KIND, Confirm, Preserve, begin
from village_hub.notices.kinds import Whom


def placed() -> Preserve:
    return begin(PRESERVE, LI, NOW, ("wang", "zhou")).matter


def refused(act: Any, by: Person, now: int = NOW, preserve: Preserve | None = None) -> str:
    with pytest.raises(StepRefused) as error:
        KIND.step(preserve or placed(), act, by, now)
    return error.value.code


def test_one_officer_freezes_for_seven_days_and_the_households_are_told() -> None:
    """PRM-18."""
    began = begin(PRESERVE, LI, NOW, ("wang", "zhou"))
    hold = next(each for each in began.effects if isinstance(each, Hold))
    assert (hold.begin, hold.end, hold.until) == (PRESERVE.begin, PRESERVE.end, NOW + 7 * DAY)
    assert hold.area == AREA
    assert hold.camera is None
    told = next(each for each in began.effects if isinstance(each, Tell)).told
    assert [each.household for each in told[Whom.OWNER]] == ["wang", "zhou"]


def test_a_second_person_confirms() -> None:
    """PRM-18."""
    found = KIND.step(placed(), Confirm(), CHEN, NOW + HOUR)
    assert found.matter.state == "confirmed"
    assert found.matter.confirmed_by == CHEN
    assert KIND.step(placed(), Confirm(), SUN, NOW).matter.state == "confirmed"


def test_nobody_confirms_their_own_and_no_stranger_does() -> None:
    """PRM-11."""
    assert refused(Confirm(), LI) == "self_approval"
    assert {refused(Confirm(), by) for by in (ELSEWHERE, CLERK, FANG)} == {"not_yours"}


def test_unconfirmed_it_lapses_after_a_day_and_what_it_held_is_free() -> None:
    """PRM-18."""
    assert refused(TimeIsUp(), THE_CLOCK, NOW + DAY - 1) == "too_early"
    found = KIND.step(placed(), TimeIsUp(), THE_CLOCK, NOW + DAY)
    assert found.matter.state == "lapsed"
    assert Release() in found.effects
    assert refused(Confirm(), CHEN, NOW + DAY, found.matter) == "matter_over"


def test_confirmed_it_ends_after_seven_days() -> None:
    confirmed = KIND.step(placed(), Confirm(), CHEN, NOW).matter
    assert KIND.due(confirmed) == NOW + 7 * DAY
    found = KIND.step(confirmed, TimeIsUp(), THE_CLOCK, NOW + 7 * DAY)
    assert found.matter.state == "ended"
    assert Release() in found.effects


def test_the_unit_takes_it_back() -> None:
    found = KIND.step(placed(), Withdraw(), CHEN, NOW)
    assert found.matter.state == "withdrawn"
    assert Release() in found.effects
    assert refused(Withdraw(), SUN) == "not_yours"


@pytest.mark.parametrize(
    ("by", "terms", "code"),
    [
        (CLERK, {}, "scope"),
        (FANG, {}, "scope"),
        (ELSEWHERE, {}, "scope"),
        (LI, {"area": area(place="430121105")}, "scope"),
        (LI, {"end": PRESERVE.begin}, "window"),
        (LI, {"end": PRESERVE.begin + DAY + 1}, "window"),
        (LI, {"begin": NOW - 40 * DAY, "end": NOW - 40 * DAY + HOUR}, "window"),
        (LI, {"begin": NOW + 30 * HOUR, "end": NOW + 31 * HOUR}, "window"),
    ],
)
def test_what_may_not_be_frozen(by: Person, terms: dict[str, Any], code: str) -> None:
    with pytest.raises(StepRefused) as error:
        begin(PRESERVE.model_copy(update=terms), by, NOW, ())
    assert error.value.code == code
