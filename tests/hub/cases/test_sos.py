"""SOS (PRM-6) and documented emergency (PRM-7): their clocks, their second persons, who is told."""

from typing import Any

import pytest

from tests.hub.cases.cast import (
    CHEN,
    CLERK,
    ELSEWHERE,
    FANG,
    LI,
    NOW,
    SUN,
    ZHAO,
    villager,
)
from tests.hub.cases.walks import EMERGENCY, SOS
from village_core.permits import Role
from village_hub.cases import emergency, sos
from village_hub.cases.effects import Cut, Tell
from village_hub.cases.matter import (
    DAY,
    MINUTE,
    THE_CLOCK,
    Kind,
    Next,
    Person,
    StepRefused,
    TimeIsUp,
)
from village_hub.notices.kinds import Kind as Notice
from village_hub.notices.kinds import Whom

NEIGHBOUR = villager("li_si")


def step(kind: Kind[Any], matter: Any, act: Any, by: Person, now: int = NOW) -> Next[Any]:
    return kind.step(matter, act, by, now)


def refused(kind: Kind[Any], matter: Any, act: Any, by: Person, now: int = NOW) -> str:
    with pytest.raises(StepRefused) as error:
        kind.step(matter, act, by, now)
    return error.value.code


def told(found: Next[Any]) -> dict[Notice, frozenset[Whom]]:
    return {
        each.kind: frozenset(whom for whom, who in each.told.items() if who)
        for each in found.effects
        if isinstance(each, Tell)
    }


def test_an_sos_is_open_for_15_minutes_and_once_15_more() -> None:
    assert SOS.ends == NOW + 15 * MINUTE
    renewed = step(sos.KIND, SOS, sos.Renew(), FANG, NOW + 10 * MINUTE).matter
    assert renewed.ends == NOW + 30 * MINUTE
    assert refused(sos.KIND, renewed, sos.Renew(), FANG) == "out_of_turn"
    assert refused(sos.KIND, SOS, TimeIsUp(), THE_CLOCK, NOW + 15 * MINUTE - 1) == "too_early"
    over = step(sos.KIND, renewed, TimeIsUp(), THE_CLOCK, NOW + 30 * MINUTE)
    assert over.matter.state == "over"
    assert Cut() in over.effects


def test_at_once_everybody_who_has_to_be_is_told() -> None:
    found = told(sos.begin(SOS))
    assert found == {Notice.SOS_RAISED: {Whom.OWNER, Whom.RESPONDER}}


def test_the_household_or_who_is_called_ends_it_and_views_are_cut() -> None:
    for by in (FANG, LI, CLERK):
        over = step(sos.KIND, SOS, sos.Stop(), by, NOW + MINUTE)
        assert (over.matter.state, over.matter.ends) == ("over", NOW + MINUTE)
        assert Cut() in over.effects
    for by in (NEIGHBOUR, ELSEWHERE, SUN):
        assert refused(sos.KIND, SOS, sos.Stop(), by) == "not_yours"


def test_without_a_reason_within_a_day_the_auditor_sees_it() -> None:
    over = step(sos.KIND, SOS, sos.Stop(), FANG).matter
    late = step(sos.KIND, over, TimeIsUp(), THE_CLOCK, NOW + DAY)
    assert told(late) == {Notice.SOS_REVIEW_LATE: {Whom.AUDITOR, Whom.OWNER}}
    closed = step(sos.KIND, late.matter, sos.GiveReason(reason="a fall"), LI).matter
    assert closed.state in ("closed", "to_review")  # still answered for, though late


def test_a_false_alarm_and_one_nobody_looked_at_are_reviewed_by_somebody_else() -> None:
    over = step(sos.KIND, SOS, sos.Stop(), FANG).matter
    unseen = step(sos.KIND, over, sos.GiveReason(reason="a fall"), FANG).matter
    assert unseen.state == "to_review"
    assert refused(sos.KIND, unseen, sos.Review(words="fine"), FANG) == "not_yours"
    colleague = villager("mo", Role.COMMITTEE)  # of a unit that was called (PRM-6)
    assert colleague.unit in SOS.units
    assert refused(sos.KIND, unseen, sos.Review(words="fine"), colleague) == "not_yours"
    reviewer = villager("mo", Role.COMMITTEE, unit="another committee")
    assert step(sos.KIND, unseen, sos.Review(words="fine"), reviewer).matter.state == "reviewed"
    looked = step(sos.KIND, SOS, sos.Looked(), LI)
    assert told(looked) == {Notice.SOS_VIEWED: {Whom.OWNER}}
    assert told(step(sos.KIND, looked.matter, sos.Looked(), LI)) == {}
    over = step(sos.KIND, looked.matter, sos.Stop(), FANG).matter
    needed = step(sos.KIND, over, sos.GiveReason(reason="a fall"), FANG).matter
    assert needed.state == "closed"
    false = sos.GiveReason(reason="a child pressed it", false_alarm=True)
    assert step(sos.KIND, over, false, FANG).matter.state == "to_review"


def test_the_bureau_is_called_only_by_who_is_called() -> None:
    up = sos.Escalate(unit="the bureau", unit_name="The bureau")
    assert refused(sos.KIND, SOS, up, FANG) == "not_yours"
    found = step(sos.KIND, SOS, up, LI)
    assert found.matter.escalated
    assert "the bureau" in found.matter.units


def opened() -> Next[emergency.Emergency]:
    return emergency.begin("emergency-1", LI, NOW, **EMERGENCY)


def test_an_emergency_is_open_for_15_minutes_and_the_owners_know_at_once() -> None:
    found = opened()
    assert found.matter.ends == NOW + 15 * MINUTE
    assert told(found) == {Notice.EMERGENCY_OPENED: {Whom.OWNER, Whom.SECOND, Whom.UNIT_HEAD}}


def test_a_second_officer_confirms_within_30_minutes_or_it_is_a_breach() -> None:
    matter = opened().matter
    assert refused(emergency.KIND, matter, emergency.Confirm(), LI) == "self_approval"
    for by in (ELSEWHERE, CLERK, FANG, SUN):
        assert refused(emergency.KIND, matter, emergency.Confirm(), by) == "not_yours"
    late = step(emergency.KIND, matter, TimeIsUp(), THE_CLOCK, NOW + 30 * MINUTE)
    assert late.matter.state == "breach"
    assert told(late)[Notice.EMERGENCY_BREACH] >= {Whom.AUDITOR, Whom.OWNER}
    confirmed = step(emergency.KIND, matter, emergency.Confirm(), CHEN, NOW + 29 * MINUTE).matter
    assert (confirmed.state, confirmed.second) == ("confirmed", CHEN)


def test_a_third_person_approves_within_a_day_or_it_is_a_breach() -> None:
    confirmed = step(emergency.KIND, opened().matter, emergency.Confirm(), CHEN).matter
    for by in (LI, CHEN):
        assert refused(emergency.KIND, confirmed, emergency.Approve(), by) == "self_approval"
    assert step(emergency.KIND, confirmed, emergency.Approve(), ZHAO).matter.state == "approved"
    assert step(emergency.KIND, confirmed, emergency.Approve(), SUN).matter.state == "approved"
    late = step(emergency.KIND, confirmed, TimeIsUp(), THE_CLOCK, NOW + DAY)
    assert late.matter.state == "breach"


def test_a_head_who_disagrees_ends_it_at_once() -> None:
    no = emergency.Disapprove(words="another village's call")
    found = step(emergency.KIND, opened().matter, no, ZHAO, NOW + MINUTE)
    assert (found.matter.state, found.matter.ends) == ("breach", NOW + MINUTE)
    assert Cut() in found.effects


def test_an_emergency_without_its_110_number_is_none() -> None:
    for number in ("", "1"):
        with pytest.raises(ValueError, match="incident"):
            emergency.begin("x", LI, NOW, **{**EMERGENCY, "incident": number})
