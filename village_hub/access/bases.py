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
    PersonKey,
    Reason,
    RequestFacts,
    Subject,
)
from village_hub.access.matrix import Cell, Only, Row, rows_of

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


# Asked and Stands are not frozen, which would cost a tenth of a decision; nobody changes them.


@dataclass(slots=True)
class Asked:
    """One question, whole."""

    subject: Subject
    camera: CameraFacts
    action: Action
    purpose: Purpose
    now: int
    basis: Basis
    key: PersonKey  # the subject's
    grants: list[GrantFacts]  # those that name the subject, as a person or by what they hold


@dataclass(slots=True)
class Stands:
    """It holds: on what, until when (None: as long as it is renewed)."""

    outside: bool
    ref: str = ""
    ends: int | None = None
    opened: int = 0
    grant: tuple[str, ...] = field(default=(), repr=False)


def asked_of(
    subject: Subject,
    camera: CameraFacts,
    action: Action,
    purpose: Purpose,
    now: int,
    basis: Basis,
) -> Asked:
    """The question, with what both the rows and the predicates look up."""
    key = subject.key
    return Asked(subject, camera, action, purpose, now, basis, key, _grants(subject, key, basis))


def _grants(subject: Subject, key: PersonKey, basis: Basis) -> list[GrantFacts]:
    of = basis.grants_of
    if not of:
        return []
    near = of.get(key, ())
    if subject.unit:
        near += of.get((subject.unit,), ())
    return [each for each in near if _is_for(subject, each)]


def rows(asked: Asked) -> Iterator[Row]:
    """The rows of the table that the subject stands in: relations first, then roles."""
    basis, roles = asked.basis, asked.subject.roles
    owns = asked.key in basis.owners
    if owns:
        yield Row.OWNER
    if asked.key in basis.members or _is_family(asked):
        yield Row.MEMBER
    if roles:
        yield from rows_of(roles)
    elif not owns:
        yield Row.NEIGHBOUR


def nearest(asked: Asked) -> Reason:
    """Why not, before any cell is asked: what is there but of the wrong kind."""
    if any(asked.camera.id in each.terms.cameras for each in asked.grants):
        return Reason.CLASS  # somebody may, but this row and class have no such cell
    if asked.action not in BY_REQUEST and _its_requests(asked):
        return Reason.CLIP_ONLY
    return Reason.NO_BASIS


# O


def owner(asked: Asked, _cell: Cell) -> Stands | Reason:
    """The household's own, always; a member's share of an SOS too."""
    basis = asked.basis
    owns = asked.key in basis.owners
    if not owns and asked.key not in basis.members:
        return Reason.NO_BASIS
    if asked.purpose not in OWN_PURPOSES and not (basis.openings and asked.purpose is Purpose.SOS):
        return Reason.PURPOSE
    if owns:
        return Stands(outside=False)
    mine = [each for each in basis.openings if _concerns(asked, each)]
    running = next((each for each in mine if each.opened <= asked.now < each.ends), None)
    if running is None:
        return Reason.SOS_CLOSED if mine else Reason.NO_BASIS
    return Stands(outside=False, ref=running.id, ends=running.ends, opened=running.opened)


# C


def consent(asked: Asked, cell: Cell) -> Stands | Reason:
    """A grant of the household's; of several the one that lasts longest, else the first reason."""
    best: Stands | None = None
    why: Reason | None = None
    for grant in asked.grants:
        if grant.terms.kind is GrantKind.SOS or asked.camera.id not in grant.terms.cameras:
            continue
        found = _by_grant(asked, cell, grant)
        if isinstance(found, Reason):
            why = why or found
        elif best is None or (found.ends or 0) > (best.ends or 0):
            best = found
    return best or why or Reason.NO_BASIS


def _by_grant(asked: Asked, cell: Cell, grant: GrantFacts) -> Stands | Reason:
    terms = grant.terms
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
    inside = asked.key in asked.basis.members
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


def _is_family(asked: Asked) -> bool:
    return any(each.terms.kind is GrantKind.FAMILY for each in asked.grants)


# S


def opening(asked: Asked, cell: Cell) -> Stands | Reason:
    """An SOS or a documented emergency that is open to the subject: of several the one that lasts
    longest, else the first reason."""
    best: OpeningFacts | None = None
    why: Reason | None = None
    for each in asked.basis.openings:
        if not _concerns(asked, each):
            continue
        if against := _not_responding(asked, cell, each) or _against_opening(asked, each):
            why = why or against
        elif best is None or each.ends > best.ends:
            best = each
    if best is None:
        return why or Reason.NO_BASIS
    return Stands(outside=True, ref=best.id, ends=best.ends, opened=best.opened, grant=best.grant)


def _concerns(asked: Asked, each: OpeningFacts) -> bool:
    return asked.camera.id in each.cameras


def _not_responding(asked: Asked, cell: Cell, each: OpeningFacts) -> Reason | None:
    camera, subject = asked.camera, asked.subject
    if each.kind is OpeningKind.EMERGENCY and camera.camera_class is not CameraClass.H_OUT:
        return Reason.CLASS  # never H-IN (PRM-7)
    by_unit = cell.only is not Only.HELPER and (subject.unit or "") in each.units
    if not by_unit and asked.key not in each.people:
        return Reason.NOT_RESPONDER
    if cell.only is Only.ESCALATED and not each.escalated:
        return Reason.NOT_RESPONDER
    return None


def _against_opening(asked: Asked, each: OpeningFacts) -> Reason | None:
    if not each.opened <= asked.now < each.ends:
        return Reason.SOS_CLOSED
    if asked.action not in SEEN_IN_SOS:
        return Reason.ACTION
    purpose = Purpose.SOS if each.kind is OpeningKind.SOS else Purpose.EMERGENCY
    return None if asked.purpose is purpose else Reason.PURPOSE


# R


def request(asked: Asked, _cell: Cell) -> Stands | Reason:
    """An approved request: stored clips only, within its window, until its return date."""
    why: Reason | None = None
    for each in _its_requests(asked):
        against = _against_request(asked, each)
        if against is None:
            return Stands(outside=True, ref=each.id, ends=each.return_by)
        why = why or against
    return why or Reason.NO_BASIS


def _takes_part(each: RequestFacts, person: PersonKey) -> bool:
    return person in each.officers or person == each.requester


def _its_requests(asked: Asked) -> list[RequestFacts]:
    """Those about the camera that the subject has a part in."""
    return [
        each
        for each in asked.basis.requests
        if asked.camera.id in each.cameras and _takes_part(each, asked.key)
    ]


def _against_request(asked: Asked, each: RequestFacts) -> Reason | None:
    if asked.action not in BY_REQUEST:
        return Reason.CLIP_ONLY
    if (why := _unapproved(each)) is not None:
        return why
    if each.return_by <= asked.now:
        return Reason.EXPIRED
    if asked.purpose is not Purpose.CASE:
        return Reason.PURPOSE
    if (why := _footage(asked, (each.begin, each.end))) is not None:
        return why
    exporting = asked.action is Action.EXPORT and asked.key in (each.requester, each.approver)
    return Reason.SELF_APPROVAL if exporting else None  # the three are three (PRM-11)


def _unapproved(each: RequestFacts) -> Reason | None:
    if len(each.officers) < 2:
        return Reason.NEED_TWO
    if each.approver is not None and _takes_part(each, each.approver):
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
    camera, subject, shift = asked.camera, asked.subject, asked.basis.shift
    if not camera.camera_class.public:
        return Reason.CLASS
    if not _in_scope(subject, camera):
        return Reason.SCOPE
    if shift is None or shift.unit != subject.unit or shift.ends <= asked.now:
        return Reason.NO_SHIFT
    return _undutiful(asked) or Stands(outside=True, ref=shift.id, ends=shift.ends)


def _undutiful(asked: Asked) -> Reason | None:
    if asked.action not in ON_DUTY:
        return Reason.ACTION
    if asked.purpose not in DUTY_PURPOSES:
        return Reason.PURPOSE
    if not asked.basis.reason.strip():
        return Reason.NO_REASON
    return _footage(asked, None) if asked.action in FOOTAGE else None


def _in_scope(subject: Subject, camera: CameraFacts) -> bool:
    """The camera is the unit's own, or stands in the place that it answers for."""
    if subject.unit is not None and subject.unit == camera.unit:
        return True
    return bool(subject.place) and camera.place.startswith(subject.place or "")


# M, A, and acts that concern a camera


def metadata(asked: Asked, cell: Cell) -> Stands | Reason:
    """Online or not, and why; of the subject's own place, or of what it may see at the moment."""
    inside = asked.key in asked.basis.members
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
    approved = any(each.approved for each in _its_requests(asked))
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
