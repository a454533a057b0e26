"""Screens that several people stand before: opened by a named person for their shift (IDN-12).

RFC 8628: the screen shows a code; somebody on duty types it on a device of their own, sees the
screen's name and place, and opens it. What it then is, is a session of that person's which ends
with their shift.
"""

import logging
import random
from dataclasses import dataclass, field

from village_core.clock import Clock
from village_core.enrolment import new_typed_code, read_typed_code
from village_core.ids import new_id, new_secret
from village_hub.access.credentials import digest
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller, subject_of_sign_in
from village_hub.access.origin import Source
from village_hub.access.sign_in import LONGEST_DEVICE, SLOWEST_REFUSAL
from village_hub.access.throttle import Throttle, network_of
from village_hub.audit import making
from village_hub.catalogue import audit, device_grants, people, shifts
from village_hub.catalogue.device_grants import Word
from village_hub.catalogue.models import SignIn
from village_hub.catalogue.rows import Capacity, Method
from village_hub.catalogue.staff_models import DeviceGrant
from village_hub.catalogue.staff_rows import DeviceGrantRow, ShiftRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, NotFound, TooMany

log = logging.getLogger(__name__)

VALID = 600  # seconds
POLL_EVERY = 5  # seconds
ASKS, ASKS_EVERY = 10, 60.0  # from one source in so many seconds
FAILURES, FAILURES_EVERY = 10, 300.0  # wrong codes, of one person


@dataclass(frozen=True, slots=True)
class Shown:
    """For the screen: what it polls with, and what it shows."""

    device_code: str = field(repr=False)
    user_code: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The screen's session."""

    secret: str = field(repr=False)
    caller: PersonCaller
    expires: int  # UTC ms


class Devices:
    def __init__(self, hub: str, catalogue: Catalogue, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._clock = clock
        self._asks = Throttle(ASKS, ASKS_EVERY, clock)
        self._failures = Throttle(FAILURES, FAILURES_EVERY, clock)

    async def authorize(self, name: str, place: str, source: Source) -> Shown:
        """A screen asks to be opened. Raises TooMany."""
        self._asks.spend(network_of(source.address))
        secret, now = new_secret(), self._clock.utc_ms()
        for _ in range(20):  # another may show the same code
            shown = new_typed_code()
            grant = DeviceGrant(
                id=new_id(self._clock),
                digest=digest(secret),
                user_digest=digest(shown.replace("-", "")),
                name=name[:LONGEST_DEVICE],
                place=place[:LONGEST_DEVICE],
                created=now,
                expires=now + VALID * 1000,
                pause=POLL_EVERY,
            )
            if await self._catalogue.write(device_grants.add, grant, now):
                return Shown(secret, shown)
        raise TooMany("too many screens wait; wait a little", retry_after=VALID)

    async def poll(self, device_code: str) -> Opened | Word:
        """Its session, once, when somebody has opened it; else what to tell it."""
        secret, now = new_secret(), self._clock.utc_ms()
        row = SignIn(
            id=new_id(self._clock),
            person_id="",
            digest=digest(secret),
            device="",
            capacity=Capacity.DUTY.value,
            method=Method.DEVICE.value,
            kiosk=True,
            created=now,
            used=now,
            expires=now,
        )
        word = await self._catalogue.write(device_grants.poll, digest(device_code), row, now)
        if word is not Word.OPEN:
            return word
        found = await self._catalogue.read(people.sign_in_by_digest, row.digest, now)
        if found is None:  # the shift ended in between
            return Word.DENIED
        sign_in, who, duty = found
        subject = subject_of_sign_in(self._hub, who, duty)
        return Opened(secret, PersonCaller(subject, sign_in.id, kiosk=True), sign_in.expires)

    async def look(self, who: Subject, user_code: str) -> DeviceGrantRow:
        """The screen that shows this code. Raises NotFound after a delay, TooMany."""
        self._failures.spend(who.id)
        now = self._clock.utc_ms()
        row = await self._catalogue.read(device_grants.by_user, _digest(user_code), now)
        if row is None:
            await self._clock.sleep(random.uniform(0.5, SLOWEST_REFUSAL))  # noqa: S311 - a delay
            raise _no_screen()
        self._failures.give_back(who.id)
        return row

    async def answer(self, who: Subject, user_code: str, *, opens: bool) -> DeviceGrantRow:
        """Open it for the caller's own shift, or refuse it. Raises NotFound, Conflict, TooMany."""
        found = await self.look(who, user_code)

        def act(session: Session) -> None:
            now = self._clock.utc_ms()
            shift = shifts.open_of(session, who.id, now)
            if opens and (shift is None or shift.unit != who.unit):
                raise Conflict("open your shift first", code="no_shift")
            name = shift.id if opens and shift else None
            if not device_grants.answer(session, _digest(user_code), name, now):
                raise _no_screen()
            self._log(session, who, found, shift if opens else None)

        await self._catalogue.write(act)
        return found

    def _log(
        self, session: Session, who: Subject, row: DeviceGrantRow, shift: ShiftRow | None
    ) -> None:
        about = {"screen": row.name} | ({"place": row.place} if row.place else {})
        action, grant = ("screen.open", shift.id) if shift else ("screen.refuse", "")
        entry = making.act(self._clock, who, action, grant=grant, about=about)
        audit.append(session, entry)


def _digest(user_code: str) -> str:
    return digest(read_typed_code(user_code) or user_code.strip())


def _no_screen() -> NotFound:
    return NotFound("no screen shows this code", code="no_such_screen")
