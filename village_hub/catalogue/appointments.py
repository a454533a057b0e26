"""Queries about appointments: sync, no HTTP. One is living from its term's begin to its end, when
two persons made it, nobody ended it, and its person and unit are still there."""

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, select, update

from village_core.permits import Role
from village_hub.catalogue.models import Person
from village_hub.catalogue.staff_models import Appointment, Shift, Unit
from village_hub.catalogue.staff_rows import AppointmentRow


def living(now: int) -> ColumnElement[bool]:
    """Of Appointment, Person and Unit in one row."""
    return and_(
        col(Appointment.person_id) == col(Person.id),
        col(Appointment.unit_id) == col(Unit.id),
        col(Appointment.confirmed).is_not(None),
        col(Appointment.ended).is_(None),
        col(Appointment.begins) <= now,
        col(Appointment.until) > now,
        col(Person.removed).is_(None),
        col(Unit.removed).is_(None),
    )


def add(session: Session, appointment: Appointment) -> None:
    session.add(appointment)
    session.flush()


def find(session: Session, appointment_id: str) -> AppointmentRow | None:
    """Living or not."""
    query = select(Appointment, Person, Unit).where(
        col(Appointment.person_id) == col(Person.id),
        col(Appointment.unit_id) == col(Unit.id),
        col(Appointment.id) == appointment_id,
    )
    found = session.exec(query).first()
    return row_of(*found) if found else None


def find_living(session: Session, appointment_id: str, now: int) -> AppointmentRow | None:
    query = select(Appointment, Person, Unit).where(
        living(now), col(Appointment.id) == appointment_id
    )
    found = session.exec(query).first()
    return row_of(*found) if found else None


def of_person(session: Session, person_id: str, now: int) -> list[AppointmentRow]:
    """Those that live."""
    query = select(Appointment, Person, Unit).where(
        living(now), col(Appointment.person_id) == person_id
    )
    return [row_of(*found) for found in session.exec(query.order_by(col(Appointment.id)))]


def to_come(session: Session, person_id: str, now: int) -> list[AppointmentRow]:
    """Those that live, or will."""
    return [row for row in _not_over(session, now) if row.person == person_id]


def _not_over(session: Session, now: int) -> list[AppointmentRow]:
    query = select(Appointment, Person, Unit).where(
        col(Appointment.person_id) == col(Person.id),
        col(Appointment.unit_id) == col(Unit.id),
        col(Appointment.ended).is_(None),
        col(Appointment.until) > now,
        col(Person.removed).is_(None),
        col(Unit.removed).is_(None),
    )
    return [row_of(*found) for found in session.exec(query)]


def not_over_in_role(session: Session, role: Role, now: int) -> list[AppointmentRow]:
    """Living or to come."""
    return [row for row in _not_over(session, now) if row.role is role]


def any_in(session: Session, unit_id: str, now: int) -> bool:
    """Whether anybody is appointed there now."""
    query = select(Appointment, Person, Unit).where(living(now), col(Unit.id) == unit_id)
    return session.exec(query).first() is not None


def any_ever(session: Session) -> bool:
    """Whether anybody was ever appointed."""
    return session.exec(select(Appointment.id).limit(1)).first() is not None


def page(
    session: Session, after: str, limit: int, *, unit: str | None = None, person: str | None = None
) -> list[AppointmentRow]:
    """All that ever were, by id, from behind `after`."""
    query = select(Appointment, Person, Unit).where(
        col(Appointment.person_id) == col(Person.id),
        col(Appointment.unit_id) == col(Unit.id),
        col(Appointment.id) > after,
    )
    if unit is not None:
        query = query.where(col(Appointment.unit_id) == unit)
    if person is not None:
        query = query.where(col(Appointment.person_id) == person)
    found = session.exec(query.order_by(col(Appointment.id)).limit(limit))
    return [row_of(*each) for each in found]


def end(session: Session, appointment_id: str, by: str, now: int) -> bool:
    """False when it is over already, or never was. Its open shift ends with it."""
    row = session.get(Appointment, appointment_id)
    if row is None or row.ended is not None or row.until <= now:
        return False
    row.ended, row.ended_by, row.version = now, by, row.version + 1
    open_ones = update(Shift).where(
        col(Shift.appointment_id) == appointment_id, col(Shift.ended).is_(None)
    )
    session.exec(open_ones.values(ended=now))
    return True


def row_of(row: Appointment, person: Person, unit: Unit) -> AppointmentRow:
    return AppointmentRow(
        id=row.id,
        person=person.id,
        person_name=person.name,
        unit=unit.id,
        unit_name=unit.name,
        place=unit.place,
        role=Role(row.role),
        begins=row.begins,
        until=row.until,
        appointed_by=row.appointed_by,
        confirmed_by=row.confirmed_by,
        ended=row.ended,
        version=row.version,
    )
