"""A hub's node key vouches for what changes oftener than itself (design.md: agents pin the node
key, not a web certificate): the certificates it serves and the keys of its tokens.

    GET /.well-known/secvillage?nonce=N       N from `enrolment.new_nonce()`
    200, Content-Type: application/jwt        typ "vouch+jwt", signed by the hub's node key

An agent fetches it without checking the certificate and without sending any secret, reads it with
`read_vouch`, and from then on speaks only to one of `Vouched.certificates` (aiohttp:
`ssl=aiohttp.Fingerprint(digest)`); a new certificate is met by fetching again. When the set is
empty the hub does not hold its certificate itself (a proxy does): the ordinary web rules apply.
Fresh by its nonce, so it is good for a box with a wrong clock, and brings the hub's time.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.keys import KeyTextError, PublicKey, SigningKey
from village_core.tokens import Claims, Issuer, Kind, TokenError, Verifier, said_claims

PATH = "/.well-known/secvillage"
AUDIENCE = "secvillage:nodes"


@dataclass(frozen=True, slots=True)
class Vouched:
    hub: str  # the hub's id
    key: PublicKey  # its node key
    utc_ms: int  # the hub's clock, to the second
    certificates: frozenset[bytes]  # SHA-256 of each DER; empty: the ordinary web rules apply
    token_keys: tuple[PublicKey, ...]


def vouch(
    hub: str,
    key: SigningKey,
    clock: Clock,
    nonce: str,
    certificates: Iterable[bytes],
    token_keys: Iterable[PublicKey],
) -> str:
    """On the hub: the token. `certificates` are SHA-256 digests of DER."""
    more = {
        "nonce": nonce,
        "node_key": key.public.text,
        "tls": [digest.hex() for digest in certificates],
        "keys": [token_key.text for token_key in token_keys],
    }
    return Issuer(hub, key, clock).mint(Kind.VOUCH, subject=hub, audience=AUDIENCE, more=more)


def read_vouch(text: str, nonce: str, fingerprint: str | None) -> Vouched:
    """On the agent. Raises TokenError.

    `fingerprint` None: before a typed enrolment no key is known; the one found is only as good as
    the six digits that are compared afterwards.
    """
    key = _said_key(text)
    if fingerprint is not None and not hmac.compare_digest(key.fingerprint, fingerprint):
        raise TokenError("unknown_key")
    claims = Verifier(AUDIENCE, lambda _issuer, kid: _only(key, kid), None).verify(Kind.VOUCH, text)
    if not hmac.compare_digest(claims.text("nonce").encode(), nonce.encode()):
        raise TokenError("wrong_nonce")
    return _vouched(claims, key)


def _said_key(text: str) -> PublicKey:
    said = said_claims(text).get("node_key")
    try:
        return PublicKey.from_text(said if isinstance(said, str) else "")
    except KeyTextError as error:
        raise TokenError("claim_missing") from error


def _only(key: PublicKey, kid: str) -> PublicKey | None:
    return key if kid == key.fingerprint else None


def _vouched(claims: Claims, key: PublicKey) -> Vouched:
    try:
        certificates = frozenset(bytes.fromhex(digest) for digest in claims.more["tls"])
        token_keys = tuple(PublicKey.from_text(text) for text in claims.more["keys"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TokenError("malformed") from error
    return Vouched(claims.subject, key, claims.issued_at * 1000, certificates, token_keys)
