"""Queries about turns of duty: sync, no HTTP. One is open from its start until it ends or is
ended; nobody has to close it."""

from collections.abc import Collection

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, select

from village_hub.catalogue.models import Person
from village_hub.catalogue.staff_models import Shift
from village_hub.catalogue.staff_rows import ShiftRow


def running(now: int) -> ColumnElement[bool]:
    """Of Shift."""
    return and_(col(Shift.ended).is_(None), col(Shift.ends) > now)


def open_of(session: Session, person_id: str, now: int) -> ShiftRow | None:
    query = select(Shift, Person).where(
        running(now), col(Shift.person_id) == person_id, col(Person.id) == col(Shift.person_id)
    )
    found = session.exec(query).first()
    return _row(*found) if found else None


def open_of_each(session: Session, person_ids: Collection[str], now: int) -> dict[str, ShiftRow]:
    """The open shift of each of them who has one."""
    query = select(Shift, Person).where(
        running(now),
        col(Shift.person_id).in_(person_ids),
        col(Person.id) == col(Shift.person_id),
    )
    return {person.id: _row(shift, person) for shift, person in session.exec(query)}


def open_in(session: Session, unit_id: str, now: int) -> list[ShiftRow]:
    query = select(Shift, Person).where(
        running(now), col(Shift.unit_id) == unit_id, col(Person.id) == col(Shift.person_id)
    )
    return [_row(*found) for found in session.exec(query.order_by(col(Shift.id)))]


def all_open(session: Session, now: int) -> list[ShiftRow]:
    query = select(Shift, Person).where(running(now), col(Person.id) == col(Shift.person_id))
    return [_row(*found) for found in session.exec(query.order_by(col(Shift.id)))]


def page(
    session: Session, after: str, limit: int, *, unit: str | None = None, person: str | None = None
) -> list[ShiftRow]:
    """Open and over, by id, from behind `after`."""
    query = select(Shift, Person).where(
        col(Person.id) == col(Shift.person_id), col(Shift.id) > after
    )
    if unit is not None:
        query = query.where(col(Shift.unit_id) == unit)
    if person is not None:
        query = query.where(col(Shift.person_id) == person)
    return [_row(*found) for found in session.exec(query.order_by(col(Shift.id)).limit(limit))]


def start(session: Session, shift: Shift, now: int) -> ShiftRow | None:
    """None, and nothing is changed, when this person has one that is open."""
    if open_of(session, shift.person_id, now) is not None:
        return None
    close(session, shift.person_id, now)  # one that ran out may not have been written down
    session.add(shift)
    session.flush()
    return open_of(session, shift.person_id, now)


def close(session: Session, person_id: str, now: int) -> bool:
    """False when none was open."""
    query = select(Shift).where(col(Shift.person_id) == person_id, col(Shift.ended).is_(None))
    row = session.exec(query).first()
    if row is None:
        return False
    was_running = row.ends > now
    row.ended = min(now, row.ends)
    session.flush()
    return was_running


def _row(row: Shift, person: Person) -> ShiftRow:
    return ShiftRow(
        id=row.id,
        person=row.person_id,
        person_name=person.name,
        unit=row.unit_id,
        appointment=row.appointment_id,
        started=row.started,
        ends=row.ends,
        ended=row.ended,
    )
