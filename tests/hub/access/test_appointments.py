"""Who may be appointed to what, with what, and by whom (PRM-11): pure rules over every pair."""

from dataclasses import replace
from itertools import product

import pytest

from village_core.permits import MEDIALESS, Role
from village_hub.access.appointments import (
    DAY_MS,
    FITS,
    LONGEST_TERM,
    Fault,
    Proposal,
    asking_fault,
    confirming_fault,
    fault_of,
    may_hold_both,
)
from village_hub.access.facts import Subject
from village_hub.catalogue.staff_rows import UnitKind

NOW = 1_795_000_000_000
GOOD = Proposal("p", Role.COMMITTEE, UnitKind.COMMITTEE, NOW, NOW + 365 * DAY_MS)


def fault(proposal: Proposal, *held: Role, at_home: bool = False) -> Fault | None:
    return fault_of(proposal, held, committee_at_home=at_home, now=NOW)


@pytest.mark.parametrize(("kind", "role"), list(product(UnitKind, Role)))
def test_a_role_is_held_in_a_unit_that_has_it(kind: UnitKind, role: Role) -> None:
    wish = replace(GOOD, unit=kind, role=role, declared_unrelated=True)
    assert (fault(wish) is None) is (role in FITS[kind])


def test_every_role_has_a_unit_and_every_unit_a_role() -> None:
    assert set(FITS) == set(UnitKind)
    assert set().union(*FITS.values()) == set(Role)


@pytest.mark.parametrize(("one", "other"), list(product(Role, Role)))
def test_the_lattice_of_roles(one: Role, other: Role) -> None:
    """PRM-11 T: who looks after the system or reviews it never sees pictures; an auditor is nothing
    else; police are not the committee."""
    both = may_hold_both(one, other)
    assert both is may_hold_both(other, one)
    if one is other:
        assert both
        return
    if Role.AUDITOR in (one, other):
        assert not both
    if (one in MEDIALESS) is not (other in MEDIALESS):
        assert not both
    police = {Role.STATION_OFFICER, Role.BUREAU_OFFICER}
    if {one, other} & police:
        assert not both


@pytest.mark.parametrize("held", Role)
def test_another_role_that_excludes_it_is_named(held: Role) -> None:
    expected = None if may_hold_both(Role.COMMITTEE, held) else Fault.COMBINATION
    assert fault(GOOD, held) == expected


def test_an_auditor_declares_to_be_no_relative_and_shares_no_home_with_the_committee() -> None:
    """VCL 32."""
    auditor = replace(GOOD, role=Role.AUDITOR, unit=UnitKind.OVERSIGHT)
    assert fault(auditor) is Fault.UNRELATED
    declared = replace(auditor, declared_unrelated=True)
    assert fault(declared) is None
    assert fault(declared, at_home=True) is Fault.RELATED
    assert fault(GOOD, at_home=True) is Fault.RELATED  # the reverse: an auditor lives there


@pytest.mark.parametrize(
    ("begins", "until", "fine"),
    [
        (NOW, NOW + 1, True),
        (NOW - 2 * DAY_MS, NOW + DAY_MS, False),  # long ago
        (NOW + 91 * DAY_MS, NOW + 99 * DAY_MS, False),  # far ahead
        (NOW, NOW, False),
        (NOW, NOW - 1, False),
        (NOW - DAY_MS, NOW, False),  # over already
        (NOW, NOW + LONGEST_TERM, True),
        (NOW, NOW + LONGEST_TERM + 1, False),
    ],
)
def test_a_term_begins_soon_and_ends(begins: int, until: int, *, fine: bool) -> None:
    assert (fault(replace(GOOD, begins=begins, until=until)) is None) is fine


def test_nobody_appoints_or_confirms_themselves() -> None:
    admin = Subject("hub", "a", "u", frozenset({Role.ADMIN}))
    assert asking_fault(admin, "a") is Fault.ITSELF
    assert asking_fault(admin, "p") is None
    assert confirming_fault(admin, "a", "p") is Fault.ITSELF  # their own wish
    assert confirming_fault(admin, "b", "a") is Fault.ITSELF  # their own role
    assert confirming_fault(admin, "b", "p") is None


@pytest.mark.parametrize("role", Role)
def test_an_auditor_reviews_so_confirms_nothing_and_an_engineer_neither(role: Role) -> None:
    second = Subject("hub", "s", "u", frozenset({role}))
    refused = confirming_fault(second, "a", "p") is Fault.SECOND
    assert refused is (role in {Role.AUDITOR, Role.ENGINEER, Role.CARER})
