"""The keys that this hub signs its tokens with: rotated, each named by its `kid` (IDN-4)."""

import logging
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from village_core.clock import Clock
from village_core.keys import KeyFileError, PublicKey, SigningKey, write_new
from village_core.tokens import BY_TOKEN_KEY, LONGEST, Issuer, Verifier

log = logging.getLogger(__name__)

DAY_MS = 24 * 3600 * 1000
SIGNS_FOR = 60 * DAY_MS  # then a new one is made: well within the 90 days of IDN-4
ROTATES_EVERY = 3600.0  # seconds between looks
# ms that an old key still verifies: the longest life of what it signed (IDN-4)
OVERLAP = max(LONGEST[kind] for kind in BY_TOKEN_KEY) * 1000


@dataclass(frozen=True, slots=True)
class TokenKey:
    key: SigningKey
    made: int  # UTC ms


class TokenKeys:
    """Key files `MADE.pem` in one folder, MADE in UTC ms; the newest signs."""

    def __init__(self, folder: Path, hub: str, clock: Clock) -> None:
        self._folder = folder
        self._hub = hub
        self._clock = clock
        self._keys: list[TokenKey] = []

    def rotate(self) -> None:
        """Read the folder, make a key when the newest has signed long enough, forget those whose
        last token has ended. Blocks on the disk. Raises KeyFileError."""
        keys = _read(self._folder)
        now = self._clock.utc_ms()
        if not keys or now - keys[-1].made > SIGNS_FOR:
            keys.append(_make(self._folder, now))
            log.info("a new token key: %s", keys[-1].key.public.fingerprint)
        ended = [key for key, later in pairwise(keys) if now - later.made > OVERLAP]
        for key in ended:
            (self._folder / f"{key.made}.pem").unlink(missing_ok=True)
        self._keys = keys[len(ended) :]

    @property
    def public(self) -> list[PublicKey]:
        return [each.key.public for each in self._keys]

    def issuer(self) -> Issuer:
        return Issuer(self._hub, self._keys[-1].key, self._clock)

    def verifier(self) -> Verifier:
        """For tokens that this hub made for itself."""
        return Verifier(self._hub, self._trust, self._clock)

    def _trust(self, issuer: str, kid: str) -> PublicKey | None:
        if issuer != self._hub:
            return None
        return next((key for key in self.public if key.fingerprint == kid), None)


def _read(folder: Path) -> list[TokenKey]:
    found = [path for path in folder.glob("*.pem") if path.stem.isdigit()]
    keys = [TokenKey(SigningKey.load(path), int(path.stem)) for path in found]
    return sorted(keys, key=lambda each: each.made)


def _make(folder: Path, now: int) -> TokenKey:
    key = SigningKey.make()
    try:
        write_new(folder / f"{now}.pem", key.pem())
    except OSError as error:
        raise KeyFileError(f"{folder}: no token key can be made: {error.strerror}") from error
    return TokenKey(key, now)
