"""Short ways to put people into a hub under test: households, members, staff on duty."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.hub.clock import TurnedClock
from village_core.ids import new_id, new_secret
from village_core.permits import Role
from village_hub import keys
from village_hub.access.appointments import FITS
from village_hub.access.credentials import DUTY_LIFE, digest
from village_hub.catalogue import appointments, people, shifts, units
from village_hub.catalogue.models import Membership, SignIn
from village_hub.catalogue.staff_models import Appointment, Shift, Unit


@dataclass
class Viewer:
    """Somebody signed in: their cookie, as a browser would send it from the hub's own page."""

    person: str
    headers: Mapping[str, str]
    unit: str = ""  # on duty: where, by which appointment, in which session
    appointment: str = ""
    sign_in: str = ""


class People:
    """What a Hub inherits."""

    app: web.Application
    clock: TurnedClock

    @property
    def origin(self) -> str:
        raise NotImplementedError

    async def household(self, name: str = "Wang") -> str:
        household = new_id()
        write = self.app[keys.CATALOGUE].write
        await write(people.add_household, household, name, self.clock.utc_ms())
        return household

    async def person(self, household: str, name: str = "Fang") -> str:
        person = new_id()
        write = self.app[keys.CATALOGUE].write
        await write(people.add_owner, person, name, household, self.clock.utc_ms())
        return person

    async def member(self, household: str, name: str = "Li", **more: Any) -> str:
        """Somebody else of the household; `adult`, `delegated`."""
        person = await self.named(name)
        row = Membership(household_id=household, person_id=person, role="member", **more)
        await self.app[keys.CATALOGUE].write(people.add_member, row)
        return person

    async def named(self, name: str) -> str:
        """A person of no household."""
        person = new_id()
        write = self.app[keys.CATALOGUE].write
        await write(people.add_staff, person, name, self.clock.utc_ms())
        return person

    async def unit(self, kind: str, place: str = "", parent: str | None = None) -> str:
        now = self.clock.utc_ms()
        row = Unit(
            id=new_id(), kind=kind, name=f"The {kind}", place=place, parent_id=parent, created=now
        )
        return (await self.app[keys.CATALOGUE].write(units.add, row)).id

    async def staff(
        self, role: Role, *, unit: str | None = None, place: str = "", name: str = "Chen"
    ) -> Viewer:
        """Somebody appointed to `role`, of a new unit that has it unless one is given, in a session
        on duty. How they come to it is tested in test_passkeys.py."""
        kind = next(kind for kind, roles in FITS.items() if role in roles)
        where = unit or await self.unit(kind.value, place)
        return await self.on_duty(await self.appointed(await self.named(name), role, where))

    async def appointed(self, person: str, role: Role, unit: str, days: int = 365) -> Appointment:
        now = self.clock.utc_ms()
        row = Appointment(
            id=new_id(),
            person_id=person,
            unit_id=unit,
            role=role.value,
            begins=now,
            until=now + days * 24 * 3600 * 1000,
            appointed_by="a test",
            confirmed_by="another",
            confirmed=now,
        )
        await self.app[keys.CATALOGUE].write(appointments.add, row)
        return row

    async def on_duty(self, appointment: Appointment) -> Viewer:
        """A session on duty, as a passkey opens it."""
        secret, now = new_secret(), self.clock.utc_ms()
        row = SignIn(
            id=new_id(),
            person_id=appointment.person_id,
            digest=digest(secret),
            device="a test",
            created=now,
            used=now,
            expires=now + DUTY_LIFE,
            capacity="duty",
            method="passkey",
            appointment_id=appointment.id,
        )
        sign_in = row.id
        await self.app[keys.CATALOGUE].write(people.open_sign_in, row)
        headers = {"Cookie": f"village={secret}", "Origin": self.origin}
        where = (appointment.unit_id, appointment.id, sign_in)
        return Viewer(appointment.person_id, headers, *where)

    async def shift(self, viewer: Viewer, hours: float = 8) -> str:
        """An open shift of somebody on duty."""
        now = self.clock.utc_ms()
        row = Shift(
            id=new_id(),
            person_id=viewer.person,
            unit_id=viewer.unit,
            appointment_id=viewer.appointment,
            sign_in_id=viewer.sign_in,
            started=now,
            ends=now + round(hours * 3600 * 1000),
        )
        started = await self.app[keys.CATALOGUE].write(shifts.start, row, now)
        assert started is not None
        return started.id
