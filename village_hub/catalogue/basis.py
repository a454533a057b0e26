"""Rows to facts: everything that one decision rests on, in one consistent read.

Each part of the system that gives somebody a basis adds its own source to SOURCES: a function that
returns the fields of `Basis` it knows of. Facts about the camera come from `camera_facts`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from village_core.permits import Quality
from village_hub.access.classes import class_of, withheld
from village_hub.access.facts import Basis, CameraFacts, PersonKey, ShiftFacts, Subject
from village_hub.cases import openings
from village_hub.cases.request_basis import requests_about
from village_hub.catalogue import camera_records, cameras, people, shifts
from village_hub.catalogue.consent import granted, granted_cameras
from village_hub.catalogue.rows import CameraRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who asks about which camera, and what was said with it."""

    decision: str
    subject: Subject
    camera: str
    quality: Quality
    now: int
    sign_in: str | None = None
    reason: str = ""
    footage: tuple[int, int] | None = None
    second: PersonKey | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    camera: CameraFacts
    basis: Basis


Source = Callable[[Session, str, Question, CameraRow], Mapping[str, Any]]
"""(session, this hub's id, question, camera) -> fields of Basis."""


def load(session: Session, hub: str, question: Question) -> Loaded | None:
    """None: there is no such camera."""
    camera = cameras.find(session, question.camera)
    if camera is None:
        return None
    basis = Basis(
        decision=question.decision,
        via=hub,
        quality=question.quality,
        sign_in=question.sign_in,
        reason=question.reason,
        footage=question.footage,
        second=question.second,
    )
    for source in SOURCES:
        basis = replace(basis, **source(session, hub, question, camera))
    return Loaded(camera_facts(session, camera), basis)


def load_all(session: Session, hub: str, questions: Sequence[Question]) -> dict[str, Loaded | None]:
    """By decision id, all of one moment."""
    return {each.decision: load(session, hub, each) for each in questions}


def near(session: Session, hub: str, subject: Subject) -> list[CameraRow]:
    """Cameras that the subject may have something to do with; whether it has, `may_know` says."""
    if subject.roles:
        return cameras.everything(session)
    ids = {name for source in NEAR for name in source(session, hub, subject)}
    return [camera for camera in cameras.everything(session) if camera.id in ids]


def _of_my_households(session: Session, hub: str, subject: Subject) -> Iterable[str]:
    if subject.issuer != hub:
        return ()
    mine = people.households_of(session, subject.id)
    return (camera.id for camera in cameras.of_households(session, tuple(mine)))


Near = Callable[[Session, str, Subject], Iterable[str]]
"""(session, this hub's id, subject) -> ids of cameras."""
NEAR: tuple[Near, ...] = (_of_my_households, granted_cameras)


def camera_facts(session: Session, camera: CameraRow) -> CameraFacts:
    """As its record and its agent's own settings agree on it (CAM-9)."""
    standing = camera_records.standing(session, camera.id)
    return CameraFacts(
        id=camera.id,
        household=camera.household,
        camera_class=class_of(standing.record, of_unit=standing.unit is not None),
        unit=standing.unit,
        place=standing.place,
        withheld=withheld(standing.record),
    )


def _household(
    session: Session, hub: str, _question: Question, camera: CameraRow
) -> Mapping[str, Any]:
    owners = people.owners(session, camera.household)
    members = {row.person for row in people.members(session, camera.household)}
    return {
        "owners": frozenset((hub, owner) for owner in owners),
        "members": frozenset((hub, member) for member in members - owners),
    }


def _shift(session: Session, hub: str, question: Question, _camera: CameraRow) -> Mapping[str, Any]:
    """The subject's own open shift, in the unit that they are here for."""
    subject = question.subject
    if subject.issuer != hub or subject.unit is None:
        return {}
    found = shifts.open_of(session, subject.id, question.now)
    if found is None or found.unit != subject.unit:
        return {}
    return {"shift": ShiftFacts(found.id, found.unit, found.ends)}


def _openings(
    session: Session, _hub: str, question: Question, camera: CameraRow
) -> Mapping[str, Any]:
    return {"openings": openings.of_camera(session, camera.id, question.now)}


def _requests(
    session: Session, _hub: str, question: Question, camera: CameraRow
) -> Mapping[str, Any]:
    """Only police can stand on one."""
    return {"requests": requests_about(session, camera.id)} if question.subject.roles else {}


SOURCES: tuple[Source, ...] = (_household, _shift, _openings, _requests, granted)
