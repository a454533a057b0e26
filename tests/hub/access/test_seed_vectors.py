"""The sixteen seed vectors of requirements.md section 5, and their nearest neighbours."""

from typing import Any

from tests.hub.access.world import (
    DAY,
    FOOTAGE,
    HOUR,
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
from village_core.grants import GrantKind, Hours
from village_core.permits import Action, CameraClass, Purpose, Role
from village_hub.access.facts import Permit, Refusal
from village_hub.access.matrix import Column, Row
from village_hub.access.rules import decide_act

OFFICER = staff(Role.STATION_OFFICER)
GRID = staff(Role.COMMITTEE, unit="committee")


def test_1_a_county_officer_with_nothing() -> None:
    officer = staff(Role.BUREAU_OFFICER)
    assert reason(look(officer, Action.LIVE, Purpose.CASE)) == "no_basis"


def test_2_a_grant_that_expired_a_second_ago() -> None:
    late = grant(OFFICER, until=NOW - 1000)
    assert reason(look(OFFICER, Action.LIVE, Purpose.GUARD_HOME, grants=(late,))) == "expired"


def test_2_ends_have_no_leeway() -> None:
    """The last millisecond is in, the next is out."""
    last = grant(OFFICER, until=NOW + 1)
    assert reason(look(OFFICER, Action.LIVE, Purpose.GUARD_HOME, grants=(last,))) == "allowed"
    over = grant(OFFICER, until=NOW)
    assert reason(look(OFFICER, Action.LIVE, Purpose.GUARD_HOME, grants=(over,))) == "expired"


def test_3_a_status_list_that_is_too_old() -> None:
    stale = grant(OFFICER, fresh=False)
    assert reason(look(OFFICER, Action.LIVE, Purpose.GUARD_HOME, grants=(stale,))) == "stale"


def test_4_the_owner_at_home_with_the_line_down() -> None:
    """Nothing that needs a line is asked for: only who owns."""
    owners = frozenset({(HUB, "fang")})
    verdict = look(resident(), Action.LIVE, Purpose.OWN_VIEW, owners=owners)
    assert isinstance(verdict, Permit)
    assert (verdict.basis, verdict.outside) == ("O", False)


def by_request(action: Action = Action.CLIP, **more: object) -> str:
    asked = request(OFFICER, **more)
    return reason(look(OFFICER, action, Purpose.CASE, requests=(asked,), footage=FOOTAGE))


def test_an_approved_request_brings_its_clip() -> None:
    assert by_request() == "allowed"


def test_5_a_request_with_one_officer() -> None:
    assert by_request(officers=frozenset({OFFICER.key})) == "need_two"


def test_6_a_request_approved_by_its_requester() -> None:
    assert by_request(approver=(HUB, "wang")) == "self_approval"


def test_6_or_by_one_of_its_officers() -> None:
    assert by_request(approver=OFFICER.key) == "self_approval"


def test_7_a_request_for_twelve_hours_and_a_second() -> None:
    begin = FOOTAGE[1] - 12 * HOUR - 1000
    assert by_request(begin=begin) == "window"
    assert by_request(begin=FOOTAGE[1] - 12 * HOUR) == "allowed"


def test_8_a_request_that_asks_for_live() -> None:
    assert by_request(Action.LIVE) == "clip_only"
    assert by_request(Action.PLAYBACK) == "clip_only"  # no browsing


def test_a_request_without_notice_approval_or_time_left() -> None:
    assert by_request(noticed=False) == "no_notice"
    assert by_request(approved=False) == "not_approved"
    assert by_request(approver_fits=False) == "not_approved"
    assert by_request(approver=None) == "not_approved"
    assert by_request(return_by=NOW) == "expired"


def test_a_clip_outside_what_was_approved() -> None:
    asked = request(OFFICER)
    for footage in ((FOOTAGE[0] - 1, FOOTAGE[1]), (FOOTAGE[1], FOOTAGE[0]), None):
        verdict = look(OFFICER, Action.CLIP, Purpose.CASE, requests=(asked,), footage=footage)
        assert reason(verdict) == "window"


def test_9_a_grid_worker_needs_a_reason() -> None:
    lane = camera(CameraClass.P9)
    with_reason: dict[str, Any] = {"shift": shift(GRID), "reason": "lost cow near the bridge"}
    verdict = look(GRID, Action.LIVE, Purpose.LOST, lane, **with_reason)
    assert isinstance(verdict, Permit)
    assert (verdict.basis, verdict.outside, verdict.ref) == ("D", True, "shift")
    for empty in ("", "   "):
        said = look(GRID, Action.LIVE, Purpose.LOST, lane, shift=shift(GRID), reason=empty)
        assert reason(said) == "no_reason"


def test_10_a_grid_worker_never_sees_into_a_home() -> None:
    inside = camera(CameraClass.H_IN)
    verdict = look(GRID, Action.LIVE, Purpose.GUARD_HOME, inside, grants=(grant(GRID),))
    assert reason(verdict) == "class"


def test_11_an_engineer_and_a_snapshot_to_check_the_focus() -> None:
    engineer = staff(Role.ENGINEER)
    assert reason(look(engineer, Action.STILL, Purpose.MAINTENANCE, reason="focus")) == "no_media"


def test_12_an_auditor_gets_the_log_and_no_clip() -> None:
    auditor = staff(Role.AUDITOR)
    assert reason(look(auditor, Action.CLIP, Purpose.OVERSIGHT, footage=FOOTAGE)) == "no_media"
    assert not isinstance(decide_act(auditor, Column.AUDIT), Refusal)
    assert not isinstance(decide_act(auditor, Column.OWN_LOG), Refusal)


def test_13_a_neighbour_who_hands_on_what_was_granted() -> None:
    cousin = resident("cousin")
    handed_on = grant(cousin, chain_holds=False)
    assert reason(look(cousin, Action.LIVE, Purpose.GUARD_HOME, grants=(handed_on,))) == "chain"


def test_14_a_carer_outside_the_hours() -> None:
    carer = staff(Role.CARER)
    minute = (NOW // MINUTE + 8 * 60) % 1440
    every_day = frozenset(range(7))
    now_on = Hours(days=every_day, begin=max(0, minute - 5), end=min(1440, minute + 5))
    later = Hours(days=every_day, begin=(minute + 10) % 1400, end=(minute + 10) % 1400 + 30)
    for hours, said in ((now_on, "allowed"), (later, "time")):
        given = grant(carer, kind=GrantKind.CARER, hours=(hours,), purpose=Purpose.CARE)
        assert reason(look(carer, Action.LIVE, Purpose.CARE, grants=(given,))) == said


def test_15_a_township_and_an_sos_of_31_minutes() -> None:
    township = staff(Role.TOWNSHIP)
    opened = NOW - 31 * MINUTE
    over = sos(township, opened=opened, ends=opened + 30 * MINUTE)
    assert reason(look(township, Action.LIVE, Purpose.SOS, openings=(over,))) == "sos_closed"
    running = sos(township)
    assert reason(look(township, Action.LIVE, Purpose.SOS, openings=(running,))) == "allowed"


def test_16_there_is_no_such_purpose_as_parking() -> None:
    lane = camera(CameraClass.P9)
    verdict = look(GRID, Action.LIVE, None, lane, shift=shift(GRID), reason="parking")
    assert reason(verdict) == "purpose"


def test_a_family_grant_from_far_away_stands_in_the_members_row() -> None:
    """PRM-5: a named person, anywhere; inside the home as well."""
    son = resident("son")
    family = grant(son, kind=GrantKind.FAMILY, purpose=Purpose.FAMILY, until=NOW + 300 * DAY)
    inside = camera(CameraClass.H_IN)
    verdict = look(son, Action.LIVE, Purpose.FAMILY, inside, grants=(family,))
    assert isinstance(verdict, Permit)
    assert verdict.outside
    unagreed = grant(son, kind=GrantKind.FAMILY, purpose=Purpose.FAMILY, filmed_consented=False)
    assert reason(look(son, Action.LIVE, Purpose.FAMILY, inside, grants=(unagreed,))) == "patient"


def test_who_is_of_the_household_may_give_and_stop_consent_and_nobody_else() -> None:
    owner = decide_act(resident(), Column.CONSENT, frozenset({Row.OWNER}))
    assert not isinstance(owner, Refusal)
    for subject in (resident(), *(staff(role) for role in Role)):
        assert isinstance(decide_act(subject, Column.CONSENT), Refusal), subject
