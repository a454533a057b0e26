"""Which camera a sign is of, and whose it is (PRM-19)."""

from village_hub.cases.objection import Seen
from village_hub.catalogue import camera_records, cameras, people, signs
from village_hub.catalogue.store import Session


def seen_at(session: Session, sign: str) -> Seen | None:
    """None: it is no camera's, or that is gone."""
    found = signs.camera_of(session, sign)
    camera = cameras.find(session, found) if found else None
    if camera is None:
        return None
    standing = camera_records.standing(session, camera.id)
    return Seen(
        camera=camera.id,
        name=camera.name,
        household=camera.household,
        home=standing.home,
        place=standing.place,
        unit=standing.unit,
        owners=tuple(sorted(people.owners(session, camera.household))),
    )
