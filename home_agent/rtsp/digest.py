"""HTTP authentication as RTSP and ONVIF use it: Digest (RFC 2617, RFC 7616), Basic (RFC 7617).

The strongest Digest offered is used (SHA-256 before MD5); Basic only when nothing else is offered.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_HASHES = {"SHA-256": "sha256", "SHA-256-SESS": "sha256", "MD5": "md5", "MD5-SESS": "md5"}
_PREFERENCE = tuple(_HASHES)
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PART = re.compile(rf'\s*({_WORD})(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)|(?=\s|$))[\s,]*')


@dataclass(frozen=True, slots=True)
class Credentials:
    """A camera's account; never shows its password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    scheme: str  # lower case
    parameters: dict[str, str]  # names in lower case

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").upper()


def read_challenges(values: Iterable[str]) -> list[Challenge]:
    """WWW-Authenticate header values, each with one or several challenges (RFC 9110 11.6.1).

    Text that is no challenge is left out.
    """
    challenges: list[Challenge] = []
    for value in values:
        at = 0
        while match := _PART.match(value, at):
            at = match.end()
            name, text = match[1].lower(), match[2]
            if text is None:
                challenges.append(Challenge(name, {}))
            elif challenges:
                challenges[-1].parameters[name] = _unquoted(text)
    return challenges


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def choose(challenges: Sequence[Challenge]) -> Challenge | None:
    """The best challenge that can be answered, None when there is none."""
    digests = [each for each in challenges if each.scheme == "digest" and _answerable(each)]
    if digests:
        return min(digests, key=lambda each: _PREFERENCE.index(each.algorithm))
    if challenges and all(each.scheme == "basic" for each in challenges):
        return challenges[0]
    return None


def _answerable(challenge: Challenge) -> bool:
    qop = challenge.parameters.get("qop")
    return (
        challenge.algorithm in _HASHES
        and bool(challenge.parameters.get("nonce"))
        and (qop is None or "auth" in _qops(qop))
    )


def _qops(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",")]


class Authenticator:
    """Answers the challenges of one server with one account."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._challenge: Challenge | None = None
        self._count = 0
        self._client_nonce = ""

    @property
    def scheme(self) -> str | None:
        """What is in use: "basic", or "digest" with its algorithm."""
        if self._challenge is None:
            return None
        basic = self._challenge.scheme == "basic"
        return "basic" if basic else f"digest {self._challenge.algorithm}"

    def challenged(self, values: Iterable[str]) -> bool:
        """Take in a 401's WWW-Authenticate values; True when asking again can succeed.

        After an answered challenge that is only so when the server says that the nonce was stale.
        """
        challenge = choose(read_challenges(values))
        if challenge is None or self._credentials is None:
            return False
        stale = challenge.parameters.get("stale", "").lower() == "true"
        again = self._challenge is None or stale
        self._challenge, self._count = challenge, 0
        self._client_nonce = secrets.token_hex(8)
        return again

    def header(self, method: str, uri: str) -> str | None:
        """The Authorization value for a request, None before the first challenge."""
        if self._challenge is None or self._credentials is None:
            return None
        if self._challenge.scheme == "basic":
            pair = f"{self._credentials.user}:{self._credentials.password}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return self._digest(self._challenge, self._credentials, method, uri)

    def _digest(self, challenge: Challenge, account: Credentials, method: str, uri: str) -> str:
        given = challenge.parameters
        realm, nonce = given.get("realm", ""), given["nonce"]
        secret = _hash(challenge, f"{account.user}:{realm}:{account.password}")
        if challenge.algorithm.endswith("-SESS"):
            secret = _hash(challenge, f"{secret}:{nonce}:{self._client_nonce}")
        request = _hash(challenge, f"{method}:{uri}")
        parts = [("username", account.user), ("realm", realm), ("nonce", nonce), ("uri", uri)]
        bare: list[tuple[str, str]] = []
        if "qop" in given:
            self._count += 1
            count = f"{self._count:08x}"
            middle = f"{nonce}:{count}:{self._client_nonce}:auth"
            bare = [("qop", "auth"), ("nc", count)]
        else:
            middle = nonce
        if "qop" in given or challenge.algorithm.endswith("-SESS"):
            parts.append(("cnonce", self._client_nonce))
        parts.append(("response", _hash(challenge, f"{secret}:{middle}:{request}")))
        if "opaque" in given:
            parts.append(("opaque", given["opaque"]))
        if "algorithm" in given:
            bare.append(("algorithm", given["algorithm"]))
        return "Digest " + ", ".join(
            [f'{name}="{_quoted(value)}"' for name, value in parts]
            + [f"{name}={value}" for name, value in bare]
        )


def _hash(challenge: Challenge, text: str) -> str:
    # MD5 is what RFC 2617 prescribes and most cameras offer; it guards nothing else here.
    return hashlib.new(
        _HASHES[challenge.algorithm], text.encode(), usedforsecurity=False
    ).hexdigest()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
