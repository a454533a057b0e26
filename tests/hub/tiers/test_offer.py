"""What the tier above is told of a node's cameras: never more than the rule lets it know."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.access.world import DAY, HOUR, MINUTE, NOW, PLACE, camera, grant, request, sos
from village_core.grants import GrantStatus
from village_core.permits import CameraClass, Purpose, Role
from village_hub.access import rules
from village_hub.access.facts import OpeningKind, Reason, Subject
from village_hub.tiers import offer as offering
from village_hub.tiers.offer import BUREAU, TOWNSHIP, Named, Ours, Parent, offer

STATION = Parent(hub="above", place=PLACE, roles=TOWNSHIP, units=frozenset({"station"}))
COUNTY = Parent(hub="county", place=PLACE[:6], roles=BUREAU, units=frozenset({"bureau"}))
OFFICER = Subject("above", "li", "station", frozenset({Role.STATION_OFFICER}), PLACE)
COMMITTEE = Subject("village", "wu", "committee", frozenset({Role.COMMITTEE}), PLACE)
FACTS = camera(place=PLACE + "201" + "0042")
PUBLIC = camera(CameraClass.P9, id="lane", place=PLACE + "201")
HOME_NAME = "Old Wang's yard 13800138000"
YARD = Ours(facts=FACTS, name=HOME_NAME, kind="yard")
LANE = Ours(facts=PUBLIC, name="North lane", kind="lane")
BY_UNIT = grant(OFFICER, until=NOW + HOUR)


def named(parent: Parent, **more: Any) -> tuple[Named, ...]:
    found = offer(parent, [replace(YARD, **more)], NOW)
    return found[0].named if found else ()


def test_a_public_camera_on_record_is_offered_by_its_name_and_village() -> None:
    """PRM-2, CAM-9."""
    for parent in (STATION, COUNTY):
        (found,) = offer(parent, [LANE], NOW)
        assert (found.id, found.name, found.place) == ("lane", "North lane", PLACE + "201")
        assert found.named == ()


@pytest.mark.parametrize("why", [Reason.UNRECORDED, Reason.OBJECTION, Reason.MASK])
def test_a_public_camera_that_is_withheld_is_not_offered(why: Reason) -> None:
    """CAM-9, PRM-19."""
    assert offer(STATION, [replace(LANE, facts=replace(PUBLIC, withheld=why))], NOW) == ()


def test_a_public_camera_of_another_place_is_not_offered() -> None:
    elsewhere = replace(LANE, facts=replace(PUBLIC, place="110102001201"))
    assert offer(STATION, [elsewhere], NOW) == ()


def test_a_home_is_never_offered_for_standing_below() -> None:
    """PRM-2: not its yard, and not its rooms."""
    inside = replace(YARD, facts=replace(FACTS, camera_class=CameraClass.H_IN))
    assert offer(STATION, [YARD, inside], NOW) == offer(COUNTY, [YARD, inside], NOW) == ()


def test_a_home_is_offered_for_whom_its_grant_names_alone() -> None:
    """PRM-2: with a living grant, to that unit."""
    assert named(STATION, grants=(BY_UNIT,)) == (Named(unit="station"),)
    assert named(COUNTY, grants=(BY_UNIT,)) == ()


@pytest.mark.parametrize(
    "ended",
    [
        grant(OFFICER, until=NOW),
        grant(OFFICER, not_before=NOW + MINUTE),
        grant(OFFICER, status=GrantStatus.STOPPED),
        grant(OFFICER, until=NOW + 2 * DAY),  # an officer's lasts a day at most
        grant(COMMITTEE),
    ],
)
def test_a_grant_that_does_not_hold_offers_nothing(ended: Any) -> None:
    """PRM-2, PRM-4: what ends is not in the next offer."""
    assert named(STATION, grants=(ended,)) == ()


def test_a_call_for_help_offers_the_home_to_the_unit_that_it_reaches() -> None:
    """PRM-6: while it lasts."""
    called = sos(OFFICER, units=frozenset({"station", "committee"}))
    assert named(STATION, openings=(called,)) == (Named(unit="station"),)
    assert named(STATION, openings=(replace(called, ends=NOW),)) == ()
    assert named(STATION, openings=(sos(COMMITTEE),)) == ()


def test_an_ended_grant_names_nobody_while_others_help() -> None:
    """PRM-2: the committee's running help is no reason to tell whom a stopped grant named."""
    stopped = grant(OFFICER, status=GrantStatus.STOPPED)
    assert named(STATION, grants=(stopped,), openings=(sos(COMMITTEE),)) == ()


def test_a_request_offers_the_home_to_its_officers_until_its_return_date() -> None:
    """PRM-8."""
    asked = request(OFFICER)
    assert named(STATION, requests=(asked,)) == (Named(person="li"),)
    assert named(STATION, requests=(replace(asked, return_by=NOW),)) == ()
    assert named(STATION, requests=(replace(asked, approved=False),)) == ()


def test_an_offer_holds_nothing_of_a_household() -> None:
    """PRM-2: not its id, the name that it gave the camera, or where in the village it is."""
    found = offer(STATION, [replace(YARD, grants=(BY_UNIT,))], NOW)
    told = json.dumps([asdict(each) for each in found])
    assert found[0].name == "yard"
    for word in (HOME_NAME, FACTS.household, FACTS.place, "Wang", "13800138000"):
        assert word not in told


subjects = st.sampled_from(
    [OFFICER, COMMITTEE, replace(OFFICER, issuer="village"), replace(OFFICER, unit="other")]
)
times = st.integers(-2 * DAY, 2 * DAY).map(lambda away: NOW + away)
grants = st.builds(
    lambda to, begin, end, status, purpose: grant(
        to, not_before=begin, until=end, status=status, purpose=purpose
    ),
    *(subjects, times, times, st.sampled_from(GrantStatus), st.sampled_from(Purpose)),
)
openings = st.builds(
    lambda to, kind, begin, end: sos(to, kind=kind, opened=begin, ends=end),
    *(subjects, st.sampled_from(OpeningKind), times, times),
)
requests = st.builds(
    lambda to, approved, end: request(to, approved=approved, return_by=end),
    *(subjects, st.booleans(), times),
)
facts = st.builds(
    lambda kind, place, why: camera(kind, place=place, withheld=why),
    st.sampled_from(CameraClass),
    st.sampled_from(["", PLACE + "201", PLACE + "2010042", "110102001201"]),
    st.sampled_from([None, Reason.UNRECORDED, Reason.OBJECTION]),
)
ours = st.builds(
    Ours,
    facts=facts,
    name=st.just(HOME_NAME),
    kind=st.just("yard"),
    grants=st.lists(grants, max_size=2).map(tuple),
    openings=st.lists(openings, max_size=2).map(tuple),
    requests=st.lists(requests, max_size=2).map(tuple),
)


@given(ours, st.sampled_from([STATION, COUNTY]))
def test_nothing_is_offered_that_the_rule_refuses(one: Ours, parent: Parent) -> None:
    """PRM-2: whoever an offer names may know of the camera by the rule itself, on duty."""
    for found in offer(parent, [one], NOW):
        public = found.camera_class.public
        assert public or found.named
        for who in found.named or (Named(unit=offering.ON_DUTY),):
            assert any(
                rules.may_know(each, one.facts, NOW, offering._basis(one, each, NOW))
                for each in offering.subjects(parent, who)
            )
        if not public:
            assert any(
                (
                    *(each.status is GrantStatus.VALID for each in one.grants),
                    *(each.opened <= NOW < each.ends for each in one.openings),
                    *(each.approved and each.return_by > NOW for each in one.requests),
                )
            )
            assert HOME_NAME not in repr(found)
            assert len(found.place) <= 12
