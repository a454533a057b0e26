"""One camera of the hubs below, by its id. Sync, no HTTP, no events."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import and_
from sqlmodel import Session, col, select

from village_core.catalogue_notes import StateNote
from village_core.permits import CameraClass
from village_core.troubles import Trouble
from village_hub.catalogue.remote_models import (
    RemoteCamera,
    RemoteChild,
    RemoteNamed,
    RemoteState,
)
from village_hub.catalogue.remote_search import Within

PUBLIC = (CameraClass.P9, CameraClass.P7)


@dataclass(frozen=True, slots=True)
class Below:
    """`child`: the hub that told of it; `owner`: the one that decides about it."""

    child: str
    id: str
    owner: str
    place: str
    name: str
    camera_class: CameraClass
    lat: int | None = None
    lon: int | None = None


def public(session: Session) -> Iterator[tuple[Below, StateNote]]:
    """Every public camera below, with what was last told of its state; offline while its hub is not
    heard, for of that nothing is known."""
    query = (
        select(RemoteCamera, RemoteState, RemoteChild.away)
        .join(
            RemoteState,
            and_(
                col(RemoteState.child) == col(RemoteCamera.child),
                col(RemoteState.camera) == col(RemoteCamera.id),
            ),
        )
        .join(RemoteChild, col(RemoteChild.id) == col(RemoteCamera.child))
        .where(col(RemoteCamera.camera_class).in_([each.value for each in PUBLIC]))
        .order_by(RemoteCamera.child, RemoteCamera.id)
    )
    for camera, state, away in session.exec(query):
        yield (
            _below(camera),
            StateNote(
                id=camera.id,
                number=state.number,
                online=state.online and not away,
                since=state.since,
                trouble=_trouble(state.trouble, away=away),
                picture=state.picture,
            ),
        )


def _trouble(said: str | None, *, away: bool) -> Trouble | None:
    if away:
        return Trouble.AGENT_OFFLINE
    return Trouble(said) if said else None


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


def state(session: Session, found: Below) -> tuple[bool, Trouble | None]:
    """Whether it can be seen now, and why not, as far as is known; nothing is while its hub is not
    heard."""
    row = session.get(RemoteState, (found.child, found.id))
    child = session.get(RemoteChild, found.child)
    if row is None or child is None or child.away:
        return False, Trouble.AGENT_OFFLINE
    return row.online, Trouble(row.trouble) if row.trouble else None


def _below(row: RemoteCamera) -> Below:
    return Below(
        child=row.child,
        id=row.id,
        owner=row.owner,
        place=row.place,
        name=row.name,
        camera_class=CameraClass(row.camera_class),
        lat=row.lat,
        lon=row.lon,
    )
