"""What an auditor should look at, and what is published (AUD-5, AUD-6)."""

import inspect
import itertools
import re
from collections.abc import Iterable
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village_hub.audit.anomalies import (
    HERE,
    Oddity,
    Open,
    after_working_days,
    delays,
    disputes,
    emergencies,
    not_returned,
    of_entries,
)
from village_hub.audit.entry import Entry, EntryKind, Who
from village_hub.audit.summary import (
    BREACHES,
    Counts,
    quarter_bounds,
    quarter_of,
    shown,
    summarise,
)
from village_hub.cases import emergency

MINUTE = 60_000
numbers = itertools.count()


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=HERE).timestamp() * 1000)


NOON = ms("2026-11-19T12:00")


def entry(**more: object) -> Entry:
    roles = more.pop("roles", ("station_officer",))
    return Entry.model_validate(
        {
            "id": f"e{next(numbers)}",
            "utc_ms": NOON,
            "kind": EntryKind.VIEW_START,
            "action": "live",
            "result": "allowed",
            "who": Who(issuer="hub", id="li", roles=roles),  # type: ignore[arg-type]
            "camera": "gate",
            "purpose": "public_security",
            "basis": "D",
            **more,
        }
    )


def kinds(entries: Iterable[Entry]) -> list[str]:
    return [each.kind.value for each in of_entries(entries)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, True),
        ({"case": "2026-1"}, False),
        ({"basis": "R", "purpose": "case"}, False),
        ({"basis": "S", "purpose": "sos"}, False),
        ({"basis": "C", "purpose": "lost"}, True),
        ({"roles": ("committee",)}, False),
        ({"roles": (), "purpose": "own_view"}, False),
        ({"kind": EntryKind.VIEW_END}, False),
    ],
)
def test_police_views_without_a_case(more: dict[str, object], *, told: bool) -> None:
    assert kinds([entry(**more)]) == ([Oddity.NO_CASE] if told else [])


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("2026-11-19T22:59", False),
        ("2026-11-19T23:00", True),
        ("2026-11-20T00:30", True),
        ("2026-11-20T04:59", True),
        ("2026-11-20T05:00", False),
    ],
)
def test_views_at_night(time: str, *, told: bool) -> None:
    """By the village's clock, not by UTC."""
    said = entry(utc_ms=ms(time), roles=("committee",))
    assert kinds([said]) == ([Oddity.NIGHT] if told else [])
    home = entry(utc_ms=ms(time), roles=(), purpose="own_view", basis="O")
    assert kinds([home]) == []


def denied(at: int, person: str = "li") -> Entry:
    return entry(
        kind=EntryKind.DECISION,
        result="no_basis",
        utc_ms=NOON + at,
        who=Who(issuer="hub", id=person),
    )


def test_five_denials_in_ten_minutes_are_told() -> None:
    five = [denied(minute * MINUTE) for minute in (0, 2, 4, 6, 8)]
    (found,) = of_entries(five)
    assert (found.kind, found.count) == (Oddity.DENIALS, 5)
    assert found.refs == tuple(each.id for each in five)
    assert kinds(five[:4]) == []
    assert kinds([denied(minute * MINUTE) for minute in (0, 3, 6, 9, 10)]) == []  # 10 min apart
    others = [denied(minute, person) for minute, person in enumerate("abcde")]
    assert kinds(others) == []
    assert kinds([denied(number) for number in range(11)]) == [Oddity.DENIALS] * 2


@given(st.lists(st.integers(0, 60 * MINUTE), max_size=40))
def test_whatever_comes_five_in_ten_minutes_are_never_missed(times: list[int]) -> None:
    ordered = sorted(times)
    close = any(
        later - first < 10 * MINUTE for first, later in zip(ordered, ordered[4:], strict=False)
    )
    assert bool(kinds([denied(at) for at in ordered])) is close


def test_a_dispute_has_three_working_days() -> None:
    friday = ms("2026-11-20T16:00")
    assert after_working_days(friday, 3) == ms("2026-11-26T00:00")  # the end of Wednesday
    assert after_working_days(friday, 3, frozenset({date(2026, 11, 23)})) == ms("2026-11-27T00:00")
    known = [Open("a", friday), Open("b", friday, closed=friday + 1)]
    assert [each.refs for each in disputes(known, ms("2026-11-26T00:00"))] == [("a",)]
    assert list(disputes(known, ms("2026-11-25T23:59"))) == []


def test_what_other_parts_know_is_told() -> None:
    assert [each.kind for each in delays([Open("n", 1)])] == [Oddity.DELAY]
    assert [each.kind for each in emergencies([Open("m", 1)])] == [Oddity.EMERGENCY]
    known = [Open("late", 0, due=5), Open("back", 0, due=5, closed=4), Open("later", 0, due=9)]
    assert [each.refs for each in not_returned(known, 7)] == [("late",)]


NOTHING = Counts({}, 0, 0, 0, 0, 0)


def test_a_quarter_by_the_calendar_of_the_place() -> None:
    assert quarter_bounds("2026-Q4") == (ms("2026-10-01T00:00"), ms("2027-01-01T00:00"))
    assert quarter_bounds("2026-Q1") == (ms("2026-01-01T00:00"), ms("2026-04-01T00:00"))
    for text in ("2026-Q5", "2026", "1999-Q1", "2026-Q1 "):
        with pytest.raises(ValueError, match="a quarter"):
            quarter_bounds(text)


@given(st.integers(ms("2020-01-01T00:00"), ms("2080-01-01T00:00")))
def test_every_moment_is_in_its_quarter(moment: int) -> None:
    begin, end = quarter_bounds(quarter_of(moment))
    assert begin <= moment < end


def test_a_summary_counts_views_by_role_and_purpose() -> None:
    views = [entry() for _ in range(5)] + [entry(purpose="case")] * 4
    home = [entry(roles=(), purpose="own_view") for _ in range(7)]
    ends = [entry(kind=EntryKind.VIEW_END) for _ in range(9)]
    found = summarise(
        "2026-Q4", [*views, *home, *ends], Counts({"H-OUT": 12, "P9": 4}, 6, 5, 3, 1, 0)
    )
    assert found.views == {
        "household": {"own_view": "7"},
        "station_officer": {"case": "<5", "public_security": "5"},
    }
    assert found.cameras == {"H-OUT": "12", "P9": "<5"}
    assert found.figures == {
        "grants": "6",
        "requests_made": "5",
        "requests_met": "<5",
        "delays": "<5",
        "emergencies": "<5",
        "breaches": "<5",
        "deletions": "<5",
    }


def test_every_breach_that_is_written_down_is_counted() -> None:
    """By the words that the emergency's own rules write: the two lists cannot drift apart."""
    source = inspect.getsource(emergency)
    written = set(re.findall(r'_breach\([^"]*"([a-z_]+)"', source))
    assert written == BREACHES
    found = [entry(kind=EntryKind.ACT, action=action) for action in sorted(written)] * 2
    assert summarise("2026-Q4", found, NOTHING).figures["breaches"] == "6"


def test_a_summary_names_nobody() -> None:
    said = entry(household="h-secret", reason="words", camera_name="Wang's yard")
    found = str(summarise("2026-Q4", [said] * 6, NOTHING))
    for hidden in ("h-secret", "li", "words", "Wang", "gate"):
        assert hidden not in found.replace("public", "")


@given(st.integers(0, 10_000))
def test_a_small_count_is_never_shown(count: int) -> None:
    assert shown(count) == (str(count) if count >= 5 else "<5")
