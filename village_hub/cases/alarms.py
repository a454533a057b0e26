"""Raising an SOS and opening an emergency: whom it concerns is found, the matter begins, the home's
box learns of it. What is open is told to a box again whenever it connects.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice

from pydantic import Field

from village_core.clock import Clock
from village_core.grants import Recipient
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.messages import PRINTABLE, OpeningNote, SosAnswer, SosRaised
from village_core.permits import CameraClass
from village_hub.access import basis
from village_hub.access.identity import PersonCaller
from village_hub.cases import emergency, sos
from village_hub.cases.checks import POLICE
from village_hub.cases.desk import Check, Desk, Kept, kept_of
from village_hub.cases.effects import Callee, Ring
from village_hub.cases.emergency import Emergency, Yard
from village_hub.cases.matter import Matter, Next, Part, Person
from village_hub.cases.sos import Called, Sos
from village_hub.catalogue import cameras, far, matters, openings, people, units
from village_hub.catalogue.rows import NodeRow
from village_hub.catalogue.staff_rows import UnitKind, UnitRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.config import NoticesConfig
from village_hub.consent.standing import standing_sos
from village_hub.errors import (
    ChildOffline,
    ChildTimeout,
    Forbidden,
    HubError,
    NotFound,
    Overloaded,
    Unprocessable,
)
from village_hub.tiers.children import Children

log = logging.getLogger(__name__)

LATER = (ChildOffline, ChildTimeout, Overloaded)  # it is told when the home connects
NARROWEST = 12  # digits of a place: a village; an emergency never opens a whole township


class EmergencyWish(Part):
    """An emergency as the officer documents it: `place` is the administrative code of the house, or
    of the village part, that the call is about."""

    incident: str = Field(min_length=4, max_length=60, pattern=PRINTABLE)
    what: str = Field(pattern="^(fire|missing_child|missing_elder|other_danger)$")
    words: str = Field(min_length=2, max_length=400, pattern=PRINTABLE)
    place: str = Field(pattern=r"^[0-9]{12,20}$")


class _ThereIs(Exception):  # noqa: N818 - what is found
    def __init__(self, kept: Kept[Sos]) -> None:
        super().__init__(kept.matter.id)
        self.sos, self.version = kept.matter, kept.version


class Alarms:
    def __init__(  # noqa: PLR0913 - what it joins
        self,
        hub: str,
        catalogue: Catalogue,
        desk: Desk,
        children: Children,
        *,
        supervisor: Supervisor,
        settings: NoticesConfig,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._catalogue = catalogue
        self._desk = desk
        self._children = children
        self._supervisor = supervisor
        self._clock = clock
        children.on_change.append(self._changed)
        desk.on_moved.append(self._moved)

    async def raise_sos(self, caller: PersonCaller, household: str) -> Kept[Sos]:
        """By one of the household, or by a helper whom it listed. One that is open stays the one
        there is. Raises NotFound."""
        by, now = Person.of(caller.subject), self._clock.utc_ms()
        made = await self._catalogue.read(self._sos, household, by, now)
        if not (caller.subject.id in made.own or by.key in made.people):
            raise NotFound("there is no such household", code="no_such_household")
        own = caller.subject.id in made.own
        made = made.now_with(raised_by="page" if own else "helper")
        return await self._begin(made, by)

    async def raise_from_home(self, node: NodeRow, said: SosRaised) -> SosAnswer:
        """By the box's button or page. The same SOS told again is answered again."""
        now = self._clock.utc_ms()
        name = f"box of {node.household}"
        by = Person(issuer=self._hub, id=node.id, name=name)
        made = await self._catalogue.read(self._sos, node.household, by, now)
        kept = await self._begin(made.now_with(id=said.id, raised_by=said.by), by)
        return SosAnswer(id=kept.matter.id, ends=kept.matter.ends if kept.matter.cameras else 0)

    async def _begin(self, made: Sos, by: Person) -> Kept[Sos]:
        raised, ring = sos.begin(made), _ring(made, self._settings)
        try:
            return await self._desk.open(Next(made, (*raised.effects, ring)), by, _only(made))
        except _ThereIs as there:
            return Kept(there.sos, there.version)

    async def open_emergency(self, caller: PersonCaller, wish: EmergencyWish) -> Kept[Emergency]:
        """PRM-7. Raises Forbidden, Unprocessable when the place has no yard or too many."""
        subject = caller.subject
        if not subject.roles & set(POLICE):
            raise Forbidden("only an officer on duty opens an emergency", code="not_yours")
        if not wish.place.startswith(subject.place or "-"):
            raise Forbidden("this place is not your unit's", code="scope")
        yards = await self._catalogue.read(_yards, wish.place)
        if not yards:
            raise Unprocessable("no yard's camera is shared there", code="no_yards")
        if len(yards) > emergency.MOST_CAMERAS:
            raise Unprocessable("name the place more narrowly", code="too_wide")
        by, now = Person.of(subject), self._clock.utc_ms()
        opened = emergency.begin(new_id(self._clock), by, now, yards=yards, **wish.model_dump())
        return await self._desk.open(opened, by)

    async def looked(self, opening: str, by: Person) -> None:
        """Somebody who was called begins to look: the household learns of the first."""
        with suppress(HubError):  # an emergency, or it is over meanwhile
            await self._desk.act(opening, sos.Looked(), by)

    # What the homes are told

    def _moved(self, matter: Matter) -> None:
        """After a step: the homes learn its new end."""
        if isinstance(matter, Sos | Emergency):
            _ = self._supervisor.once(f"opening {matter.id}", self._tell(matter))

    async def _tell(self, matter: Sos | Emergency) -> None:
        for household in _households(matter):
            node = await self._catalogue.read(openings.node_of, household)
            if node is not None:
                await self._tell_home(node, matter, household)

    async def _tell_home(self, node: str, matter: Sos | Emergency, household: str) -> None:
        path, over = f"/openings/{matter.id}", matter.ends <= self._clock.utc_ms()
        try:
            if over:
                await self._children.ask(node, "DELETE", path)
            else:
                await self._children.ask(node, "PUT", path, _note(matter, household))
        except LATER as error:
            log.info("opening %s: home %s is told later: %s", matter.id, node, error)

    def _changed(self, node: str, online: bool) -> None:  # noqa: FBT001 - a callback
        if online:
            _ = self._supervisor.once(f"openings for {node}", self._came(node))

    async def _came(self, node: str) -> None:
        now = self._clock.utc_ms()
        for kind, document in await self._catalogue.read(openings.open_documents, now):
            matter = _matter(kind, document)
            for household in _households(matter):
                if await self._catalogue.read(openings.node_of, household) == node:
                    await self._tell_home(node, matter, household)

    # In the database's thread

    def _sos(self, session: Session, household: str, by: Person, now: int) -> Sos:
        """As it would be. Raises NotFound."""
        found = openings.household_place(session, household)
        if found is None:
            raise NotFound("there is no such household", code="no_such_household")
        name, place = found
        standing = standing_sos(session, self._hub, household, now)
        grant = max(standing, key=lambda each: each.terms.not_before, default=None)
        called = _called(grant.terms.recipients) if grant else ()
        family = {row.person for row in people.members(session, household) if row.adult}
        return sos.new(
            new_id(self._clock),
            by,
            now,
            household=household,
            household_name=name,
            place=place,
            own=sorted(people.owners(session, household) | family),
            raised_by="page",
            cameras=sorted(grant.terms.cameras) if grant else (),
            grant=grant.text if grant else (),
            called=called,
            told=_duty(session, place, called),
        )


def _called(recipients: Iterable[Recipient]) -> tuple[Called, ...]:
    return tuple(
        Called(kind="person", id=each.person, issuer=each.issuer, name=each.name)
        if each.person
        else Called(kind="unit", id=each.unit, issuer=each.issuer, name=each.name)
        for each in recipients
    )


def _duty(session: Session, place: str, called: Sequence[Called]) -> tuple[Called, ...]:
    """The committee and the station that the place belongs to, where the grant names them not: the
    station of this hub, else the nearest of a hub above."""
    there = {each.id for each in called}
    own = [each for each in units.everything(session) if _answers(each, place)]
    station = _of_kind(own, UnitKind.STATION) or _station_above(session, place)
    found = (*_of_kind(own, UnitKind.COMMITTEE), *station)
    return tuple(each for each in found if each.id not in there)


def _answers(unit: UnitRow, place: str) -> bool:
    return bool(unit.place) and place.startswith(unit.place)


def _of_kind(found: Iterable[UnitRow], kind: UnitKind) -> list[Called]:
    return [Called(kind="unit", id=each.id, name=each.name) for each in found if each.kind is kind]


def _station_above(session: Session, place: str) -> list[Called]:
    found = (
        Called(kind="unit", id=unit.id, issuer=unit.hub, name=unit.name)
        for unit in far.units(session)
        if unit.kind is UnitKind.STATION and place.startswith(unit.place)
    )
    return list(islice(found, 1))


def _only(made: Sos) -> Check:
    """In the transaction that begins it, for people and a box press at once: raises _ThereIs when
    the household's is open, or this one was told before; NotFound for an id of something else."""

    def check(session: Session) -> None:
        told = matters.find(session, made.id)
        there = openings.open_of_household(session, made.household)
        if told is None and there is not None:
            told = matters.find(session, there)
        if told is None:
            return
        kept = kept_of(told)
        if not isinstance(kept.matter, Sos) or kept.matter.household != made.household:
            raise NotFound("this is no SOS of this household", code="no_such_matter")
        raise _ThereIs(kept)

    return check


def _ring(made: Sos, settings: NoticesConfig) -> Ring:
    """Helpers, family, duty person, station (PRM-23)."""
    helpers = [each for each in made.called if each.kind == "person"]
    others = [each for each in (*made.called, *made.told) if each.kind == "unit"]
    family = [each for each in made.own if each != made.asker.id]
    callees = (
        *(Callee(each.id, each.name, hub=each.issuer) for each in helpers),
        *(Callee(each, made.household_name) for each in family),
        *(Callee(each.id, each.name, unit=True, hub=each.issuer) for each in others),
    )
    return Ring(callees, made.household_name, settings)


def _yards(session: Session, place: str) -> tuple[Yard, ...]:
    """Cameras of class H-OUT there that are shared at all; nothing of the inside of a home."""
    found = cameras.of_households(session, tuple(openings.households_in(session, place)))
    facts = basis.camera_facts(session, found).values()
    return tuple(
        Yard(camera=each.id, household=each.household)
        for each in facts
        if each.camera_class is CameraClass.H_OUT and each.withheld is None
    )


def _matter(kind: str, document: str) -> Sos | Emergency:
    if kind == "sos":
        return Sos.model_validate_json(document)
    return Emergency.model_validate_json(document)


def _households(matter: Sos | Emergency) -> list[str]:
    if isinstance(matter, Sos):
        return [matter.household]
    return sorted({yard.household for yard in matter.yards})


def _note(matter: Sos | Emergency, household: str) -> OpeningNote:
    if isinstance(matter, Sos):
        names = matter.cameras
    else:
        names = tuple(yard.camera for yard in matter.yards if yard.household == household)
    return OpeningNote(
        id=matter.id,
        kind="sos" if isinstance(matter, Sos) else "emergency",
        cameras=names,
        opened=matter.opened,
        ends=matter.ends,
        by=matter.asker.name[:80],
        unit=matter.asker.unit_name[:80],
        incident=matter.incident,
    )
