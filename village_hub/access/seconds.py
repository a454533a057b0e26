"""What two named persons do together: one asks, another confirms within 30 minutes, and both are in
the audit log (requirements.md, ✎; IDN-16)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.permits import Role
from village_hub.access import staff_acts
from village_hub.access.acts import Act, Outcome, Scene
from village_hub.access.appointments import SECOND_WITHIN
from village_hub.access.facts import Subject
from village_hub.access.staff_acts import ACT
from village_hub.audit import making
from village_hub.audit.entry import Who
from village_hub.catalogue import appointments, audit, people, seconds
from village_hub.catalogue.staff_models import Second
from village_hub.catalogue.staff_rows import AppointmentRow, SecondRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import HubError, NotFound, Refused
from village_hub.notices import port
from village_hub.notices.kinds import Kind, Whom
from village_hub.notices.port import About, Event, To


@dataclass(frozen=True, slots=True)
class Waiting:
    """An act that waits, and who asked for it."""

    row: SecondRow
    act: Act
    asker: Subject


class Seconds:
    """`chain`: of the audit log, one a kind of process."""

    def __init__(
        self, hub: str, catalogue: Catalogue, clock: Clock, chain: str = audit.SERVE
    ) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._clock = clock
        self._chain = chain

    async def ask(self, asker: Subject, act: Act) -> SecondRow:
        """Raises what is wrong with it; nothing waits then."""
        return await self._catalogue.write(self._ask, asker, act)

    async def confirm(self, second: Subject, name: str) -> Outcome:
        """Done, or raised what is wrong by now: then it waits on."""
        return await self._catalogue.write(self._confirm, second, name)

    async def withdraw(self, asker: Subject, name: str) -> None:
        """By whoever asked for it. Raises NotFound."""
        now = self._clock.utc_ms()
        if not await self._catalogue.write(seconds.withdraw, name, asker.id, now):
            raise _none()

    async def waiting_for(self, reader: Subject) -> Sequence[Waiting]:
        """What this person asked for, or may confirm."""
        return await self._catalogue.read(self._waiting_for, reader)

    async def end_appointment(self, by: Subject, name: str) -> None:
        """By one admin, or by whoever holds it: what takes rights away waits for nobody. Raises
        NotFound, also when the caller may not know of it."""
        await self._catalogue.write(self._end_appointment, by, name)

    def _end_appointment(self, session: Session, by: Subject, name: str) -> None:
        now = self._clock.utc_ms()
        row = appointments.find(session, name)
        if row is None or (Role.ADMIN not in by.roles and row.person != by.id):
            raise NotFound("there is no such appointment", code="no_such_appointment")
        if not appointments.end(session, name, by.id, now):
            raise NotFound("this appointment is over", code="no_such_appointment")
        about: dict[str, str | int] = {
            "appointment": name,
            "person": row.person,
            "unit": row.unit,
            "role": row.role.value,
        }
        self._append(session, "end_appointment", (by, None), about)
        _tell_of_end(session, row, by, now)

    def _ask(self, session: Session, asker: Subject, act: Act) -> SecondRow:
        staff_acts.check(session, act, Scene(asker, self._clock))
        now = self._clock.utc_ms()
        row = Second(
            id=new_id(self._clock),
            kind=ACT.validate_python(act).kind,
            data=json.dumps({"act": act.model_dump(mode="json"), "unit": asker.unit}),
            unit_id=staff_acts.concerns(act),
            requested_by=asker.id,
            created=now,
            expires=now + SECOND_WITHIN,
        )
        added = seconds.add(session, row)
        home = staff_acts.home_of(session, act)
        self._log(session, f"ask.{added.kind}", act, (asker, None), home)
        return added

    def _confirm(self, session: Session, second: Subject, name: str) -> Outcome:
        row = seconds.waiting(session, name, self._clock.utc_ms())
        if row is None:
            raise _none()
        waiting = self._read(session, row)
        scene = Scene(waiting.asker, self._clock, second)
        home = staff_acts.home_of(session, waiting.act)
        outcome = staff_acts.do(session, waiting.act, scene)
        seconds.confirm(session, name, second.id, self._clock.utc_ms())
        by = (waiting.asker, second)
        self._log(session, row.kind, waiting.act, by, home, outcome.made)
        return outcome

    def _read(self, session: Session, row: SecondRow) -> Waiting:
        """Whoever asked has to be in the same place still. Raises Refused."""
        said = json.loads(row.data)
        asker = duty_of(session, self._hub, row.requested_by, said["unit"], self._clock.utc_ms())
        if asker is None:
            raise Refused("whoever asked for it is not on duty here any more", code="asker_gone")
        return Waiting(row, ACT.validate_python(said["act"]), asker)

    def _waiting_for(self, session: Session, reader: Subject) -> list[Waiting]:
        found = []
        for row in seconds.all_waiting(session, self._clock.utc_ms()):
            try:
                waiting = self._read(session, row)
                if row.requested_by != reader.id:
                    scene = Scene(waiting.asker, self._clock, reader)
                    staff_acts.check(session, waiting.act, scene)
            except HubError:  # not theirs to confirm
                continue
            found.append(waiting)
        return found

    def _log(
        self,
        session: Session,
        action: str,
        act: Act,
        by: tuple[Subject, Subject | None],
        home: str,
        made: str = "",
    ) -> None:
        said = act.model_dump(mode="json", exclude={"kind"}, exclude_none=True).items()
        about = {name: int(value) if value is True else value for name, value in said if value}
        if made:
            about["made"] = made
        self._append(session, action, by, about, home)

    def _append(
        self,
        session: Session,
        action: str,
        by: tuple[Subject, Subject | None],
        about: dict[str, str | int],
        household: str = "",
    ) -> None:
        who, second = by
        also = Who.of(second) if second else None
        entry = making.act(self._clock, who, action, second=also, household=household, about=about)
        audit.append(session, entry, self._chain)


def duty_of(
    session: Session, hub: str, person: str, unit: str | None, now: int, role: Role | None = None
) -> Subject | None:
    """A person by their living appointment in a unit (any, when it is None)."""
    who = people.person(session, person)
    rows = [
        row
        for row in appointments.of_person(session, person, now)
        if unit in (None, row.unit) and role in (None, row.role)
    ]
    if who is None or not rows:
        return None
    return Subject(
        issuer=hub,
        id=person,
        unit=rows[0].unit,
        roles=frozenset(row.role for row in rows if row.unit == rows[0].unit),
        place=rows[0].place,
        name=who.name,
        unit_name=rows[0].unit_name,
    )


def _tell_of_end(session: Session, row: AppointmentRow, by: Subject, now: int) -> None:
    """Whoever held it, and the oversight: it took only one person."""
    said = {"who": row.person_name, "unit": row.unit_name, "by": by.name}
    event = Event(Kind.APPOINTMENT_ENDED, About("appointment", row.id), now, said)
    told = {Whom.APPOINTED: [To.one(row.person)], Whom.AUDITOR: [port.AUDITORS]}
    port.announce(session, event, told)


def _none() -> NotFound:
    return NotFound("no such act waits: it is done, withdrawn or too old", code="no_such_act")
