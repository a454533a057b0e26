"""What a household may agree to, kind by kind (PRM-3, PRM-5, PRM-6, PRM-13)."""

from typing import Any

import pytest

from tests.support.grants import (
    ALL_DAYS,
    CLASSES,
    DAY,
    DUTY,
    GATE,
    HOUR,
    LANE,
    MINUTE,
    NOW,
    NURSE,
    POLICE,
    ROOM,
    SON,
    YARD,
    terms,
)
from village_core.grant_limits import (
    LIMITS,
    PERSON,
    STARTS_WITHIN,
    UNTIL_STOPPED,
    YEAR,
    TermsError,
    Unfit,
    check_terms,
    looks_inside,
)
from village_core.grants import Filmed, GrantKind, Hours, Recipient
from village_core.permits import MEDIALESS, Action, CameraClass, Purpose, Role
from village_core.tokens import LONGEST, Kind

GRANDMOTHER = (Filmed(name="Li Nainai", at=NOW),)
INSIDE = {"cameras": {ROOM}, "sensitive": True, "filmed": GRANDMOTHER}
OFFICIALS = (Role.COMMITTEE, Role.TOWNSHIP, Role.STATION_OFFICER, Role.BUREAU_OFFICER)
NEVER = [*sorted(MEDIALESS)]


def recipient(role: Role | None) -> Recipient:
    if role is PERSON:
        return SON
    return Recipient(unit="unit", role=role, name="Unit", contact="the unit")


def unfit(kind: GrantKind, changes: dict[str, Any], code: Unfit) -> None:
    with pytest.raises(TermsError) as error:
        check_terms(terms(kind, **changes), CLASSES, NOW)
    assert error.value.code is code
    assert str(error.value)


@pytest.mark.parametrize("kind", list(GrantKind))
def test_each_kind_can_be_agreed_to(kind: GrantKind) -> None:
    check_terms(terms(kind), CLASSES, NOW)


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        (GrantKind.AWAY_WATCH, 30 * DAY),
        (GrantKind.CARER, 30 * DAY),
        (GrantKind.LIVE, DAY),
        (GrantKind.CLIP, 30 * DAY),
        (GrantKind.FAMILY, UNTIL_STOPPED),
        (GrantKind.SOS, UNTIL_STOPPED),
    ],
)
def test_a_kind_lasts_so_long_and_not_a_millisecond_longer(kind: GrantKind, longest: int) -> None:
    """PRM-5."""
    check_terms(terms(kind, until=NOW + longest), CLASSES, NOW)
    unfit(kind, {"until": NOW + longest + 1}, Unfit.TOO_LONG)
    assert LIMITS[kind].default <= longest


def test_a_live_look_is_half_an_hour_unless_more_is_asked_for() -> None:
    """PRM-5."""
    assert LIMITS[GrantKind.LIVE].default == 30 * MINUTE


def test_what_stands_until_stopped_is_asked_about_every_year() -> None:
    """PRM-5: the reminder."""
    standing = {kind for kind, limits in LIMITS.items() if limits.longest == UNTIL_STOPPED}
    assert standing == {GrantKind.FAMILY, GrantKind.SOS}
    assert all(LIMITS[kind].reminder == YEAR for kind in standing)


def test_the_longest_grant_can_be_signed_as_a_token() -> None:
    longest = max(limits.longest for limits in LIMITS.values())
    assert (longest + STARTS_WITHIN) // 1000 + 2 <= LONGEST[Kind.GRANT]


@pytest.mark.parametrize("kind", [GrantKind.AWAY_WATCH, GrantKind.CARER])
def test_these_say_their_hours(kind: GrantKind) -> None:
    """PRM-5."""
    unfit(kind, {"hours": ()}, Unfit.HOURS)


def test_away_watch_is_for_the_committees_duty_role_and_the_yard() -> None:
    """PRM-5."""
    for role in (PERSON, *Role):
        if role is not Role.COMMITTEE:
            unfit(GrantKind.AWAY_WATCH, {"recipient": recipient(role)}, Unfit.RECIPIENT)
    unfit(GrantKind.AWAY_WATCH, INSIDE, Unfit.CLASS)
    check_terms(terms(GrantKind.AWAY_WATCH, cameras={YARD, GATE}), CLASSES, NOW)


def test_a_family_grant_is_for_a_named_person() -> None:
    """PRM-5."""
    for role in Role:
        unfit(GrantKind.FAMILY, {"recipient": recipient(role)}, Unfit.RECIPIENT)


@pytest.mark.parametrize("kind", list(GrantKind))
@pytest.mark.parametrize("role", NEVER)
def test_no_grant_gives_engineers_auditors_or_admins_a_picture(kind: GrantKind, role: Role) -> None:
    """PRM-11."""
    unfit(kind, {"recipient": recipient(role)}, Unfit.RECIPIENT)


@pytest.mark.parametrize("kind", [kind for kind in GrantKind if kind is not GrantKind.SOS])
@pytest.mark.parametrize("role", OFFICIALS)
def test_no_official_is_given_a_look_inside_but_in_an_sos(kind: GrantKind, role: Role) -> None:
    """Seed vector 10 at its root: such a grant is not even signed."""
    changes = {"recipient": recipient(role), **INSIDE}
    wrong = Unfit.CLASS if role in LIMITS[kind].recipients else Unfit.RECIPIENT
    unfit(kind, changes, wrong)


def test_inside_the_home_is_agreed_to_apart() -> None:
    """PRM-13: a separate consent for sensitive data, and that of whoever is filmed."""
    unfit(GrantKind.FAMILY, {"cameras": {YARD, ROOM}}, Unfit.SENSITIVE)
    check_terms(terms(cameras={YARD, ROOM}, sensitive=True), CLASSES, NOW)
    for kind in (GrantKind.CARER, GrantKind.SOS):
        unfit(kind, {**INSIDE, "filmed": ()}, Unfit.FILMED)
        unfit(kind, {**INSIDE, "sensitive": False}, Unfit.SENSITIVE)
        check_terms(terms(kind, **INSIDE), CLASSES, NOW)


def test_a_carer_may_be_shown_the_room_for_half_an_hour() -> None:
    changes = {"recipient": NURSE, "purpose": Purpose.CARE, **INSIDE}
    check_terms(terms(GrantKind.LIVE, **changes), CLASSES, NOW)


def test_of_an_sos_all_who_may_look_are_listed_in_one() -> None:
    """PRM-6."""
    check_terms(terms(GrantKind.SOS), CLASSES, NOW)
    auditor = recipient(Role.AUDITOR)
    unfit(GrantKind.SOS, {"responders": (POLICE, auditor)}, Unfit.RECIPIENT)
    silent = Recipient(unit="u", role=Role.TOWNSHIP)
    unfit(GrantKind.SOS, {"responders": (silent,)}, Unfit.WORDS)


def test_any_other_grant_has_one_recipient() -> None:
    """PRM-3: consent is separate per recipient."""
    unfit(GrantKind.LIVE, {"responders": (DUTY,)}, Unfit.RECIPIENT)


@pytest.mark.parametrize("kind", list(GrantKind))
def test_an_action_or_purpose_of_another_kind_is_refused(kind: GrantKind) -> None:
    limits = LIMITS[kind]
    for action in set(Action) - limits.actions:
        unfit(kind, {"actions": {*limits.actions, action}}, Unfit.ACTION)
    for purpose in set(Purpose) - limits.purposes:
        unfit(kind, {"purpose": purpose}, Unfit.PURPOSE)
    for purpose in limits.purposes:
        check_terms(terms(kind, actions=limits.actions, purpose=purpose), CLASSES, NOW)


def test_no_grant_exports_configures_or_publishes() -> None:
    assert not {Action.EXPORT, Action.CONFIG, Action.PUBLISH} & {
        action for limits in LIMITS.values() for action in limits.actions
    }


@pytest.mark.parametrize(
    ("cameras", "code"),
    [
        ({"neighbours"}, Unfit.CAMERA),
        ({YARD, "neighbours"}, Unfit.CAMERA),
        ({LANE}, Unfit.CLASS),
        ({YARD, LANE}, Unfit.CLASS),
    ],
)
def test_a_household_shares_its_own_cameras(cameras: set[str], code: Unfit) -> None:
    unfit(GrantKind.LIVE, {"cameras": cameras}, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": NOW}, Unfit.OVER),
        ({"not_before": NOW - 2 * HOUR, "until": NOW - HOUR}, Unfit.OVER),
        ({"not_before": NOW + HOUR, "until": NOW + HOUR}, Unfit.OVER),
        (
            {"not_before": NOW + STARTS_WITHIN + 1, "until": NOW + STARTS_WITHIN + 2},
            Unfit.BEGINS,
        ),
        ({"footage": (NOW - HOUR, NOW)}, Unfit.WINDOW),
    ],
)
def test_times_that_make_no_sense_are_refused(changes: dict[str, Any], code: Unfit) -> None:
    unfit(GrantKind.LIVE, changes, code)


@pytest.mark.parametrize(
    "footage",
    [None, (NOW, NOW), (NOW, NOW - 1), (NOW - 12 * HOUR - 1, NOW)],
)
def test_a_clip_covers_at_most_twelve_hours(footage: tuple[int, int] | None) -> None:
    """PRM-5."""
    unfit(GrantKind.CLIP, {"footage": footage}, Unfit.WINDOW)
    check_terms(terms(GrantKind.CLIP, footage=(NOW - 12 * HOUR, NOW)), CLASSES, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"why": " "},
        {"stop": ""},
        {"recipient": SON.model_copy(update={"name": ""})},
        {"recipient": SON.model_copy(update={"contact": " "})},
    ],
)
def test_nothing_is_agreed_to_without_the_words_for_it(changes: dict[str, Any]) -> None:
    """PRM-3: recipient name, contact, why, how to stop."""
    unfit(GrantKind.FAMILY, changes, Unfit.WORDS)


def test_what_may_be_handed_on() -> None:
    check_terms(terms(may_hand_on=True), CLASSES, NOW)
    unfit(GrantKind.SOS, {"may_hand_on": True}, Unfit.HAND_ON)
    unfit(GrantKind.FAMILY, {**INSIDE, "may_hand_on": True}, Unfit.HAND_ON)


def test_a_recipient_without_a_name_is_called_by_its_id() -> None:
    nameless = Recipient(unit="unit-9", role=Role.AUDITOR)
    with pytest.raises(TermsError, match="unit-9"):
        check_terms(terms(recipient=nameless), CLASSES, NOW)
    person = Recipient(issuer="hub-1", person="person-9")
    with pytest.raises(TermsError, match="person-9"):
        check_terms(terms(GrantKind.AWAY_WATCH, recipient=person), CLASSES, NOW)


def test_a_sentence_says_how_long_is_too_long() -> None:
    with pytest.raises(TermsError, match="24 hours"):
        check_terms(terms(GrantKind.LIVE, until=NOW + 2 * DAY), CLASSES, NOW)
    with pytest.raises(TermsError, match="30 days"):
        check_terms(terms(GrantKind.CARER, until=NOW + 31 * DAY), CLASSES, NOW)


def test_an_unknown_camera_counts_as_one_inside() -> None:
    assert looks_inside(terms(cameras={"new"}), CLASSES)
    assert not looks_inside(terms(), {YARD: CameraClass.H_OUT})


def test_hours_at_night_are_two() -> None:
    night = Hours(days=ALL_DAYS, begin=0, end=6 * 60), Hours(days=ALL_DAYS, begin=22 * 60, end=1440)
    check_terms(terms(GrantKind.AWAY_WATCH, hours=night), CLASSES, NOW)
