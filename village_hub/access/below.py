"""Who may know of the cameras that hubs below told of (PRM-2).

Of public places the rule itself answers, by the shift or the duty of who asks. Of homes this hub
has no basis to decide on: the hub that owns the camera did, and named a unit or a person.
"""

from dataclasses import dataclass, replace

from village_core.permits import MEDIALESS, CameraClass
from village_core.troubles import Trouble
from village_hub.access import basis
from village_hub.access.facts import CameraFacts, ShiftFacts, Subject
from village_hub.access.rules import Opens, may_know, opens
from village_hub.catalogue import remote_find, remote_search
from village_hub.catalogue.remote_find import Below
from village_hub.catalogue.remote_search import Asked, RemoteRow, Within
from village_hub.catalogue.store import Session

PUBLIC = (CameraClass.P9, CameraClass.P7)


def search(session: Session, hub: str, subject: Subject, asked: Asked, now: int) -> list[RemoteRow]:
    """A page of those that fit and that the subject may know of."""
    limits = within(session, hub, subject, now)
    if limits is None:
        return []
    return remote_search.search(session, limits, asked, now)


def find(session: Session, hub: str, subject: Subject, camera: str, now: int) -> Below | None:
    """The one of this id; None also when the subject may not know of it."""
    limits = within(session, hub, subject, now)
    return remote_find.visible(session, limits, camera) if limits else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One camera below as somebody may know of it. `opens`: what its hub is likely to allow them to
    look at it for; it decides itself, and for a home's camera it alone knows."""

    row: Below
    online: bool
    trouble: Trouble | None
    opens: tuple[Opens, ...]


def show(session: Session, hub: str, subject: Subject, camera: str, now: int) -> Shown | None:
    """None: there is none, or the subject may not know of it."""
    row = find(session, hub, subject, camera, now)
    if row is None:
        return None
    online, trouble = remote_find.state(session, row)
    facts = CameraFacts(id=row.id, household="", camera_class=row.camera_class, place=row.place)
    standing = basis.on_duty(session, hub, subject, now)
    likely = opens(subject, facts, now, standing) if row.camera_class.public else ()
    return Shown(row, online, trouble, likely)


def shift(session: Session, hub: str, subject: Subject, now: int) -> ShiftFacts | None:
    """The one that the subject is on, in the unit that they are here for."""
    return basis.on_duty(session, hub, subject, now).shift


def within(session: Session, hub: str, subject: Subject, now: int) -> Within | None:
    """None: of no camera at all. Nobody knows of one outside the place that their unit is for."""
    if not subject.roles or not subject.place or subject.issuer != hub:
        return None
    standing = basis.on_duty(session, hub, subject, now)
    example = CameraFacts(id="", household="", camera_class=CameraClass.P9, place=subject.place)
    named = MEDIALESS.isdisjoint(subject.roles)  # who sees no pictures is named by no household
    return Within(
        place=subject.place,
        classes=frozenset(
            each
            for each in PUBLIC
            if may_know(subject, replace(example, camera_class=each), now, standing)
        ),
        unit=(subject.unit or "") if named else "",
        person=subject.id if named else "",
    )
