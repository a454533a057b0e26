"""What the committee and admins keep of the village besides people: where a household is, whose
site it is, and the phones of those who have none of their own or are a unit on duty. Each change is
in the audit log, and in the household's.
"""

from dataclasses import dataclass

from village_core.clock import Clock
from village_core.permits import Role
from village_hub.access.facts import Subject
from village_hub.audit import making
from village_hub.catalogue import audit, household_places, notices, people, units
from village_hub.catalogue.household_places import HouseholdPlaceRow
from village_hub.catalogue.staff_rows import UnitRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, NotFound, Refused, Unprocessable
from village_hub.notices.contacts import Contact

PLACE = r"^[0-9]{12,20}$"
"""A household's place: its village's code of 12 digits, and up to 8 more for where in it."""


@dataclass(frozen=True, slots=True)
class By:
    """Who does it. `subject` None: the machine's command line, which knows nobody for certain."""

    subject: Subject | None = None
    device: str = ""

    @property
    def place(self) -> str | None:
        """What they answer for; None is anything, "" nothing."""
        return (self.subject.place or "") if self.subject else None

    def reaches(self, place: str) -> bool:
        """Whether this place is theirs to keep."""
        return self.place is None or (bool(self.place) and place.startswith(self.place))


class VillageBooks:
    def __init__(self, catalogue: Catalogue, clock: Clock, chain: str = audit.SERVE) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._chain = chain

    async def household(self, by: By, household: str) -> HouseholdPlaceRow:
        """Raises NotFound, also for one that is somebody else's to keep."""
        return await self._catalogue.read(self._household, by, household)

    async def put_place(self, by: By, wanted: HouseholdPlaceRow) -> HouseholdPlaceRow:
        """Where the household is; with a unit, it is that unit's site and nobody's home. Raises
        NotFound, Refused, Conflict, Unprocessable, Stale."""

        def act(session: Session) -> HouseholdPlaceRow:
            self._household(session, by, wanted.id)
            if not by.reaches(wanted.place):
                raise Refused("this place is outside the one that you answer for", code="scope")
            if wanted.unit is not None:
                _check_site(session, wanted, wanted.unit)
            about = {"place": wanted.place, "unit": wanted.unit or ""}
            self._log(session, by, "household.place", wanted.id, about)
            return household_places.put(session, wanted)

        return await self._catalogue.write(act)

    async def put_contact(self, by: By, contact: Contact) -> None:
        """The first phone of somebody who set none, such as a neighbour's, by a clerk. A number
        that stands is its holder's alone to change: notices warn of clerks too. Raises NotFound,
        Conflict."""

        def act(session: Session) -> None:
            homes = sorted(people.households_of(session, contact.holder))
            rows = [household_places.find(session, home) for home in homes]
            if not any(row is not None and _is_near(by, row) for row in rows):
                raise NotFound("there is no such person", code="no_such_person")
            if notices.contact(session, contact.holder) is not None:
                raise Conflict("this person has a phone on record", code="has_contact")
            notices.set_contact(session, contact, self._clock.utc_ms())
            for home in homes:
                self._log(session, by, "contact.set", home, {"person": contact.holder})

        await self._catalogue.write(act)

    async def unit_contact(self, by: By, unit: str) -> Contact | None:
        """Raises NotFound."""

        def look(session: Session) -> Contact | None:
            _unit_of(session, by, unit)
            return notices.contact(session, unit)

        return await self._catalogue.read(look)

    async def put_unit_contact(self, by: By, unit: str, contact: Contact | None) -> None:
        """The number of whoever is on duty there; an SOS rings it. None: none any more. Raises
        NotFound."""

        def act(session: Session) -> None:
            _unit_of(session, by, unit)
            if contact is None:
                notices.forget_contact(session, unit)
            else:
                notices.set_contact(session, contact, self._clock.utc_ms())
            action = "unit_contact.set" if contact else "unit_contact.end"
            self._log(session, by, action, "", {"unit": unit})

        await self._catalogue.write(act)

    def _household(self, session: Session, by: By, household: str) -> HouseholdPlaceRow:
        row = household_places.find(session, household)
        if row is None or not _is_near(by, row):
            raise NotFound("there is no such household", code="no_such_household")
        return row

    def _log(
        self, session: Session, by: By, action: str, household: str, about: dict[str, str]
    ) -> None:
        said = {name: value for name, value in about.items() if value}
        more = {"device": by.device} if by.device else {}
        entry = making.act(self._clock, by.subject, action, household=household, about=said, **more)
        audit.append(session, entry, self._chain)


def _is_near(by: By, row: HouseholdPlaceRow) -> bool:
    """One in their place, or that is on record nowhere yet."""
    return by.reaches(row.place) or (not row.place and bool(by.place))


def _check_site(session: Session, wanted: HouseholdPlaceRow, unit: str) -> None:
    """A home does not become a unit's site: its pictures would be the unit's then."""
    found = units.find(session, unit)
    if found is None:
        raise NotFound("there is no such unit", code="no_such_unit")
    if household_places.is_lived_in(session, wanted.id):
        raise Conflict("somebody lives here: a unit's site is nobody's home", code="lived_in")
    if not wanted.place.startswith(found.place):
        raise Unprocessable("the place is outside that of the unit", code="place_outside")


def _unit_of(session: Session, by: By, unit: str) -> UnitRow:
    """One that an admin answers for: their own, or in their place. Raises NotFound."""
    row = units.find(session, unit)
    subject = by.subject
    if row is None or not (
        subject is None or (Role.ADMIN in subject.roles and _answers_for(subject, row))
    ):
        raise NotFound("there is no such unit", code="no_such_unit")
    return row


def _answers_for(subject: Subject, row: UnitRow) -> bool:
    return subject.unit == row.id or By(subject).reaches(row.place)
