"""The agent's side of enrolment (village_core/enrolment.py, IDN-15): by QR, or by a typed code.

Nothing of an older enrolment is touched before the new one holds: the new node key waits in
node.key.new, so that an enrolment cut short can be repeated with the same key. The household key
stays: it belongs to the home, not to the hub (PRM-21).
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from home_agent.boxclock import BoxClock, HubTime
from home_agent.parent import Enrolment, Line, ParentError, parsed
from home_agent.state import State, StateError
from village_core.enrolment import (
    TYPED_VALID,
    AgentKeys,
    Begin,
    Begun,
    Enrolled,
    EnrolmentError,
    Qr,
    check_enrolled,
    commitment,
    make_claim,
    make_reveal,
    new_nonce,
    read_typed_code,
    six_digits,
)
from village_core.keys import KeyFileError, KeyTextError, PublicKey, SigningKey
from village_core.tokens import Issuer, Kind

ENROLMENT = "enrolment.json"
NODE_KEY = "node.key"
NEW_KEY = "node.key.new"
HOUSEHOLD_KEY = "household.key"
ASK_EVERY = 2.0  # seconds, while the hub's person has not entered the digits

Compared = Callable[[str], Awaitable[bool]]
"""Shows six digits; True when the person says that the hub shows the same."""


@dataclass(frozen=True, slots=True)
class Keys:
    node: SigningKey
    household: SigningKey

    @property
    def public(self) -> AgentKeys:
        return AgentKeys(self.node.public, self.household.public)


def stored_enrolment(state: State) -> tuple[Enrolment, SigningKey] | None:
    """The enrolment that holds and its node key; None before. Raises StateError."""
    enrolment = state.read(ENROLMENT, Enrolment)
    if enrolment is None:
        return None
    for name in (NODE_KEY, NEW_KEY):  # the second when the power failed between two renames
        if state.path(name).exists():
            key = _key(state, name)
            if key.public.fingerprint == enrolment.node:
                return enrolment, key
    raise StateError(f"{state.path(NODE_KEY)} is not the key that was enrolled: enrol again")


async def enrol_by_qr(state: State, text: str) -> Enrolment:
    """Raises EnrolmentError, StateError or one of PARENT_ERRORS."""
    qr = Qr.parse(text)
    keys = await asyncio.to_thread(_new_keys, state)
    line = Line(qr.url, qr.hub_fingerprint)
    try:
        await line.vouch()
        claim = make_claim(qr, keys.node, keys.household)
        _, body = await line.ask("POST", f"/api/v1/enrolments/{qr.enrolment}/claim", body=claim)
    finally:
        await line.close()
    enrolled = parsed(Enrolled, body)
    return await asyncio.to_thread(_keep, state, line.url, enrolled, keys, qr.hub_fingerprint)


async def enrol_by_code(
    state: State, url: str, code: str, same: Compared, clock: BoxClock
) -> Enrolment:
    """Raises EnrolmentError, StateError or one of PARENT_ERRORS."""
    letters = read_typed_code(code)
    if letters is None:
        raise EnrolmentError("a code has eight letters without vowels: XXXX-XXXX")
    keys = await asyncio.to_thread(_new_keys, state)
    line = Line(url, None)
    try:
        typed = _Typed(line, keys, clock)
        enrolled, fingerprint = await typed.run(letters, same)
    finally:
        await line.close()
    return await asyncio.to_thread(_keep, state, line.url, enrolled, keys, fingerprint)


class _Typed:
    """Way B: commit, reveal, compare six digits, wait for the other side."""

    def __init__(self, line: Line, keys: Keys, clock: BoxClock) -> None:
        self._line = line
        self._keys = keys
        self._clock = clock

    async def run(self, code: str, same: Compared) -> tuple[Enrolled, str]:
        """The hub's answer, and the fingerprint that the digits were compared for."""
        vouched = await self._line.vouch()
        self._clock.learn(vouched.utc_ms)
        nonce = new_nonce()
        begun = await self._begin(code, nonce, vouched.key)
        reveal = make_reveal(begun, self._keys.node, self._keys.household, nonce)
        await self._line.ask("POST", f"/api/v1/enrolments/{begun.enrolment}/reveal", body=reveal)
        digits = six_digits(vouched.key, self._keys.public, begun.nonce, nonce)
        if not await same(digits):
            await self._ask("DELETE", begun, vouched.hub, "")
            raise EnrolmentError("the digits differ: somebody may stand in between; nothing kept")
        return await self._result(begun, vouched.hub), vouched.key.fingerprint

    async def _begin(self, code: str, nonce: str, hub: PublicKey) -> Begun:
        begin = Begin(code=code, commitment=commitment(self._keys.public, nonce))
        _, body = await self._line.ask("POST", "/api/v1/enrolments/begin", body=begin)
        begun = parsed(Begun, body)
        if not hmac.compare_digest(begun.hub_key.encode(), hub.text.encode()):
            raise EnrolmentError("the hub answered with another key than it vouched with")
        return begun

    async def _result(self, begun: Begun, hub: str) -> Enrolled:
        end = self._clock.monotonic() + TYPED_VALID
        while self._clock.monotonic() < end:
            status, body = await self._ask("GET", begun, hub, "/result")
            if status == 200:
                return parsed(Enrolled, body)
            await self._clock.sleep(ASK_EVERY)
        raise EnrolmentError("nobody entered the digits at the hub in time")

    async def _ask(self, method: str, begun: Begun, hub: str, end: str) -> tuple[int, bytes]:
        issuer = Issuer(begun.enrolment, self._keys.node, HubTime(self._clock))
        token = issuer.mint(Kind.ENROL, subject=begun.enrolment, audience=hub)
        path = f"/api/v1/enrolments/{begun.enrolment}{end}"
        return await self._line.ask(method, path, token=token)


def household_key(state: State) -> SigningKey:
    """Raises StateError."""
    return _key(state, HOUSEHOLD_KEY)


def _new_keys(state: State) -> Keys:
    return Keys(_key(state, NEW_KEY), _key(state, HOUSEHOLD_KEY))


def _key(state: State, name: str) -> SigningKey:
    try:
        return SigningKey.load_or_make(state.path(name))
    except KeyFileError as error:
        raise StateError(str(error)) from error


def _keep(state: State, url: str, enrolled: Enrolled, keys: Keys, fingerprint: str) -> Enrolment:
    """Check what the hub says and make it this agent's enrolment. Raises EnrolmentError."""
    try:
        hub = check_enrolled(enrolled, keys.public, fingerprint)
    except (ValueError, KeyTextError) as error:
        raise EnrolmentError("the hub's answer is not well-formed") from error
    enrolment = Enrolment(
        url=url,
        hub=enrolled.hub,
        hub_name=enrolled.hub_name,
        hub_key=hub.text,
        agent=enrolled.agent,
        household=enrolled.household,
        household_name=enrolled.household_name,
        node=keys.node.public.fingerprint,
        owners=enrolled.owners,
        site=url,
    )
    state.write(ENROLMENT, enrolment)
    try:
        state.path(NEW_KEY).replace(state.path(NODE_KEY))
    except OSError as error:
        raise StateError(f"{state.path(NODE_KEY)} cannot be written: {error.strerror}") from error
    return enrolment


ENROL_ERRORS = (EnrolmentError, StateError, ParentError)
