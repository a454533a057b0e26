"""Every row, column and code: with a basis of just that kind, it is allowed exactly where the table
says so. The lattice: no combination of roles brings a picture to an engineer, auditor or admin."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.access.world import (
    DAY,
    EMPTY,
    FOOTAGE,
    HUB,
    MINUTE,
    NOW,
    camera,
    grant,
    look,
    reason,
    request,
    resident,
    shift,
    sos,
    staff,
)
from village_core.grants import GrantKind, GrantStatus
from village_core.permits import MEDIA, MEDIALESS, Action, CameraClass, Purpose, Role
from village_hub.access.facts import (
    Basis,
    CameraFacts,
    OpeningKind,
    Permit,
    Reason,
    Refusal,
    Subject,
)
from village_hub.access.matrix import TABLE, Code, Column, Row, columns_of
from village_hub.access.rules import PERMIT_LIFE_MS, decide, may_know

PURPOSE = {
    Code.O: Purpose.OWN_VIEW,
    Code.C: Purpose.GUARD_HOME,
    Code.S: Purpose.SOS,
    Code.R: Purpose.CASE,
    Code.D: Purpose.PUBLIC_SECURITY,
}
SECOND = (HUB, "second")


def subject_of(row: Row) -> Subject:
    if row in (Row.OWNER, Row.MEMBER, Row.NEIGHBOUR):
        return resident(row.value)
    return staff(Role(row.value))


def basis_of(code: Code, row: Row, subject: Subject) -> dict[str, Any]:
    """All that the code needs, for a subject of this row, and nothing of another code."""
    relation = {
        Row.OWNER: {"owners": frozenset({subject.key})},
        Row.MEMBER: {"members": frozenset({subject.key})},
    }.get(row, {})
    given: dict[Code, dict[str, Any]] = {
        Code.O: {"openings": (sos(resident("x"), cameras=frozenset({"cam"})),)}
        if row is Row.MEMBER
        else {},
        Code.C: {"grants": (grant(subject),)},
        Code.S: {"openings": (sos(subject),)},
        Code.R: {"requests": (request(subject),)},
        Code.D: {"shift": shift(subject)},
    }
    return {**relation, **given[code], "reason": "why", "footage": FOOTAGE, "second": SECOND}


def expected(code: Code, row: Row, action: Action, camera_class: CameraClass) -> bool:
    """Read off the table, and what the specification says of each code besides."""
    cells = [
        cell
        for column in columns_of(action, camera_class)
        for cell in TABLE[row].get(column, ())
        if cell.code is code
    ]
    by_code = {
        Code.O: set(Action),
        Code.C: set(Action),  # whatever the grant lists; these list all
        Code.S: {Action.LIVE, Action.STILL, Action.CLIP},
        Code.R: {Action.CLIP, Action.EXPORT},
        Code.D: {
            *(Action.LIVE, Action.STILL, Action.PTZ, Action.PLAYBACK, Action.CLIP),
            *(Action.EXPORT, Action.CONFIG),
        },
    }[code]
    clip_only = {cell.only.value for cell in cells if cell.only} == {"clip only"}
    if clip_only and action is not Action.CLIP:
        return False
    if code is Code.D and not camera_class.public:
        return False
    return bool(cells) and action in by_code


@pytest.mark.parametrize("camera_class", CameraClass)
@pytest.mark.parametrize("row", Row)
@pytest.mark.parametrize("code", PURPOSE)
def test_a_basis_is_good_exactly_where_the_table_has_its_code(
    code: Code, row: Row, camera_class: CameraClass
) -> None:
    subject = subject_of(row)
    facts = camera(camera_class, unit=subject.unit if camera_class.public else None)
    for action in Action:
        if action in (Action.HEALTH, Action.CONFIG) and code is not Code.D:
            continue  # M, A and acts have tests of their own
        purpose = PURPOSE[code]
        verdict = look(subject, action, purpose, facts, **basis_of(code, row, subject))
        allowed = isinstance(verdict, Permit) and verdict.basis == code.value
        if row is Row.MEMBER and code is Code.O:
            wanted = action in (Action.LIVE, Action.STILL, Action.CLIP, Action.PLAYBACK)
            wanted = wanted or action in (Action.TALK, Action.PTZ)
            sos_view = look(subject, action, Purpose.SOS, facts, **basis_of(code, row, subject))
            allowed = isinstance(sos_view, Permit)
            assert allowed is (wanted and not camera_class.public), (action, sos_view)
            continue
        assert allowed is expected(code, row, action, camera_class), (action, verdict)


@pytest.mark.parametrize("row", [row for row in Row if row is not Row.OWNER])
@pytest.mark.parametrize("camera_class", CameraClass)
@pytest.mark.parametrize("action", sorted(MEDIA | {Action.CARE, Action.PTZ}))
def test_without_a_basis_nobody_sees_anything(
    row: Row, camera_class: CameraClass, action: Action
) -> None:
    """PRM-1, PRM-2: default deny; standing higher up is no basis."""
    for purpose in Purpose:
        verdict = look(
            subject_of(row), action, purpose, camera(camera_class), reason="why", footage=FOOTAGE
        )
        assert isinstance(verdict, Refusal)


ROLE_SETS = [frozenset(roles) for size in range(1, 5) for roles in combinations(Role, size)]


@pytest.mark.parametrize("roles", ROLE_SETS, ids=lambda roles: "+".join(sorted(roles)))
def test_no_combination_of_roles_brings_a_picture_to_the_medialess(roles: frozenset[Role]) -> None:
    """PRM-11's lattice: with every basis at once, as owner, on duty, asked, called and granted."""
    subject = staff(*roles)
    everything: dict[str, Any] = {
        "owners": frozenset({subject.key}),
        "members": frozenset({subject.key}),
        "grants": tuple(
            grant(subject, kind=kind, purpose=purpose)
            for kind in (GrantKind.FAMILY, GrantKind.LIVE)
            for purpose in (Purpose.FAMILY, Purpose.CARE, Purpose.GUARD_HOME)
        ),
        "openings": (sos(subject, people=frozenset({subject.key})),),
        "requests": (request(subject),),
        "shift": shift(subject),
        "reason": "why",
        "footage": FOOTAGE,
        "second": SECOND,
    }
    seen = [
        verdict
        for camera_class in CameraClass
        for action in MEDIA
        for purpose in Purpose
        if isinstance(
            verdict := look(subject, action, purpose, camera(camera_class), **everything), Permit
        )
    ]
    assert bool(seen) is not bool(roles & MEDIALESS)


def test_an_emergency_never_opens_the_inside_of_a_home() -> None:
    """PRM-7."""
    officer = staff(Role.STATION_OFFICER)
    emergency = sos(officer, kind=OpeningKind.EMERGENCY)
    said: dict[str, Any] = {"openings": (emergency,)}
    outside = look(officer, Action.LIVE, Purpose.EMERGENCY, **said)
    assert reason(outside) == "allowed"
    inside = look(officer, Action.LIVE, Purpose.EMERGENCY, camera(CameraClass.H_IN), **said)
    assert reason(inside) == "class"
    by_sos = look(
        officer, Action.LIVE, Purpose.SOS, camera(CameraClass.H_IN), openings=(sos(officer),)
    )
    assert reason(by_sos) == "allowed"  # the household chose this camera itself


@pytest.mark.parametrize("why", [Reason.OBJECTION, Reason.MASK, Reason.UNRECORDED])
def test_a_camera_that_is_withheld_is_only_its_households(why: Reason) -> None:
    """PRM-19, CAM-9."""
    officer, facts = staff(Role.STATION_OFFICER), camera(withheld=why)
    granted = look(officer, Action.LIVE, Purpose.GUARD_HOME, facts, grants=(grant(officer),))
    called = look(officer, Action.LIVE, Purpose.SOS, facts, openings=(sos(officer),))
    assert {reason(granted), reason(called)} == {why.value}
    owners = frozenset({resident().key})
    own = look(resident(), Action.LIVE, Purpose.OWN_VIEW, facts, owners=owners)
    assert reason(own) == "allowed"
    engineer = staff(Role.ENGINEER)
    assert reason(look(engineer, Action.HEALTH, Purpose.MAINTENANCE, facts)) == "allowed"


def test_whoever_needs_a_second_person_is_not_their_own() -> None:
    officer = staff(Role.STATION_OFFICER)
    said: dict[str, Any] = {"requests": (request(officer),), "footage": FOOTAGE}
    alone = look(officer, Action.EXPORT, Purpose.CASE, second=officer.key, **said)
    assert reason(alone) == "second"
    both = look(officer, Action.EXPORT, Purpose.CASE, second=SECOND, **said)
    assert reason(both) == "allowed"
    requester = request(officer, requester=officer.key, officers=frozenset({officer.key, SECOND}))
    own = look(
        officer, Action.EXPORT, Purpose.CASE, requests=(requester,), footage=FOOTAGE, second=SECOND
    )
    assert reason(own) == "self_approval"


def test_health_is_for_who_keeps_it_running_in_its_place() -> None:
    """M and A: no pixels, and nobody knows of a home's camera by standing higher up (PRM-2)."""
    elsewhere = {"place": "330101"}
    for role, said in (
        (Role.ENGINEER, "allowed"),
        (Role.ADMIN, "allowed"),
        (Role.COMMITTEE, "allowed"),
        (Role.STATION_OFFICER, "no_basis"),
        (Role.BUREAU_OFFICER, "counts_only"),
        (Role.TOWNSHIP, "counts_only"),
        (Role.AUDITOR, "counts_only"),
        (Role.CARER, "no_basis"),
    ):
        assert reason(look(staff(role), Action.HEALTH, Purpose.MAINTENANCE)) == said, role
        far = look(staff(role, **elsewhere), Action.HEALTH, Purpose.MAINTENANCE)
        assert isinstance(far, Refusal), role


def test_upper_tiers_do_not_know_of_a_home_without_a_live_grant() -> None:
    """PRM-2."""
    for role in (Role.TOWNSHIP, Role.STATION_OFFICER, Role.BUREAU_OFFICER, Role.AUDITOR):
        assert not may_know(staff(role), camera(), NOW, EMPTY), role
    officer = staff(Role.STATION_OFFICER)
    assert may_know(officer, camera(), NOW, replace(EMPTY, grants=(grant(officer),)))
    stopped = grant(officer, status=GrantStatus.STOPPED)
    assert not may_know(officer, camera(), NOW, replace(EMPTY, grants=(stopped,)))


def test_a_permit_never_outlives_what_it_stands_on() -> None:
    officer = staff(Role.STATION_OFFICER)
    short = grant(officer, until=NOW + 20_000)
    verdict = look(officer, Action.LIVE, Purpose.GUARD_HOME, grants=(short,))
    assert isinstance(verdict, Permit)
    assert verdict.until == NOW + 20_000
    longer = grant(officer, id="longer", until=NOW + DAY - MINUTE * 61)
    verdict = look(officer, Action.LIVE, Purpose.GUARD_HOME, grants=(short, longer))
    assert isinstance(verdict, Permit)
    assert (verdict.ref, verdict.until) == ("longer", NOW + PERMIT_LIFE_MS)


def test_a_station_officers_grant_is_for_a_day_at_most() -> None:
    """Matrix: C <= 24 h."""
    officer = staff(Role.STATION_OFFICER)
    week = grant(officer, until=NOW + 7 * DAY)
    assert reason(look(officer, Action.LIVE, Purpose.GUARD_HOME, grants=(week,))) == "class"


subjects = st.builds(
    lambda roles, name: Subject(HUB, name, unit="unit", roles=frozenset(roles), place="110101001"),
    st.sets(st.sampled_from(Role), max_size=3),
    st.sampled_from(["fang", "li"]),
)
facts = st.builds(
    lambda kind, withheld: camera(kind, withheld=withheld),
    st.sampled_from(CameraClass),
    st.sampled_from([None, Reason.MASK]),
)


@st.composite
def bases(draw: st.DrawFn, subject: Subject) -> Basis:
    """Any mixture, good and bad."""
    times = st.sampled_from([NOW - MINUTE, NOW, NOW + MINUTE, NOW + DAY])
    several = draw(st.integers(0, 2))
    grants = tuple(
        grant(
            draw(st.sampled_from([subject, resident("other")])),
            kind=draw(st.sampled_from(GrantKind)),
            purpose=draw(st.sampled_from(Purpose)),
            until=draw(times),
            status=draw(st.sampled_from(GrantStatus)),
            fresh=draw(st.booleans()),
            chain_holds=draw(st.booleans()),
        )
        for _ in range(several)
    )
    keys = st.frozensets(st.sampled_from([subject.key, (HUB, "other")]))
    opening = sos(subject, ends=draw(times), kind=draw(st.sampled_from(OpeningKind)))
    asked = request(subject, approved=draw(st.booleans()), return_by=draw(times))
    return replace(
        EMPTY,
        owners=draw(keys),
        members=draw(keys),
        grants=grants,
        openings=(opening,) if draw(st.booleans()) else (),
        requests=(asked,) if draw(st.booleans()) else (),
        shift=shift(subject, ends=draw(times)) if draw(st.booleans()) else None,
        reason=draw(st.sampled_from(["", "why"])),
        footage=draw(st.sampled_from([None, FOOTAGE])),
        second=draw(st.sampled_from([None, subject.key, SECOND])),
    )


@settings(max_examples=300)
@given(st.data(), subjects, facts, st.sampled_from(Action), st.sampled_from(Purpose))
def test_whatever_comes_together_the_invariants_hold(
    data: st.DataObject, subject: Subject, facts: CameraFacts, action: Action, purpose: Purpose
) -> None:
    basis = data.draw(bases(subject))
    verdict = decide(subject, facts, action, purpose, NOW, basis)
    assert verdict == decide(subject, facts, action, purpose, NOW, basis)
    if isinstance(verdict, Refusal):
        return
    assert NOW < verdict.until <= NOW + PERMIT_LIFE_MS
    assert not (action in MEDIA and subject.roles & MEDIALESS)
    assert action is not Action.PUBLISH
    if not verdict.outside:
        assert subject.key in basis.owners | basis.members or action is Action.HEALTH
    elif action in MEDIA:
        assert facts.withheld is None
    code = Code(verdict.basis)
    column_codes = {
        cell.code
        for row in TABLE
        for column in columns_of(action, facts.camera_class)
        for cell in TABLE[row].get(column, ())
    }
    assert code in column_codes
    if code is Code.D:
        assert facts.camera_class.public
        assert basis.reason
    if code is Code.R:
        assert action in (Action.CLIP, Action.EXPORT)


def test_a_column_without_a_cell_is_closed() -> None:
    assert Column.P_LIVE not in TABLE[Row.OWNER]  # PRM-17: residents have no live view of lanes
    owner = resident()
    lane = camera(CameraClass.P9)
    verdict = look(owner, Action.LIVE, Purpose.OWN_VIEW, lane)
    assert isinstance(verdict, Refusal)
