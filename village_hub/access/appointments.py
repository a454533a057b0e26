"""Who may be appointed to what, and who may do it: pure rules (PRM-11, IDN-16).

An admin asks, another named person confirms within 30 minutes, and neither is the one appointed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from village_core.permits import Role
from village_hub.access.facts import Subject
from village_hub.catalogue.staff_rows import UnitKind

DAY_MS = 24 * 3600 * 1000
SECOND_WITHIN = 30 * 60 * 1000  # ms for the second person to confirm (requirements.md, ✎)
LONGEST_TERM = 5 * 366 * DAY_MS  # a village committee's
LONGEST_AHEAD = 90 * DAY_MS  # a term may begin this much later

FITS: Mapping[UnitKind, frozenset[Role]] = MappingProxyType(
    {
        UnitKind.COMMITTEE: frozenset({Role.COMMITTEE, Role.ADMIN}),
        UnitKind.CLINIC: frozenset({Role.CARER}),
        UnitKind.TOWNSHIP: frozenset({Role.TOWNSHIP, Role.ADMIN}),
        UnitKind.STATION: frozenset({Role.STATION_OFFICER}),
        UnitKind.BUREAU: frozenset({Role.BUREAU_OFFICER, Role.ADMIN}),
        UnitKind.OPERATOR: frozenset({Role.ENGINEER, Role.ADMIN}),
        UnitKind.OVERSIGHT: frozenset({Role.AUDITOR}),
    }
)

# What one person may hold at the same time; any pair that is not here excludes each other. So
# nobody who sees pictures looks after the system, and an auditor is nothing else.
TOGETHER: frozenset[frozenset[Role]] = frozenset(
    {
        frozenset({Role.ENGINEER, Role.ADMIN}),
        frozenset({Role.COMMITTEE, Role.CARER}),
        frozenset({Role.TOWNSHIP, Role.CARER}),
        frozenset({Role.COMMITTEE, Role.TOWNSHIP}),
    }
)

SECONDS = frozenset(
    {Role.ADMIN, Role.COMMITTEE, Role.TOWNSHIP, Role.STATION_OFFICER, Role.BUREAU_OFFICER}
)
"""Whose holders may confirm what an admin asked for; an auditor reviews it, so does not."""


class Fault(StrEnum):
    """Why an appointment cannot be; the code that the API gives."""

    UNIT_KIND = "role_unit"  # this kind of unit has no such role
    COMBINATION = "role_combination"  # with another that the person holds
    UNRELATED = "not_declared"  # an auditor declares to be no relative of the committee
    RELATED = "related"  # an auditor who shares a home with somebody of the committee
    TERM = "term"
    ITSELF = "self_approval"  # of those who ask, confirm and are appointed, two are one
    SECOND = "second"  # this role cannot confirm


SENTENCES: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.UNIT_KIND: "a unit of this kind has no such role",
        Fault.COMBINATION: "this person holds a role that excludes it: end that one first",
        Fault.UNRELATED: "an auditor declares not to be a close relative of the committee",
        Fault.RELATED: "this person shares a home with somebody of the committee",
        Fault.TERM: "the term is to begin within 90 days and to last 5 years at most",
        Fault.ITSELF: "nobody appoints themselves, or confirms what they asked for",
        Fault.SECOND: "somebody with this role cannot confirm it",
    }
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who is to be what, and until when."""

    person: str
    role: Role
    unit: UnitKind
    begins: int
    until: int
    declared_unrelated: bool = False


def fault_of(
    proposal: Proposal, held: Collection[Role], *, committee_at_home: bool, now: int
) -> Fault | None:
    """Why not; `held`: the person's other roles, `committee_at_home`: somebody of their household
    is of the committee (or, for one who joins the committee, an auditor)."""
    if proposal.role not in FITS[proposal.unit]:
        return Fault.UNIT_KIND
    if not _fits_in_time(proposal, now):
        return Fault.TERM
    if any(not may_hold_both(proposal.role, other) for other in held):
        return Fault.COMBINATION
    if proposal.role is Role.AUDITOR and not proposal.declared_unrelated:
        return Fault.UNRELATED
    if proposal.role in (Role.AUDITOR, Role.COMMITTEE) and committee_at_home:
        return Fault.RELATED
    return None


def _fits_in_time(proposal: Proposal, now: int) -> bool:
    begins, until = proposal.begins, proposal.until
    soon = now - DAY_MS <= begins <= now + LONGEST_AHEAD
    return soon and max(begins, now) < until <= begins + LONGEST_TERM


def may_hold_both(one: Role, other: Role) -> bool:
    return one is other or frozenset({one, other}) in TOGETHER


def asking_fault(asker: Subject, appointed: str) -> Fault | None:
    """Whether an admin may ask for it at all."""
    return Fault.ITSELF if asker.id == appointed else None


def confirming_fault(second: Subject, asked_by: str, appointed: str) -> Fault | None:
    """Whether this person may confirm what another asked for."""
    if second.id in (asked_by, appointed):
        return Fault.ITSELF
    return None if second.roles & SECONDS else Fault.SECOND
