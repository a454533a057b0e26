"""A notice to the household is delayed only as PRM-10 says, and released by itself."""

import pytest

from tests.hub.cases.cast import AUDITOR, CHEN, CLERK, LI, NOW, SUN, WANG, ZHAO, named
from tests.hub.cases.requests import GROUND, LATER, LEGAL, TERMS, approved, delayed, filed, taken
from tests.hub.cases.test_request import refused
from village_core.permits import Role
from village_hub.cases import request_acts as acts
from village_hub.cases.effects import Delay, HoldBack, Tell
from village_hub.cases.matter import DAY, Person
from village_hub.cases.request_table import KIND
from village_hub.cases.request_terms import DelayWish
from village_hub.notices.kinds import Kind as Told
from village_hub.notices.kinds import Whom

UNTIL = NOW + 6 * DAY
STILL = "notice would still impede duty"


def test_without_a_word_from_one_rank_up_the_household_is_told_at_once() -> None:
    """PRM-10: immediate by default."""
    assert KIND.households(approved(LATER)) == {"wang": NOW, "zhou": NOW}


def test_one_rank_up_allows_it_and_the_auditor_sees_at_once() -> None:
    """PRM-10."""
    granted = KIND.step(filed(LATER), acts.GrantDelay(), SUN, NOW)
    told = next(each for each in granted.effects if isinstance(each, Tell))
    assert (told.kind, told.told[Whom.AUDITOR][0].role) == (Told.DELAY_GRANTED, Role.AUDITOR)
    found = KIND.step(granted.matter, acts.Approve(), ZHAO, NOW)
    assert KIND.households(found.matter) == {"wang": UNTIL, "zhou": UNTIL}
    to_owners = [
        each for each in found.effects if isinstance(each, Tell) and each.told.get(Whom.OWNER)
    ]
    assert {each.delay for each in to_owners} == {Delay(UNTIL, GROUND, "sun")}


@pytest.mark.parametrize("by", [LI, CHEN, ZHAO, AUDITOR, WANG])
def test_nobody_of_the_same_rank_allows_it(by: Person) -> None:
    assert refused(filed(LATER), acts.GrantDelay(), by) == "not_yours"


def test_nobody_with_a_part_in_the_request_allows_it() -> None:
    """PRM-11."""
    terms = LATER.model_copy(update={"approver": named(SUN)})
    assert refused(filed(terms), acts.GrantDelay(), SUN) == "self_approval"


@pytest.mark.parametrize("days", [8, 0, -1])
def test_it_lasts_seven_days_at_most(days: int) -> None:
    wish = DelayWish(ground=GROUND, until=NOW + days * DAY)
    asked = filed(TERMS.model_copy(update={"delay": wish}))
    assert refused(asked, acts.GrantDelay(), SUN) == "delay_too_long"
    assert refused(filed(TERMS), acts.GrantDelay(), SUN) == "delay_too_long"


def test_the_ground_is_in_writing() -> None:
    with pytest.raises(ValueError, match="ground"):
        DelayWish(ground="secret", until=UNTIL)


def test_county_legal_affairs_renew_it_to_thirty_days() -> None:
    """PRM-10."""
    until = NOW + 30 * DAY
    act = acts.RenewDelay(until=until, ground=STILL)
    found = KIND.step(delayed(), act, LEGAL, NOW + DAY)
    assert KIND.households(found.matter) == {"wang": until, "zhou": until}
    assert [each for each in found.effects if isinstance(each, HoldBack)] == [
        HoldBack("wang", until, STILL, "gu"),
        HoldBack("zhou", until, STILL, "gu"),
    ]
    assert any(isinstance(each, Tell) and Whom.AUDITOR in each.told for each in found.effects)
    over = acts.RenewDelay(until=until + 1, ground=STILL)
    assert refused(delayed(), over, LEGAL, NOW + DAY) == "delay_too_long"
    shorter = acts.RenewDelay(until=UNTIL, ground=STILL)
    assert refused(delayed(), shorter, LEGAL, NOW + DAY) == "delay_too_long"


def test_it_is_renewed_by_another_and_only_while_it_lasts() -> None:
    act = acts.RenewDelay(until=NOW + 10 * DAY, ground=STILL)
    assert refused(delayed(), act, SUN) == "self_approval"
    assert refused(delayed(), act, ZHAO) == "not_yours"
    assert refused(delayed(), act, LEGAL, UNTIL) == "not_delayed"


def test_while_it_lasts_the_village_answers_and_the_owner_cannot_know() -> None:
    request = delayed()
    answer = acts.Countersign(household="wang")
    assert refused(request, answer, WANG) == "not_yours"
    assert taken(request, answer, CLERK).parts[0].by == CLERK
    assert taken(request, answer, WANG, UNTIL).parts[0].by == WANG


def test_when_its_ground_is_gone_it_is_ended_at_once() -> None:
    found = KIND.step(delayed(), acts.EndDelay(), CHEN, NOW + DAY)
    assert KIND.households(found.matter) == {"wang": NOW + DAY, "zhou": NOW + DAY}
    assert HoldBack("wang", None) in found.effects
