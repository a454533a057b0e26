"""Queries about where households are and whose sites they are: sync, no HTTP."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from village_hub.catalogue.models import Household, Membership
from village_hub.catalogue.versions import changed


@dataclass(frozen=True, slots=True)
class HouseholdPlaceRow:
    """`place` is an administrative code, "" while none is on record; `unit`: it is no home, but
    that unit's own site."""

    id: str
    name: str
    place: str
    unit: str | None
    version: int


def find(session: Session, household_id: str) -> HouseholdPlaceRow | None:
    row = session.get(Household, household_id)
    return _row(row) if row else None


def within(session: Session, place: str, after: str, limit: int) -> list[HouseholdPlaceRow]:
    """Those in the place, and those of which no place is on record, by id."""
    here = col(Household.place).startswith(place, autoescape=True) | (col(Household.place) == "")
    query = select(Household).where(here, Household.id > after).order_by(col(Household.id))
    return [_row(row) for row in session.exec(query.limit(limit))]


def put(session: Session, wanted: HouseholdPlaceRow) -> HouseholdPlaceRow:
    """Place and unit; `version` is the one that was read. Raises Stale."""
    row = session.get_one(Household, wanted.id)
    changed(row, wanted.version)
    row.place, row.unit_id = wanted.place, wanted.unit
    session.flush()
    return _row(row)


def is_lived_in(session: Session, household_id: str) -> bool:
    """Whether anybody belongs to it."""
    query = select(Membership.person_id).where(Membership.household_id == household_id)
    return session.exec(query.limit(1)).first() is not None


def _row(row: Household) -> HouseholdPlaceRow:
    return HouseholdPlaceRow(row.id, row.name, row.place, row.unit_id, row.version)
