"""Which households and cameras a matter's place is about, as the hub's books say. Cameras have no
coordinates on record, so an area is answered by its administrative place; within that the village,
which knows, names cameras."""

from collections.abc import Iterable

from village_hub.access import basis
from village_hub.cases.request import Found
from village_hub.cases.request_terms import Footage
from village_hub.cases.things import PublicCamera
from village_hub.catalogue import camera_records, cameras, people
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session


def households_in(session: Session, place: str, *, homes_only: bool = False) -> tuple[str, ...]:
    """Those with a camera in the place; `homes_only`: no unit's own sites."""
    found = []
    for camera in cameras.everything(session):
        standing = camera_records.standing(session, camera.id)
        home = standing.unit is None or not homes_only
        if home and standing.place.startswith(place):
            found.append(camera.household)
    return tuple(dict.fromkeys(found))


def found_in(session: Session, wanted: Iterable[Footage], place: str) -> tuple[Found, ...]:
    """Of what is named that which is there. Of the rest nothing is said."""
    return tuple(
        Found(
            camera=camera.id,
            name=camera.name,
            household=camera.household,
            begin=each.begin,
            end=each.end,
        )
        for each in wanted
        if (camera := _in_place(session, each.camera, place)) is not None
    )


def named_public(session: Session, names: Iterable[str], place: str) -> tuple[PublicCamera, ...]:
    """These cameras of public places there, with their names. Of others nothing is said."""
    found = (_in_place(session, name, place) for name in dict.fromkeys(names))
    return tuple(
        PublicCamera(id=camera.id, name=camera.name)
        for camera in found
        if camera is not None and _is_public(session, camera)
    )


def owned_by(session: Session, person: str) -> frozenset[str]:
    """Households whose owner the person is, or who has the owner's delegation."""
    return frozenset(
        household
        for household in people.households_of(session, person)
        if person in people.owners(session, household)
    )


def _in_place(session: Session, camera_id: str, place: str) -> CameraRow | None:
    camera = cameras.find(session, camera_id)
    if camera is None or not camera_records.standing(session, camera_id).place.startswith(place):
        return None
    return camera


def _is_public(session: Session, camera: CameraRow) -> bool:
    facts = basis.camera_facts(session, [camera])[camera.id]
    return facts.camera_class.public
