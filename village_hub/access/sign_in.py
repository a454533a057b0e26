"""Signing in by a one-time code; sessions. No passwords, no default accounts (IDN-16, DEV-1)."""

import logging
import random
from dataclasses import dataclass, field

from village_core.clock import Clock
from village_core.enrolment import SELECTOR, read_typed_code
from village_core.ids import new_id, new_secret
from village_core.permits import Action, Purpose
from village_core.tokens import LONGEST, Kind
from village_hub.access.credentials import DUTY_LIFE, SESSION_LIFE, digest
from village_hub.access.facts import Said, Subject
from village_hub.access.identity import KIOSK, PersonCaller, claims_of, subject_of_sign_in
from village_hub.access.origin import Source
from village_hub.access.sign_in_notes import SignInNotes
from village_hub.access.throttle import Throttle, network_of
from village_hub.access.token_keys import TokenKeys
from village_hub.audit.strangers import SIGN_IN, Strangers
from village_hub.catalogue import people
from village_hub.catalogue.models import SignIn
from village_hub.catalogue.rows import Capacity, Method, PersonRow
from village_hub.catalogue.staff_rows import AppointmentRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import NotFound

log = logging.getLogger(__name__)

MOST_FAILURES = 10  # from one source ...
FAILURES_EVERY = 300.0  # ... in so many seconds
SLOWEST_REFUSAL = 1.5  # seconds
LONGEST_DEVICE = 120  # characters of what a browser calls itself


@dataclass(frozen=True, slots=True)
class SignedIn:
    person: str
    name: str
    sign_in: str
    secret: str = field(repr=False)  # for the cookie
    expires: int = 0  # UTC ms


class SignIns:
    """Codes in, sessions out."""

    def __init__(
        self,
        hub: str,
        catalogue: Catalogue,
        keys: TokenKeys,
        strangers: Strangers,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._strangers = strangers
        self._notes = SignInNotes(hub, clock)
        self._catalogue = catalogue
        self._keys = keys
        self._clock = clock
        self._failures = Throttle(MOST_FAILURES, FAILURES_EVERY, clock)

    async def sign_in(self, code: str, device: str, source: Source) -> SignedIn:
        """A session for the person whose code this is; the code is then spent.

        Raises NotFound after a delay for a code that is wrong, used or expired (not told apart),
        TooMany when the source has failed too often.
        """
        network = network_of(source.address)
        self._failures.spend(network)  # before anything is awaited: many ask at once
        secret = new_secret()
        row = self._new_session(secret, device)
        who = await self._spend(code, row)
        if who is None:
            log.info("a sign-in from %s failed", source.address)
            self.failed(source)
            await self._clock.sleep(random.uniform(0.5, SLOWEST_REFUSAL))  # noqa: S311 - a delay
            raise NotFound("this code is wrong, used or expired", code="bad_code")
        self._failures.give_back(network)
        log.info("sign-in %s of person %s by code from %s", row.id, who.id, source.address)
        return SignedIn(who.id, who.name, row.id, secret, row.expires)

    async def _spend(self, code: str, row: SignIn) -> PersonRow | None:
        letters = read_typed_code(code)
        spent = digest(letters or code.strip())
        selector = letters[:SELECTOR] if letters else None

        def act(session: Session) -> PersonRow | None:
            now = self._clock.utc_ms()
            found = people.sign_in(session, spent, selector, row, now)
            if found is None:
                return None
            who, first = found
            self._notes.by_code(session, who, row.id, first=first)
            return who

        return await self._catalogue.write(act)

    def failed(self, source: Source) -> None:
        """Somebody could not come in: counted in the log by network and minute."""
        self._strangers.note(source.address, SIGN_IN)

    async def by_passkey(
        self, person: PersonRow, key: str, duty: AppointmentRow | None, device: str
    ) -> SignedIn:
        """A session for whoever has just shown this key of theirs; on duty when that is given."""
        secret = new_secret()
        row = self._new_session(secret, device, Method.PASSKEY)
        row.person_id, row.passkey_id = person.id, key
        if duty is not None:
            row.capacity, row.appointment_id = Capacity.DUTY.value, duty.id
            row.expires = min(row.created + DUTY_LIFE, duty.until)
        subject = subject_of_sign_in(self._hub, person, duty)

        def act(session: Session) -> None:
            self._notes.by_key(session, subject, people.open_sign_in(session, row))

        await self._catalogue.write(act)
        log.info("sign-in %s of person %s by passkey", row.id, person.id)
        return SignedIn(person.id, person.name, row.id, secret, row.expires)

    def _new_session(self, secret: str, device: str, method: Method = Method.CODE) -> SignIn:
        """Of nobody yet."""
        now = self._clock.utc_ms()
        return SignIn(
            id=new_id(self._clock),
            person_id="",
            digest=digest(secret),
            device=device[:LONGEST_DEVICE].encode(errors="replace").decode(),
            method=method.value,
            created=now,
            used=now,
            expires=now + SESSION_LIFE,
        )

    async def end(self, subject: Subject, sign_in: str) -> bool:
        """False when this person has no such session."""

        def act(session: Session) -> bool:
            ended = people.end_sign_in(session, sign_in, subject.id, self._clock.utc_ms())
            if ended:
                self._notes.ended(session, subject, sign_in)
            return ended

        return await self._catalogue.write(act)

    async def end_others(self, kept: str, person: Subject) -> None:
        """Whatever else is signed in as this person ends."""

        def act(session: Session) -> None:
            now = self._clock.utc_ms()
            for ended in people.end_other_sign_ins(session, person.id, kept, now):
                self._notes.ended(session, person, ended)

        await self._catalogue.write(act)

    async def replaced(self, secret: str) -> None:
        """A browser that held `secret` was given another session: the one before ends."""

        def act(session: Session) -> None:
            ended = people.replace_sign_in(session, digest(secret), self._clock.utc_ms())
            if ended and (who := people.person(session, ended.person)):
                self._notes.ended(session, Subject(self._hub, who.id, name=who.name), ended.id)

        await self._catalogue.write(act)

    def media_token(
        self, caller: PersonCaller, camera: str, action: Action, said: Said
    ) -> tuple[str, int]:
        """A media token for a look that is decided when it is used, and its life in seconds."""
        more = {"sid": caller.sign_in, "camera": camera, "action": action.value}
        purpose = said.purpose or Purpose.OWN_VIEW
        return self._mint(Kind.MEDIA, caller, more | {"purpose": purpose, "reason": said.reason})

    def access_token(self, caller: PersonCaller) -> tuple[str, int]:
        """An access token (RFC 9068) for programs that keep no cookies, and its life in seconds."""
        more: dict[str, str] = {"sid": caller.sign_in, "client_id": "village-hub"}
        if caller.kiosk:
            more["client_id"] = KIOSK
        return self._mint(Kind.ACCESS, caller, more)

    def _mint(self, kind: Kind, caller: PersonCaller, more: dict[str, str]) -> tuple[str, int]:
        issuer, subject = self._keys.issuer(), caller.subject
        claims = {**claims_of(subject), **more}
        token = issuer.mint(kind, subject=subject.id, audience=self._hub, more=claims)
        return token, LONGEST[kind]
