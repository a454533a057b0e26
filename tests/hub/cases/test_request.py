"""Police requests (PRM-8): filed whole, approved by another, answered by each household."""

from typing import Any

import pytest

from tests.hub.cases.cast import CHEN, CLERK, ELSEWHERE, FANG, LI, NOW, SUN, WANG, ZHAO, ZHOU, named
from tests.hub.cases.requests import (
    AMENDED,
    BEGIN,
    END,
    FOUND,
    SCAN,
    TERMS,
    answered,
    approved,
    drafted,
    filed,
    scanned,
    taken,
)
from village_hub.cases import request_acts as acts
from village_hub.cases.effects import Cut, Hold, Release, Tell
from village_hub.cases.matter import DAY, THE_CLOCK, Act, Person, StepRefused, TimeIsUp, Withdraw
from village_hub.cases.request import Answer, Request, begin
from village_hub.cases.request_table import KIND
from village_hub.cases.request_terms import Footage, Sought
from village_hub.notices.kinds import Whom


def refused(request: Request, act: Act, by: Person, now: int = NOW) -> str:
    with pytest.raises(StepRefused) as error:
        KIND.step(request, act, by, now)
    return error.value.code


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"officers": (named(LI),)}, "need_two"),  # seed vector 5
        ({"officers": (named(LI), named(LI))}, "need_two"),
        ({"officers": ()}, "need_two"),
        ({"approver": named(LI)}, "self_approval"),  # seed vector 6
        ({"approver": named(CHEN)}, "self_approval"),
        ({"notice": " "}, "no_notice"),
        (
            {"cameras": (Footage(camera="gate", begin=BEGIN, end=END + 1000),)},
            "window",
        ),  # 7: 12 h 1 s
        ({"cameras": (Footage(camera="gate", begin=END, end=END),)}, "window"),
        ({"cameras": (Footage(camera="gate", begin=NOW - 1, end=NOW + 1),)}, "window"),
        ({"cameras": TERMS.cameras * 2}, "window"),
        ({"cameras": ()}, "bad_place"),
        ({"sought": AMENDED.sought}, "bad_place"),
        ({"return_by": NOW}, "return_by"),
        ({"return_by": NOW + 31 * DAY}, "return_by"),
    ],
)
def test_what_is_not_whole_is_not_filed(terms: dict[str, Any], code: str) -> None:
    """PRM-8; seed vectors 5 to 7."""
    assert refused(scanned(**terms), acts.File(), LI) == code


def test_without_its_scan_it_is_not_filed() -> None:
    """PRM-8."""
    assert refused(drafted(), acts.File(), LI) == "no_notice"


def test_an_area_is_no_wider_than_the_law_allows_and_lies_in_the_place() -> None:
    """PRM-8: 1.3 km²."""
    assert AMENDED.sought is not None
    wide = {**AMENDED.sought.area.model_dump(), "radius": 644}
    with pytest.raises(ValueError, match="radius"):
        Sought.model_validate({**AMENDED.sought.model_dump(), "area": wide})
    elsewhere = AMENDED.sought.model_copy(
        update={"area": AMENDED.sought.area.model_copy(update={"place": "430121105001"})}
    )
    assert refused(scanned(AMENDED, sought=elsewhere), acts.File(), LI) == "bad_place"


@pytest.mark.parametrize("by", [CLERK, FANG, ELSEWHERE])
def test_only_police_of_the_place_request(by: Person) -> None:
    with pytest.raises(StepRefused) as error:
        begin(TERMS, by, NOW)
    assert error.value.code == "scope"


def test_only_the_approver_it_names_decides_and_only_from_the_same_unit_or_above() -> None:
    """PRM-8, PRM-11."""
    for by in (LI, CHEN, SUN, CLERK, WANG):
        assert refused(filed(), acts.Approve(), by) == "not_yours"
    moved = ZHAO.model_copy(update={"unit": "another station", "place": "430121105"})
    assert refused(filed(), acts.Approve(), moved) == "not_yours"
    demoted = ZHAO.model_copy(update={"roles": ()})
    assert refused(filed(), acts.Approve(), demoted) == "not_yours"
    above = filed(TERMS.model_copy(update={"approver": named(SUN)}))
    assert taken(above, acts.Approve(), SUN).state == "approved"


def test_nothing_opens_before_it_is_approved() -> None:
    for request, by in ((filed(), WANG), (scanned(), WANG), (filed(), CLERK)):
        assert refused(request, acts.Countersign(household="wang"), by) == "out_of_turn"


def test_at_the_approval_each_household_is_told_and_its_footage_stays() -> None:
    """PRM-8, PRM-10: at once."""
    found = KIND.step(filed(), acts.Approve(), ZHAO, NOW)
    told = [each for each in found.effects if isinstance(each, Tell)]
    owners = [to.household for tell in told for to in tell.told[Whom.OWNER]]
    assert owners == ["wang", "zhou"]
    assert not any(tell.delay for tell in told)
    holds = [each for each in found.effects if isinstance(each, Hold)]
    assert [(each.camera, each.begin, each.end) for each in holds] == [
        ("gate", BEGIN, END),
        ("yard", BEGIN, END),
    ]
    assert KIND.households(found.matter) == {"wang": NOW, "zhou": NOW}


def test_each_owner_answers_for_their_own_and_a_refusal_is_noted() -> None:
    """PRM-8: CRP 62 has the holder's signature or a note that it was refused."""
    request = taken(approved(), acts.Countersign(household="wang"), WANG)
    assert request.state == "approved"
    assert [part.answer for part in request.parts] == [Answer.COUNTERSIGNED, None]
    assert refused(request, acts.Countersign(household="wang"), WANG) == "no_such_part"
    assert refused(request, acts.Countersign(household="zhou"), WANG) == "no_such_part"
    assert refused(request, acts.Countersign(household="zhou"), FANG) == "not_yours"
    assert refused(request, acts.Countersign(household="zhou"), LI) == "not_yours"
    done = answered()
    assert done.state == "answered"
    assert [part.answer for part in done.parts] == [Answer.COUNTERSIGNED, Answer.REFUSAL_NOTED]
    assert done.parts[1].words == "not without my son"


def test_the_village_answers_only_where_no_owner_did_in_time() -> None:
    """PRM-8: the node's custodian if the owner cannot be reached."""
    request = approved()
    assert refused(request, acts.Countersign(household="wang"), CLERK) == "owner_first"
    assert KIND.due(request) == NOW + 3 * DAY
    late = KIND.step(request, TimeIsUp(), THE_CLOCK, NOW + 3 * DAY)
    assert any(isinstance(each, Tell) and Whom.CUSTODIAN in each.told for each in late.effects)
    assert late.matter.state == "approved"
    done = taken(late.matter, acts.Countersign(household="wang"), CLERK, NOW + 3 * DAY)
    assert done.parts[0].by == CLERK
    owner = taken(done, acts.Countersign(household="zhou"), ZHOU, NOW + 3 * DAY)
    assert owner.state == "answered"


def test_an_area_is_resolved_by_the_village_and_may_hold_nothing() -> None:
    """PRM-18: the asker sees answers only."""
    request = approved(AMENDED)
    assert request.parts == ()
    assert refused(request, acts.Resolve(parts=FOUND), LI) == "not_yours"
    found = taken(request, acts.Resolve(parts=FOUND), CLERK)
    assert (found.state, len(found.parts)) == ("approved", 2)
    assert refused(found, acts.Resolve(), CLERK) == "resolved"
    assert taken(request, acts.Resolve(), CLERK).state == "answered"


@pytest.mark.parametrize("request_", [approved(), answered()], ids=["approved", "answered"])
def test_at_the_return_date_it_ends_and_what_it_opened_is_shut(request_: Request) -> None:
    found = KIND.step(request_, TimeIsUp(), THE_CLOCK, TERMS.return_by)
    assert found.matter.state == "expired"
    assert Cut() in found.effects
    assert Release() in found.effects


def test_who_used_it_says_that_it_is_returned() -> None:
    assert taken(answered(), acts.Returned(), CHEN).state == "returned"
    assert refused(answered(), acts.Returned(), WANG) == "not_yours"


def test_a_refusal_gives_its_reason_and_a_draft_is_taken_back() -> None:
    found = taken(filed(), acts.Refuse(words="no ground"), ZHAO)
    assert (found.state, found.reason) == ("refused", "no ground")
    assert taken(filed(), Withdraw(), LI).state == "withdrawn"
    assert refused(approved(), Withdraw(), LI) == "out_of_turn"


def test_what_is_filed_does_not_change_any_more() -> None:
    assert refused(filed(), acts.Amend(terms=TERMS), LI) == "out_of_turn"
    assert refused(filed(), acts.Attach(scan=SCAN), LI) == "out_of_turn"
    elsewhere = TERMS.model_copy(update={"place": "430121102204"})
    assert refused(drafted(), acts.Amend(terms=elsewhere), LI) == "bad_place"
    assert taken(drafted(), acts.Amend(terms=AMENDED), LI).terms == AMENDED
