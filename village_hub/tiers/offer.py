"""What the tier above may know of this node's cameras (PRM-2): pure.

Nobody above knows of a camera by standing higher up. So the rule that answers people
(`rules.may_know`) is asked for the parent as a unit on duty, which finds public places, and for
each of its units and people that a household's grant, a call for help or a request names. A camera
of a home is offered for those alone, with their ids, so that the parent shows it to nobody else.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from village_core.grants import GrantStatus
from village_core.permits import CameraClass, Quality, Role
from village_hub.access.facts import (
    Basis,
    CameraFacts,
    GrantFacts,
    OpeningFacts,
    PersonKey,
    RequestFacts,
    ShiftFacts,
    Subject,
)
from village_hub.access.rules import may_know

TOWNSHIP = frozenset({Role.TOWNSHIP, Role.STATION_OFFICER})
BUREAU = frozenset({Role.BUREAU_OFFICER})
VILLAGE_DIGITS = 12  # of an administrative code; what stands behind them names a home
ON_DUTY = "the tier above"  # stands for any unit of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The tier above, as whoever may act for it there."""

    hub: str  # the issuer of those who sign in there
    place: str  # what it answers for: a prefix of administrative codes
    roles: frozenset[Role]  # what its people may be: TOWNSHIP or BUREAU
    units: frozenset[str] = frozenset()  # those of that tier which are known here


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """One camera of this node and what may give somebody above a basis for it."""

    facts: CameraFacts
    name: str  # as its unit calls it
    kind: str  # the kind of place on its record: yard, gate, lane
    grants: tuple[GrantFacts, ...] = ()
    openings: tuple[OpeningFacts, ...] = ()
    requests: tuple[RequestFacts, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A unit of the parent's, or (`person`) one who signs in there."""

    unit: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the parent is told. Of a home's camera: no name that the household gave it, and its
    place down to the village."""

    id: str
    place: str
    name: str
    camera_class: CameraClass
    named: tuple[Named, ...] = ()  # of a home's camera: who alone may know of it


def offer(parent: Parent, cameras: Iterable[Ours], now: int) -> tuple[Offered, ...]:
    """Those that the parent may know of at `now` (UTC ms), in their order."""
    found = (_offered(parent, camera, now) for camera in cameras)
    return tuple(each for each in found if each is not None)


def _offered(parent: Parent, camera: Ours, now: int) -> Offered | None:
    facts = camera.facts
    if facts.camera_class.public:
        who = Named(unit=ON_DUTY)
        return _told(camera, camera.name) if _knows(parent, camera, who, now) else None
    named = tuple(who for who in _named(parent, camera, now) if _knows(parent, camera, who, now))
    return replace(_told(camera, camera.kind), named=named) if named else None


def _told(camera: Ours, name: str) -> Offered:
    facts = camera.facts
    return Offered(
        id=facts.id, place=facts.place[:VILLAGE_DIGITS], name=name, camera_class=facts.camera_class
    )


def _knows(parent: Parent, camera: Ours, who: Named, now: int) -> bool:
    """Whether somebody of that tier, in some role of it and on duty, may know of the camera."""
    return any(
        may_know(subject, camera.facts, now, _basis(camera, subject, now))
        for subject in subjects(parent, who)
    )


def subjects(parent: Parent, who: Named) -> Iterator[Subject]:
    """Whom the rule is asked about: `who` in each role that people of that tier may have."""
    for role in sorted(parent.roles):
        yield Subject(
            issuer=parent.hub,
            id=who.person,
            unit=who.unit or ON_DUTY,
            roles=frozenset({role}),
            place=parent.place,
        )


def _basis(camera: Ours, subject: Subject, now: int) -> Basis:
    """Nobody's household: who is at home here as well is told so at home."""
    return Basis(
        decision="offer",
        via=subject.issuer,
        quality=Quality.SUB,
        grants=camera.grants,
        openings=camera.openings,
        requests=camera.requests,
        shift=ShiftFacts("offer", subject.unit or "", now + 1),
    )


def _named(parent: Parent, camera: Ours, now: int) -> list[Named]:
    """Units and people of the parent's that something which runs at the moment names."""
    grants = {each for grant in camera.grants if _runs(grant, now) for each in _to(parent, grant)}
    openings = [each for each in camera.openings if each.opened <= now < each.ends]
    units = {unit for each in openings for unit in each.units}
    people = {person for each in openings for person in each.people}
    people |= _police(camera.requests, now)
    return sorted(
        {
            *grants,
            *(Named(unit=unit) for unit in units & parent.units),
            *(Named(person=person) for person in _signing_in_at(parent, people)),
        }
    )


def _runs(grant: GrantFacts, now: int) -> bool:
    terms = grant.terms
    return grant.status is GrantStatus.VALID and terms.not_before <= now < terms.until


def _to(parent: Parent, grant: GrantFacts) -> Iterator[Named]:
    to = grant.terms.recipient
    if to.person and to.issuer == parent.hub:
        yield Named(unit=to.unit, person=to.person)
    elif not to.person and to.unit in parent.units:
        yield Named(unit=to.unit)


def _police(requests: Iterable[RequestFacts], now: int) -> set[PersonKey]:
    running = [each for each in requests if each.approved and now < each.return_by]
    return {key for each in running for key in (*each.officers, each.requester)}


def _signing_in_at(parent: Parent, people: Collection[PersonKey]) -> list[str]:
    return [person for issuer, person in people if issuer == parent.hub and person]
