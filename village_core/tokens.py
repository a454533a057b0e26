"""Signed tokens (JWT, RFC 7519 and 8725): the only place that knows the `jwt` library.

Every kind has its own `typ`, its longest life and Ed25519 signatures (EdDSA), and nothing in a
token's header chooses how it is checked (IDN-2). What the library leaves open is closed here
(IDN-3): `typ`, required claims, one plain-text audience, times on our Clock, lengths of life.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.keys import PublicKey, SigningKey, decode

ALGORITHM = "EdDSA"
REQUIRED = ("exp", "iat", "nbf", "iss", "aud", "sub", "jti")
TEXT_CLAIMS = ("iss", "aud", "sub", "jti")
HEADER = frozenset({"typ", "alg", "kid"})  # jku, x5u, jwk, crit and the rest have no place
LEEWAY = 60  # seconds, only for nbf and iat of tokens from other nodes (IDN-3)
KID = re.compile(r"[A-Za-z0-9_-]{43}")


class Kind(StrEnum):
    """What a token is for: its header's `typ` (IDN-1)."""

    ACCESS = "at+jwt"  # RFC 9068: a person's API calls
    EXCHANGED = "exchanged+jwt"  # one look or call, asked of another hub (RFC 8693)
    MEDIA = "media+jwt"  # opens one kind of session on one camera
    TICKET = "ticket+jwt"  # a receiver's leave to push or upload to it
    NODE = "node+jwt"  # an agent's or child hub's own calls
    ENROL = "enrol+jwt"  # an agent asking for its enrolment's result
    VOUCH = "vouch+jwt"  # a node key vouching for certificates and token keys
    GRANT = "grant+jwt"  # a household's consent, by its own key (grant_tokens.py)
    STATUS_LIST = "statuslist+jwt"  # which grants are taken back (status_list.py; IDN-9)
    CHECKPOINT = "checkpoint+jwt"  # a node key's word on how long its audit log is
    EVIDENCE = "evidence+jwt"  # an evidence manifest
    TRUST = "trust+jwt"  # the county root's list of issuers (trust.py; IDN-4)
    LETTER = "letter+jwt"  # from one hub to another, whichever hubs are between (letters.py)


DAY = 24 * 3600
YEARS = 3650 * DAY  # what is to be readable for as long as anybody may ask

LONGEST = {  # seconds of life; IDN-5
    Kind.ACCESS: 900,
    Kind.EXCHANGED: 60,
    Kind.MEDIA: 300,
    Kind.TICKET: 60,
    Kind.NODE: 300,
    Kind.ENROL: 60,
    Kind.VOUCH: 300,
    Kind.GRANT: YEARS + 31 * DAY,  # a family's, until stopped; signed up to 30 days ahead
    Kind.STATUS_LIST: 3600,
    # Evidence outlives its `exp`: who reads it years later has no use for a time limit and
    # verifies without a clock. The key that signed it is known by its fingerprint.
    Kind.CHECKPOINT: YEARS,
    Kind.EVIDENCE: YEARS,
    Kind.TRUST: 400 * DAY,  # signed by hand about once a year
    Kind.LETTER: 31 * DAY,  # a line that is down
}

BY_TOKEN_KEY = frozenset({Kind.ACCESS, Kind.MEDIA, Kind.TICKET, Kind.STATUS_LIST})
"""What a hub signs with its rotated token keys (JWKS); all else is by keys that stay."""

LARGEST = 4096  # characters; most of ours are below 800
LARGEST_OF = {
    Kind.GRANT: 16 * 1024,  # two clerks' signatures, and words in Chinese
    Kind.STATUS_LIST: 64 * 1024,
    Kind.EVIDENCE: 64 * 1024,
    Kind.TRUST: 64 * 1024,
    Kind.LETTER: 16 * 1024,
}

Trust = Callable[[str, str], PublicKey | None]
"""(issuer, kid) -> the key that issuer may sign with, else None. Never asks the token."""


class TokenError(Exception):
    """The token is not accepted. `code` is for logs and tests; strangers are told no more."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Times are UTC seconds."""

    kind: Kind
    issuer: str
    subject: str
    audience: str
    id: str
    issued_at: int
    expires_at: int
    more: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A claim that must be text; raises TokenError("claim_missing")."""
        value = self.more.get(name)
        if not isinstance(value, str):
            raise TokenError("claim_missing")
        return value


class Issuer:
    """Mints tokens in one name with one key."""

    def __init__(self, name: str, key: SigningKey, clock: Clock) -> None:
        self.name = name
        self._key = key
        self._clock = clock

    def mint(
        self,
        kind: Kind,
        *,
        subject: str,
        audience: str,
        lifetime: int | None = None,
        expires_at: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """A token that lives `lifetime` seconds (default and at most LONGEST[kind]), or until
        `expires_at` in UTC seconds."""
        now = self._clock.utc_ms() // 1000
        life = LONGEST[kind] if lifetime is None else lifetime
        if expires_at is not None:
            life = expires_at - now
        if not 0 < life <= LONGEST[kind]:
            raise ValueError(f"a {kind} lives at most {LONGEST[kind]} s, not {life}")
        claims = {**(more or {}), "iss": self.name, "sub": subject, "aud": audience}
        claims |= {"iat": now, "nbf": now, "exp": now + life, "jti": new_id(self._clock)}
        header = {"typ": str(kind), "kid": self._key.public.fingerprint}
        return jwt.encode(claims, self._key.crypto(), algorithm=ALGORITHM, headers=header)


class Verifier:
    """Verifies tokens meant for one audience.

    `clock` None leaves the time of day unchecked: for a vouch, whose freshness is its nonce's, for
    evidence, and for grants, whose times are finer (grant_tokens.py). No life is longer for it.
    `leeway` is for tokens from other nodes; the end (`exp`) never has any.
    """

    def __init__(
        self, audience: str, trust: Trust, clock: Clock | None, *, leeway: int = 0
    ) -> None:
        if not 0 <= leeway <= LEEWAY:
            raise ValueError(f"leeway is at most {LEEWAY} s")
        self._audience = audience
        self._trust = trust
        self._clock = clock
        self._leeway = leeway

    def verify(self, kind: Kind, text: str, *, expired_ok: bool = False) -> Claims:
        """The claims of a token that is all it must be; raises TokenError.

        `expired_ok` only where the token names what it already opened (MED-3: DELETE).
        """
        if len(text) > LARGEST_OF.get(kind, LARGEST):
            raise TokenError("too_long")
        header, said = _read(text)
        if header.get("typ") != kind:
            raise TokenError("wrong_typ")
        claims = self._signed(text, header["kid"], said.get("iss"))
        self._check_times(kind, claims, expired_ok=expired_ok)
        more = {name: value for name, value in claims.items() if name not in REQUIRED}
        return Claims(
            kind=kind,
            issuer=claims["iss"],
            subject=claims["sub"],
            audience=claims["aud"],
            id=claims["jti"],
            issued_at=claims["iat"],
            expires_at=claims["exp"],
            more=more,
        )

    def _signed(self, text: str, kid: str, issuer: object) -> dict[str, Any]:
        """`issuer` is only said as yet; it is checked again once the signature holds."""
        if not isinstance(issuer, str):
            raise TokenError("claim_missing")
        key = self._trust(issuer, kid)
        if key is None:
            raise TokenError("unknown_key")
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                key.crypto(),
                algorithms=[ALGORITHM],
                issuer=issuer,
                audience=self._audience,
                options={
                    "require": list(REQUIRED),
                    "strict_aud": True,
                    "enforce_minimum_key_length": True,
                    "verify_exp": False,  # on our own clock, below
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenError(_code_of(error)) from error
        if any(not isinstance(claims[name], str) or not claims[name] for name in TEXT_CLAIMS):
            raise TokenError("claim_not_text")
        return claims

    def _check_times(self, kind: Kind, claims: Mapping[str, Any], *, expired_ok: bool) -> None:
        exp, iat, nbf = claims["exp"], claims["iat"], claims["nbf"]
        if any(type(time) is not int for time in (exp, iat, nbf)):  # True is not a time
            raise TokenError("time_not_number")
        if not 0 < exp - min(iat, nbf) <= LONGEST[kind]:
            raise TokenError("lives_too_long")
        if self._clock is None:
            return
        now = self._clock.utc_ms() / 1000
        if max(iat, nbf) > now + self._leeway:
            raise TokenError("not_yet")
        if exp <= now and not expired_ok:
            raise TokenError("expired")


def kind_of(text: str) -> Kind | None:
    """What kind a token says it is, to choose whose rules it is verified by; nothing is proven."""
    try:
        return Kind(_read(text)[0].get("typ", ""))
    except (TokenError, ValueError):
        return None


def said_key(text: str) -> str:
    """The `kid` a token says, to look its key up by; nothing is proven. Raises TokenError."""
    kid: str = _read(text)[0]["kid"]
    return kid


def said_claims(text: str) -> dict[str, Any]:
    """What a token says before anything is proven; raises TokenError when it says nothing."""
    return _read(text)[1]


def _read(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, in the only form that we accept. The library is laxer: it takes the last
    of two equal names, NaN, and several ways to write one signature's last bits."""
    if len(text) > max(LARGEST_OF.values()):
        raise TokenError("too_long")
    try:
        head, body, _ = (decode(part) for part in text.split("."))
        header, claims = _object(head), _object(body)
    except (ValueError, RecursionError) as error:
        raise TokenError("malformed") from error
    _check_header(header)
    return header, claims


def _check_header(header: Mapping[str, Any]) -> None:
    if not set(header) <= HEADER:
        raise TokenError("header_not_allowed")
    if header.get("alg") != ALGORITHM:
        raise TokenError("wrong_alg")
    kid = header.get("kid")
    if not isinstance(kid, str) or not KID.fullmatch(kid):
        raise TokenError("bad_kid")


def _object(data: bytes) -> dict[str, Any]:
    found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a form of what came, not of our code
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _code_of(error: Exception) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return "claim_missing"
    if isinstance(error, jwt.InvalidAudienceError):
        return "wrong_audience"
    if isinstance(error, jwt.InvalidSignatureError):
        return "wrong_signature"
    return "malformed"
