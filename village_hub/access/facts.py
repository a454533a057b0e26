"""What decisions are made of: frozen values, complete when they are handed over (PRM-1).

`access/basis.py` is the only place that turns rows into them. Times are integer UTC milliseconds of
the owner node's clock; people are (issuer, id), so that an officer of another tier is no special
case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from village_core.grants import GrantStatus, GrantTerms
from village_core.permits import Action, CameraClass, PermitNote, Purpose, Quality, Role

PersonKey = tuple[str, str]
"""(issuer, person id)"""


class Reason(StrEnum):
    """Why not; the codes of requirements.md section 5."""

    NO_BASIS = "no_basis"  # nothing in the table allows it
    PURPOSE = "purpose"  # not for this purpose, or there is no such purpose
    SIGNED_OUT = "signed_out"  # the sign-in, or the appointment, it rested on has ended
    NO_MEDIA = "no_media"  # engineers, auditors and admins see no pictures
    CLASS = "class"  # not for a camera of this class
    ACTION = "action"  # the grant is for another action
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    STOPPED = "stopped"  # the household took it back
    STALE = "stale"  # whether it was taken back cannot be known now
    CHAIN = "chain"  # handed on by somebody who may not
    TIME = "time"  # outside the hours
    PATIENT = "patient"  # the person filmed has not consented (PRM-13)
    NEED_TWO = "need_two"
    SELF_APPROVAL = "self_approval"
    NOT_APPROVED = "not_approved"
    NO_NOTICE = "no_notice"
    WINDOW = "window"
    CLIP_ONLY = "clip_only"
    NO_REASON = "no_reason"
    NO_SHIFT = "no_shift"
    SCOPE = "scope"  # not the unit's place
    SOS_CLOSED = "sos_closed"
    NOT_RESPONDER = "not_responder"
    SECOND = "second"  # a second person has to confirm
    COUNTS_ONLY = "counts_only"
    OBJECTION = "objection"  # sharing pauses (PRM-19)
    MASK = "mask"  # it needs a mask and has none (PRM-19)
    AUDIT = "audit"  # it cannot be written down now (AUD-2)
    UNRECORDED = "unrecorded"  # its place, class, purpose or sign is not on record (CAM-9)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks, from verified claims, never from a row of the local person table."""

    issuer: str  # the hub that signed them in
    id: str
    unit: str | None = None
    roles: frozenset[Role] = frozenset()
    place: str | None = None  # what the unit answers for: a prefix of administrative codes
    name: str = ""
    unit_name: str = ""

    @property
    def key(self) -> PersonKey:
        return self.issuer, self.id


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller says of a look: why, and of what."""

    purpose: Purpose | None = Purpose.OWN_VIEW  # None: a word that is no purpose
    reason: str = ""
    footage: tuple[int, int] | None = None
    second: PersonKey | None = None  # who asked for what this caller confirms


OWN_VIEW = Said()


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What the rules may know of a camera."""

    id: str
    household: str
    camera_class: CameraClass = CameraClass.H_IN
    unit: str | None = None  # of a P camera: who has the duty
    place: str = ""  # administrative code
    withheld: Reason | None = None  # why it is not shared outside its household at all


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant that may concern the subject: verified, with the household's latest word on it."""

    id: str
    terms: GrantTerms
    status: GrantStatus
    fresh: bool = True  # whether that word is recent enough to rest on (IDN-9)
    chain_holds: bool = True
    filmed_consented: bool = True  # the person filmed in an H-IN camera has agreed (PRM-13)
    text: tuple[str, ...] = field(default=(), repr=False)  # the chain as signed, root first


class OpeningKind(StrEnum):
    SOS = "sos"  # PRM-6
    EMERGENCY = "emergency"  # PRM-7


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """An SOS or documented emergency, open or just over."""

    id: str
    kind: OpeningKind
    cameras: frozenset[str]  # the household's SOS set, or what the emergency names
    opened: int
    ends: int
    people: frozenset[PersonKey] = frozenset()  # helpers who are listed, the officer who opened
    units: frozenset[str] = frozenset()  # whose people may respond
    escalated: bool = False  # to the bureau
    grant: tuple[str, ...] = field(default=(), repr=False)  # SOS: the household's standing grant


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """A police request for stored footage (PRM-8)."""

    id: str
    approved: bool
    requester: PersonKey
    officers: frozenset[PersonKey]
    approver: PersonKey | None
    approver_fits: bool  # of the same unit or above
    noticed: bool  # a notice number and its scan are there
    cameras: frozenset[str]
    begin: int  # of the approved footage
    end: int
    return_by: int


@dataclass(frozen=True, slots=True)
class ShiftFacts:
    """The subject's own open shift."""

    id: str
    unit: str
    ends: int


GrantIndex = Mapping[tuple[str, ...], tuple[GrantFacts, ...]]
"""Grants by whom they name first: a person (issuer, id), or a unit (id,)."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What was loaded for this one decision, and what a permit carries besides."""

    decision: str  # its id; a permit's id and the audit entry's
    via: str  # the hub that serves the viewer
    quality: Quality
    sign_in: str | None = None  # the session this rests on; None: it rests on none
    owners: frozenset[PersonKey] = frozenset()  # owners, and members with the owner's delegation
    members: frozenset[PersonKey] = frozenset()
    grants: tuple[GrantFacts, ...] = ()
    openings: tuple[OpeningFacts, ...] = ()
    requests: tuple[RequestFacts, ...] = ()
    shift: ShiftFacts | None = None
    reason: str = ""  # in the subject's words
    footage: tuple[int, int] | None = None  # what of the recordings is asked for
    second: PersonKey | None = None  # who confirmed, where a second person must
    grants_of: GrantIndex = field(init=False, repr=False, compare=False)  # made once, for speed

    def __post_init__(self) -> None:
        object.__setattr__(self, "grants_of", _by_recipient(self.grants))


def _by_recipient(grants: tuple[GrantFacts, ...]) -> GrantIndex:
    found: dict[tuple[str, ...], tuple[GrantFacts, ...]] = {}
    for grant in grants:
        to = grant.terms.recipient
        key = (to.issuer, to.person) if to.person else (to.unit,)
        found[key] = (*found.get(key, ()), grant)
    return found


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
    basis: str  # the code of the matrix
    until: int  # UTC ms by this hub's clock
    outside: bool  # the subject is not of the camera's household
    sign_in: str | None = field(default=None, repr=False)
    ref: str = ""  # the grant, opening, request or shift it stands on
    opened: int = 0  # S: when the opening began
    reason: str = ""
    footage: tuple[int, int] | None = None
    grant: tuple[str, ...] = field(default=(), repr=False)
    shift: ShiftFacts | None = None  # somebody else's hub's word, for who is served there
    owner: str = ""  # the node that gave it, when it is another one than this

    def note(self) -> PermitNote:
        """As it travels to the node that enforces it."""
        subject = self.subject
        return PermitNote(
            id=self.id,
            subject=subject.id,
            issuer=subject.issuer,
            via=self.via,
            camera=self.camera,
            quality=self.quality,
            action=self.action,
            purpose=self.purpose,
            basis=self.basis,
            until=self.until,
            outside=self.outside,
            name=subject.name[:120],
            unit=subject.unit or "",
            unit_name=subject.unit_name[:120],
            roles=tuple(sorted(subject.roles)),
            grant=self.grant,
            opening=self.ref if self.basis == "S" else "",
            opened=self.opened,
            reason=self.reason[:400],
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason
