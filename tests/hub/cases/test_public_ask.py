"""Public asks (PRM-9) and one household's answer (PRM-20), as tables."""

from typing import Any

import pytest

from tests.hub.cases.cast import AUDITOR, CHEN, CLERK, ELSEWHERE, FANG, LI, NOW, SUN, WANG, area
from tests.hub.cases.walks_of_asks import ASK, OFFER, OFFERING, QUESTION
from village_core.permits import Purpose
from village_hub.cases import public_answer, public_ask
from village_hub.cases.effects import Move, Note, Spawn, Tell
from village_hub.cases.matter import DAY, HOUR, THE_CLOCK, Person, StepRefused, TimeIsUp
from village_hub.cases.public_answer import Dropped, End, Offered, PublicAnswer, PutAway, TakeBack
from village_hub.cases.public_ask import Close, PublicAsk, Publish, Reject

PUBLISH = Publish(households=("wang", "zhou"))


def made() -> PublicAsk:
    return public_ask.begin(ASK, LI, NOW).matter


def published() -> PublicAsk:
    return public_ask.KIND.step(made(), PUBLISH, CHEN, NOW).matter


def asked() -> PublicAnswer:
    return public_answer.begin(QUESTION, "wang", NOW).matter


def answer_refused(act: Any, by: Person) -> str:
    with pytest.raises(StepRefused) as error:
        public_answer.KIND.step(asked(), act, by, NOW)
    return error.value.code


def test_no_household_is_asked_before_another_person_has_reviewed_it() -> None:
    """PRM-9."""
    began = public_ask.begin(ASK, LI, NOW)
    assert not any(isinstance(each, Spawn) for each in began.effects)
    for by, code in ((LI, "self_approval"), (ELSEWHERE, "not_yours"), (AUDITOR, "not_yours")):
        with pytest.raises(StepRefused) as error:
            public_ask.KIND.step(began.matter, PUBLISH, by, NOW)
        assert error.value.code == code
    found = public_ask.KIND.step(began.matter, PUBLISH, SUN, NOW)
    spawned = [each.began.matter for each in found.effects if isinstance(each, Spawn)]
    assert [each.household for each in spawned] == ["wang", "zhou"]
    assert found.matter.answers == tuple(each.id for each in spawned)


def test_the_committee_may_ask_its_own_village() -> None:
    assert public_ask.begin(ASK, CLERK, NOW).matter.state == "review"


@pytest.mark.parametrize(
    ("by", "terms", "code"),
    [
        (FANG, {}, "scope"),
        (AUDITOR, {}, "scope"),
        (ELSEWHERE, {}, "scope"),
        (CLERK, {"area": area(place="430121102204")}, "scope"),
        (LI, {"purpose": Purpose.PUBLIC_SECURITY}, "purpose"),
        (LI, {"purpose": Purpose.OVERSIGHT}, "purpose"),
        (LI, {"begin": ASK.end - 12 * HOUR - 1}, "window"),
        (LI, {"begin": ASK.end}, "window"),
        (LI, {"begin": NOW - 40 * DAY, "end": NOW - 40 * DAY + HOUR}, "window"),
    ],
)
def test_what_may_not_be_asked(by: Person, terms: dict[str, Any], code: str) -> None:
    """PRM-9, PRM-15."""
    with pytest.raises(StepRefused) as error:
        public_ask.begin(ASK.model_copy(update=terms), by, NOW)
    assert error.value.code == code


@pytest.mark.parametrize("more", [{"no_gathering": False}, {"contact": ""}, {"incident": ""}])
def test_who_asks_declares_it_is_not_about_a_gathering_and_says_who_they_are(
    more: dict[str, Any],
) -> None:
    """PRM-9."""
    with pytest.raises(ValueError, match=next(iter(more))):
        public_ask.AskTerms.model_validate({**ASK.model_dump(), **more})


def test_an_offer_reaches_the_ask_and_can_be_taken_back() -> None:
    ask = public_ask.KIND.step(published(), Offered(offer=OFFER), THE_CLOCK, NOW).matter
    assert ask.offers == (OFFER,)
    again = public_ask.KIND.step(ask, Offered(offer=OFFER), THE_CLOCK, NOW).matter
    assert again.offers == (OFFER,)
    gone = public_ask.KIND.step(again, Dropped(household="wang"), THE_CLOCK, NOW).matter
    assert gone.offers == ()


def test_nobody_puts_an_offer_into_an_ask_by_hand() -> None:
    for by in (LI, CHEN, WANG, CLERK):
        with pytest.raises(StepRefused):
            public_ask.KIND.step(published(), Offered(offer=OFFER), by, NOW)


def test_when_it_closes_every_answer_ends() -> None:
    for act, by, now in ((Close(), CHEN, NOW), (TimeIsUp(), THE_CLOCK, NOW + 14 * DAY)):
        ask = published()
        found = public_ask.KIND.step(ask, act, by, now)
        assert found.matter.state == "closed"
        assert [each for each in found.effects if isinstance(each, Move)] == [
            Move(name, End()) for name in ask.answers
        ]


def test_a_rejected_ask_says_why() -> None:
    found = public_ask.KIND.step(made(), Reject(words="it is about a meeting"), CHEN, NOW).matter
    assert (found.state, found.reason) == ("rejected", "it is about a meeting")


def test_no_brings_about_nothing_at_all() -> None:
    """PRM-20: no notice, no line in the log, no step of the ask."""
    found = public_answer.KIND.step(asked(), PutAway(), WANG, NOW)
    assert found.effects == ()
    assert found.matter.state == "put_away"


def test_yes_is_an_offer_and_it_may_follow_a_no() -> None:
    refused = public_answer.KIND.step(asked(), PutAway(), WANG, NOW).matter
    found = public_answer.KIND.step(refused, OFFERING, WANG, NOW)
    assert Move("the ask", Offered(offer=OFFER)) in found.effects
    assert any(isinstance(each, Note) for each in found.effects)
    back = public_answer.KIND.step(found.matter, TakeBack(), WANG, NOW)
    assert (back.matter.state, back.matter.offer) == ("asked", None)


def test_only_the_household_answers_and_offers_no_more_than_was_asked() -> None:
    for by in (FANG, LI, CLERK):
        assert answer_refused(OFFERING, by) == "not_yours"
        assert answer_refused(PutAway(), by) == "not_yours"
    assert answer_refused(OFFERING.model_copy(update={"begin": ASK.begin - 1}), WANG) == "window"


def test_nobody_of_the_staff_stands_in_an_answer() -> None:
    """PRM-20: nothing that a unit's list is looked up by leads to it."""
    answer = asked()
    assert (answer.asker, answer.place, answer.incident) == (THE_CLOCK, "", "")
    told = list(public_answer.begin(QUESTION, "wang", NOW).effects)
    assert [type(each) for each in told] == [Tell]
