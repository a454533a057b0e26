"""Queries about SOS and emergencies: sync, no HTTP, no rules."""

from collections.abc import Collection

from sqlmodel import Session, col, select

from village_hub.catalogue.case_models import MatterCamera, MatterRecord
from village_hub.catalogue.models import Household, Node

RECENT = 3600 * 1000  # ms: of one that is just over, the refusal says so


def about_cameras(
    session: Session, camera_ids: Collection[str], now: int
) -> list[tuple[str, str, str]]:
    """(camera, kind, document) of the openings that concern these, open or just over."""
    query = (
        select(MatterCamera.camera_id, MatterRecord)
        .join(MatterCamera, col(MatterCamera.matter_id) == col(MatterRecord.id))
        .where(
            col(MatterCamera.camera_id).in_(camera_ids),
            col(MatterCamera.end) > now - RECENT,
            col(MatterRecord.kind).in_(("sos", "emergency")),
        )
    )
    return [(camera, row.kind, row.document) for camera, row in session.exec(query)]


def open_of_household(session: Session, household_id: str) -> str | None:
    """The id of the household's SOS that is open now."""
    query = select(MatterRecord).where(
        MatterRecord.kind == "sos",
        MatterRecord.household_id == household_id,
        col(MatterRecord.state).in_(("open", "renewed")),
    )
    row = session.exec(query.order_by(col(MatterRecord.opened).desc())).first()
    return row.id if row else None


def open_documents(session: Session, now: int) -> list[tuple[str, str]]:
    """(kind, document) of all whose cameras are open now."""
    query = (
        select(MatterRecord)
        .join(MatterCamera, col(MatterCamera.matter_id) == col(MatterRecord.id))
        .where(col(MatterCamera.end) > now, col(MatterRecord.kind).in_(("sos", "emergency")))
        .distinct()
    )
    return [(row.kind, row.document) for row in session.exec(query)]


def household_place(session: Session, household_id: str) -> tuple[str, str] | None:
    """Its name and its place."""
    row = session.get(Household, household_id)
    return (row.name, row.place) if row else None


def households_in(session: Session, place: str) -> list[str]:
    """Ids of the households, no unit's site among them, within the administrative place."""
    query = select(Household.id).where(
        col(Household.place).startswith(place, autoescape=True), col(Household.unit_id).is_(None)
    )
    return list(session.exec(query))


def node_of(session: Session, household_id: str) -> str | None:
    """The household's living box."""
    query = select(Node.id).where(Node.household_id == household_id, col(Node.revoked).is_(None))
    return session.exec(query).first()
