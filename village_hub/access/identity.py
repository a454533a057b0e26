"""Callers: who a request comes from, as its verified credentials say and nothing else does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from village_core.exchange import Look
from village_core.permits import Action, Purpose, Quality
from village_core.tokens import Claims, TokenError
from village_core.trust import read_roles
from village_hub.access.facts import Subject
from village_hub.catalogue.rows import Capacity, HubRow, NodeRow, PersonRow
from village_hub.catalogue.staff_rows import AppointmentRow

H = TypeVar("H", bound=Callable[..., object])
PUBLISH = "publish "  # how the credential of a publish token begins
KIOSK = "kiosk"  # client_id of an access token that a shared screen was given
ADMITS = "_admits"  # the mark that `admits` leaves on a handler


@dataclass(frozen=True, slots=True)
class PersonCaller:
    """Somebody signed in here: by cookie, or by an access token made from that session."""

    subject: Subject
    sign_in: str
    kiosk: bool = False  # a screen that they opened for their shift; others stand before it too

    @property
    def capacity(self) -> Capacity:
        return Capacity.DUTY if self.subject.roles else Capacity.HOUSEHOLD

    @property
    def credential(self) -> str:
        return _person(self.subject)


@dataclass(frozen=True, slots=True)
class MediaCaller:
    """Holds a media token: may open one kind of session on one camera."""

    subject: Subject
    sign_in: str
    camera: str
    action: Action
    purpose: Purpose = Purpose.OWN_VIEW
    reason: str = ""

    @property
    def credential(self) -> str:
        return _person(self.subject)


@dataclass(frozen=True, slots=True)
class NodeCaller:
    """An enrolled agent."""

    node: NodeRow


@dataclass(frozen=True, slots=True)
class HubCaller:
    """A hub of the tier below that has joined."""

    hub: HubRow


@dataclass(frozen=True, slots=True)
class TicketCaller:
    """Holds a ticket of ours: to push (`quality` and `push` given), or to upload."""

    id: str
    camera: str
    push: str  # the push's id, or the upload's
    action: Action
    quality: Quality | None
    expires_at: int = field(repr=False)  # UTC s

    @property
    def credential(self) -> str:
        return f"ticket {self.id}"


@dataclass(frozen=True, slots=True)
class PublishCaller:
    """Holds a push camera's publish token."""

    token: str  # its id, not itself
    camera: str

    @property
    def credential(self) -> str:
        return f"{PUBLISH}{self.token}"


@dataclass(frozen=True, slots=True)
class LookCaller:
    """Somebody of another hub, by an exchanged token that is good for one look and came with it."""

    subject: Subject
    look: Look


Caller = PersonCaller | MediaCaller | NodeCaller | HubCaller | TicketCaller | PublishCaller
Pusher = TicketCaller | PublishCaller


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a route is for; `expired_ok` where a token that has ended may still name what it
    opened (MED-3)."""

    kinds: tuple[type, ...] = (PersonCaller,)
    expired_ok: bool = False


def admits(*kinds: type, expired_ok: bool = False) -> Callable[[H], H]:
    """Mark a handler with the callers it is for; unmarked ones are for people signed in."""

    def mark(handler: H) -> H:
        setattr(handler, ADMITS, Admission(kinds, expired_ok))
        return handler

    return mark


def admission(request: web.Request) -> Admission:
    return admission_of(request.match_info.handler)


def admission_of(handler: object) -> Admission:
    marked: Admission = getattr(handler, ADMITS, Admission())
    return marked


def subject_of_sign_in(hub: str, who: PersonRow, duty: AppointmentRow | None) -> Subject:
    """Somebody signed in at this hub, which is then their issuer; with the appointment that a
    session on duty stands on."""
    if duty is None:
        return Subject(issuer=hub, id=who.id, name=who.name)
    return Subject(
        issuer=hub,
        id=who.id,
        unit=duty.unit,
        roles=frozenset({duty.role}),
        place=duty.place,
        name=who.name,
        unit_name=duty.unit_name,
    )


def subject_of_claims(claims: Claims) -> Subject:
    """Raises TokenError when a claim has the wrong form. Roles are those of one unit: a token that
    says only one of the two is of no capacity."""
    unit, roles = _optional(claims, "unit"), read_roles(claims)
    if bool(unit) is not bool(roles):
        raise TokenError("claim_missing")
    return Subject(
        issuer=claims.issuer,
        id=claims.subject,
        unit=unit,
        roles=roles,
        place=_optional(claims, "place"),
        name=_optional(claims, "name") or "",
        unit_name=_optional(claims, "unit_name") or "",
    )


def claims_of(subject: Subject) -> dict[str, object]:
    """The reverse: what a token of ours says of its subject besides its id (RFC 9068)."""
    said = {
        "unit": subject.unit,
        "place": subject.place,
        "roles": sorted(role.value for role in subject.roles),
        "name": subject.name,
        "unit_name": subject.unit_name,
    }
    return {name: value for name, value in said.items() if value}


def _optional(claims: Claims, name: str) -> str | None:
    return claims.text(name) if name in claims.more else None


def _person(subject: Subject) -> str:
    return f"person {subject.issuer} {subject.id}"
