"""Which hub may speak for which place (IDN-4): a list that the county root signs. Pure.

    root key ── signs ──> trust list: issuer -> node keys, most roles, place
    node key ── vouches ──> token keys (vouching.py), rotated
    token key ── signs ──> access tokens, status lists

A hub's key cannot make county people, or people of another village: `check_scope` compares what a
token says of roles and place with what the list lets its issuer say.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    model_validator,
)

from village_core.clock import Clock
from village_core.keys import PublicKey
from village_core.permits import Role
from village_core.tokens import BY_TOKEN_KEY, LEEWAY, Claims, Issuer, Kind, TokenError, Verifier
from village_core.vouching import Vouched

AUDIENCE = "secvillage:trust"
PLACE = re.compile("[0-9]{6}([0-9]{3}([0-9]{3})?)?")  # county, township or village

KeyText = Annotated[str, Field(min_length=43, max_length=43)]


class Entry(BaseModel):
    """What one issuer may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1, max_length=80)
    keys: tuple[KeyText, ...] = Field(min_length=1, max_length=4)  # node keys; two while one moves
    roles: frozenset[Role] = frozenset()
    place: str = Field(pattern=f"^{PLACE.pattern}$")

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        for text in self.keys:
            PublicKey.from_text(text)  # KeyTextError is a ValueError
        return self

    @field_serializer("roles")
    def _sorted(self, roles: frozenset[Role]) -> list[str]:
        return sorted(roles)

    @property
    def node_keys(self) -> tuple[PublicKey, ...]:
        return tuple(PublicKey.from_text(text) for text in self.keys)


class TrustList(BaseModel):
    """All of them. A later list has a higher number, and none goes back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(strict=True, ge=1)
    entries: tuple[Entry, ...] = Field(max_length=200)

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        names = [entry.issuer for entry in self.entries]
        keys = [key for entry in self.entries for key in entry.keys]
        if len(set(names)) != len(names) or len(set(keys)) != len(keys):
            raise ValueError("an issuer, or a key, stands in the list twice")
        return self


def sign_trust_list(root: Issuer, trust_list: TrustList) -> str:
    """By hand, about once a year and when something changes."""
    more = {"trust": trust_list.model_dump(mode="json")}
    return root.mint(Kind.TRUST, subject=root.name, audience=AUDIENCE, more=more)


def read_trust_list(
    text: str, root: PublicKey, clock: Clock, *, held: TrustList | None = None
) -> TrustList:
    """Raises TokenError: not by the root, over, or older than the one held."""

    def trust(_issuer: str, kid: str) -> PublicKey | None:
        return root if kid == root.fingerprint else None

    claims = Verifier(AUDIENCE, trust, clock, leeway=LEEWAY).verify(Kind.TRUST, text)
    try:
        found = TrustList.model_validate(claims.more.get("trust"))
    except ValidationError as error:
        raise TokenError("malformed") from error
    if held is not None and found.number < held.number:
        raise TokenError("older")
    return found


class ForeignVerifier:
    """Verifies what other hubs signed, and lets each speak only for its own people and place."""

    def __init__(
        self,
        audience: str,
        trust_list: TrustList,
        vouched: Mapping[str, Vouched],
        clock: Clock | None,
    ) -> None:
        """`vouched`: what each issuer's node key vouches for, as far as it is known. `clock`: None
        where the time does not matter."""
        self._audience = audience
        self._entries = {entry.issuer: entry for entry in trust_list.entries}
        self._vouched = vouched
        self._clock = clock

    def verify(self, kind: Kind, text: str) -> Claims:
        """Raises TokenError."""

        def trust(issuer: str, kid: str) -> PublicKey | None:
            return self._key(kind, issuer, kid)

        verifier = Verifier(self._audience, trust, self._clock, leeway=LEEWAY)
        claims = verifier.verify(kind, text)
        check_scope(claims, self._entries[claims.issuer])
        return claims

    def _key(self, kind: Kind, issuer: str, kid: str) -> PublicKey | None:
        entry = self._entries.get(issuer)
        if entry is None:
            return None
        keys = entry.node_keys
        if kind in BY_TOKEN_KEY:
            said = self._vouched.get(issuer)
            if said is None or said.hub != issuer or said.key not in keys:
                return None
            keys = said.token_keys
        return next((key for key in keys if key.fingerprint == kid), None)


def check_scope(claims: Claims, entry: Entry) -> None:
    """Whether the issuer may say this of somebody. Raises TokenError("beyond_trust")."""
    if not read_roles(claims) <= entry.roles:
        raise TokenError("beyond_trust")
    place = claims.more.get("place")
    if place is None and not claims.more.get("roles") and not claims.more.get("unit"):
        return  # a resident, known by issuer and id alone
    if not isinstance(place, str) or not PLACE.fullmatch(place):
        raise TokenError("beyond_trust")
    if not place.startswith(entry.place):
        raise TokenError("beyond_trust")


def read_roles(claims: Claims) -> frozenset[Role]:
    """The roles that a token says, each a word of `permits.Role` and said once. Raises
    TokenError."""
    said = claims.more.get("roles", [])
    if not isinstance(said, list) or not all(isinstance(role, str) for role in said):
        raise TokenError("claim_not_text")
    try:
        roles = frozenset(Role(role) for role in said)
    except ValueError as error:
        raise TokenError("unknown_role") from error
    if len(roles) != len(said):
        raise TokenError("unknown_role")
    return roles
