"""Rows to facts: everything that decisions rest on, in one consistent read.

Each part of the system that gives somebody a basis adds its own source to SOURCES: a function that
returns the fields of `Basis` it knows of, for many questions at once and with as many queries as
for one. Facts about cameras come from `camera_facts`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from village_core.permits import Quality
from village_hub.access.classes import class_of, withheld
from village_hub.access.facts import Basis, CameraFacts, ShiftFacts, Subject
from village_hub.access.questions import Fields, Looked, Question, Source
from village_hub.cases import openings
from village_hub.cases.request_basis import requests_about
from village_hub.catalogue import camera_records, cameras, people, shifts
from village_hub.catalogue.camera_records import Standing
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session
from village_hub.consent.standing import granted, granted_cameras


@dataclass(frozen=True, slots=True)
class Loaded:
    camera: CameraFacts
    basis: Basis


def load(session: Session, hub: str, question: Question) -> Loaded | None:
    """None: there is no such camera."""
    return load_all(session, hub, [question])[question.decision]


def load_all(session: Session, hub: str, questions: Sequence[Question]) -> dict[str, Loaded | None]:
    """By decision id, all of one moment; None where there is no such camera."""
    there = cameras.some(session, {each.camera for each in questions})
    asked = [(each, there[each.camera]) for each in questions if each.camera in there]
    facts = camera_facts(session, there.values())
    columns = [source(session, hub, asked) for source in SOURCES] if asked else []
    found: dict[str, Loaded | None] = {each.decision: None for each in questions}
    for (question, camera), *fields in zip(asked, *columns, strict=True):
        found[question.decision] = Loaded(facts[camera.id], _basis(hub, question, fields))
    return found


def _basis(hub: str, question: Question, fields: Sequence[Fields]) -> Basis:
    said = {"shift": question.shift} if question.shift else {}
    return Basis(
        decision=question.decision,
        via=question.via or hub,
        quality=question.quality,
        sign_in=question.sign_in,
        reason=question.reason,
        footage=question.footage,
        second=question.second,
        **{name: value for each in (*fields, said) for name, value in each.items()},
    )


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


def camera_facts(session: Session, rows: Iterable[CameraRow]) -> dict[str, CameraFacts]:
    """By id: as their records and their agents' own settings agree on them (CAM-9)."""
    known = {row.id: row for row in rows}
    standings = camera_records.standings(session, known)
    return {name: _facts(row, standings[name]) for name, row in known.items()}


def _facts(camera: CameraRow, standing: Standing) -> CameraFacts:
    return CameraFacts(
        id=camera.id,
        household=camera.household,
        camera_class=class_of(standing.record, of_unit=standing.unit is not None),
        unit=standing.unit,
        place=standing.place,
        withheld=withheld(standing.record),
    )


def _household(session: Session, hub: str, asked: Looked) -> Iterable[Fields]:
    ties = people.ties(session, {camera.household for _, camera in asked})
    facts = {
        home: {
            "owners": frozenset((hub, owner) for owner in owners),
            "members": frozenset((hub, member) for member in members),
        }
        for home, (owners, members) in ties.items()
    }
    return [facts.get(camera.household, {}) for _, camera in asked]


def _shift(session: Session, hub: str, asked: Looked) -> Iterable[Fields]:
    """The subject's own open shift, in the unit that they are here for."""
    ours = {each.subject.id for each, _ in asked if _on_duty_here(each.subject, hub)}
    now = max(each.now for each, _ in asked)
    found = shifts.open_of_each(session, ours, now) if ours else {}
    for question, _ in asked:
        shift = found.get(question.subject.id)
        if (
            shift is None
            or not _on_duty_here(question.subject, hub)
            or shift.unit != question.subject.unit
        ):
            yield {}
        else:
            yield {"shift": ShiftFacts(shift.id, shift.unit, shift.ends)}


def on_duty(session: Session, hub: str, subject: Subject, now: int) -> Basis:
    """Their own open shift and nothing else: all that a hub knows of who looks below it."""
    basis = Basis(decision="below", via=hub, quality=Quality.SUB)
    found = shifts.open_of_each(session, {subject.id}, now) if _on_duty_here(subject, hub) else {}
    shift = found.get(subject.id)
    if shift is None or shift.unit != subject.unit:
        return basis
    return replace(basis, shift=ShiftFacts(shift.id, shift.unit, shift.ends))


def _on_duty_here(subject: Subject, hub: str) -> bool:
    return subject.issuer == hub and subject.unit is not None


def _openings(session: Session, _hub: str, asked: Looked) -> Iterable[Fields]:
    now = max(each.now for each, _ in asked)
    found = openings.of_cameras(session, {camera.id for _, camera in asked}, now)
    return [{"openings": found.get(camera.id, ())} for _, camera in asked]


def _requests(session: Session, _hub: str, asked: Looked) -> Iterable[Fields]:
    """Only police can stand on one."""
    theirs = {camera.id for question, camera in asked if question.subject.roles}
    found = requests_about(session, theirs) if theirs else {}
    return [
        {"requests": found.get(camera.id, ())} if question.subject.roles else {}
        for question, camera in asked
    ]


SOURCES: tuple[Source, ...] = (_household, _shift, _openings, _requests, granted)
