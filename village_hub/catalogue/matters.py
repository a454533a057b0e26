"""Queries about matters and holds: sync, no HTTP, no rules. Documents are kept as the text they are
given as; `cases/desk.py` knows what is in them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, delete, func, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from village_hub.access.facts import PersonKey
from village_hub.catalogue.case_models import (
    HoldRecord,
    MatterCamera,
    MatterHousehold,
    MatterRecord,
    MatterStep,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterRow:
    """A matter as it is kept; times are UTC ms."""

    id: str
    kind: str
    state: str
    issuer: str
    asker: str
    unit: str | None
    household: str | None
    place: str
    incident: str
    opened: int
    due: int | None
    closed: int | None
    version: int
    document: str


@dataclass(frozen=True, slots=True)
class StepRow:
    seq: int
    act: str
    by: str
    said: str
    state: str
    utc_ms: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    id: str
    matter: str
    kind: str
    camera: str | None
    place: str | None
    area: str | None
    begin: int
    end: int
    until: int


CameraRows = Iterable[tuple[str, int, int, str]]
"""(camera, begin, end, state)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a list, newest first: `after` is the id of the last one seen."""

    kinds: Collection[str]
    limit: int
    after: str | None = None
    open_only: bool = False


def find(session: Session, matter_id: str) -> MatterRow | None:
    row = session.get(MatterRecord, matter_id)
    return _row(row) if row else None


def add(session: Session, row: MatterRow) -> None:
    session.add(
        MatterRecord(
            id=row.id,
            kind=row.kind,
            state=row.state,
            issuer=row.issuer,
            asker_id=row.asker,
            unit_id=row.unit,
            household_id=row.household,
            place=row.place,
            incident=row.incident,
            opened=row.opened,
            due=row.due,
            closed=row.closed,
            version=row.version,
            document=row.document,
        )
    )
    session.flush()


def keep(session: Session, row: MatterRow) -> bool:
    """Keep the version `row.version`. False, and nothing kept, unless the last one kept was the one
    before: somebody else was quicker."""
    same = and_(col(MatterRecord.id) == row.id, col(MatterRecord.version) == row.version - 1)
    values = {
        "state": row.state,
        "due": row.due,
        "closed": row.closed,
        "version": row.version,
        "document": row.document,
    }
    return session.exec(update(MatterRecord).where(same).values(values)).rowcount == 1


def set_cameras(session: Session, matter_id: str, cameras: CameraRows) -> None:
    session.exec(delete(MatterCamera).where(col(MatterCamera.matter_id) == matter_id))
    for camera, begin, end, state in cameras:
        session.add(
            MatterCamera(matter_id=matter_id, camera_id=camera, begin=begin, end=end, state=state)
        )
    session.flush()


def set_households(session: Session, matter_id: str, households: Mapping[str, int]) -> None:
    session.exec(delete(MatterHousehold).where(col(MatterHousehold.matter_id) == matter_id))
    for household, since in households.items():
        session.add(MatterHousehold(matter_id=matter_id, household_id=household, knows_from=since))
    session.flush()


def add_step(session: Session, matter_id: str, step: StepRow) -> None:
    session.add(
        MatterStep(
            matter_id=matter_id,
            seq=step.seq,
            act=step.act,
            by=step.by,
            said=step.said,
            state=step.state,
            utc_ms=step.utc_ms,
        )
    )


def steps(session: Session, matter_id: str) -> list[StepRow]:
    query = select(MatterStep).where(MatterStep.matter_id == matter_id)
    return [
        StepRow(row.seq, row.act, row.by, row.said, row.state, row.utc_ms)
        for row in session.exec(query.order_by(col(MatterStep.seq)))
    ]


def due(session: Session, now: int, limit: int) -> list[str]:
    """Ids of those whose time is up, the longest overdue first."""
    query = select(MatterRecord).where(col(MatterRecord.due) <= now)
    found = session.exec(query.order_by(col(MatterRecord.due)).limit(limit))
    return [row.id for row in found]


def of_unit(session: Session, issuer: str, unit: str, wanted: Wanted) -> list[MatterRow]:
    """What somebody of this unit asked."""
    query = _wanted(wanted).where(MatterRecord.issuer == issuer, col(MatterRecord.unit_id) == unit)
    return _rows(session, query)


def of_villager(
    session: Session, person: PersonKey, households: Collection[str], now: int, wanted: Wanted
) -> list[MatterRow]:
    """What this person asked, not on duty, or what concerns one of these households."""
    issuer, name = person
    asked = and_(
        col(MatterRecord.issuer) == issuer,
        col(MatterRecord.asker_id) == name,
        col(MatterRecord.unit_id).is_(None),
    )
    return _rows(session, _wanted(wanted).where(or_(asked, _concerning(households, now))))


def of_households(
    session: Session, households: Collection[str], now: int, wanted: Wanted
) -> list[MatterRow]:
    """What concerns one of these households, and what they may know by now."""
    return _rows(session, _wanted(wanted).where(_concerning(households, now)))


def _concerning(households: Collection[str], now: int) -> ColumnElement[bool]:
    theirs = select(MatterHousehold.matter_id).where(
        col(MatterHousehold.household_id).in_(households),
        col(MatterHousehold.knows_from) <= now,
    )
    return col(MatterRecord.id).in_(theirs)


def in_place(session: Session, place: str, wanted: Wanted) -> list[MatterRow]:
    """Those within the administrative place."""
    query = _wanted(wanted).where(col(MatterRecord.place).startswith(place, autoescape=True))
    return _rows(session, query)


def everything(session: Session, wanted: Wanted) -> list[MatterRow]:
    return _rows(session, _wanted(wanted))


def about_camera(session: Session, camera: str, kind: str) -> list[MatterRow]:
    """Matters of this kind that name the camera and are not over."""
    return about_cameras(session, {camera}, kind)


def about_cameras(session: Session, cameras: Collection[str], kind: str) -> list[MatterRow]:
    """Those that name one of the cameras."""
    theirs = select(MatterCamera.matter_id).where(col(MatterCamera.camera_id).in_(cameras))
    query = select(MatterRecord).where(
        MatterRecord.kind == kind,
        col(MatterRecord.closed).is_(None),
        col(MatterRecord.id).in_(theirs),
    )
    return _rows(session, query)


def count_nowhere(session: Session, kind: str, state: str) -> int:
    """How many of this kind are in this state and concern no household."""
    query = select(func.count()).where(
        col(MatterRecord.kind) == kind,
        col(MatterRecord.state) == state,
        col(MatterRecord.household_id).is_(None),
    )
    return session.exec(query).one()


def concerns(session: Session, matter_id: str, households: Collection[str], now: int) -> bool:
    """Whether one of these households may know of it by now."""
    query = select(MatterHousehold).where(
        MatterHousehold.matter_id == matter_id,
        col(MatterHousehold.household_id).in_(households),
        col(MatterHousehold.knows_from) <= now,
    )
    return session.exec(query).first() is not None


def add_hold(session: Session, row: HoldRow) -> None:
    session.add(
        HoldRecord(
            id=row.id,
            matter_id=row.matter,
            kind=row.kind,
            camera_id=row.camera,
            place=row.place,
            area=row.area,
            begin=row.begin,
            end=row.end,
            until=row.until,
        )
    )
    session.flush()


def end_holds(session: Session, matter_id: str, now: int) -> None:
    """Of this matter; what has ended before stays as it was."""
    its = update(HoldRecord).where(
        col(HoldRecord.matter_id) == matter_id, col(HoldRecord.until) > now
    )
    session.exec(its.values(until=now))


def prolong_holds(session: Session, matter_id: str, until: int) -> None:
    its = update(HoldRecord).where(
        col(HoldRecord.matter_id) == matter_id, col(HoldRecord.until) < until
    )
    session.exec(its.values(until=until))


def holds(session: Session, now: int) -> list[HoldRow]:
    """Those that hold now."""
    query = select(HoldRecord).where(col(HoldRecord.until) > now).order_by(col(HoldRecord.id))
    return [
        HoldRow(
            row.id,
            row.matter_id,
            row.kind,
            row.camera_id,
            row.place,
            row.area,
            row.begin,
            row.end,
            row.until,
        )
        for row in session.exec(query)
    ]


def _wanted(wanted: Wanted) -> SelectOfScalar[MatterRecord]:
    query = select(MatterRecord).where(col(MatterRecord.kind).in_(wanted.kinds))
    if wanted.after is not None:
        query = query.where(MatterRecord.id < wanted.after)
    if wanted.open_only:
        query = query.where(col(MatterRecord.closed).is_(None))
    return query.order_by(col(MatterRecord.id).desc()).limit(wanted.limit)


def _rows(session: Session, query: SelectOfScalar[MatterRecord]) -> list[MatterRow]:
    return [_row(row) for row in session.exec(query)]


def _row(row: MatterRecord) -> MatterRow:
    return MatterRow(
        id=row.id,
        kind=row.kind,
        state=row.state,
        issuer=row.issuer,
        asker=row.asker_id,
        unit=row.unit_id,
        household=row.household_id,
        place=row.place,
        incident=row.incident,
        opened=row.opened,
        due=row.due,
        closed=row.closed,
        version=row.version,
        document=row.document,
    )
