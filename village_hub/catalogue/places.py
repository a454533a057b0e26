"""Queries about where households are: sync, no HTTP."""

from sqlmodel import Session

from village_hub.catalogue.models import Household


def inside(session: Session, household_id: str, place: str) -> bool:
    """Whether there is such a household, in this place; "" is everywhere."""
    row = session.get(Household, household_id)
    return row is not None and row.place.startswith(place)
