"""Queries about matters that other nodes keep: sync, no HTTP."""

from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from village_hub.catalogue.far_models import FarMatter


@dataclass(frozen=True, slots=True)
class Far:
    id: str
    kind: str
    owner: str
    place: str
    opened: int


def keep(
    session: Session, found: Far, *, unit: str | None = None, person: str | None = None
) -> None:
    """Known from now on to a unit, and to a person. A matter does not move to another node."""
    row = session.get(FarMatter, found.id)
    if row is None:
        row = FarMatter(
            id=found.id,
            kind=found.kind,
            owner=found.owner,
            place=found.place,
            opened=found.opened,
        )
    if row.owner != found.owner:
        return
    row.unit, row.person = row.unit or unit, row.person or person
    session.add(row)


def find(session: Session, matter: str) -> Far | None:
    row = session.get(FarMatter, matter)
    return _far(row) if row else None


def of(session: Session, unit: str, person: str, after: str | None, limit: int) -> list[Far]:
    """Those of a unit, and those that a person was told of; the newest first."""
    mine = or_(FarMatter.unit == unit, FarMatter.person == person)
    query = select(FarMatter).where(mine).order_by(col(FarMatter.id).desc()).limit(limit)
    if after is not None:
        query = query.where(FarMatter.id < after)
    return [_far(row) for row in session.exec(query)]


def _far(row: FarMatter) -> Far:
    return Far(row.id, row.kind, row.owner, row.place, row.opened)
