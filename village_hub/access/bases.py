"""The predicates of the table's codes (requirements.md section 5): what a decision may stand on.

Each says `Stands`, or the reason that stands nearest to a yes. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from village_core.grants import GrantKind, GrantStatus, covers
from village_core.permits import Action, CameraClass, Purpose
from village_hub.access.facts import (
    Basis,
    CameraFacts,
    GrantFacts,
    OpeningFacts,
    OpeningKind,
    Reason,
    RequestFacts,
    Subject,
)
from village_hub.access.matrix import Cell, Only, Row

DAY_MS = 24 * 3600 * 1000
HOUR_MS = 3600 * 1000
LONGEST_FOOTAGE = 12 * HOUR_MS  # PRM-5, PRM-8

SEEN_IN_SOS = frozenset({Action.LIVE, Action.STILL, Action.CLIP})
ON_DUTY = frozenset(
    {
        *(Action.LIVE, Action.STILL, Action.PTZ, Action.PLAYBACK, Action.CLIP),
        *(Action.EXPORT, Action.CONFIG),
    }
)
BY_REQUEST = frozenset({Action.CLIP, Action.EXPORT})
FOOTAGE = frozenset({Action.PLAYBACK, Action.CLIP, Action.EXPORT})

OWN_PURPOSES = frozenset(
    {
        *(Purpose.OWN_VIEW, Purpose.CARE, Purpose.GUARD_HOME, Purpose.LOST, Purpose.DISPUTE),
        *(Purpose.CASE, Purpose.MAINTENANCE),
    }
)
DUTY_PURPOSES = frozenset(
    {
        *(Purpose.PUBLIC_SECURITY, Purpose.LOST, Purpose.DISPUTE, Purpose.CASE),
        *(Purpose.EMERGENCY, Purpose.SOS, Purpose.CONCERNED, Purpose.MAINTENANCE),
    }
)


@dataclass(slots=True)  # not frozen, which would cost a tenth of a decision; nobody changes it
class Asked:
    """One question, whole."""

    subject: Subject
    camera: CameraFacts
    action: Action
    purpose: Purpose
    now: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Stands:
    """It holds: on what, until when (None: as long as it is renewed)."""

    outside: bool
    ref: str = ""
    ends: int | None = None
    opened: int = 0
    grant: tuple[str, ...] = field(default=(), repr=False)


def rows(asked: Asked) -> Iterator[Row]:
    """The rows of the table that the subject stands in: relations first, then roles."""
    subject, basis = asked.subject, asked.basis
    if subject.key in basis.owners:
        yield Row.OWNER
    family = any(_is_family(asked, grant) for grant in basis.grants)
    if subject.key in basis.members or family:
        yield Row.MEMBER
    for role in sorted(subject.roles):
        yield Row(role.value)
    if not subject.roles and subject.key not in basis.owners:
        yield Row.NEIGHBOUR


def nearest(asked: Asked) -> Reason:
    """Why not, before any cell is asked: what is there but of the wrong kind."""
    its = [each for each in asked.basis.grants if _is_for(asked.subject, each)]
    if any(asked.camera.id in each.terms.cameras for each in its):
        return Reason.CLASS  # somebody may, but this row and class have no such cell
    mine = any(asked.camera.id in each.cameras for each in _requests(asked))
    if mine and asked.action not in BY_REQUEST:
        return Reason.CLIP_ONLY
    return Reason.NO_BASIS


# O


def owner(asked: Asked, _cell: Cell) -> Stands | Reason:
    """The household's own, always; a member's share of an SOS too."""
    key = asked.subject.key
    if key not in asked.basis.owners | asked.basis.members:
        return Reason.NO_BASIS
    purposes = OWN_PURPOSES | {Purpose.SOS} if asked.basis.openings else OWN_PURPOSES
    if asked.purpose not in purposes:
        return Reason.PURPOSE
    if key in asked.basis.owners:
        return Stands(outside=False)
    mine = [each for each in asked.basis.openings if _concerns(asked, each)]
    running = next((each for each in mine if each.opened <= asked.now < each.ends), None)
    if running is None:
        return Reason.SOS_CLOSED if mine else Reason.NO_BASIS
    return Stands(outside=False, ref=running.id, ends=running.ends, opened=running.opened)


# C


def consent(asked: Asked, cell: Cell) -> Stands | Reason:
    """A grant of the household's; of several the one that lasts longest."""
    found = [_by_grant(asked, cell, each) for each in asked.basis.grants]
    holding = [each for each in found if isinstance(each, Stands)]
    if holding:
        return max(holding, key=lambda each: each.ends or 0)
    why = [each for each in found if isinstance(each, Reason) and each is not Reason.NO_BASIS]
    return why[0] if why else Reason.NO_BASIS


def _by_grant(asked: Asked, cell: Cell, grant: GrantFacts) -> Stands | Reason:
    terms = grant.terms
    if terms.kind is GrantKind.SOS or not _is_for(asked.subject, grant):
        return Reason.NO_BASIS
    if asked.camera.id not in terms.cameras:
        return Reason.NO_BASIS
    if (why := _unsound(asked, grant) or _beyond_cell(asked, cell, grant)) is not None:
        return why
    code = covers(
        terms,
        camera=asked.camera.id,
        action=asked.action,
        purpose=asked.purpose,
        now=asked.now,
        footage=asked.basis.footage,
    )
    if code is not None:
        return Reason(code.value)
    inside = asked.subject.key in asked.basis.members
    return Stands(outside=not inside, ref=grant.id, ends=terms.until, grant=grant.text)


def _unsound(asked: Asked, grant: GrantFacts) -> Reason | None:
    if not grant.chain_holds:
        return Reason.CHAIN
    if grant.status is not GrantStatus.VALID:
        return Reason.STOPPED
    if grant.terms.until <= asked.now:
        return Reason.EXPIRED
    return None if grant.fresh else Reason.STALE


def _beyond_cell(asked: Asked, cell: Cell, grant: GrantFacts) -> Reason | None:
    """What the cell says besides C."""
    terms = grant.terms
    if cell.only is Only.CLIP and asked.action is not Action.CLIP:
        return Reason.CLIP_ONLY
    if cell.only is Only.DAY and terms.until - terms.not_before > DAY_MS:
        return Reason.CLASS
    if asked.camera.camera_class is CameraClass.H_IN and not grant.filmed_consented:
        return Reason.PATIENT
    if asked.action in FOOTAGE:
        return _footage(asked, terms.footage)
    return None


def _footage(asked: Asked, allowed: tuple[int, int] | None) -> Reason | None:
    said = asked.basis.footage
    if said is None or not said[0] < said[1] or said[1] - said[0] > LONGEST_FOOTAGE:
        return Reason.WINDOW
    if allowed is not None and not allowed[0] <= said[0] < said[1] <= allowed[1]:
        return Reason.WINDOW
    return None


def _is_for(subject: Subject, grant: GrantFacts) -> bool:
    return grant.terms.recipient.names(
        issuer=subject.issuer, person=subject.id, unit=subject.unit, roles=subject.roles
    )


def _is_family(asked: Asked, grant: GrantFacts) -> bool:
    return grant.terms.kind is GrantKind.FAMILY and _is_for(asked.subject, grant)


# S


def opening(asked: Asked, cell: Cell) -> Stands | Reason:
    """An SOS or a documented emergency that is open to the subject."""
    mine = [each for each in asked.basis.openings if _concerns(asked, each)]
    answers = [_by_opening(asked, cell, each) for each in mine]
    holding = [each for each in answers if isinstance(each, Stands)]
    if holding:
        return max(holding, key=lambda each: each.ends or 0)
    return next((each for each in answers if isinstance(each, Reason)), Reason.NO_BASIS)


def _concerns(asked: Asked, each: OpeningFacts) -> bool:
    return asked.camera.id in each.cameras


def _by_opening(asked: Asked, cell: Cell, each: OpeningFacts) -> Stands | Reason:
    if (why := next(_against_opening(asked, cell, each), None)) is not None:
        return why
    return Stands(outside=True, ref=each.id, ends=each.ends, opened=each.opened, grant=each.grant)


def _against_opening(asked: Asked, cell: Cell, each: OpeningFacts) -> Iterator[Reason]:
    subject, emergency = asked.subject, each.kind is OpeningKind.EMERGENCY
    if emergency and asked.camera.camera_class is not CameraClass.H_OUT:
        yield Reason.CLASS  # never H-IN (PRM-7)
    listed = subject.key in each.people
    if not listed and (cell.only is Only.HELPER or (subject.unit or "") not in each.units):
        yield Reason.NOT_RESPONDER
    if cell.only is Only.ESCALATED and not each.escalated:
        yield Reason.NOT_RESPONDER
    if not each.opened <= asked.now < each.ends:
        yield Reason.SOS_CLOSED
    if asked.action not in SEEN_IN_SOS:
        yield Reason.ACTION
    if asked.purpose is not (Purpose.EMERGENCY if emergency else Purpose.SOS):
        yield Reason.PURPOSE


# R


def request(asked: Asked, _cell: Cell) -> Stands | Reason:
    """An approved request: stored clips only, within its window, until its return date."""
    about = [each for each in _requests(asked) if asked.camera.id in each.cameras]
    if not about:
        return Reason.NO_BASIS
    answers = [_by_request(asked, each) for each in about]
    holding = [each for each in answers if isinstance(each, Stands)]
    return holding[0] if holding else next(a for a in answers if isinstance(a, Reason))


def _requests(asked: Asked) -> list[RequestFacts]:
    """Those that the subject has a part in."""
    key = asked.subject.key
    return [each for each in asked.basis.requests if key in each.officers | {each.requester}]


def _by_request(asked: Asked, each: RequestFacts) -> Stands | Reason:
    if (why := next(_against_request(asked, each), None)) is not None:
        return why
    return Stands(outside=True, ref=each.id, ends=each.return_by)


def _against_request(asked: Asked, each: RequestFacts) -> Iterator[Reason]:
    if asked.action not in BY_REQUEST:
        yield Reason.CLIP_ONLY
    if (why := _unapproved(each)) is not None:
        yield why
    if each.return_by <= asked.now:
        yield Reason.EXPIRED
    if asked.purpose is not Purpose.CASE:
        yield Reason.PURPOSE
    if (reason := _footage(asked, (each.begin, each.end))) is not None:
        yield reason
    if asked.action is Action.EXPORT and asked.subject.key in (each.requester, each.approver):
        yield Reason.SELF_APPROVAL  # requester, approver and exporter are three (PRM-11)


def _unapproved(each: RequestFacts) -> Reason | None:
    if len(each.officers) < 2:
        return Reason.NEED_TWO
    if each.approver is not None and each.approver in each.officers | {each.requester}:
        return Reason.SELF_APPROVAL
    if not each.noticed:
        return Reason.NO_NOTICE
    if each.end - each.begin > LONGEST_FOOTAGE:
        return Reason.WINDOW
    if not each.approved or each.approver is None or not each.approver_fits:
        return Reason.NOT_APPROVED
    return None


# D


def duty(asked: Asked, _cell: Cell) -> Stands | Reason:
    """On shift for a public place that the unit looks after, with a reason in words."""
    why, shift = next(_against_duty(asked), None), asked.basis.shift
    if why is not None or shift is None:
        return why or Reason.NO_SHIFT
    return Stands(outside=True, ref=shift.id, ends=shift.ends)


def _against_duty(asked: Asked) -> Iterator[Reason]:
    camera, subject, shift = asked.camera, asked.subject, asked.basis.shift
    if not camera.camera_class.public:
        yield Reason.CLASS
    if not _in_scope(subject, camera):
        yield Reason.SCOPE
    if shift is None or shift.unit != subject.unit or shift.ends <= asked.now:
        yield Reason.NO_SHIFT
    if asked.action not in ON_DUTY:
        yield Reason.ACTION
    if asked.purpose not in DUTY_PURPOSES:
        yield Reason.PURPOSE
    if not asked.basis.reason.strip():
        yield Reason.NO_REASON
    if asked.action in FOOTAGE and (outside := _footage(asked, None)) is not None:
        yield outside


def _in_scope(subject: Subject, camera: CameraFacts) -> bool:
    """The camera is the unit's own, or stands in the place that it answers for."""
    if subject.unit is not None and subject.unit == camera.unit:
        return True
    return bool(subject.place) and camera.place.startswith(subject.place or "")


# M, A, and acts that concern a camera


def metadata(asked: Asked, cell: Cell) -> Stands | Reason:
    """Online or not, and why; of the subject's own place, or of what it may see at the moment."""
    inside = asked.subject.key in asked.basis.members
    if asked.action is not Action.HEALTH:
        return Reason.ACTION
    if inside:
        return Stands(outside=False)
    if not _in_scope(asked.subject, asked.camera):
        return Reason.SCOPE
    if cell.only is Only.SR_CAMERAS and not _seen_by_law(asked):
        return Reason.NO_BASIS
    return Stands(outside=True)


def _seen_by_law(asked: Asked) -> bool:
    running = any(
        _concerns(asked, each) and each.opened <= asked.now < each.ends
        for each in asked.basis.openings
    )
    approved = any(each.approved and asked.camera.id in each.cameras for each in _requests(asked))
    return running or approved


def counts(_asked: Asked, _cell: Cell) -> Stands | Reason:
    """Only sums over many cameras, which no permit for one is needed for."""
    return Reason.COUNTS_ONLY


def may(asked: Asked, cell: Cell) -> Stands | Reason:
    """Settings with the owner present; never a picture. Acts without a camera: `decide_act`."""
    if asked.action is not Action.CONFIG or cell.only is not Only.OWNER_PRESENT:
        return Reason.NO_BASIS
    if not _in_scope(asked.subject, asked.camera):
        return Reason.SCOPE
    return Stands(outside=True) if asked.basis.reason.strip() else Reason.NO_REASON
