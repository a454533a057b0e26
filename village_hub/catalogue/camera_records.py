"""Queries about what is on record of cameras: sync, no HTTP, no events."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session, col, select

from village_core.permits import CameraClass
from village_hub.access.classes import OnRecord, Place, Polygon
from village_hub.catalogue import matters
from village_hub.catalogue.camera_models import CameraRecord
from village_hub.catalogue.models import Camera, Household
from village_hub.catalogue.versions import NEW, Stale, changed

SAME = (
    *("purpose", "installer", "duty", "sign_placed", "mask_needed"),
    *("proposed_by", "proposed"),
)
"""Columns that are what the row value has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    camera: str
    camera_class: CameraClass
    place: Place
    purpose: str
    installer: str
    duty: str
    sign_placed: bool
    mask_needed: bool
    mask: tuple[Polygon, ...]
    proposed_by: str
    proposed: int
    picture_sha256: str | None
    approved_by: str | None
    approved: int | None
    objection: str | None
    version: int


def find(session: Session, camera_id: str) -> RecordRow | None:
    row = session.get(CameraRecord, camera_id)
    return _record_row(row) if row else None


def put(session: Session, record: RecordRow) -> RecordRow:
    """`record.version` is the one that was read, 0 for a first record. What was approved is not any
    more. Raises Stale."""
    row = session.get(CameraRecord, record.camera)
    changed(row, record.version)
    written = {
        **{name: getattr(record, name) for name in SAME},
        "camera_class": record.camera_class.value,
        "place": record.place.value,
        "mask": json.dumps(record.mask),
        "version": record.version + 1,
        **dict.fromkeys(("picture_sha256", "approved_by", "approved")),
    }
    if row is None:
        objections = matters.about_camera(session, record.camera, "objection")
        paused_by = objections[0].id if objections else None  # filed before anything was on record
        row = CameraRecord(camera_id=record.camera, objection=paused_by, **written)
        session.add(row)
    for name, value in written.items():
        setattr(row, name, value)
    session.flush()
    return _record_row(row)


def approve(
    session: Session, camera_id: str, version: int, picture: str, by: str, now: int
) -> RecordRow:
    """Raises Stale when it is not this version that stands there."""
    row = session.get(CameraRecord, camera_id)
    changed(row, version)
    if row is None:
        raise Stale(NEW)
    row.picture_sha256, row.approved_by, row.approved = picture, by, now
    session.flush()
    return _record_row(row)


def pause(session: Session, camera_id: str, objection: str) -> bool:
    """Sharing outside the household pauses; False: there is no record, so nothing is shared."""
    row = session.get(CameraRecord, camera_id)
    if row is not None and row.objection is None:
        row.objection = objection
        row.version += 1
    return row is not None


def resume(session: Session, camera_id: str, objection: str) -> None:
    """The objection is settled. Another one's pause stays."""
    row = session.get(CameraRecord, camera_id)
    if row is not None and row.objection == objection:
        row.objection = None
        row.version += 1


def paused(session: Session) -> dict[str, set[str]]:
    """Cameras whose sharing is paused, by household."""
    query = (
        select(Camera.household_id, Camera.id)
        .join(CameraRecord, col(CameraRecord.camera_id) == col(Camera.id))
        .where(col(CameraRecord.objection).is_not(None))
    )
    found: dict[str, set[str]] = {}
    for household, camera in session.exec(query):
        found.setdefault(household, set()).add(camera)
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a camera stands: its record for decisions, and whose place it is."""

    record: OnRecord | None
    unit: str | None
    place: str
    home: str = ""  # the household's name


NOWHERE = Standing(None, None, "")


def standing(session: Session, camera_id: str) -> Standing:
    return standings(session, {camera_id}).get(camera_id, NOWHERE)


def standings(session: Session, camera_ids: Collection[str]) -> dict[str, Standing]:
    """By camera."""
    query = (
        select(Camera, Household, CameraRecord)
        .join(Household, col(Household.id) == col(Camera.household_id))
        .outerjoin(CameraRecord, col(CameraRecord.camera_id) == col(Camera.id))
        .where(col(Camera.id).in_(camera_ids))
    )
    return {
        camera.id: Standing(
            _on_record(camera, record), household.unit_id, household.place, household.name
        )
        for camera, household, record in session.exec(query)
    }


def _on_record(camera: Camera, record: CameraRecord | None) -> OnRecord | None:
    if record is None:
        return None
    return OnRecord(
        camera_class=CameraClass(record.camera_class),
        told=CameraClass(camera.told_class) if camera.told_class else None,
        approved=record.approved is not None,
        mask_needed=record.mask_needed,
        masked=camera.masked,
        objection=record.objection is not None,
    )


def _record_row(row: CameraRecord) -> RecordRow:
    polygons = json.loads(row.mask)
    return RecordRow(
        camera=row.camera_id,
        camera_class=CameraClass(row.camera_class),
        place=Place(row.place),
        purpose=row.purpose,
        installer=row.installer,
        duty=row.duty,
        sign_placed=row.sign_placed,
        mask_needed=row.mask_needed,
        mask=tuple(tuple((x, y) for x, y in polygon) for polygon in polygons),
        proposed_by=row.proposed_by,
        proposed=row.proposed,
        picture_sha256=row.picture_sha256,
        approved_by=row.approved_by,
        approved=row.approved,
        objection=row.objection,
        version=row.version,
    )
