"""The household's code: opens the LAN page and switches the pictures on again (DEV-1).

Kept as a salted scrypt hash. Wrong tries are counted by where they come from and all together, so
that nobody on the LAN guesses it, and nobody locks the household out for long.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import deque

from home_agent.state import State, Stored
from village_core.clock import SYSTEM_CLOCK, Clock

FILE = "household.json"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"  # 28: eight of them are 38 bits
LENGTH = 8
TRIES = 5  # wrong ones from one place
TRIES_OF_ALL = 30
WINDOW = 600.0  # seconds a wrong try is remembered
MOST_PLACES = 1000  # addresses remembered: an IPv6 guest has many
COST = 1 << 13  # scrypt: 8 MiB and about 20 ms, as much as a gateway has to spare


class CodeError(Exception):
    """The code was not accepted."""


class TooManyTriesError(CodeError):
    """`retry_after` seconds until the next one counts."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many wrong codes: wait {max(1, round(retry_after))} s")
        self.retry_after = retry_after


class CodeHash(Stored):
    salt: str
    digest: str
    serial: int = 0  # counts new codes: sessions of an older one end


class Tries:
    """Wrong tries in the last ten minutes. Pure but for the clock."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._by_place: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=TRIES_OF_ALL)

    def check(self, place: str) -> None:
        """Raises TooManyTriesError when `place` has to wait."""
        now = self._clock.monotonic()
        for times, limit in ((self._by_place.get(place), TRIES), (self._all, TRIES_OF_ALL)):
            if times and len(times) >= limit and (wait := times[0] + WINDOW - now) > 0:
                raise TooManyTriesError(wait)

    def wrong(self, place: str) -> None:
        now = self._clock.monotonic()
        if place not in self._by_place and len(self._by_place) >= MOST_PLACES:
            self._by_place.pop(next(iter(self._by_place)))
        self._by_place.setdefault(place, deque(maxlen=TRIES)).append(now)
        self._all.append(now)

    def right(self, place: str) -> None:
        """The try that was counted as wrong before it was looked at."""
        self._by_place.pop(place, None)
        if self._all:
            self._all.pop()


class Household:
    """Makes and checks the code."""

    def __init__(self, state: State, clock: Clock = SYSTEM_CLOCK) -> None:
        self._state = state
        self._tries = Tries(clock)

    def has_code(self) -> bool:
        return self._hash() is not None

    def serial(self) -> int:
        """Which code holds; 0 when there is none."""
        known = self._hash()
        return known.serial if known else 0

    def new_code(self) -> str:
        """Make one, keep its hash, return it to be shown once as XXXX-XXXX."""
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        salt = secrets.token_bytes(16)
        kept = CodeHash(salt=salt.hex(), digest=_digest(code, salt).hex(), serial=self.serial() + 1)
        self._state.write(FILE, kept)
        return f"{code[:4]}-{code[4:]}"

    async def check(self, code: str, place: str) -> None:
        """Raises CodeError unless it is the code; `place` is where the try comes from."""
        self._tries.check(place)
        self._tries.wrong(place)  # until it turns out right: many may ask at once
        if not await asyncio.to_thread(self._right, code):
            raise CodeError("this is not the household's code")
        self._tries.right(place)

    def _hash(self) -> CodeHash | None:
        return self._state.read(FILE, CodeHash)

    def _right(self, code: str) -> bool:
        known = self._hash()
        letters = "".join(char for char in code.upper() if char not in " -\u2013\u2014.")
        if known is None or len(letters) != LENGTH:
            return False
        digest = _digest(letters, bytes.fromhex(known.salt))
        return hmac.compare_digest(digest, bytes.fromhex(known.digest))


def _digest(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode(), salt=salt, n=COST, r=8, p=1)
