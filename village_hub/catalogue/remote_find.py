"""One camera of the hubs below, by its id. Sync, no HTTP, no events."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from village_core.permits import CameraClass
from village_hub.catalogue.remote_models import RemoteCamera, RemoteNamed
from village_hub.catalogue.remote_search import Within


@dataclass(frozen=True, slots=True)
class Below:
    """`child`: the hub that told of it; `owner`: the one that decides about it."""

    child: str
    id: str
    owner: str
    place: str
    name: str
    camera_class: CameraClass


def where(session: Session, camera: str) -> Below | None:
    """Whoever asks; the hub that owns it decides."""
    query = select(RemoteCamera).where(RemoteCamera.id == camera).order_by(RemoteCamera.child)
    row = session.exec(query).first()
    return _below(row) if row else None


def visible(session: Session, within: Within, camera: str) -> Below | None:
    """The same, as far as `within` lets somebody know of it."""
    found = where(session, camera)
    if found is None or not found.place.startswith(within.place):
        return None
    if found.camera_class in within.classes:
        return found
    query = select(RemoteNamed).where(
        RemoteNamed.child == found.child,
        RemoteNamed.camera == found.id,
        col(RemoteNamed.unit).in_(["", within.unit]),
        col(RemoteNamed.person).in_(["", within.person]),
    )
    return found if session.exec(query).first() else None


def _below(row: RemoteCamera) -> Below:
    return Below(
        child=row.child,
        id=row.id,
        owner=row.owner,
        place=row.place,
        name=row.name,
        camera_class=CameraClass(row.camera_class),
    )
