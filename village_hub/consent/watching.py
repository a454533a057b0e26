"""Being watched by X, for Y, until Z: what the household sees while anybody outside looks (MED-18),
and the list of who can see it (AUD-4). Read from the sessions that are open and the grants that
stand, so it cannot lag behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.grant_tokens import Grant
from village_core.grants import GrantStatus
from village_core.permits import Action, Purpose
from village_hub.access.facts import Permit
from village_hub.cases.openings import of_cameras
from village_hub.catalogue import grants
from village_hub.catalogue.consent_rows import GrantRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent.homes import camera_names
from village_hub.consent.standing import standing
from village_hub.media.service import LiveService


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody outside looks right now. `until`: when it ends at the latest, UTC ms."""

    permit: str
    camera: str
    camera_name: str
    name: str
    unit: str
    issuer: str  # the hub that signed them in
    action: Action
    purpose: Purpose
    basis: str  # the code of the matrix
    ref: str  # the grant, opening, request or shift
    reason: str
    until: int


@dataclass(frozen=True, slots=True)
class Share:
    """A grant that lets somebody see the household, now or at its hours."""

    row: GrantRow
    grant: Grant
    cameras: Mapping[str, str]  # names of the household's cameras by id


@dataclass(frozen=True, slots=True)
class Open:
    """An SOS or emergency that is open for the household right now."""

    id: str
    kind: str
    cameras: frozenset[str]
    opened: int
    ends: int


class Watching:
    def __init__(self, hub: str, catalogue: Catalogue, live: LiveService, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._live = live
        self._clock = clock

    async def now(self, household: str) -> list[Look]:
        permits = [each.permit for each in self._live.sessions() if each.permit is not None]
        outside = [permit for permit in permits if permit.outside]
        if not outside:
            return []
        return await self._catalogue.read(self._looks, household, outside)

    def _looks(self, session: Session, household: str, permits: list[Permit]) -> list[Look]:
        names = camera_names(session, household)
        ends = {row.id: row.until for row in grants.of_household(session, household)}
        found = [_look(each, names, ends) for each in permits if each.camera in names]
        return sorted(found, key=lambda each: each.permit)

    async def shares(self, household: str) -> list[Share]:
        """Who can see it: everything that is neither stopped nor over, what begins later too."""
        return await self._catalogue.read(self._shares, household)

    def _shares(self, session: Session, household: str) -> list[Share]:
        now, names = self._clock.utc_ms(), camera_names(session, household)
        return [
            Share(row, grant, names)
            for row, grant in standing(session, self._hub, household, now)
            if row.status is GrantStatus.VALID and grant.terms.until > now
        ]

    async def openings(self, household: str) -> list[Open]:
        return await self._catalogue.read(_openings, household, self._clock.utc_ms())


def _openings(session: Session, household: str, now: int) -> list[Open]:
    cameras = camera_names(session, household)
    found = of_cameras(session, cameras, now)
    facts = {each.id: each for held in found.values() for each in held}
    return [
        Open(each.id, each.kind.value, each.cameras & set(cameras), each.opened, each.ends)
        for each in facts.values()
        if each.opened <= now < each.ends
    ]


def _look(permit: Permit, names: Mapping[str, str], ends: Mapping[str, int]) -> Look:
    subject = permit.subject
    return Look(
        permit=permit.id,
        camera=permit.camera,
        camera_name=names[permit.camera],
        name=subject.name,
        unit=subject.unit_name,
        issuer=subject.issuer,
        action=permit.action,
        purpose=permit.purpose,
        basis=permit.basis,
        ref=permit.ref,
        reason=permit.reason,
        until=ends.get(permit.ref, permit.until),
    )
