"""What the rest of the catalogue knows that an auditor looks at, and that is published: counts and
times only."""

import json
from collections.abc import Mapping

from sqlmodel import Session, col, func, or_, select

from village_core.permits import CameraClass
from village_hub.audit.anomalies import Open
from village_hub.audit.summary import Counts
from village_hub.catalogue.audit_keeping import Held
from village_hub.catalogue.camera_models import CameraRecord
from village_hub.catalogue.case_models import MatterHousehold, MatterRecord
from village_hub.catalogue.consent_models import GrantRecord
from village_hub.catalogue.models import Camera
from village_hub.catalogue.notice_models import Notice

REQUEST, EMERGENCY, DISPUTE = "request", "emergency", "log_dispute"  # kinds of matters
OUT = frozenset({"approved", "answered", "expired"})  # a request's states; not "returned"
MET = frozenset({"answered", "returned"})


def opened(session: Session, kind: str, since: int) -> list[Open]:
    """Matters of this kind that were opened since then."""
    query = select(MatterRecord).where(MatterRecord.kind == kind, MatterRecord.opened >= since)
    rows = session.exec(query.order_by(col(MatterRecord.opened), col(MatterRecord.id)))
    return [Open(row.id, row.opened, row.due, row.closed) for row in rows]


def taken(session: Session) -> list[Open]:
    """Requests that were approved and not returned, and by when they should have been."""
    query = select(MatterRecord).where(
        MatterRecord.kind == REQUEST, col(MatterRecord.state).in_(OUT)
    )
    found = [(row, json.loads(row.document)) for row in session.exec(query)]
    return [
        Open(row.id, row.opened, said["terms"]["return_by"])
        for row, said in found
        if said.get("approved") is not None
    ]


def delayed(session: Session, since: int) -> list[Open]:
    """Notices that were held back."""
    query = select(Notice).where(col(Notice.ground).is_not(None), Notice.created >= since)
    rows = session.exec(query.order_by(col(Notice.created), col(Notice.id)))
    return [Open(row.id, row.created, row.release_at) for row in rows]


def open_cases(session: Session) -> Held:
    """What retention leaves alone: households that an open matter concerns, and its number."""
    still_open = select(MatterRecord).where(col(MatterRecord.closed).is_(None))
    rows = session.exec(still_open).all()
    concerned = select(MatterHousehold.household_id).where(
        col(MatterHousehold.matter_id).in_([row.id for row in rows])
    )
    households = {row.household_id for row in rows if row.household_id}
    return Held(
        households=frozenset(households | set(session.exec(concerned))),
        cases=frozenset(row.incident for row in rows if row.incident),
    )


def counts(session: Session, begin: int, end: int) -> Counts:
    """Of a quarter; cameras are those there are now."""
    return Counts(
        cameras=_cameras(session),
        grants=_grants(session, end),
        requests_made=_matters(session, REQUEST, begin, end),
        requests_met=_matters(session, REQUEST, begin, end, MET),
        delays=session.exec(
            select(func.count())
            .select_from(Notice)
            .where(col(Notice.ground).is_not(None), Notice.created >= begin, Notice.created < end)
        ).one(),
        emergencies=_matters(session, EMERGENCY, begin, end),
    )


def _cameras(session: Session) -> Mapping[str, int]:
    """By class; one without a record counts as inside a home, as the permissions have it."""
    query = (
        select(CameraRecord.camera_class, func.count())
        .select_from(Camera)
        .join(CameraRecord, col(CameraRecord.camera_id) == col(Camera.id), isouter=True)
        .where(col(Camera.gone).is_(None))
        .group_by(CameraRecord.camera_class)
    )
    found = dict.fromkeys((each.value for each in CameraClass), 0)
    for camera_class, count in session.exec(query):
        found[camera_class or CameraClass.H_IN.value] += count
    return found


def _grants(session: Session, end: int) -> int:
    """That stood when the quarter ended; of one that is not over, those given until it ends."""
    standing = or_(col(GrantRecord.stopped).is_(None), col(GrantRecord.stopped) >= end)
    query = select(func.count()).select_from(GrantRecord)
    return session.exec(
        query.where(GrantRecord.not_before < end, GrantRecord.until > end, standing)
    ).one()


def _matters(
    session: Session, kind: str, begin: int, end: int, states: frozenset[str] | None = None
) -> int:
    query = (
        select(func.count())
        .select_from(MatterRecord)
        .where(MatterRecord.kind == kind, MatterRecord.opened >= begin, MatterRecord.opened < end)
    )
    if states is not None:
        query = query.where(col(MatterRecord.state).in_(states))
    return session.exec(query).one()
