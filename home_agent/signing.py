"""From a draft to a signed grant: the household key signs here and nowhere else (PRM-21).

`Signer.confirmed` says how the draft was confirmed, or that it has to wait for the household at
home; `Signer.sign` signs what `check_terms` allows.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from home_agent.boxclock import BoxClock
from home_agent.grants import Given, Grants
from home_agent.owners import Owners
from village_core.assertion import NotAsserted, Passkey, Site, check_assertion
from village_core.grant_limits import TermsError, check_terms
from village_core.grant_tokens import (
    AtHome,
    AtWindow,
    ByPasskey,
    Clerk,
    GrantError,
    House,
    check_confirmation,
    read_grant,
    sign_grant,
)
from village_core.grants import GrantTerms, digest
from village_core.keys import SigningKey, encode
from village_core.messages import DraftNote, PasskeyKey
from village_core.permits import CameraClass
from village_core.tokens import Issuer
from village_core.uplink import Refused

Classes = Callable[[], Mapping[str, CameraClass]]
Confirmed = ByPasskey | AtHome | AtWindow


class Earlier:
    """The earlier of the box's and the hub's time: what is signed now begins late for neither."""

    def __init__(self, clock: BoxClock) -> None:
        self._clock = clock

    def utc_ms(self) -> int:
        return min(self._clock.utc_ms(), self._clock.hub_utc_ms())

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Signs:
    """In whose name and with what."""

    house: House
    key: SigningKey = field(repr=False)
    site: Site  # where the owners' passkeys are used


class Signer:
    """One enrolment's."""

    def __init__(
        self,
        signs: Signs,
        grants: Grants,
        owners: Owners,
        classes: Classes,
        clock: BoxClock,
    ) -> None:
        self._house = signs.house
        self._issuer = Issuer(signs.house.id, signs.key, Earlier(clock))
        self._site = signs.site
        self._grants = grants
        self._owners = owners
        self._classes = classes
        self._clock = clock

    def check(self, terms: GrantTerms) -> None:
        """Raises Refused for what no confirmation makes good."""
        try:
            check_terms(terms, self._classes(), self._clock.utc_ms())
        except TermsError as error:
            raise Refused(403, error.code, str(error)) from error

    def is_proven(self, note: DraftNote, *, window: bool) -> bool:
        """Whether the draft brings its confirmation along; raises Refused when that is none."""
        if note.confirmed is None:
            return False
        if isinstance(note.confirmed, ByPasskey):
            self._check_passkey(note.terms, note.confirmed)
        else:
            self._check_window(note, note.confirmed, window=window)
        return True

    async def sign(self, note: DraftNote, confirmed: Confirmed) -> Given:
        """Kept on the list before this returns. Raises Refused, or StateError."""
        self.check(note.terms)
        self._check_confirmation(note.terms, confirmed)
        once = encode(digest(note.terms))
        if before := self._grants.of_terms(once):
            raise Refused(403, "used", f"this was agreed to before (grant {before.id})")
        if not self._grants.has_room():
            raise Refused(503, "full", "this home has given as many grants as its list holds")
        text = await asyncio.to_thread(
            sign_grant,
            *(self._issuer, self._house.hub, note.terms, confirmed),
            status=note.status,
        )
        now = self._clock.utc_ms()
        try:
            grant = read_grant(text, self._house, now)
        except GrantError as error:
            raise Refused(403, error.code, f"this grant would be refused ({error.code})") from error
        given = Given(id=grant.id, draft=note.id, digest=once, text=text, at=now)
        await self._grants.give(given, grant)
        return given

    def _check_passkey(self, terms: GrantTerms, said: ByPasskey) -> None:
        owner = self._owners.find(said.person)
        if owner is None or said.issuer != self._house.hub:
            raise Refused(403, "unknown_owner", "this person was never confirmed at home as owner")
        passkey = next(
            (each for each in owner.passkeys if each.credential == said.assertion.credential), None
        )
        if passkey is None:
            raise Refused(403, "unknown_passkey", "this passkey was never confirmed at home")
        known = Passkey(passkey.credential, passkey.public_key)
        try:
            check_assertion(said.assertion, digest(terms), known, self._site)
        except NotAsserted as error:
            raise Refused(403, "not_asserted", "the passkey did not sign these terms") from error

    def _check_window(self, note: DraftNote, said: AtWindow, *, window: bool) -> None:
        if not window:
            raise Refused(403, "no_window", "this household takes no consent on paper")
        self._check_confirmation(note.terms, said)
        keys = {each.credential: each for each in note.clerk_keys}
        for clerk in said.clerks:
            self._check_clerk(note.terms, clerk, keys)

    def _check_clerk(self, terms: GrantTerms, clerk: Clerk, keys: Mapping[str, PasskeyKey]) -> None:
        key = keys.get(clerk.assertion.credential)
        if key is None:
            raise Refused(403, "not_asserted", "a clerk's key is missing")
        known = Passkey(clerk.assertion.credential, key.public_key)
        try:
            check_assertion(clerk.assertion, digest(terms), known, self._site)
        except NotAsserted as error:
            raise Refused(403, "not_asserted", "a clerk did not sign these terms") from error

    def _check_confirmation(self, terms: GrantTerms, said: Confirmed) -> None:
        try:
            check_confirmation(terms, said, self._classes(), self._clock.utc_ms())
        except TermsError as error:
            raise Refused(403, error.code, str(error)) from error
