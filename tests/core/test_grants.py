"""What a household agrees to, and whether it covers a look (PRM-3, PRM-5)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.grants import (
    ALL_DAYS,
    DAY,
    DUTY,
    GATE,
    HOUR,
    MORNINGS,
    NOW,
    POLICE,
    SON,
    YARD,
    terms,
)
from village_core.grants import (
    GrantKind,
    GrantTerms,
    Hours,
    Recipient,
    Uncovered,
    canonical,
    covers,
    digest,
    night_hours,
)
from village_core.permits import Action, Purpose, Role

CHINA = timezone(timedelta(hours=8))


def looked(what: GrantTerms, **changes: Any) -> Uncovered | None:
    asked = {"camera": YARD, "action": Action.LIVE, "purpose": what.purpose, "now": NOW, **changes}
    return covers(what, **asked)


def test_a_grant_covers_what_it_says() -> None:
    assert looked(terms()) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"camera": GATE}, Uncovered.CAMERA),
        ({"action": Action.TALK}, Uncovered.ACTION),
        ({"purpose": Purpose.LOST}, Uncovered.PURPOSE),
        ({"now": NOW - 1}, Uncovered.NOT_YET),
        ({"now": NOW + 3650 * DAY}, Uncovered.EXPIRED),
    ],
)
def test_a_look_beyond_the_terms_is_told_why(changes: dict[str, Any], why: Uncovered) -> None:
    assert looked(terms(), **changes) is why


def test_a_station_officers_grant_that_ended_a_second_ago_is_expired() -> None:
    """Seed vector 2; ends have no leeway, not a millisecond."""
    what = terms(GrantKind.LIVE)
    assert looked(what, now=what.until + 1000) is Uncovered.EXPIRED
    assert looked(what, now=what.until) is Uncovered.EXPIRED
    assert looked(what, now=what.until - 1) is None


def test_a_carer_comes_at_the_agreed_hours_only() -> None:
    """Seed vector 14."""
    what = terms(GrantKind.CARER)  # Monday, Wednesday, Friday from 8 to 11
    assert looked(what, now=NOW) is None  # Monday, 10:00
    assert looked(what, now=NOW + HOUR) is Uncovered.TIME  # 11:00
    assert looked(what, now=NOW + HOUR - 1) is None
    assert looked(what, now=NOW + DAY) is Uncovered.TIME  # Tuesday, 10:00


def test_a_clip_stays_within_the_recordings_that_were_agreed_to() -> None:
    what = terms(GrantKind.CLIP)
    assert what.footage
    begin, end = what.footage
    assert looked(what, action=Action.CLIP, footage=(begin, end)) is None
    for beyond in ((begin - 1, end), (begin, end + 1), (end, begin), (begin, begin), None):
        assert looked(what, action=Action.CLIP, footage=beyond) is Uncovered.WINDOW


@given(
    st.integers(0, 2_000_000_000_000),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_hours_are_those_of_a_wall_clock_in_the_village(
    now: int, days: frozenset[int], begin: int, end: int
) -> None:
    """Nights pass midnight; the calendar is the standard library's."""
    local = datetime.fromtimestamp(now // 1000, tz=UTC).astimezone(CHINA)
    minute = local.hour * 60 + local.minute
    if begin < end:
        expected = local.weekday() in days and begin <= minute < end
    else:
        expected = (local.weekday() in days and minute >= begin) or (
            (local.weekday() - 1) % 7 in days and minute < end
        )
    assert any(each.include(now) for each in night_hours(days, begin, end)) is expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": [], "begin": 0, "end": 10},
        {"days": [7], "begin": 0, "end": 10},
        {"days": [1], "begin": 10, "end": 10},
        {"days": [1], "begin": -1, "end": 10},
        {"days": [1], "begin": 0, "end": 1441},
        {"days": [1], "begin": "0", "end": 10},
        {"days": [True], "begin": 0, "end": 10},
    ],
)
def test_hours_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate(wrong)


def test_recipients_are_the_person_or_whoever_holds_the_role() -> None:
    """PRM code C: the recipient still holds the role."""
    officer = {"issuer": "hub-1", "person": "x", "unit": "xicun"}
    assert SON.names(issuer="hub-1", person="son", unit=None, roles=frozenset())
    assert not SON.names(issuer="hub-2", person="son", unit=None, roles=frozenset())
    assert not SON.names(issuer="hub-1", person="x", unit=None, roles=frozenset())
    assert DUTY.names(**officer, roles=frozenset({Role.COMMITTEE}))
    assert not DUTY.names(**officer, roles=frozenset({Role.TOWNSHIP}))
    assert not DUTY.names(**officer | {"unit": "y"}, roles=frozenset({Role.COMMITTEE}))
    assert not DUTY.names(**officer | {"issuer": "y"}, roles=frozenset({Role.COMMITTEE}))
    one = DUTY.model_copy(update={"person": "x"})
    assert one.names(**officer, roles=frozenset({Role.COMMITTEE}))
    assert not one.names(**officer, roles=frozenset())
    assert not one.names(**officer | {"person": "y"}, roles=frozenset({Role.COMMITTEE}))


def test_an_sos_is_for_all_who_are_listed() -> None:
    what = terms(GrantKind.SOS)
    assert what.recipients == (DUTY, POLICE, SON)
    assert what.names(issuer="hub-1", person="son", unit=None, roles=frozenset())
    assert not what.names(issuer="hub-1", person="x", unit=None, roles=frozenset())


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "somebody"},
        {"person": "a"},
        {"issuer": "h", "unit": "u"},
        {"issuer": "h", "person": "p", "role": "committee"},
        {"unit": "u", "role": "mayor"},
        {"issuer": "h", "person": "p", "extra": 1},
        {"issuer": "h", "person": "p\u202egnp"},
        {"issuer": "h", "person": "p", "name": "two\nlines"},
        {"issuer": "h", "person": "p", "name": "\ud800"},
        {"issuer": "h", "person": "p" * 81},
    ],
)
def test_a_recipient_is_somebody(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipient.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cameras": []},
        {"cameras": [f"c{number}" for number in range(65)]},
        {"actions": []},
        {"actions": ["watch"]},
        {"purpose": "parking"},
        {"until": "1795000000000"},
        {"until": 1.5},
        {"until": True},
        {"not_before": -1},
        {"not_before": 2**53},
        {"sensitive": "yes"},
        {"filmed": [{"name": "", "at": 1}]},
        {"faces": True},
    ],
)
def test_terms_of_another_form_are_refused(wrong: dict[str, Any]) -> None:
    """PRM-15: there is no word for another purpose."""
    with pytest.raises(ValidationError):
        terms(**wrong)


def test_equal_terms_have_one_text_and_one_digest() -> None:
    """It is what a passkey and two clerks sign."""
    one = terms(cameras=[YARD, GATE], actions=[Action.LIVE, Action.STILL], hours=MORNINGS)
    other = terms(cameras=[GATE, YARD], actions=[Action.STILL, Action.LIVE], hours=MORNINGS)
    assert canonical(one) == canonical(other)
    assert len(digest(one)) == 32
    assert digest(one) == digest(GrantTerms.model_validate_json(canonical(one)))
    assert b'"cameras":["gate","yard"]' in canonical(one)
    assert b'"hours":[{"begin":480,"days":[0,2,4],"end":660}]' in canonical(one)


def test_words_are_signed_as_they_are_written() -> None:
    assert "看家" in canonical(terms(why="看家")).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"cameras": {GATE}},
        {"until": NOW + DAY},
        {"why": "another reason"},
        {"sensitive": True},
        {"may_hand_on": True},
        {"hours": (Hours(days=ALL_DAYS, begin=0, end=1),)},
        {"recipient": SON.model_copy(update={"person": "daughter"})},
    ],
)
def test_any_change_of_the_terms_changes_the_digest(changes: dict[str, Any]) -> None:
    """A changed purpose, or anything else, is a new consent (PRM-3)."""
    assert digest(terms(**changes)) != digest(terms())
