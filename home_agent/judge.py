"""Whether somebody may look, decided at home from what the home itself knows (PRM-21). Pure.

The hub has decided already; this is the second decision, by which it, its administrator or an upper
tier can widen nothing. What is not allowed here is denied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from home_agent.openings import Opening
from village_core.grant_chain import read_chain
from village_core.grant_limits import LIMITS
from village_core.grant_tokens import Grant, GrantError, House
from village_core.grants import GrantKind, GrantTerms, covers
from village_core.permits import MEDIALESS, Action, CameraClass, PermitNote, Purpose
from village_core.uplink import Refused

MINUTE = 60_000
OF_HOUSEHOLD = frozenset({GrantKind.FAMILY})


@dataclass(frozen=True, slots=True)
class Known:
    """What the home knows at this moment."""

    house: House | None  # None: not enrolled
    owners: frozenset[str]  # person ids, signed in by its own hub
    classes: Mapping[str, CameraClass]  # of its own settings
    unmasked: frozenset[str]  # cameras that need a mask and have none (PRM-19)
    grants: Mapping[str, Grant]  # given and not stopped, by id
    stopped: frozenset[str]  # also of grants that somebody handed on
    openings: Mapping[str, Opening]  # open now
    now: int  # UTC ms by the box's clock


@dataclass(frozen=True, slots=True)
class Stands:
    """It holds: until when at most, and on what besides the permit."""

    refs: frozenset[str] = frozenset()  # grants, openings, the owner: with any of them it ends
    grants: tuple[tuple[str, int], ...] = ()  # each grant's id and end, UTC ms by the box's clock
    ends: float | None = field(default=None)  # monotonic, of an opening


def judge(note: PermitNote, action: Action, known: Known) -> Stands:
    """Raises Refused, whose code says why."""
    if known.house is None:
        raise Refused(403, "not_enrolled", "this box is enrolled at no hub")
    if set(note.roles) & MEDIALESS:
        raise Refused(403, "no_media", "engineers, auditors and admins see no pictures")
    rule = RULES.get(note.basis)
    if rule is None:
        raise Refused(403, "no_basis", "nothing that stands behind this permit is known at home")
    found = rule(note, action, known, known.house)
    if note.basis != "O" and note.camera in known.unmasked:
        raise Refused(403, "mask", "this camera needs a mask and has none: it is not shared")
    return found


def _owner(note: PermitNote, _action: Action, known: Known, house: House) -> Stands:
    if note.outside:
        raise Refused(403, "no_grant", "an owner is not outside of the own household")
    if _issuer(note) == house.hub and note.subject in known.owners:
        return Stands(frozenset({note.subject}))
    return _member_in_sos(note, known)


def _member_in_sos(note: PermitNote, known: Known) -> Stands:
    """Whoever is of the family by a grant sees an SOS as the owners do (the table's own cell)."""
    family = next(
        (
            each
            for each in known.grants.values()
            if each.terms.kind in OF_HOUSEHOLD
            and _names(each.terms, note)
            and each.terms.not_before <= known.now < each.terms.until
        ),
        None,
    )
    if family is None:
        raise Refused(403, "unknown_owner", "this person was never confirmed at home as an owner")
    opening = next(
        (
            each
            for each in known.openings.values()
            if each.kind == "sos" and note.camera in each.cameras
        ),
        None,
    )
    if opening is None:
        raise Refused(403, "sos_closed", "a member's own view needs a grant, or an open SOS")
    ends = (family.id, family.terms.until)
    return Stands(frozenset({family.id, opening.id}), (ends,), opening.ends)


def _consent(note: PermitNote, action: Action, known: Known, house: House) -> Stands:
    grant = _chain(note, known, house)
    terms = grant.terms
    if terms.kind is GrantKind.SOS or not _names(terms, note, alone=True):
        raise Refused(403, "wrong_recipient", "this grant is for somebody else")
    _covered(terms, note, action, known)
    _fits_class(terms, note, known)
    ends = _end_of(terms, known.now)
    ids = (*grant.parents, grant.id)
    return Stands(frozenset(ids), tuple((name, ends) for name in ids))


def _chain(note: PermitNote, known: Known, house: House) -> Grant:
    """Verified with the household key, begun by a grant that this home gave, stopped nowhere."""
    if not note.grant:
        raise Refused(403, "no_grant", "the household has granted nothing to anyone outside")
    try:
        grant = read_chain(note.grant, house, known.now)
    except GrantError as error:
        raise Refused(403, error.code, f"the grant is not accepted ({error.code})") from error
    ids = (*grant.parents, grant.id)
    if any(name in known.stopped for name in ids):
        raise Refused(403, "stopped", "the household has stopped this grant")
    root = known.grants.get(ids[0])
    if root is None or root.text[0] != note.grant[0]:
        raise Refused(403, "unknown_grant", "this home has no such grant on its list")
    return grant


def _opening(note: PermitNote, action: Action, known: Known, _house: House) -> Stands:
    opening = known.openings.get(note.opening)
    if opening is None:
        raise Refused(403, "sos_closed", "no such SOS or emergency is open here")
    if note.camera not in opening.cameras:
        raise Refused(403, "no_basis", "this camera is not opened by it")
    if opening.kind == "emergency":
        _emergency(note, action, known)
        return Stands(frozenset({opening.id}), (), opening.ends)
    standing, code = _standing(note, action, known)
    if standing is None:
        raise Refused(403, code, "the household's SOS grant does not name this, or there is none")
    _fits_class(standing.terms, note, known)
    ends = (standing.id, standing.terms.until)
    return Stands(frozenset({opening.id, standing.id}), (ends,), opening.ends)


def _emergency(note: PermitNote, action: Action, known: Known) -> None:
    """PRM-7: an officer or duty person of a unit, own yard and gate only, never inside."""
    if known.classes.get(note.camera) is not CameraClass.H_OUT:
        raise Refused(403, "class", "an emergency opens cameras of yard and gate only")
    if not note.unit or not note.roles:
        raise Refused(403, "not_responder", "an emergency is for people on duty")
    if note.purpose is not Purpose.EMERGENCY or action not in (Action.LIVE, Action.STILL):
        raise Refused(403, "purpose", "an emergency is looked at live, for that purpose")


def _standing(note: PermitNote, action: Action, known: Known) -> tuple[Grant | None, str]:
    """The household's standing SOS grant that covers it; else why not."""
    code = "no_grant"
    for each in known.grants.values():
        if each.terms.kind is not GrantKind.SOS:
            continue
        if not _names(each.terms, note):
            code = "not_responder"
            continue
        why = covers(
            each.terms, camera=note.camera, action=action, purpose=note.purpose, now=known.now
        )
        if why is None:
            return each, ""
        code = why.value
    return None, code


def _duty(note: PermitNote, _action: Action, known: Known, _house: House) -> Stands:
    if not known.classes.get(note.camera, CameraClass.H_IN).public:
        raise Refused(403, "class", "duty is for cameras in public places")
    if not note.unit or not note.roles:
        raise Refused(403, "no_basis", "duty is a unit's")
    return Stands()


def _request(_note: PermitNote, _action: Action, _known: Known, _house: House) -> Stands:
    raise Refused(403, "clip_only", "a request is answered with a clip, never live")


Rule = Callable[[PermitNote, Action, Known, House], Stands]
RULES: Mapping[str, Rule] = {
    "O": _owner,
    "C": _consent,
    "S": _opening,
    "D": _duty,
    "R": _request,
}


def _issuer(note: PermitNote) -> str:
    return note.issuer or note.via


def _names(terms: GrantTerms, note: PermitNote, *, alone: bool = False) -> bool:
    """`alone`: the recipient, not also the responders of an SOS."""
    who = terms.recipient if alone else terms
    return who.names(
        issuer=_issuer(note),
        person=note.subject,
        unit=note.unit or None,
        roles=frozenset(note.roles),
    )


def _covered(terms: GrantTerms, note: PermitNote, action: Action, known: Known) -> None:
    why = covers(terms, camera=note.camera, action=action, purpose=note.purpose, now=known.now)
    if why is not None:
        raise Refused(403, why.value, f"the grant does not cover this ({why.value})")


def _fits_class(terms: GrantTerms, note: PermitNote, known: Known) -> None:
    """By the home's own word on where the camera looks, whatever it was when it was signed."""
    own = known.classes.get(note.camera, CameraClass.H_IN)
    if own.public:
        raise Refused(403, "class", "a camera in a public place is not the household's to share")
    if own is CameraClass.H_OUT:
        return
    inside = LIMITS[terms.kind].inside
    if not terms.sensitive or any(each.role not in inside for each in terms.recipients):
        raise Refused(403, "class", "this camera looks inside the home")
    if LIMITS[terms.kind].filmed and not terms.filmed:
        raise Refused(403, "patient", "nobody in view of this camera has agreed")


def _end_of(terms: GrantTerms, now: int) -> int:
    """Its end, or that of its hours when they end within a permit's life."""
    for ahead in (1, 2):
        at = (now // MINUTE + ahead) * MINUTE
        if terms.hours and not any(each.include(at) for each in terms.hours):
            return min(terms.until, at)
    return terms.until
