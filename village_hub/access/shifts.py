"""Turns of duty: opened and closed by whoever is on duty, over by themselves at the latest after 12
hours or with the appointment. Each is in the audit log."""

from village_core.clock import Clock
from village_core.ids import new_id
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.audit import making
from village_hub.catalogue import audit, people, shifts
from village_hub.catalogue.staff_models import Shift
from village_hub.catalogue.staff_rows import ShiftRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, NotFound, Refused

HOUR_MS = 3600 * 1000
LONGEST = 12  # hours


class Shifts:
    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    async def start(self, caller: PersonCaller, hours: int) -> ShiftRow:
        """Raises Refused, Conflict."""

        def act(session: Session) -> ShiftRow:
            now = self._clock.utc_ms()
            duty = people.duty_of_sign_in(session, caller.sign_in, now)
            if duty is None:
                raise Refused("only somebody on duty opens a shift", code="on_duty_only")
            row = Shift(
                id=new_id(self._clock),
                person_id=caller.subject.id,
                unit_id=duty.unit,
                appointment_id=duty.id,
                sign_in_id=caller.sign_in,
                started=now,
                ends=min(now + hours * HOUR_MS, duty.until),
            )
            started = shifts.start(session, row, now)
            if started is None:
                raise Conflict("your shift is open already", code="shift_open")
            self._log(session, "shift.start", caller.subject, started)
            return started

        return await self._catalogue.write(act)

    async def close(self, caller: PersonCaller) -> None:
        """What rests on it ends: pictures of public cameras, screens that it opened. Raises
        NotFound."""

        def act(session: Session) -> None:
            now = self._clock.utc_ms()
            row = shifts.open_of(session, caller.subject.id, now)
            if row is None or not shifts.close(session, caller.subject.id, now):
                raise NotFound("you have no open shift", code="no_shift")
            self._log(session, "shift.end", caller.subject, row)

        await self._catalogue.write(act)

    def _log(self, session: Session, action: str, who: Subject, row: ShiftRow) -> None:
        about = {"unit": row.unit, "ends": row.ends}
        audit.append(session, making.act(self._clock, who, action, grant=row.id, about=about))
