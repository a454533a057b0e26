"""What SOS and emergencies give to decisions: facts from their documents (PRM-6, PRM-7)."""

from collections.abc import Collection

from village_hub.access.facts import OpeningFacts, OpeningKind
from village_hub.cases.emergency import Emergency
from village_hub.cases.sos import Sos
from village_hub.catalogue import openings
from village_hub.catalogue.store import Session


def of_cameras(
    session: Session, cameras: Collection[str], now: int
) -> dict[str, tuple[OpeningFacts, ...]]:
    """Those that concern each of the cameras, open or just over."""
    found: dict[str, tuple[OpeningFacts, ...]] = {}
    for camera, kind, document in openings.about_cameras(session, cameras, now):
        found[camera] = (*found.get(camera, ()), _facts(kind, document))
    return found


def _facts(kind: str, document: str) -> OpeningFacts:
    if kind == "sos":
        return _of_sos(Sos.model_validate_json(document))
    return _of_emergency(Emergency.model_validate_json(document))


def _of_sos(sos: Sos) -> OpeningFacts:
    return OpeningFacts(
        id=sos.id,
        kind=OpeningKind.SOS,
        cameras=frozenset(sos.cameras),
        opened=sos.opened,
        ends=sos.ends,
        people=sos.people,
        units=sos.units,
        escalated=sos.escalated,
        grant=sos.grant,
    )


def _of_emergency(emergency: Emergency) -> OpeningFacts:
    """To the officers of the unit that opened it."""
    unit = emergency.asker.unit
    return OpeningFacts(
        id=emergency.id,
        kind=OpeningKind.EMERGENCY,
        cameras=frozenset(each.camera for each in emergency.yards),
        opened=emergency.opened,
        ends=emergency.ends,
        people=frozenset({emergency.asker.key}),
        units=frozenset({unit} if unit else ()),
        escalated=True,  # a bureau's own emergency is the bureau's
    )
