"""Tokens: what is accepted, and the forgeries that are not (IDN-2, IDN-3)."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from village_core.keys import PublicKey, SigningKey
from village_core.tokens import (
    LEEWAY,
    LONGEST,
    Claims,
    Issuer,
    Kind,
    TokenError,
    Verifier,
    kind_of,
    said_claims,
    said_key,
)

HUB, OTHER = "hub-1", "hub-2"
KEY, STRANGER = SigningKey.make(), SigningKey.make()
NOW = 1_795_000_000


class SetClock:
    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def utc_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


def trust(issuer: str, kid: str) -> PublicKey | None:
    return KEY.public if (issuer, kid) == (HUB, KEY.public.fingerprint) else None


def verifier(clock: SetClock | None = None, leeway: int = 0) -> Verifier:
    return Verifier(HUB, trust, clock or SetClock(), leeway=leeway)


def minted(kind: Kind = Kind.MEDIA, **more: Any) -> str:
    given_more = {"subject": "person", "audience": HUB, "lifetime": 60, **more}
    return Issuer(HUB, KEY, SetClock()).mint(kind, **given_more)


def forged(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    without: str = "",
    key: SigningKey = KEY,
) -> str:
    """A token signed by hand: whatever the library would let pass."""
    said = {
        "iss": HUB,
        "sub": "person",
        "aud": HUB,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 60,
        "jti": "1",
        **(claims or {}),
    }
    said.pop(without, None)
    top = {"alg": "EdDSA", "typ": "media+jwt", "kid": KEY.public.fingerprint, **(header or {})}
    parts = b".".join(_part(json.dumps(each).encode()) for each in (top, said))
    return (parts + b"." + _part(key.sign(parts))).decode()


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def refused(text: str, code: str, kind: Kind = Kind.MEDIA) -> None:
    with pytest.raises(TokenError) as error:
        verifier().verify(kind, text)
    assert error.value.code == code


def test_a_minted_token_says_what_was_put_into_it() -> None:
    text = minted(more={"camera": "gate", "roles": ["a"]})
    claims = verifier().verify(Kind.MEDIA, text)
    assert isinstance(claims, Claims)
    assert (claims.issuer, claims.subject, claims.audience) == (HUB, "person", HUB)
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + 60)
    assert claims.text("camera") == "gate"
    with pytest.raises(TokenError):
        claims.text("roles")
    assert jwt.get_unverified_header(text)["typ"] == "media+jwt"


def test_the_handmade_token_is_good_when_nothing_is_wrong_with_it() -> None:
    assert verifier().verify(Kind.MEDIA, forged()).subject == "person"


def es256(claims: dict[str, Any]) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    headers = {"typ": "media+jwt", "kid": KEY.public.fingerprint}
    return jwt.encode(claims, key, algorithm="ES256", headers=headers)


def hs256() -> str:
    """Signed with the public key's bytes as if they were a shared secret (RFC 8725 section 2.1)."""
    headers = {"typ": "media+jwt", "kid": KEY.public.fingerprint}
    return jwt.encode(said_claims(forged()), KEY.public.raw, algorithm="HS256", headers=headers)


def unsigned() -> str:
    head, body, _ = forged(header={"alg": "none"}).split(".")
    return f"{head}.{body}."


FORGERIES: dict[str, tuple[Callable[[], str], str]] = {
    "another kind's typ": (lambda: forged(header={"typ": "at+jwt"}), "wrong_typ"),
    "the plain typ": (lambda: forged(header={"typ": "JWT"}), "wrong_typ"),
    "no exp": (lambda: forged(without="exp"), "claim_missing"),
    "no nbf": (lambda: forged(without="nbf"), "claim_missing"),
    "no jti": (lambda: forged(without="jti"), "claim_missing"),
    "no sub": (lambda: forged(without="sub"), "claim_missing"),
    "audience in a list": (lambda: forged({"aud": [HUB]}), "wrong_audience"),
    "another audience": (lambda: forged({"aud": OTHER}), "wrong_audience"),
    "HS256 over the public key": (hs256, "wrong_alg"),
    "alg none": (unsigned, "wrong_alg"),
    "ES256 by another key": (lambda: es256(said_claims(forged())), "wrong_alg"),
    "another's key under our kid": (lambda: forged(key=STRANGER), "wrong_signature"),
    "a kid that is a path": (lambda: forged(header={"kid": "../../etc/passwd"}), "bad_kid"),
    "a kid nobody has": (
        lambda: forged(header={"kid": STRANGER.public.fingerprint}, key=STRANGER),
        "unknown_key",
    ),
    "no kid": (lambda: forged(header={"kid": None}), "bad_kid"),
    "the key in the header": (
        lambda: forged(header={"jwk": STRANGER.public.jwk()}, key=STRANGER),
        "header_not_allowed",
    ),
    "an address for the key": (
        lambda: forged(header={"jku": "https://evil.test/jwks"}),
        "header_not_allowed",
    ),
    "critical extensions": (lambda: forged(header={"crit": ["exp"]}), "header_not_allowed"),
    "expired": (lambda: forged({"iat": NOW - 90, "nbf": NOW - 90, "exp": NOW}), "expired"),
    "not yet": (lambda: forged({"iat": NOW + 1, "nbf": NOW + 1}), "not_yet"),
    "nbf in the future": (lambda: forged({"nbf": NOW + 1}), "not_yet"),
    "a life too long": (lambda: forged({"exp": NOW + 301}), "lives_too_long"),
    "issued long ago for long": (lambda: forged({"iat": NOW - 9999}), "lives_too_long"),
    "an issuer we do not trust": (lambda: forged({"iss": OTHER}), "unknown_key"),
    "an issuer that is no text": (lambda: forged({"iss": [HUB]}), "claim_missing"),
    "times as text": (lambda: forged({"exp": str(NOW + 60)}), "time_not_number"),
    "times as truth": (lambda: forged({"exp": True}), "time_not_number"),
    "times as fractions": (lambda: forged({"exp": NOW + 0.5}), "time_not_number"),
    "an empty subject": (lambda: forged({"sub": ""}), "claim_not_text"),
    "a number for a subject": (lambda: forged({"sub": 7}), "malformed"),
    "too long": (lambda: forged({"x": "y" * 5000}), "too_long"),
    "no JWT at all": (lambda: "abc", "malformed"),
    "empty": (lambda: "", "malformed"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(name: str) -> None:
    """IDN-3: the twelve of it and some more."""
    make, code = FORGERIES[name]
    refused(make(), code)


def test_a_changed_claim_breaks_the_signature() -> None:
    head, body, signature = minted().split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = _part(json.dumps({**said, "sub": "another"}).encode()).decode()
    refused(f"{head}.{changed}.{signature}", "wrong_signature")


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MEDIA])
def test_no_kind_passes_for_another(kind: Kind) -> None:
    refused(minted(kind), "wrong_typ")


def test_leeway_is_for_the_beginning_and_never_for_the_end() -> None:
    lenient = Verifier(HUB, trust, SetClock(), leeway=LEEWAY)
    early = forged({"iat": NOW + 60, "nbf": NOW + 60, "exp": NOW + 99})
    assert lenient.verify(Kind.MEDIA, early).issued_at == NOW + 60
    with pytest.raises(TokenError):
        lenient.verify(Kind.MEDIA, forged({"iat": NOW + 61, "nbf": NOW + 61, "exp": NOW + 99}))
    with pytest.raises(TokenError):
        lenient.verify(Kind.MEDIA, forged({"iat": NOW - 9, "nbf": NOW - 9, "exp": NOW}))
    with pytest.raises(ValueError, match="60"):
        verifier(leeway=61)


def test_an_ended_token_may_still_name_what_it_opened() -> None:
    text = minted()
    late = Verifier(HUB, trust, SetClock(NOW + 3600))
    with pytest.raises(TokenError):
        late.verify(Kind.MEDIA, text)
    assert late.verify(Kind.MEDIA, text, expired_ok=True).subject == "person"


def test_times_are_read_from_our_clock_and_not_the_machines() -> None:
    far = Verifier(HUB, trust, SetClock(NOW + 10 * 365 * 86400))
    with pytest.raises(TokenError, match="expired"):
        far.verify(Kind.MEDIA, minted())


def test_nobody_mints_a_longer_life_than_the_kind_has() -> None:
    for kind, longest in LONGEST.items():
        with pytest.raises(ValueError, match=str(longest)):
            minted(kind, lifetime=longest + 1)
    with pytest.raises(ValueError, match="0"):
        minted(lifetime=0)


def test_media_tokens_and_tickets_are_short() -> None:
    """IDN-5."""
    assert LONGEST[Kind.MEDIA] <= 300
    assert LONGEST[Kind.ACCESS] <= 900


@given(st.text(max_size=300))
def test_any_text_is_refused_quietly(text: str) -> None:
    with pytest.raises(TokenError):
        verifier().verify(Kind.MEDIA, text)
    assert kind_of(text) in (None, *Kind)


@given(st.data())
def test_any_damage_is_noticed(data: st.DataObject) -> None:
    text = minted()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_."))
    damaged = text[:place] + letter + text[place + 1 :]
    if damaged == text:
        return
    with pytest.raises(TokenError):
        verifier().verify(Kind.MEDIA, damaged)


def test_what_a_token_says_of_itself_can_be_read_before_it_is_proven() -> None:
    text = minted()
    assert kind_of(text) is Kind.MEDIA
    assert said_key(text) == KEY.public.fingerprint
    assert kind_of("x") is None
