"""Enrolment of a child at a hub (IDN-15): pure, shared by both sides. No asyncio, no clock.

The child is a home agent, which makes its node key and its household key, or the hub of a place
below, which brings the id and the node key that it has. Afterwards each side knows the other's keys
for certain, whatever stood between them: TLS is not relied upon. "Agent" below is either. Keys
travel as 43 characters of base64url (`PublicKey.text`), signatures, MACs and nonces as base64url.
Bodies are JSON (the models below; unknown fields are refused), errors are RFC 9457 problems whose
`code` is given here.

First, always: whom am I talking to
    GET /.well-known/secvillage?nonce=N           200, application/jwt; see village_core/vouching.py
    Its certificates are then the only ones the agent accepts from this hub.

A. By QR (`Qr`: URL, enrolment id, secret of 192 bits, fingerprint of the hub's key; valid 7 days)
    POST /api/v1/enrolments/{id}/claim   Claim -> 200 Enrolled
        The secret itself is never sent: `mac` shows knowledge of it and ties it to the keys, the
        proofs show possession of the keys. Make it with `make_claim`, check the answer with
        `check_enrolled`. Repeating a claim with the same keys gives the same answer.
        404 no_such_enrolment (unknown, expired, used, wrong mac: not told apart), 422 bad_proof.

B. By a typed code (8 characters, 5 tries, 10 minutes) and six digits compared by people
    1. POST /api/v1/enrolments/begin     Begin(code, commitment) -> 200 Begun(id, hub key, nonce)
       404 wrong_code, 409 already_begun (by other keys), 429 too_many_tries
    2. POST /api/v1/enrolments/{id}/reveal   Reveal -> 202 (empty)
       422 bad_proof: commitment or proofs do not fit; the enrolment is over
    3. Both sides compute `six_digits(...)`. The agent shows them; its person says whether the hub
       shows the same. The hub's person enters the agent's digits (`enrolments confirm`).
    4. The agent's person agreed: GET /api/v1/enrolments/{id}/result, every 2 s, with
       `Authorization: Bearer <enrol+jwt>` (`tokens.Kind.ENROL`, signed by the agent's node key,
       issuer = subject = the enrolment's id, audience = the hub's id from the vouch, 60 s)
       202 (empty): the hub's person has not entered the digits yet
       200 Enrolled (check it with `check_enrolled`), as often as asked until the enrolment expires
       404 no_such_enrolment: expired, refused, or the digits were entered wrongly
       The agent's person disagreed: DELETE /api/v1/enrolments/{id}, same token -> 204.

The node exists from the moment Enrolled is first given. Enrolling a household again revokes its
agent before: its node tokens are refused and its uplink is closed with 4001 "revoked".

Node tokens, from then on: `tokens.Kind.NODE`, signed by the agent's node key, issuer = subject =
`Enrolled.agent`, audience = `Enrolled.hub`, at most 5 minutes. A hub's `agent` is its own id.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import Field, model_validator

from village_core.keys import KeyTextError, PublicKey, SigningKey, decode, encode
from village_core.messages import Id, Message, Name, OwnerNote

QR_PREFIX = "secvillage:1?"
QR_VALID = 7 * 24 * 3600  # seconds; IDN-15: until the work order ends, at most 7 days
TYPED_VALID = 600  # seconds
TYPED_TRIES = 5
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # base 20 without vowels (RFC 8628 section 6.1)
TYPED_LENGTH = 8
SELECTOR = 2  # leading characters that say which open code is meant, so that tries are counted

KeyText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
Signature = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")]
PlaceCode = Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{3}([0-9]{3})?)?$")]
Digest = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class EnrolmentError(Exception):
    """The other side could not show what it must; the sentence says what."""


class _Keys(Message):
    """What a child shows of itself: an agent its two keys, a hub its key and its id."""

    node_key: KeyText
    household_key: KeyText | None = None
    hub: Id | None = None
    node_proof: Signature
    household_proof: Signature | None = None

    @model_validator(mode="after")
    def _is_agent_or_hub(self) -> Self:
        if (self.household_key is None) is not (self.household_proof is None):
            raise ValueError("a household key comes with its proof")
        if (self.household_key is None) is (self.hub is None):
            raise ValueError("an agent brings a household key, a hub its id")
        return self


class Claim(_Keys):
    """A: agent to hub."""

    mac: Digest


class Begin(Message):
    """B 1: agent to hub. The commitment is made before the hub's nonce is known."""

    code: str = Field(max_length=40, repr=False)
    commitment: Digest


class Begun(Message):
    """B 1: the hub's answer."""

    enrolment: str
    hub: str
    hub_key: KeyText
    nonce: Digest


class Reveal(_Keys):
    """B 2: agent to hub: what the commitment was made over."""

    nonce: Digest


class Joins(Message):
    """What a hub joins: the place that it is for, and the tier above it."""

    place: PlaceCode
    name: Name
    above: Literal["township", "bureau"]
    above_place: PlaceCode
    root: KeyText | None = None  # that signs the county's trust list, as the hub above knows it


class Enrolled(Message):
    """The end of both ways: who everybody is, signed by the hub's node key."""

    enrolment: str
    hub: str  # the hub's id: audience of node tokens, issuer of the hub's own
    hub_name: str
    hub_key: KeyText
    agent: str  # the child's id from now on; a hub's own
    household: str = ""
    household_name: str = ""
    joins: Joins | None = None  # a hub's
    owners: tuple[OwnerNote, ...] = Field(default=(), max_length=32)  # shown to the home and pinned
    utc_ms: int  # the hub's clock
    signature: Signature


@dataclass(frozen=True, slots=True)
class ChildKeys:
    """What a child brings: its node key, and its household key or (a hub) its id."""

    node: PublicKey
    household: PublicKey | None = None
    hub: str = ""

    @classmethod
    def of(cls, message: Claim | Reveal) -> "ChildKeys":
        try:
            node = PublicKey.from_text(message.node_key)
            text = message.household_key
            household = None if text is None else PublicKey.from_text(text)
        except KeyTextError as error:
            raise EnrolmentError(str(error)) from error
        if node == household:
            raise EnrolmentError("the node key and the household key are the same")
        return cls(node, household, message.hub or "")

    @property
    def texts(self) -> tuple[str, str, str]:
        """As they are signed, and kept: node key, household key, hub."""
        return (self.node.text, self.household.text if self.household else "", self.hub)


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The same, on the child, which can sign with them."""

    node: SigningKey
    household: SigningKey | None = None
    hub: str = ""

    @property
    def public(self) -> ChildKeys:
        household = self.household.public if self.household else None
        return ChildKeys(self.node.public, household, self.hub)

    def shown(self, words: bytes) -> dict[str, str | None]:
        """The keys and the proofs of having them, over `words`."""
        home = self.household
        return {
            "node_key": self.node.public.text,
            "household_key": home.public.text if home else None,
            "hub": self.hub or None,
            "node_proof": encode(self.node.sign(words)),
            "household_proof": encode(home.sign(words)) if home else None,
        }


@dataclass(frozen=True, slots=True)
class Qr:
    """What the QR code says."""

    url: str  # of the hub, without a path
    enrolment: str
    secret: str = field(repr=False)
    hub_fingerprint: str = ""

    def text(self) -> str:
        parts = {"u": self.url, "e": self.enrolment, "s": self.secret, "k": self.hub_fingerprint}
        return QR_PREFIX + urlencode(parts)

    @classmethod
    def parse(cls, text: str) -> "Qr":
        """Raises EnrolmentError with a sentence for people."""
        text = text.strip()
        if not text.startswith(QR_PREFIX):
            raise EnrolmentError("this is not an enrolment code of a security-village hub")
        found = parse_qs(text.removeprefix(QR_PREFIX))
        if set(found) != {"u", "e", "s", "k"} or any(len(values) != 1 for values in found.values()):
            raise EnrolmentError("the enrolment code is incomplete")
        url, enrolment, secret, fingerprint = (found[key][0] for key in "uesk")
        if not _is_address(url):
            raise EnrolmentError("the enrolment code names no address of a hub")
        return cls(url.rstrip("/"), enrolment, secret, fingerprint)


def new_nonce() -> str:
    """256 random bits, 43 characters."""
    return encode(secrets.token_bytes(32))


def new_secret() -> str:
    """The QR's secret: 192 random bits, 32 characters."""
    return encode(secrets.token_bytes(24))


def new_typed_code() -> str:
    """Eight characters of base 20, written as XXXX-XXXX."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(TYPED_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def read_typed_code(text: str) -> str | None:
    """The eight letters a person meant: case, spaces and dashes do not matter. None: not a code."""
    letters = "".join(char for char in text.upper() if char not in " -\t\u2013\u2014.")
    right = len(letters) == TYPED_LENGTH and all(char in ALPHABET for char in letters)
    return letters if right else None


def make_claim(qr: Qr, keys: OwnKeys) -> Claim:
    """A, on the agent."""
    words = _claim_words(qr.enrolment, qr.hub_fingerprint, keys.public)
    return Claim.model_validate({**keys.shown(words), "mac": encode(_mac(qr.secret, words))})


def knows_secret(claim: Claim, enrolment: str, secret: str, hub: PublicKey) -> bool:
    """A, on the hub, before anything else of the claim is looked at."""
    words = _claim_words(enrolment, hub.fingerprint, ChildKeys.of(claim))
    return hmac.compare_digest(encode(_mac(secret, words)), claim.mac)


def check_claim(claim: Claim, enrolment: str, hub: PublicKey) -> ChildKeys:
    """A, on the hub: the proofs. Raises EnrolmentError."""
    keys = ChildKeys.of(claim)
    _check_proofs(claim, keys, _claim_words(enrolment, hub.fingerprint, keys))
    return keys


def commitment(keys: ChildKeys, nonce: str) -> str:
    """B 1: binds the agent to its keys and nonce without showing them."""
    words = _words("commitment", *keys.texts, nonce)
    return encode(hashlib.sha256(words).digest())


def make_reveal(begun: Begun, keys: OwnKeys, nonce: str) -> Reveal:
    """B 2, on the agent."""
    words = _reveal_words(begun, keys.public, nonce)
    return Reveal.model_validate({**keys.shown(words), "nonce": nonce})


def check_reveal(reveal: Reveal, committed: str, begun: Begun) -> ChildKeys:
    """B 2, on the hub: the commitment and the proofs. Raises EnrolmentError."""
    keys = ChildKeys.of(reveal)
    if not hmac.compare_digest(commitment(keys, reveal.nonce), committed):
        raise EnrolmentError("the keys are not those that were committed to")
    _check_proofs(reveal, keys, _reveal_words(begun, keys, reveal.nonce))
    return keys


def six_digits(hub: PublicKey, keys: ChildKeys, hub_nonce: str, agent_nonce: str) -> str:
    """B 3: what people compare. Somebody in between has one chance in a million to match it."""
    words = _words("digits", hub.text, *keys.texts, hub_nonce, agent_nonce)
    return f"{int.from_bytes(hashlib.sha256(words).digest()[:16]) % 1_000_000:06d}"


def sign_enrolled(enrolled: Enrolled, keys: ChildKeys, hub: SigningKey) -> Enrolled:
    """The answer with its signature; the one given in `enrolled` is replaced."""
    signature = encode(hub.sign(_enrolled_words(enrolled, keys)))
    return enrolled.model_copy(update={"signature": signature})


def check_enrolled(enrolled: Enrolled, keys: ChildKeys, fingerprint: str) -> PublicKey:
    """On the agent: the hub's key, to be pinned. `fingerprint` is the one in the QR, or that of
    the key in Begun which the six digits were compared for. Raises EnrolmentError.
    """
    try:
        hub = PublicKey.from_text(enrolled.hub_key)
    except KeyTextError as error:
        raise EnrolmentError(str(error)) from error
    if not hmac.compare_digest(hub.fingerprint, fingerprint):
        raise EnrolmentError("the hub's key is not the expected one")
    if not hub.verifies(_signature(enrolled.signature), _enrolled_words(enrolled, keys)):
        raise EnrolmentError("the hub's answer is not signed by its key")
    return hub


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _check_proofs(message: Claim | Reveal, keys: ChildKeys, words: bytes) -> None:
    if not keys.node.verifies(_signature(message.node_proof), words):
        raise EnrolmentError("the node key's proof does not hold")
    proof = _signature(message.household_proof or "")
    if keys.household is not None and not keys.household.verifies(proof, words):
        raise EnrolmentError("the household key's proof does not hold")


def _signature(text: str) -> bytes:
    try:
        return decode(text)
    except ValueError as error:
        raise EnrolmentError("a proof is not base64url") from error


def _claim_words(enrolment: str, hub_fingerprint: str, keys: ChildKeys) -> bytes:
    return _words("claim", enrolment, hub_fingerprint, *keys.texts)


def _reveal_words(begun: Begun, keys: ChildKeys, nonce: str) -> bytes:
    return _words("reveal", begun.enrolment, begun.hub_key, begun.nonce, *keys.texts, nonce)


def _enrolled_words(enrolled: Enrolled, keys: ChildKeys) -> bytes:
    said = enrolled.model_dump_json(exclude={"signature"})
    return _words("enrolled", *keys.texts, said)


def _words(purpose: str, *parts: str) -> bytes:
    """What is signed: purposes are kept apart, and no part can flow into the next."""
    counted = "".join(f"{len(part.encode())}:{part}," for part in parts)
    return f"secvillage enrolment 1 {purpose} {counted}".encode()


def _mac(secret: str, words: bytes) -> bytes:
    return hmac.digest(secret.encode(), words, "sha256")
