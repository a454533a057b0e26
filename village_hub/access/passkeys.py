"""Passkeys: adding one, signing in with one (IDN-11). Keys stay on people's devices; the hub keeps
what verifies them.

A key that was added before two persons, or on duty, opens sessions on duty; one that somebody added
at home, after signing in by a code of the window, opens only sessions at home. Otherwise one slip
of paper would be worth a police officer's key.
"""

import ipaddress
import logging
import random
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from village_core.clock import Clock
from village_core.ids import new_secret
from village_hub.access import webauthn_door
from village_hub.access.credentials import digest
from village_hub.access.facts import Subject
from village_hub.access.origin import Source
from village_hub.access.sign_in import SLOWEST_REFUSAL, SignedIn, SignIns
from village_hub.access.sign_in_notes import SignInNotes
from village_hub.access.throttle import Throttle, network_of
from village_hub.access.webauthn_door import Json, NotVerifiedError, Site
from village_hub.catalogue import appointments, passkeys, people
from village_hub.catalogue.passkeys import NotAdded
from village_hub.catalogue.rows import PersonRow
from village_hub.catalogue.staff_models import Passkey
from village_hub.catalogue.staff_rows import AppointmentRow, PasskeyRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, Forbidden, HubError, NotFound

log = logging.getLogger(__name__)

VALID_MS = 5 * 60 * 1000  # from asking for a challenge to the answer
MOST_OPEN = 10_000  # ceremonies; the oldest is forgotten first
BEGINS, BEGINS_EVERY = 30, 60.0  # from one source in so many seconds
FAILURES, FAILURES_EVERY = 10, 300.0
MOST_KEYS = 20  # a person


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One that has begun: answered once, in time, by whoever began it."""

    challenge: bytes = field(repr=False)
    expires: int
    person: str = ""  # "": whoever signs in
    sign_in: str = ""  # the session it was begun in
    code: str = field(default="", repr=False)  # digest of an enrolment code, spent at the end
    duty: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody has shown their key and now says as what they come."""

    expires: int
    person: str
    key: str
    duty: bool


C = TypeVar("C", Ceremony, Choice)


class Open(OrderedDict[str, C]):
    """What has begun, in memory: a restart ends it, and the person begins again."""

    def put(self, value: C) -> str:
        name = new_secret()
        self[name] = value
        if len(self) > MOST_OPEN:
            self.popitem(last=False)
        return name

    def take(self, name: str, now: int) -> C | None:
        """Once; None when it is unknown, answered or too old."""
        found = self.pop(name, None)
        return found if found is not None and found.expires > now else None


@dataclass(frozen=True, slots=True)
class ToChoose:
    """Several ways in: `home` and each appointment."""

    ticket: str = field(repr=False)
    home: bool
    duties: tuple[AppointmentRow, ...]


class Passkeys:
    def __init__(
        self, site: Site, hub: str, catalogue: Catalogue, sign_ins: SignIns, clock: Clock
    ) -> None:
        self._site = site
        self._hub = hub
        self._notes = SignInNotes(hub, clock)
        self._catalogue = catalogue
        self._sign_ins = sign_ins
        self._clock = clock
        self._ceremonies: Open[Ceremony] = Open()
        self._choices: Open[Choice] = Open()
        self._begins = Throttle(BEGINS, BEGINS_EVERY, clock)
        self._failures = Throttle(FAILURES, FAILURES_EVERY, clock)

    async def begin_adding(self, subject: Subject, sign_in: str, *, duty: bool) -> tuple[str, Json]:
        """For somebody signed in: the ceremony's name and the options for their browser."""
        return await self._begin_adding(subject.id, sign_in=sign_in, duty=duty)

    async def begin_enrolling(self, code: str, source: Source) -> tuple[str, Json]:
        """For a new or returning member of staff: with the code that two persons made for them.
        Raises NotFound after a delay."""
        network = self._attempt(source)
        spent, now = digest(code.strip()), self._clock.utc_ms()
        person = await self._catalogue.read(people.whose_code, spent, people.PASSKEY, now)
        if person is None:
            self._sign_ins.failed(source)
            raise await self._slowly(_bad_code())
        self._failures.give_back(network)
        return await self._begin_adding(person, code=spent, duty=True)

    async def _begin_adding(
        self, person: str, *, sign_in: str = "", code: str = "", duty: bool
    ) -> tuple[str, Json]:
        self._check_site()
        who = await self._catalogue.read(people.person, person)
        known = await self._catalogue.read(passkeys.of_person, person)
        if who is None:
            raise NotFound("this person is not here any more")
        if len(known) >= MOST_KEYS:
            raise Conflict(f"{MOST_KEYS} keys are enough: remove one first", code="too_many_keys")
        challenge = secrets.token_bytes(32)
        ceremony = Ceremony(challenge, self._end(), person, sign_in, code, duty)
        name = self._ceremonies.put(ceremony)
        same = [row for row in known if row.duty or not duty]
        return name, webauthn_door.creation_options(self._site, (who.id, who.name), challenge, same)

    async def finish_adding(
        self, name: str, answer: Json, called: str, sign_in: str = ""
    ) -> PasskeyRow:
        """The new key. Raises NotFound, Forbidden, Conflict; nothing is added then."""
        ceremony = self._ceremonies.take(name, self._clock.utc_ms())
        if ceremony is None or not ceremony.person or ceremony.sign_in != sign_in:
            raise NotFound("begin again: it took too long", code="ceremony_over")
        try:
            new = webauthn_door.check_new(self._site, ceremony.challenge, answer)
        except NotVerifiedError as error:
            log.info("a new key of person %s was refused: %s", ceremony.person, error)
            raise Forbidden("this key was not verified", code="bad_passkey") from error
        row = Passkey(
            id=new.id,
            person_id=ceremony.person,
            public_key=new.public_key,
            sign_count=new.sign_count,
            transports=",".join(new.transports),
            duty=ceremony.duty,
            name=called,
            created=self._clock.utc_ms(),
        )
        added = await self._catalogue.write(self._add, row, ceremony.code)
        if added is NotAdded.KNOWN:
            raise Conflict("this key is here already", code="known_passkey")
        if added is NotAdded.CODE:
            raise _bad_code()
        log.info("person %s has a new passkey (duty: %s)", ceremony.person, ceremony.duty)
        return added

    def _add(self, session: Session, row: Passkey, code: str) -> PasskeyRow | NotAdded:
        added = passkeys.add(session, row, code, row.created)
        if not isinstance(added, NotAdded):
            who = people.person(session, added.person)
            subject = Subject(self._hub, added.person, name=who.name if who else "")
            self._notes.key(session, subject, "add", added.id, duty=added.duty)
        return added

    async def rename(self, subject: Subject, row: PasskeyRow, name: str) -> None:
        """A key of theirs."""

        def act(session: Session) -> None:
            if passkeys.rename(session, row.id, subject.id, name):
                self._notes.key(session, subject, "rename", row.id, duty=row.duty)

        await self._catalogue.write(act)

    async def end(self, subject: Subject, row: PasskeyRow) -> None:
        """A key of theirs opens nothing any more, and what it opened ends. Raises Conflict for the
        last one of somebody who has to come on duty."""

        def act(session: Session) -> None:
            now = self._clock.utc_ms()
            others = [each for each in passkeys.of_person(session, subject.id) if each.id != row.id]
            duties = appointments.to_come(session, subject.id, now) if row.duty else []
            if duties and not any(each.duty for each in others):
                raise Conflict(
                    "add another key first: this is your last for duty", code="last_passkey"
                )
            if passkeys.end(session, row.id, subject.id, now):
                people.end_opened_by(session, row.id, now)
                self._notes.key(session, subject, "remove", row.id, duty=row.duty)

        await self._catalogue.write(act)

    async def begin_sign_in(self, source: Source) -> tuple[str, Json]:
        """For whoever stands before the device: nobody is named, so nobody can be guessed."""
        self._check_site()
        self._begins.spend(network_of(source.address))
        challenge = secrets.token_bytes(32)
        name = self._ceremonies.put(Ceremony(challenge, self._end()))
        return name, webauthn_door.request_options(self._site, challenge)

    async def finish_sign_in(
        self, name: str, answer: Json, device: str, source: Source
    ) -> SignedIn | ToChoose:
        """Raises Forbidden after a delay: why exactly is only logged."""
        network = self._attempt(source)
        try:
            key = await self._prove(name, answer)
        except NotVerifiedError as error:
            log.warning("a passkey from %s was refused: %s", source.address, error)
            self._sign_ins.failed(source)
            raise await self._slowly(
                Forbidden("this key is not accepted here", code="bad_passkey")
            ) from error
        self._failures.give_back(network)
        return await self._come_in(key, device)

    async def choose(self, ticket: str, appointment: str | None, device: str) -> SignedIn:
        """As what, for somebody who has just shown their key. Raises NotFound, Forbidden."""
        choice = self._choices.take(ticket, self._clock.utc_ms())
        if choice is None:
            raise NotFound("sign in again: it took too long", code="ceremony_over")
        who, home, duties = await self._ways(choice.person, duty=choice.duty)
        if appointment is None and home:
            return await self._sign_ins.by_passkey(who, choice.key, None, device)
        for row in duties:
            if row.id == appointment:
                return await self._sign_ins.by_passkey(who, choice.key, row, device)
        raise Forbidden("you hold no such appointment now", code="no_appointment")

    async def _prove(self, name: str, answer: Json) -> PasskeyRow:
        now = self._clock.utc_ms()
        ceremony = self._ceremonies.take(name, now)
        if ceremony is None or ceremony.person:
            raise NotVerifiedError("no such challenge is open")
        key = await self._catalogue.read(passkeys.find, webauthn_door.key_named_in(answer))
        if key is None:
            raise NotVerifiedError("the key is not known, or was ended")
        count = webauthn_door.check_use(self._site, ceremony.challenge, key, answer)
        if not await self._catalogue.write(passkeys.use, key.id, count, now):
            raise NotVerifiedError("the key's counter did not move on: it may have been copied")
        return key

    async def _come_in(self, key: PasskeyRow, device: str) -> SignedIn | ToChoose:
        who, home, duties = await self._ways(key.person, duty=key.duty)
        if home and not duties:
            return await self._sign_ins.by_passkey(who, key.id, None, device)
        if len(duties) == 1 and not home:
            return await self._sign_ins.by_passkey(who, key.id, duties[0], device)
        ticket = self._choices.put(Choice(self._end(), key.person, key.id, key.duty))
        return ToChoose(ticket, home, tuple(duties))

    async def _ways(
        self, person: str, *, duty: bool
    ) -> tuple[PersonRow, bool, Sequence[AppointmentRow]]:
        """Whoever holds appointments and belongs to no household comes on duty only."""
        who = await self._catalogue.read(people.person, person)
        if who is None:
            raise Forbidden("this key is not accepted here", code="bad_passkey")
        households = await self._catalogue.read(people.households_of, person)
        now = self._clock.utc_ms()
        duties = await self._catalogue.read(appointments.of_person, person, now) if duty else []
        return who, bool(households) or not duties, duties

    def _attempt(self, source: Source) -> str:
        network = network_of(source.address)
        self._failures.spend(network)  # before anything is awaited: many ask at once
        return network

    async def _slowly(self, refusal: HubError) -> HubError:
        await self._clock.sleep(random.uniform(0.5, SLOWEST_REFUSAL))  # noqa: S311 - a delay
        return refusal

    def _end(self) -> int:
        return self._clock.utc_ms() + VALID_MS

    def _check_site(self) -> None:
        """Raises Conflict: browsers hold passkeys for names only."""
        if not can_hold_passkeys(self._site.rp):
            raise Conflict(
                "passkeys need a name: this hub's public_url has an address", code="no_dns_name"
            )


def _bad_code() -> NotFound:
    return NotFound("this code is wrong, used or expired", code="bad_code")


def can_hold_passkeys(host: str) -> bool:
    try:
        _ = ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False
