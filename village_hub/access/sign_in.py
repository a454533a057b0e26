"""Signing in by a one-time code; sessions. No passwords, no default accounts (IDN-16, DEV-1)."""

import logging
import random
from dataclasses import dataclass, field

from village_core.clock import Clock
from village_core.enrolment import (
    SELECTOR,
    TYPED_TRIES,
    TYPED_VALID,
    new_typed_code,
    read_typed_code,
)
from village_core.ids import new_id, new_secret
from village_core.permits import Action, Purpose
from village_core.tokens import LONGEST, Kind
from village_hub.access.credentials import DUTY_LIFE, SESSION_LIFE, digest
from village_hub.access.facts import Said
from village_hub.access.identity import KIOSK, PersonCaller, claims_of
from village_hub.access.origin import Source
from village_hub.access.throttle import Throttle, network_of
from village_hub.access.token_keys import TokenKeys
from village_hub.catalogue import people
from village_hub.catalogue.models import OneTimeCode, SignIn
from village_hub.catalogue.rows import Capacity, Method, PersonRow
from village_hub.catalogue.staff_rows import AppointmentRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import NotFound, TooMany

log = logging.getLogger(__name__)

LINK_VALID = 72 * 3600 * 1000  # ms
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


class Codes:
    """Makes one-time codes for people who are known."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    async def link(self, person: str) -> str:
        """A new code of 256 bits for a link's fragment: single use, 72 h."""
        code = new_secret()
        await self._add(person, digest(code), None, LINK_VALID)
        return code

    async def typed(self, person: str) -> str:
        """A new code of eight letters: single use, 5 tries, 10 minutes."""
        for _ in range(20):  # a selector may be taken by another open code
            code = new_typed_code()
            letters = code.replace("-", "")
            if await self._add(person, digest(letters), letters[:SELECTOR], TYPED_VALID * 1000):
                return code
        raise TooMany("too many typed codes are open; wait a little", retry_after=TYPED_VALID)

    async def _add(self, person: str, code_digest: str, selector: str | None, valid: int) -> bool:
        now = self._clock.utc_ms()
        row = OneTimeCode(
            id=new_id(self._clock),
            person_id=person,
            digest=code_digest,
            selector=selector,
            tries=TYPED_TRIES,
            expires=now + valid,
        )
        return await self._catalogue.write(people.add_code, row, now)


class SignIns:
    """Codes in, sessions out."""

    def __init__(self, hub: str, catalogue: Catalogue, keys: TokenKeys, clock: Clock) -> None:
        self._hub = hub
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
            await self._clock.sleep(random.uniform(0.5, SLOWEST_REFUSAL))  # noqa: S311 - a delay
            raise NotFound("this code is wrong, used or expired", code="bad_code")
        self._failures.give_back(network)
        log.info("sign-in %s of person %s by code from %s", row.id, who.id, source.address)
        return SignedIn(who.id, who.name, row.id, secret, row.expires)

    async def _spend(self, code: str, row: SignIn) -> PersonRow | None:
        letters = read_typed_code(code)
        spent = digest(letters or code.strip())
        selector = letters[:SELECTOR] if letters else None
        now = self._clock.utc_ms()
        return await self._catalogue.write(people.sign_in, spent, selector, row, now)

    async def by_passkey(
        self, person: PersonRow, duty: AppointmentRow | None, device: str
    ) -> SignedIn:
        """A session for whoever has just shown a key of theirs; on duty when that is given."""
        secret = new_secret()
        row = self._new_session(secret, device, Method.PASSKEY)
        row.person_id = person.id
        if duty is not None:
            row.capacity, row.appointment_id = Capacity.DUTY.value, duty.id
            row.expires = min(row.created + DUTY_LIFE, duty.until)
        await self._catalogue.write(people.open_sign_in, row)
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

    async def end(self, sign_in: str, person: str) -> bool:
        """False when this person has no such session."""
        return await self._catalogue.write(
            people.end_sign_in, sign_in, person, self._clock.utc_ms()
        )

    async def end_others(self, kept: str, person: str) -> None:
        """Whatever else is signed in as this person ends."""
        now = self._clock.utc_ms()
        await self._catalogue.write(people.end_other_sign_ins, person, kept, now)

    async def replaced(self, secret: str) -> None:
        """A browser that held `secret` was given another session: the one before ends."""
        now = self._clock.utc_ms()
        await self._catalogue.write(people.replace_sign_in, digest(secret), now)

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
