"""Grants handed on: narrower at every link, by the key the parent names (IDN-7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.grants import (
    ALL_DAYS,
    DAY,
    DUTY,
    GATE,
    HOUR,
    HOUSE,
    HOUSEHOLD,
    HUB,
    MORNINGS,
    NOW,
    POLICE,
    SON,
    YARD,
    SetClock,
    signed,
    terms,
)
from village_core.grant_chain import DEEPEST, hours_within, read_chain, sign_child, wider
from village_core.grant_tokens import Grant, GrantError, StatusPlace, mint, read_grant
from village_core.grants import Filmed, GrantKind, GrantTerms, Hours, Recipient, night_hours
from village_core.keys import SigningKey
from village_core.permits import Action, Purpose, Role
from village_core.tokens import Issuer

FIRST, SECOND, STRANGER = SigningKey.make(), SigningKey.make(), SigningKey.make()
COUSIN = Recipient(issuer=HUB, person="cousin", name="Li Qiang", contact="139 0000 0000")
STATUS = StatusPlace(idx=3, uri="https://hub.test/api/v1/status-lists/1")


def parent_terms(**changes: Any) -> GrantTerms:
    given: dict[str, Any] = {
        "cameras": {YARD, GATE},
        "hours": night_hours(ALL_DAYS, 20 * 60, 6 * 60),
        "not_before": NOW,
        "until": NOW + 10 * DAY,
        "may_hand_on": True,
    }
    said = {**given, **changes}
    return terms(said.pop("kind", GrantKind.FAMILY), **said)


def child_terms(**changes: Any) -> GrantTerms:
    given: dict[str, Any] = {
        "recipient": COUSIN,
        "cameras": {YARD},
        "actions": {Action.LIVE},
        "hours": (Hours(days=frozenset({5}), begin=21 * 60, end=22 * 60),),
        "until": NOW + DAY,
        "may_hand_on": False,
        "purpose": Purpose.FAMILY,
    }
    return parent_terms(**{**given, **changes})


def parent(**changes: Any) -> Grant:
    return read_grant(signed(parent_terms(**changes), cnf=FIRST.public, status=STATUS), HOUSE, NOW)


def forged(over: Grant, what: GrantTerms, key: SigningKey, **more: Any) -> str:
    """A link that `sign_child` would not sign."""
    name = more.pop("name", key.public.fingerprint)
    hub, cnf = more.pop("hub", HUB), more.pop("cnf", None)
    said = {"parent": over.id, **more}
    return mint(Issuer(name, key, SetClock()), hub, what, said, cnf, None)


def refused(texts: tuple[str, ...], code: str = "chain", now: int = NOW) -> None:
    with pytest.raises(GrantError) as error:
        read_chain(texts, HOUSE, now)
    assert error.value.code == code


def test_a_grant_is_handed_on_by_the_key_it_names() -> None:
    over = parent()
    text = sign_child(over, child_terms(), FIRST, SetClock())
    grant = read_chain((*over.text, text), HOUSE, NOW)
    assert grant.terms == child_terms()
    assert (grant.household, grant.hub, grant.confirmed) == (HOUSEHOLD, HUB, None)
    assert grant.parents == (over.id,)
    assert grant.text == (*over.text, text)
    assert grant.status == STATUS  # taking the root back takes all of it back


def test_a_chain_of_one_is_the_grant_itself() -> None:
    over = parent()
    assert read_chain(over.text, HOUSE, NOW) == over


def test_a_neighbour_cannot_hand_on_what_is_given_to_themselves() -> None:
    """Seed vector 13: no key is named, so that whatever follows breaks the chain."""
    plain = read_grant(signed(terms()), HOUSE, NOW)
    refused((*plain.text, forged(plain, terms(recipient=COUSIN), STRANGER)))
    with pytest.raises(GrantError):
        sign_child(plain, terms(recipient=COUSIN), STRANGER, SetClock())


def test_a_child_by_another_key_is_refused() -> None:
    over = parent()
    with pytest.raises(GrantError):
        sign_child(over, child_terms(), STRANGER, SetClock())
    refused((*over.text, forged(over, child_terms(), STRANGER)))
    in_its_name = forged(over, child_terms(), STRANGER, name=FIRST.public.fingerprint)
    refused((*over.text, in_its_name))
    in_the_households_name = forged(over, child_terms(), FIRST, name=HOUSEHOLD)
    refused((*over.text, in_the_households_name))


def test_a_child_hangs_on_its_own_parent() -> None:
    over, other = parent(), parent()
    text = sign_child(over, child_terms(), FIRST, SetClock())
    refused((*other.text, text))
    refused((text,), "unknown_key")
    refused((*over.text, *over.text))


def test_a_child_says_nothing_that_only_the_household_may() -> None:
    over = parent()
    refused((*over.text, forged(over, child_terms(), FIRST, confirmed={"how": "home"})))
    place = {"status_list": STATUS.model_dump()}
    refused((*over.text, forged(over, child_terms(), FIRST, status=place)))


def test_a_child_is_for_the_same_hub() -> None:
    over = parent()
    refused((*over.text, forged(over, child_terms(), FIRST, hub="hub-2")), "wrong_audience")


def test_a_child_ends_to_the_millisecond() -> None:
    over = parent()
    text = sign_child(over, child_terms(), FIRST, SetClock())
    refused((*over.text, text), "expired", NOW + DAY)
    late = read_chain((*over.text, text), HOUSE, NOW + DAY, expired_ok=True)
    assert late.terms.until == NOW + DAY


def longest_chain() -> tuple[Grant, tuple[str, ...]]:
    over = parent()
    middle = child_terms(may_hand_on=True)
    second = sign_child(over, middle, FIRST, SetClock(), cnf=SECOND.public)
    deep = read_chain((*over.text, second), HOUSE, NOW)
    third = sign_child(deep, child_terms(may_hand_on=True), SECOND, SetClock(), cnf=FIRST.public)
    return read_chain((*deep.text, third), HOUSE, NOW), (*deep.text, third)


def test_a_chain_has_three_links_at_most() -> None:
    """IDN-7: depth <= 3."""
    grant, texts = longest_chain()
    assert len(grant.parents) == DEEPEST - 1 == 2
    with pytest.raises(GrantError):
        sign_child(grant, child_terms(), FIRST, SetClock())
    refused((*texts, forged(grant, child_terms(), FIRST)))
    refused(())


def test_a_middle_link_cannot_be_left_out() -> None:
    _, texts = longest_chain()
    refused((texts[0], texts[2]))


WIDER: list[tuple[str, dict[str, Any]]] = [
    ("hand_on", {}),
    ("kind", {"kind": GrantKind.CARER}),
    ("camera", {"cameras": {YARD, "room"}}),
    ("action", {"actions": {Action.TALK}}),
    ("purpose", {"purpose": Purpose.CARE}),
    ("begin", {"not_before": NOW - 1}),
    ("end", {"until": NOW + 10 * DAY + 1}),
    ("hours", {"hours": ()}),
    ("hours", {"hours": (Hours(days=ALL_DAYS, begin=20 * 60 - 1, end=21 * 60),)}),
    ("recipient", {"recipient": DUTY}),
    ("recipient", {"responders": (COUSIN,)}),
    ("inside", {"sensitive": True}),
    ("inside", {"filmed": (Filmed(name="a", at=1),)}),
]


@pytest.mark.parametrize(("word", "changes"), WIDER)  # ids of sets differ between workers
def test_a_wider_child_is_refused(word: str, changes: dict[str, Any]) -> None:
    over = parent_terms(may_hand_on=word != "hand_on")
    child = child_terms(**changes)
    assert wider(child, over) == word
    if word == "hand_on":
        return
    real = parent()
    with pytest.raises(GrantError):
        sign_child(real, child, FIRST, SetClock())
    refused((*real.text, forged(real, child, FIRST)))


def test_an_sos_grant_is_never_handed_on() -> None:
    sos = terms(GrantKind.SOS, may_hand_on=True)
    assert wider(terms(GrantKind.SOS, responders=()), sos) == "hand_on"


def test_a_unit_hands_on_within_itself_only() -> None:
    over = terms(GrantKind.AWAY_WATCH, may_hand_on=True)

    def beyond(**changes: Any) -> str:
        return wider(over.model_copy(update={"recipient": _like(DUTY, **changes)}), over)

    assert beyond() == ""
    assert beyond(person="officer") == ""  # one of them, while on the role
    assert beyond(unit="other") == "recipient"
    assert beyond(issuer="hub-2") == "recipient"
    assert beyond(role=Role.STATION_OFFICER) == "recipient"
    assert wider(over.model_copy(update={"recipient": SON}), over) == "recipient"
    one = over.model_copy(update={"recipient": _like(DUTY, person="officer")})
    assert wider(over, one) == "recipient"
    assert wider(one.model_copy(update={"recipient": _like(DUTY, person="b")}), one) == "recipient"
    anyones = over.model_copy(update={"recipient": _like(DUTY, issuer="")})
    assert wider(over, anyones) == ""


def _like(who: Recipient, **changes: Any) -> Recipient:
    return Recipient.model_validate({**who.model_dump(), **changes})


def test_recordings_are_handed_on_within_their_window() -> None:
    over = terms(GrantKind.CLIP, may_hand_on=True, footage=(NOW - 9 * HOUR, NOW - HOUR))

    def beyond(*footage: int) -> str:
        return wider(over.model_copy(update={"footage": footage or None}), over)

    assert beyond(NOW - 9 * HOUR, NOW - HOUR) == beyond(NOW - 3 * HOUR, NOW - 2 * HOUR) == ""
    assert beyond(NOW - 9 * HOUR - 1, NOW - HOUR) == "footage"
    assert beyond(NOW - 9 * HOUR, NOW - HOUR + 1) == "footage"
    assert beyond(NOW - 2 * HOUR, NOW - 3 * HOUR) == "footage"
    assert beyond() == "footage"
    assert over.recipient == POLICE


def spans(hours: tuple[Hours, ...]) -> set[int]:
    """The slow way: every minute of the week."""
    if not hours:
        return set(range(7 * 1440))
    return {
        day * 1440 + minute
        for each in hours
        for day in each.days
        for minute in range(each.begin, each.end)
    }


HOURS = st.builds(
    lambda days, ends: Hours(days=days, begin=min(ends), end=max(ends) + 1),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
)
SEVERAL = st.lists(HOURS, max_size=4).map(tuple)


@given(SEVERAL, SEVERAL)
def test_hours_are_within_others_minute_by_minute(
    child: tuple[Hours, ...], over: tuple[Hours, ...]
) -> None:
    assert hours_within(child, over) is (spans(child) <= spans(over))


def test_hours_that_touch_are_one() -> None:
    whole = (Hours(days=ALL_DAYS, begin=0, end=1440),)
    assert hours_within((), whole)
    assert hours_within(MORNINGS, ())
    halves = (Hours(days=ALL_DAYS, begin=0, end=700), Hours(days=ALL_DAYS, begin=700, end=1440))
    assert hours_within(whole, halves)


CAMERAS = [f"camera-{number}" for number in range(5)]
ACTIONS = [Action.LIVE, Action.STILL, Action.PLAYBACK, Action.CLIP, Action.TALK]


@st.composite
def parents(draw: st.DrawFn) -> GrantTerms:
    begin = draw(st.integers(NOW, NOW + 20 * DAY))
    return parent_terms(
        cameras=draw(st.frozensets(st.sampled_from(CAMERAS), min_size=1)),
        actions=draw(st.frozensets(st.sampled_from(ACTIONS), min_size=1)),
        hours=draw(SEVERAL),
        not_before=begin,
        until=begin + draw(st.integers(2, 100 * DAY)),
    )


@st.composite
def narrowed(draw: st.DrawFn, over: GrantTerms) -> GrantTerms:
    """Any child that stays within its parent."""
    begin = draw(st.integers(over.not_before, over.until - 1))
    hours = over.hours
    fewer = draw(st.booleans())
    if hours and fewer:
        one = draw(st.sampled_from(hours))
        start = draw(st.integers(one.begin, one.end - 1))
        day = draw(st.sampled_from(sorted(one.days)))
        hours = (
            Hours(days=frozenset({day}), begin=start, end=draw(st.integers(start + 1, one.end))),
        )
    return child_terms(
        cameras=draw(st.frozensets(st.sampled_from(sorted(over.cameras)), min_size=1)),
        actions=draw(st.frozensets(st.sampled_from(sorted(over.actions)), min_size=1)),
        hours=hours or draw(SEVERAL),
        not_before=begin,
        until=draw(st.integers(begin + 1, over.until)),
    )


@st.composite
def widened(draw: st.DrawFn, over: GrantTerms, child: GrantTerms) -> GrantTerms:
    """The child, but beyond its parent in one thing or more."""
    changes: dict[str, Any] = {}
    which = draw(st.sets(st.sampled_from(["camera", "begin", "end", "action", "purpose", "hours"])))
    if "camera" in which:
        changes["cameras"] = child.cameras | {draw(st.text("xyz", min_size=1, max_size=5))}
    if "begin" in which:
        changes["not_before"] = over.not_before - draw(st.integers(1, DAY))
    if "end" in which:
        changes["until"] = over.until + draw(st.integers(1, DAY))
    others = [each for each in Action if each not in over.actions]
    if "action" in which:
        changes["actions"] = child.actions | {draw(st.sampled_from(others))}
    if "hours" in which and len(spans(over.hours)) < 7 * 1440:
        changes["hours"] = ()
    if not changes or "purpose" in which:
        other = [each for each in Purpose if each is not over.purpose]
        changes["purpose"] = draw(st.sampled_from(other))
    return child.model_copy(update=changes)


@given(st.data())
def test_whatever_is_narrower_is_accepted(data: st.DataObject) -> None:
    """IDN-7, property."""
    over = data.draw(parents())
    child = data.draw(narrowed(over))
    real = read_grant(signed(over, cnf=FIRST.public), HOUSE, NOW)
    text = sign_child(real, child, FIRST, SetClock())
    assert read_chain((*real.text, text), HOUSE, NOW).terms == child


@given(st.data())
def test_whatever_is_wider_is_rejected(data: st.DataObject) -> None:
    """IDN-7, property: camera, time, hours, action or purpose."""
    over = data.draw(parents())
    child = data.draw(widened(over, data.draw(narrowed(over))))
    real = read_grant(signed(over, cnf=FIRST.public), HOUSE, NOW)
    refused((*real.text, forged(real, child, FIRST)))


@given(st.data())
def test_a_chain_never_gets_wider_than_its_root(data: st.DataObject) -> None:
    over = data.draw(parents())
    middle = data.draw(narrowed(over)).model_copy(update={"may_hand_on": True})
    last = data.draw(narrowed(middle))
    assert wider(middle, over) == wider(last, middle) == wider(last, over) == ""
