"""Grants as they are signed and read: `grant+jwt` by the household key (PRM-21). Pure.

    iss the household    sub the recipient    aud the hub that the household's agent is enrolled at
    terms, confirmed     what was agreed to, and how the owner or two clerks confirmed it
    cnf                  the key that may hand it on, if any (RFC 7800)
    status               where to read whether it was taken back (Token Status List)

Whether the cameras' classes allow it is for who knows them: `grant_limits.check_terms` and
`check_confirmation`, before it is signed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from village_core.grant_limits import DAY, TermsError, Unfit, looks_inside
from village_core.grants import GrantTerms, Id, Name, Terms, plain
from village_core.keys import KeyTextError, PublicKey
from village_core.permits import CameraClass
from village_core.tokens import LEEWAY, Claims, Issuer, Kind, TokenError, Verifier

WINDOW_WAITS = DAY  # a grant given at the window starts after 24 h (PRM-21)
CLAIMS = frozenset({"terms", "confirmed", "cnf", "status", "parent"})

Base64 = Annotated[str, Field(max_length=2048, pattern=r"^[A-Za-z0-9_-]*$")]


class GrantError(Exception):
    """The grant is not accepted. `code` is a token's, or "chain", "expired", "malformed"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Assertion(Terms):
    """What a passkey signed (WebAuthn): its challenge is the digest of the terms."""

    credential: Base64
    client_data: Base64
    authenticator_data: Base64
    signature: Base64


class ByPasskey(Terms):
    """The owner, with the passkey that the agent knows."""

    how: Literal["passkey"] = "passkey"
    issuer: Id
    person: Id
    name: Name = ""
    assertion: Assertion


class AtHome(Terms):
    """The owner, signed in on the agent's own LAN page."""

    how: Literal["home"] = "home"
    person: Id = ""
    name: Name = ""


class Clerk(Terms):
    issuer: Id
    person: Id
    name: Name = Field(min_length=1)
    assertion: Assertion


class AtWindow(Terms):
    """On paper at the village window: entered by one clerk, confirmed by another (IDN-13)."""

    how: Literal["window"] = "window"
    clerks: tuple[Clerk, Clerk]
    scan: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of the scanned paper

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        one, other = self.clerks
        if (one.issuer, one.person) == (other.issuer, other.person):
            raise ValueError("two clerks are two people")
        if one.assertion.credential == other.assertion.credential:
            raise ValueError("two clerks have two keys")
        return self


Confirmation = Annotated[ByPasskey | AtHome | AtWindow, Field(discriminator="how")]
_CONFIRMATION: TypeAdapter[ByPasskey | AtHome | AtWindow] = TypeAdapter(Confirmation)


class StatusPlace(Terms):
    """Where a token's status stands (draft-ietf-oauth-status-list section 6)."""

    idx: int = Field(strict=True, ge=0, lt=2**20)
    uri: str = Field(min_length=1, max_length=300)


@dataclass(frozen=True, slots=True)
class House:
    """Whose grants these are: what a verifier knows of a household from its enrolment."""

    id: str
    key: PublicKey  # the household key
    hub: str  # where its agent is enrolled


@dataclass(frozen=True, slots=True)
class Grant:
    """One that was verified."""

    id: str
    household: str
    hub: str
    terms: GrantTerms
    issued: int  # UTC s
    confirmed: ByPasskey | AtHome | AtWindow | None = None  # None: handed on
    parents: tuple[str, ...] = ()  # ids, root first
    cnf: PublicKey | None = None
    status: StatusPlace | None = None
    text: tuple[str, ...] = field(default=(), repr=False)  # the chain as signed, root first


def check_confirmation(
    terms: GrantTerms,
    confirmed: ByPasskey | AtHome | AtWindow,
    classes: Mapping[str, CameraClass],
    now: int,
) -> None:
    """What may be agreed to in this way; that signatures hold is checked elsewhere. Raises
    TermsError."""
    if not isinstance(confirmed, AtWindow):
        return
    if looks_inside(terms, classes):
        raise TermsError(Unfit.CLASS, "a camera inside the home cannot be shared on paper")
    if terms.not_before < now + WINDOW_WAITS:
        raise TermsError(Unfit.TOO_SOON, "what is agreed to on paper begins after 24 hours")


def sign_grant(
    issuer: Issuer,
    hub: str,
    terms: GrantTerms,
    confirmed: ByPasskey | AtHome | AtWindow,
    *,
    cnf: PublicKey | None = None,
    status: StatusPlace | None = None,
) -> str:
    """At the home agent. `issuer` speaks in the household's name with its key; the terms have been
    checked. Raises ValueError for what `read_grant` would refuse."""
    return mint(issuer, hub, terms, {"confirmed": plain_confirmation(confirmed)}, cnf, status)


def read_grant(text: str, house: House, now: int, *, expired_ok: bool = False) -> Grant:
    """A grant of this household's, unless it is over. One that is still to begin is read: `covers`
    says NOT_YET. Raises GrantError."""
    claims = verified(text, house.id, house.key, house.hub)
    if "parent" in claims.more or "confirmed" not in claims.more:
        raise GrantError("chain")
    try:
        confirmed = _CONFIRMATION.validate_python(claims.more["confirmed"])
    except ValidationError as error:
        raise GrantError("malformed") from error
    terms = read_terms(claims, now, expired_ok=expired_ok)
    if isinstance(confirmed, AtWindow) and terms.not_before < claims.issued_at * 1000 + (
        WINDOW_WAITS
    ):
        raise GrantError("too_soon")
    return Grant(
        id=claims.id,
        household=house.id,
        hub=house.hub,
        terms=terms,
        issued=claims.issued_at,
        confirmed=confirmed,
        cnf=read_cnf(claims, terms),
        status=_status(claims),
        text=(text,),
    )


def plain_confirmation(confirmed: ByPasskey | AtHome | AtWindow) -> dict[str, object]:
    return confirmed.model_dump(mode="json")


# Shared with grant_chain.py


def mint(
    issuer: Issuer,
    hub: str,
    terms: GrantTerms,
    more: Mapping[str, Any],
    cnf: PublicKey | None,
    status: StatusPlace | None,
) -> str:
    if cnf is not None and not terms.may_hand_on:
        raise ValueError("these terms do not let the recipient hand it on")
    said = {"terms": plain(terms), **more}
    if cnf is not None:
        said["cnf"] = {"jwk": cnf.jwk()}
    if status is not None:
        said["status"] = {"status_list": status.model_dump(mode="json")}
    return issuer.mint(
        Kind.GRANT,
        subject=terms.recipient.person or terms.recipient.unit,
        audience=hub,
        expires_at=_end(terms),
        more=said,
    )


def verified(text: str, issuer: str, key: PublicKey, hub: str) -> Claims:
    """Signed by this key in this name. Raises GrantError."""

    def trust(said: str, kid: str) -> PublicKey | None:
        return key if (said, kid) == (issuer, key.fingerprint) else None

    try:
        claims = Verifier(hub, trust, None).verify(Kind.GRANT, text)
    except TokenError as error:
        raise GrantError(error.code) from error
    if not set(claims.more) <= CLAIMS:
        raise GrantError("malformed")
    return claims


def read_terms(claims: Claims, now: int, *, expired_ok: bool) -> GrantTerms:
    """Terms in their one form, and not over. Raises GrantError."""
    said = claims.more.get("terms")
    try:
        terms = GrantTerms.model_validate(said)
    except ValidationError as error:
        raise GrantError("malformed") from error
    recipient = terms.recipient.person or terms.recipient.unit
    if not _same(said, plain(terms)) or claims.subject != recipient:
        raise GrantError("malformed")
    if claims.expires_at != _end(terms) or terms.not_before >= terms.until:
        raise GrantError("malformed")
    if claims.issued_at * 1000 > now + LEEWAY * 1000:
        raise GrantError("not_yet")
    if now >= terms.until and not expired_ok:
        raise GrantError("expired")
    return terms


def read_cnf(claims: Claims, terms: GrantTerms) -> PublicKey | None:
    """The key that may hand it on. Raises GrantError."""
    said = claims.more.get("cnf")
    if said is None:
        return None
    try:
        key = PublicKey.from_text(said["jwk"]["x"])
    except (KeyTextError, KeyError, TypeError) as error:
        raise GrantError("malformed") from error
    if said != {"jwk": key.jwk()} or not terms.may_hand_on:
        raise GrantError("malformed")
    return key


def _status(claims: Claims) -> StatusPlace | None:
    said = claims.more.get("status")
    if said is None:
        return None
    if not isinstance(said, dict) or set(said) != {"status_list"}:
        raise GrantError("malformed")
    try:
        return StatusPlace.model_validate(said["status_list"])
    except ValidationError as error:
        raise GrantError("malformed") from error


def _end(terms: GrantTerms) -> int:
    """`exp` is in seconds, the terms' end in milliseconds: never before it."""
    return -(-terms.until // 1000)


def _same(one: object, other: object) -> bool:
    """As JSON: true is not 1 there."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
