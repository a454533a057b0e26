"""Who may do what with a camera: pure, and default deny (PRM-1).

It knows one rule for now: a household's owner sees the household's cameras, always (code "O" of the
matrix in requirements.md section 5). The other codes are further entries of `RULES`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from village_core.permits import Action, PermitNote, Purpose, Quality

PERMIT_LIFE_MS = 90_000  # unasked, a permit lapses (design.md, Who decides)


class Reason(StrEnum):
    """Why not; the codes of requirements.md section 5."""

    NO_BASIS = "no_basis"  # nothing in the table allows it
    PURPOSE = "purpose"  # allowed for another purpose only
    SIGNED_OUT = "signed_out"  # the sign-in it rested on has ended


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks, from verified claims, never from a row of the local person table."""

    issuer: str  # the hub that signed them in
    id: str
    unit: str | None = None
    roles: frozenset[str] = frozenset()
    place: str | None = None


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What the rules may know of a camera."""

    id: str
    household: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What was loaded for this one decision, and what a permit carries besides."""

    decision: str  # its id; a permit's id and the audit entry's
    via: str  # the hub that serves the viewer
    quality: Quality
    owners: frozenset[tuple[str, str]] = frozenset()  # (issuer, id) of the camera's household
    sign_in: str | None = None  # the session this rests on; None: it rests on none


@dataclass(frozen=True, slots=True)
class Permit:
    """The outcome of one permission decision. Nothing opens a leg without one; only
    `guard.permit` and `guard.renew` make them, from what `decide` returns."""

    id: str
    subject: Subject
    via: str
    camera: str
    quality: Quality
    action: Action
    purpose: Purpose
    basis: str
    until: int  # UTC ms by this hub's clock
    outside: bool  # the subject is not of the camera's household
    sign_in: str | None = field(default=None, repr=False)

    def note(self) -> PermitNote:
        """As it travels to the node that enforces it."""
        return PermitNote(
            id=self.id,
            subject=self.subject.id,
            via=self.via,
            camera=self.camera,
            quality=self.quality,
            action=self.action,
            purpose=self.purpose,
            basis=self.basis,
            until=self.until,
            outside=self.outside,
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason


@dataclass(frozen=True, slots=True)
class Rule:
    """One code of the matrix: who, and what it lets them do, for what."""

    code: str
    actions: frozenset[Action]
    purposes: frozenset[Purpose]
    outside: bool
    holds: Callable[[Subject, CameraFacts, int, Basis], bool]


def _owns(subject: Subject, _camera: CameraFacts, _now: int, basis: Basis) -> bool:
    return (subject.issuer, subject.id) in basis.owners


RULES = (
    Rule(
        code="O",
        actions=frozenset({Action.LIVE, Action.STILL}),
        purposes=frozenset({Purpose.OWN_VIEW}),
        outside=False,
        holds=_owns,
    ),
)


def decide(
    subject: Subject,
    camera: CameraFacts,
    action: Action,
    purpose: Purpose,
    now: int,
    basis: Basis,
) -> Permit | Refusal:
    """The first rule that allows it, else a refusal. `now` is UTC ms of the owner node's clock."""
    held = [rule for rule in RULES if rule.holds(subject, camera, now, basis)]
    fitting = [rule for rule in held if action in rule.actions]
    for rule in fitting:
        if purpose in rule.purposes:
            return Permit(
                id=basis.decision,
                subject=subject,
                via=basis.via,
                camera=camera.id,
                quality=basis.quality,
                action=action,
                purpose=purpose,
                basis=rule.code,
                until=now + PERMIT_LIFE_MS,
                outside=rule.outside,
                sign_in=basis.sign_in,
            )
    return Refusal(Reason.PURPOSE if fitting else Reason.NO_BASIS)
