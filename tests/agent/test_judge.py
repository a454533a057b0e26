"""home_agent/judge.py: the home's own decision, cell by cell (PRM-21, PRM-5, PRM-6, PRM-7)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.judge import Known, Stands, judge
from home_agent.openings import Opening
from tests.support import grants as house
from tests.support.grants import DAY, DUTY, GATE, HOUSE, HUB, LANE, NOW, NURSE, ROOM, SON, YARD
from village_core.grant_chain import sign_child
from village_core.grant_tokens import AtHome, Grant, read_grant, sign_grant
from village_core.grants import Filmed, GrantKind, GrantTerms, Hours, Recipient
from village_core.keys import SigningKey
from village_core.permits import Action, PermitNote, Purpose, Quality, Role
from village_core.uplink import Refused

GRANDMA = Filmed(name="Grandmother", at=NOW)
NEIGHBOUR = Recipient(issuer=HUB, person="neighbour", name="Wang", contact="next door")
SOS = Opening("sos-1", "sos", frozenset({YARD, ROOM}), 0.0, 900.0)
FIRE = Opening("fire", "emergency", frozenset({YARD}), 0.0, 900.0)


def grant(what: GrantTerms, **more: Any) -> Grant:
    return read_grant(house.signed(what, **more), HOUSE, NOW)


def known(*grants: Grant, **changes: Any) -> Known:
    base = Known(
        house=HOUSE,
        owners=frozenset({"owner"}),
        classes=house.CLASSES,
        unmasked=frozenset(),
        grants={each.id: each for each in grants},
        stopped=frozenset(),
        openings={},
        now=NOW,
    )
    return replace(base, **changes)


def note(**changes: Any) -> PermitNote:
    said = {
        "id": "permit",
        "subject": "son",
        "issuer": HUB,
        "via": HUB,
        "camera": YARD,
        "quality": Quality.SUB,
        "action": Action.LIVE,
        "purpose": Purpose.FAMILY,
        "basis": "C",
        "until": NOW + 90_000,
        "outside": True,
    }
    return PermitNote.model_validate({**said, **changes})


def answer(said: PermitNote, facts: Known) -> str:
    """The code of the refusal, or "yes"."""
    try:
        judge(said, said.action, facts)
    except Refused as error:
        return error.code
    return "yes"


def on_duty(of: Recipient, **changes: Any) -> dict[str, Any]:
    said = {"subject": "officer", "unit": of.unit, "roles": (of.role,)}
    return {**said, **changes}


def own(**changes: Any) -> PermitNote:
    said = {"subject": "owner", "basis": "O", "outside": False, "purpose": Purpose.OWN_VIEW}
    return note(**{**said, **changes})


# O


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "yes"),
        ({"camera": ROOM}, "yes"),
        ({"issuer": ""}, "yes"),
        ({"subject": "stranger"}, "unknown_owner"),
        ({"issuer": "another-hub"}, "unknown_owner"),
        ({"issuer": "", "via": "another-hub"}, "unknown_owner"),
        ({"outside": True}, "no_grant"),
        ({"roles": ("admin",)}, "no_media"),
        ({"basis": "X"}, "no_basis"),
        ({"basis": "M"}, "no_basis"),
    ],
)
def test_an_owner_is_one_who_was_confirmed_at_home(changes: dict[str, Any], says: str) -> None:
    """PRM-21: a hub that writes somebody down as an owner gains nothing."""
    assert answer(own(**changes), known()) == says


def test_before_the_box_is_enrolled_nobody_sees_anything() -> None:
    assert answer(own(), known(house=None)) == "not_enrolled"


def test_a_member_sees_as_an_owner_while_an_sos_is_open() -> None:
    family = grant(house.terms(GrantKind.FAMILY, cameras={GATE}))
    member = own(subject="son", purpose=Purpose.SOS)
    assert answer(member, known(family)) == "sos_closed"
    assert answer(member, known(family, openings={SOS.id: SOS})) == "yes"
    assert answer(member, known(openings={SOS.id: SOS})) == "unknown_owner"
    stopped = known(family, openings={SOS.id: SOS}, now=family.terms.until)
    assert answer(member, stopped) == "unknown_owner"


# C

WATCH = house.terms(GrantKind.AWAY_WATCH)
LOOK = house.terms(GrantKind.LIVE)
CARE = house.terms(GrantKind.CARER, cameras={ROOM}, sensitive=True, filmed=(GRANDMA,))
FAMILY_INSIDE = house.terms(GrantKind.FAMILY, cameras={YARD, ROOM}, sensitive=True)
NEXT_DOOR = house.terms(GrantKind.LIVE, recipient=NEIGHBOUR, purpose=Purpose.LOST)


@pytest.mark.parametrize(
    ("terms", "changes", "says"),
    [
        (house.terms(), {}, "yes"),
        (house.terms(), {"action": "still"}, "yes"),
        (house.terms(), {"action": "talk"}, "action"),
        (house.terms(), {"subject": "cousin"}, "wrong_recipient"),
        (house.terms(), {"issuer": "hub-2"}, "wrong_recipient"),
        (house.terms(), {"camera": GATE}, "no_basis"),
        (house.terms(), {"camera": "unheard-of"}, "no_basis"),
        (house.terms(), {"purpose": "care"}, "purpose"),
        (house.terms(not_before=NOW + 1), {}, "not_yet"),
        (house.terms(), {"camera": ROOM}, "no_basis"),
        (FAMILY_INSIDE, {"camera": ROOM}, "yes"),
        (NEXT_DOOR, {"subject": "neighbour", "purpose": "lost"}, "yes"),
        (WATCH, on_duty(DUTY, purpose="guard_home"), "yes"),
        (WATCH, {**on_duty(DUTY, purpose="guard_home"), "roles": ()}, "wrong_recipient"),
        (WATCH, on_duty(DUTY, purpose="guard_home", unit="other"), "wrong_recipient"),
        (WATCH, on_duty(DUTY, purpose="guard_home", roles=("auditor",)), "no_media"),
        (LOOK, on_duty(house.POLICE, purpose="case"), "yes"),
        (LOOK, on_duty(house.POLICE, purpose="case", action="still"), "action"),
        (CARE, on_duty(NURSE, camera=ROOM, purpose="care"), "yes"),
    ],
)
def test_a_grant_covers_what_it_says(terms: GrantTerms, changes: dict[str, Any], says: str) -> None:
    one = grant(terms)
    assert answer(note(grant=one.text, **changes), known(one)) == says


@pytest.mark.parametrize("unit", [DUTY, house.POLICE], ids=["committee", "police"])
@pytest.mark.parametrize("kind", [GrantKind.AWAY_WATCH, GrantKind.LIVE])
def test_committee_and_police_never_look_inside(unit: Recipient, kind: GrantKind) -> None:
    """By the class in the home's own settings now, whatever it was when the grant was signed."""
    purpose = {GrantKind.AWAY_WATCH: "guard_home", GrantKind.LIVE: "case"}[kind]
    terms = house.terms(kind, recipient=unit, cameras={ROOM}, sensitive=True, filmed=(GRANDMA,))
    one = grant(terms)
    said = note(grant=one.text, **on_duty(unit, camera=ROOM, purpose=purpose))
    assert answer(said, known(one)) == "class"


def test_a_grant_from_before_a_camera_was_moved_inside_holds_no_more() -> None:
    one = grant(house.terms())
    moved = known(one, classes={YARD: house.CLASSES[ROOM]})
    assert answer(note(grant=one.text), moved) == "class"
    assert answer(note(grant=one.text), known(one, classes={YARD: house.CLASSES[LANE]})) == "class"
    assert answer(note(grant=one.text), known(one, classes={})) == "class"


def test_a_grant_of_the_family_for_a_room_does_not_reach_the_carer_kind_without_consent() -> None:
    """PRM-13: whoever lives in view has agreed."""
    bare = grant(house.terms(GrantKind.CARER, cameras={ROOM}, sensitive=True))
    said = note(grant=bare.text, **on_duty(NURSE, camera=ROOM, purpose="care"))
    assert answer(said, known(bare)) == "patient"


def test_outside_its_hours_it_does_not_hold_and_within_them_it_ends_with_them() -> None:
    """Vector 14. The hours are until 11:00; a permit of 10:59:30 does not outlive them."""
    one = grant(WATCH)
    said = note(grant=one.text, **on_duty(DUTY, purpose="guard_home"))
    late = NOW + 59 * 60_000 + 30_000
    found = judge(said, Action.LIVE, known(one, now=late))
    assert found.grants == ((one.id, NOW + 3_600_000),)
    assert answer(said, known(one, now=NOW + 3_600_000)) == "time"
    assert judge(said, Action.LIVE, known(one)).grants == ((one.id, one.terms.until),)


def test_what_is_not_on_the_home_s_list_does_not_hold() -> None:
    """Also when the household key signed it: an older enrolment's grants have ended (IDN-15)."""
    one, other = grant(house.terms()), grant(house.terms())
    assert answer(note(grant=one.text), known()) == "unknown_grant"
    assert answer(note(grant=one.text), known(other)) == "unknown_grant"
    stopped = known(one, stopped=frozenset({one.id}))
    assert answer(note(grant=one.text), stopped) == "stopped"
    assert answer(note(), known(one)) == "no_grant"


def test_it_ends_to_the_millisecond() -> None:
    one = grant(house.terms(until=NOW + 1000))
    assert answer(note(grant=one.text), known(one, now=NOW + 999)) == "yes"
    assert answer(note(grant=one.text), known(one, now=NOW + 1000)) == "expired"


def test_another_household_s_signature_is_none() -> None:
    stranger = SigningKey.make()
    text = sign_grant(house.issuer(stranger), HUB, house.terms(), AtHome(person="owner"))
    mine = grant(house.terms())
    assert answer(note(grant=(text,)), known(mine)) == "unknown_key"
    renamed = sign_grant(
        house.issuer(stranger, "household-8"), HUB, house.terms(), AtHome(person="owner")
    )
    assert answer(note(grant=(renamed,)), known(mine)) == "unknown_key"


def test_a_chain_reaches_a_cousin_only_by_the_son_s_own_key_and_narrower() -> None:
    """Vector 13; IDN-7."""
    son = SigningKey.make()
    root = grant(house.terms(may_hand_on=True), cnf=son.public)
    cousin = Recipient(issuer=HUB, person="cousin", name="Cousin", contact="138 1111 1111")
    child = house.terms(recipient=cousin, actions={Action.LIVE}, until=NOW + DAY)
    text = sign_child(root, child, son, house.SetClock())
    said = note(grant=(*root.text, text), subject="cousin")
    assert answer(said, known(root)) == "yes"
    found = judge(said, Action.LIVE, known(root))
    assert root.id in found.refs
    assert len(found.refs) == 2
    for each in found.refs:  # stopping either stops it
        assert answer(said, known(root, stopped=frozenset({each}))) == "stopped"
    assert answer(note(grant=root.text, subject="cousin"), known(root)) == "wrong_recipient"
    assert answer(said.model_copy(update={"action": Action.STILL}), known(root)) == "action"


def test_a_camera_that_needs_a_mask_and_has_none_is_shown_to_nobody_outside() -> None:
    """PRM-19."""
    one = grant(house.terms())
    bare = known(one, unmasked=frozenset({YARD}))
    assert answer(note(grant=one.text), bare) == "mask"
    assert answer(own(), bare) == "yes"


# S

STANDING = house.terms(
    GrantKind.SOS, cameras={YARD, ROOM}, sensitive=True, filmed=(GRANDMA,), responders=(SON,)
)


def in_sos(**changes: Any) -> PermitNote:
    said = {**on_duty(DUTY), "basis": "S", "purpose": "sos", "opening": "sos-1"}
    return note(**{**said, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "yes"),
        ({"camera": ROOM}, "yes"),
        ({"camera": GATE}, "no_basis"),
        ({"subject": "son", "unit": "", "roles": ()}, "yes"),
        ({"subject": "neighbour", "unit": "", "roles": ()}, "not_responder"),
        (on_duty(house.POLICE), "not_responder"),
        ({"purpose": "case"}, "purpose"),
        ({"action": "talk"}, "action"),
        ({"opening": "sos-2"}, "sos_closed"),
        ({"opening": ""}, "sos_closed"),
    ],
)
def test_an_open_sos_shows_its_cameras_to_its_responders(
    changes: dict[str, Any], says: str
) -> None:
    """PRM-6; vector 15 is an opening that is not there any more."""
    facts = known(grant(STANDING), openings={SOS.id: SOS})
    assert answer(in_sos(**changes), facts) == says


def test_an_sos_needs_the_standing_grant_and_its_opening() -> None:
    one = grant(STANDING)
    assert answer(in_sos(), known(openings={SOS.id: SOS})) == "no_grant"
    assert answer(in_sos(), known(one)) == "sos_closed"
    found = judge(in_sos(), Action.LIVE, known(one, openings={SOS.id: SOS}))
    assert found == Stands(frozenset({"sos-1", one.id}), ((one.id, one.terms.until),), SOS.ends)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "yes"),
        ({"action": "still"}, "yes"),
        ({"action": "clip"}, "purpose"),
        ({"purpose": "sos"}, "purpose"),
        ({"camera": GATE}, "no_basis"),
        ({"unit": ""}, "not_responder"),
        ({"roles": ()}, "not_responder"),
    ],
)
def test_an_emergency_opens_yard_and_gate_to_people_on_duty(
    changes: dict[str, Any], says: str
) -> None:
    """PRM-7."""
    said = {**on_duty(house.POLICE), "basis": "S", "purpose": "emergency", "opening": "fire"}
    assert answer(note(**{**said, **changes}), known(openings={FIRE.id: FIRE})) == says


def test_an_emergency_never_opens_a_room_whatever_it_names() -> None:
    inside = replace(FIRE, cameras=frozenset({ROOM, LANE}))
    said = {**on_duty(house.POLICE), "basis": "S", "purpose": "emergency", "opening": "fire"}
    for camera in (ROOM, LANE):
        facts = known(grant(STANDING), openings={"fire": inside})
        assert answer(note(**{**said, "camera": camera}), facts) == "class"


# D, R


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"camera": LANE}, "yes"),
        ({"camera": YARD}, "class"),
        ({"camera": ROOM}, "class"),
        ({"camera": "unheard-of"}, "class"),
        ({"camera": LANE, "unit": ""}, "no_basis"),
        ({"camera": LANE, "roles": ()}, "no_basis"),
        ({"camera": LANE, "basis": "R"}, "clip_only"),
        ({"camera": YARD, "basis": "R"}, "clip_only"),
    ],
)
def test_duty_is_for_public_places_and_a_request_is_never_live(
    changes: dict[str, Any], says: str
) -> None:
    said = {**on_duty(DUTY), "basis": "D", "purpose": "public_security"}
    assert answer(note(**{**said, **changes}), known()) == says


# All of it


MADE_UP = st.fixed_dictionaries(
    {
        "basis": st.sampled_from(["O", "C", "S", "D", "R", "M", ""]),
        "outside": st.booleans(),
        "camera": st.sampled_from([YARD, GATE, ROOM, LANE, "none"]),
        "subject": st.sampled_from(["owner", "son", "cousin", "officer"]),
        "roles": st.sets(st.sampled_from(list(Role)), max_size=2).map(
            lambda each: tuple(sorted(each))
        ),
        "unit": st.sampled_from(["", "xicun", "station", "clinic"]),
        "purpose": st.sampled_from(list(Purpose)),
        "action": st.sampled_from(list(Action)),
        "opening": st.sampled_from(["", "sos-1", "fire"]),
        "grant": st.sampled_from(["none", "family", "watch", "sos", "look"]),
    }
)


@given(MADE_UP)
def test_inside_the_home_nobody_sees_without_the_household(said: dict[str, Any]) -> None:
    """Whatever a hub makes up: a room is seen by its owners, by whom a grant names for a room, or
    by the responders of an open SOS; the yard also in an emergency; never by admin, engineer or
    auditor (PRM-11)."""
    which = said["grant"]
    text = GIVEN[which].text if which in GIVEN else ()
    facts = known(*GIVEN.values(), openings={SOS.id: SOS, FIRE.id: FIRE})
    if answer(note(**{**said, "grant": text}), facts) != "yes":
        return
    assert not set(said["roles"]) & {Role.ADMIN, Role.ENGINEER, Role.AUDITOR}
    if said["basis"] == "O":
        assert not said["outside"]
        assert said["subject"] in ("owner", "son")
    elif said["basis"] == "C":
        assert said["camera"] == YARD
        assert which in ("family", "watch", "look")
    elif said["basis"] == "D":
        assert said["camera"] == LANE
    else:
        assert (said["basis"], said["opening"]) in {("S", "sos-1"), ("S", "fire")}
        assert said["camera"] == YARD or said["opening"] == "sos-1"


GIVEN = {
    "family": grant(house.terms()),
    "watch": grant(
        house.terms(GrantKind.AWAY_WATCH, hours=(Hours(days=house.ALL_DAYS, begin=0, end=1440),))
    ),
    "look": grant(house.terms(GrantKind.LIVE)),
    "sos": grant(STANDING),
}
