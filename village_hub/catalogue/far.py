"""Queries about matters that other nodes keep, and about units of hubs above: sync, no HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, delete, select

from village_hub.catalogue.far_models import FarMatter, FarParty, FarUnit
from village_hub.catalogue.staff_rows import UnitKind


@dataclass(frozen=True, slots=True)
class Far:
    id: str
    kind: str  # as its path names it
    owner: str
    place: str
    opened: int


@dataclass(frozen=True, slots=True)
class UnitAbove:
    id: str
    hub: str
    kind: UnitKind
    name: str
    place: str  # a prefix of administrative codes


def keep(session: Session, found: Far, holder: str) -> None:
    """Known from now on to a unit, or to a person. A matter does not move to another node."""
    row = session.get(FarMatter, found.id)
    if row is None:
        row = FarMatter(
            id=found.id,
            kind=found.kind,
            owner=found.owner,
            place=found.place,
            opened=found.opened,
        )
        session.add(row)
    if row.owner == found.owner and session.get(FarParty, (found.id, holder)) is None:
        session.add(FarParty(matter=found.id, holder=holder))


def find(session: Session, matter: str) -> Far | None:
    row = session.get(FarMatter, matter)
    return _far(row) if row else None


def of(session: Session, unit: str, person: str, after: str | None, limit: int) -> list[Far]:
    """Those of a unit, and those that a person was told of; the newest first."""
    mine = select(FarParty.matter).where(col(FarParty.holder).in_([unit, person]))
    query = select(FarMatter).where(col(FarMatter.id).in_(mine))
    if after is not None:
        query = query.where(FarMatter.id < after)
    rows = session.exec(query.order_by(col(FarMatter.id).desc()).limit(limit))
    return [_far(row) for row in rows]


def put_units(session: Session, found: Iterable[UnitAbove]) -> None:
    """In place of those that were known."""
    session.exec(delete(FarUnit))
    for each in found:
        row = FarUnit(id=each.id, hub=each.hub, kind=each.kind, name=each.name, place=each.place)
        session.add(row)


def units(session: Session) -> list[UnitAbove]:
    """The nearest first."""
    rows = [
        UnitAbove(row.id, row.hub, UnitKind(row.kind), row.name, row.place)
        for row in session.exec(select(FarUnit).order_by(FarUnit.id))
    ]
    return sorted(rows, key=lambda each: -len(each.place))


def unit(session: Session, unit_id: str) -> UnitAbove | None:
    return next((each for each in units(session) if each.id == unit_id), None)


def _far(row: FarMatter) -> Far:
    return Far(row.id, row.kind, row.owner, row.place, row.opened)
