"""Queries about units: sync, no HTTP."""

from sqlmodel import Session, col, select

from village_hub.catalogue.staff_models import Unit
from village_hub.catalogue.staff_rows import UnitKind, UnitRow


def add(session: Session, unit: Unit) -> UnitRow:
    session.add(unit)
    session.flush()
    return row_of(unit)


def find(session: Session, unit_id: str) -> UnitRow | None:
    """None also when it was removed."""
    row = session.get(Unit, unit_id)
    return row_of(row) if row and row.removed is None else None


def everything(session: Session, after: str = "", limit: int | None = None) -> list[UnitRow]:
    """Those that are not removed, by id, from behind `after`."""
    query = select(Unit).where(col(Unit.removed).is_(None), Unit.id > after).order_by(col(Unit.id))
    return [row_of(row) for row in session.exec(query.limit(limit))]


def remove(session: Session, unit_id: str, now: int) -> None:
    """Its appointments and shifts then rest on nothing."""
    if row := session.get(Unit, unit_id):
        row.removed = now


def row_of(row: Unit) -> UnitRow:
    gone = row.removed is not None
    return UnitRow(row.id, UnitKind(row.kind), row.name, row.place, row.parent_id, gone)
