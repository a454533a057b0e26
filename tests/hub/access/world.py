"""Subjects, cameras and bases for the decision's tests: each basis is good unless changed."""

from dataclasses import replace
from typing import Any

from village_core.grants import GrantKind, GrantStatus, GrantTerms, Recipient
from village_core.permits import Action, CameraClass, Purpose, Quality, Role
from village_hub.access.facts import (
    Basis,
    CameraFacts,
    GrantFacts,
    OpeningFacts,
    OpeningKind,
    Permit,
    Refusal,
    RequestFacts,
    ShiftFacts,
    Subject,
)
from village_hub.access.rules import decide

NOW = 1_795_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 24 * 3_600_000
HUB = "hub"
PLACE = "110101001"
FOOTAGE = (NOW - 2 * HOUR, NOW - HOUR)
EMPTY = Basis(decision="d", via=HUB, quality=Quality.SUB, sign_in="s")


def camera(camera_class: CameraClass = CameraClass.H_OUT, **more: Any) -> CameraFacts:
    unit = "committee" if camera_class.public else None
    facts = CameraFacts("cam", "home", camera_class, unit=unit, place=PLACE + "201")
    return replace(facts, **more)


def resident(name: str = "fang") -> Subject:
    return Subject(HUB, name)


def staff(*roles: Role, unit: str = "unit", name: str = "li", place: str = PLACE) -> Subject:
    return Subject(HUB, name, unit=unit, roles=frozenset(roles), place=place)


def grant(subject: Subject, **more: Any) -> GrantFacts:
    """One that names this subject: as a person, or by its unit and first role."""
    recipient = (
        Recipient(unit=subject.unit or "", role=min(subject.roles))
        if subject.roles
        else Recipient(issuer=subject.issuer, person=subject.id)
    )
    terms = {
        "kind": GrantKind.LIVE,
        "recipient": recipient,
        "cameras": frozenset({"cam"}),
        "actions": frozenset(Action),
        "purpose": Purpose.GUARD_HOME,
        "not_before": NOW - HOUR,
        "until": NOW + HOUR,
    }
    facts = {name: more.pop(name) for name in list(more) if name in GrantFacts.__slots__}
    made = GrantTerms.model_construct(**{**terms, **more})
    return GrantFacts(**{"id": "grant", "terms": made, "status": GrantStatus.VALID, **facts})


def sos(subject: Subject, **more: Any) -> OpeningFacts:
    made = OpeningFacts(
        id="sos",
        kind=OpeningKind.SOS,
        cameras=frozenset({"cam"}),
        opened=NOW - MINUTE,
        ends=NOW + 14 * MINUTE,
        people=frozenset({subject.key}) if subject.roles <= {Role.CARER} else frozenset(),
        units=frozenset({subject.unit}) if subject.unit else frozenset(),
        escalated=True,
    )
    return replace(made, **more)


def request(subject: Subject, **more: Any) -> RequestFacts:
    """Approved; the subject is one of its officers, and neither requester nor approver."""
    made = RequestFacts(
        id="request",
        approved=True,
        requester=(HUB, "wang"),
        officers=frozenset({subject.key, (HUB, "wang")}),
        approver=(HUB, "zhao"),
        approver_fits=True,
        noticed=True,
        cameras=frozenset({"cam"}),
        begin=FOOTAGE[0],
        end=FOOTAGE[1],
        return_by=NOW + DAY,
    )
    return replace(made, **more)


def shift(subject: Subject, **more: Any) -> ShiftFacts:
    return replace(ShiftFacts("shift", subject.unit or "", NOW + 8 * HOUR), **more)


def look(
    subject: Subject,
    action: Action,
    purpose: Purpose | None,
    facts: CameraFacts | None = None,
    now: int = NOW,
    **basis: Any,
) -> Permit | Refusal:
    return decide(subject, facts or camera(), action, purpose, now, replace(EMPTY, **basis))


def reason(verdict: Permit | Refusal) -> str:
    """The refusal's code, or "allowed"."""
    return verdict.reason.value if isinstance(verdict, Refusal) else "allowed"
