"""The child's half of enrolment (enrolment.py has the protocol): the calls, in their order."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.enrolment import (
    TYPED_VALID,
    Begin,
    Begun,
    Enrolled,
    EnrolmentError,
    OwnKeys,
    Qr,
    check_enrolled,
    commitment,
    make_claim,
    make_reveal,
    new_nonce,
    read_typed_code,
    six_digits,
)
from village_core.keys import KeyTextError, PublicKey
from village_core.line import Line, parsed
from village_core.tokens import Issuer, Kind

ASK_EVERY = 2.0  # seconds, while the hub's person has not entered the digits

Compared = Callable[[str], Awaitable[bool]]
"""Shows six digits; True when the person says that the hub shows the same."""
Learn = Callable[[int], None]
"""The hub's clock, UTC ms."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Where, what the hub there said, and its key, which is to be pinned."""

    url: str
    enrolled: Enrolled
    hub_key: PublicKey


async def by_qr(text: str, keys: OwnKeys) -> Joined:
    """Raises EnrolmentError or one of PARENT_ERRORS."""
    qr = Qr.parse(text)
    line = Line(qr.url, qr.hub_fingerprint)
    try:
        await line.vouch()
        claim = make_claim(qr, keys)
        _, body = await line.ask("POST", f"/api/v1/enrolments/{qr.enrolment}/claim", body=claim)
    finally:
        await line.close()
    return _checked(line.url, parsed(Enrolled, body), keys, qr.hub_fingerprint)


async def by_code(
    url: str, code: str, keys: OwnKeys, same: Compared, *, clock: Clock, learn: Learn
) -> Joined:
    """Raises EnrolmentError or one of PARENT_ERRORS. `clock`: the hub's, once learned."""
    letters = read_typed_code(code)
    if letters is None:
        raise EnrolmentError("a code has eight letters without vowels: XXXX-XXXX")
    line = Line(url, None)
    try:
        typed = _Typed(line, keys, clock, learn)
        enrolled, fingerprint = await typed.run(letters, same)
    finally:
        await line.close()
    return _checked(line.url, enrolled, keys, fingerprint)


def _checked(url: str, enrolled: Enrolled, keys: OwnKeys, fingerprint: str) -> Joined:
    try:
        hub = check_enrolled(enrolled, keys.public, fingerprint)
    except (ValueError, KeyTextError) as error:
        raise EnrolmentError("the hub's answer is not well-formed") from error
    return Joined(url, enrolled, hub)


class _Typed:
    """Way B: commit, reveal, compare six digits, wait for the other side."""

    def __init__(self, line: Line, keys: OwnKeys, clock: Clock, learn: Learn) -> None:
        self._line = line
        self._keys = keys
        self._clock = clock
        self._learn = learn

    async def run(self, code: str, same: Compared) -> tuple[Enrolled, str]:
        """The hub's answer, and the fingerprint that the digits were compared for."""
        vouched = await self._line.vouch()
        self._learn(vouched.utc_ms)
        nonce = new_nonce()
        begun = await self._begin(code, nonce, vouched.key)
        reveal = make_reveal(begun, self._keys, nonce)
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
        issuer = Issuer(begun.enrolment, self._keys.node, self._clock)
        token = issuer.mint(Kind.ENROL, subject=begun.enrolment, audience=hub)
        path = f"/api/v1/enrolments/{begun.enrolment}{end}"
        return await self._line.ask(method, path, token=token)
