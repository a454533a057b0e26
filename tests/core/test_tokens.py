"""Tokens: what they say, how long, and what cannot be read (IDN-2, IDN-3, IDN-5)."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.forgery import HUB, KEY, NOW, SetClock, forged, part, trust
from village_core.tokens import (
    BY_TOKEN_KEY,
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


def verifier(clock: SetClock | None = None, leeway: int = 0) -> Verifier:
    return Verifier(HUB, trust, clock or SetClock(), leeway=leeway)


def minted(kind: Kind = Kind.MEDIA, **more: Any) -> str:
    given_more = {"subject": "person", "audience": HUB, "lifetime": 60, **more}
    return Issuer(HUB, KEY, SetClock()).mint(kind, **given_more)


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


def test_a_changed_claim_breaks_the_signature() -> None:
    head, body, signature = minted().split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = part(json.dumps({**said, "sub": "another"}).encode())
    refused(f"{head}.{changed}.{signature}", "wrong_signature")


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


def test_every_kind_has_a_longest_life_and_what_is_rotated_is_short() -> None:
    """IDN-4: an old token key is kept for the longest life of what it signed."""
    assert set(LONGEST) == set(Kind)
    assert max(LONGEST[kind] for kind in BY_TOKEN_KEY) == 3600


def test_evidence_can_be_read_after_it_ended() -> None:
    """A checkpoint is verified years later, by whoever has the node's key: without a clock."""
    text = minted(Kind.CHECKPOINT, lifetime=None, more={"root": "00"})
    late = NOW + 20 * 365 * 86400
    with pytest.raises(TokenError, match="expired"):
        Verifier(HUB, trust, SetClock(late)).verify(Kind.CHECKPOINT, text)
    assert Verifier(HUB, trust, None).verify(Kind.CHECKPOINT, text).text("root") == "00"


def test_without_a_clock_a_life_is_still_no_longer() -> None:
    beyond = forged({"exp": NOW + LONGEST[Kind.CHECKPOINT] + 1}, kind=Kind.CHECKPOINT)
    with pytest.raises(TokenError, match="lives_too_long"):
        Verifier(HUB, trust, None).verify(Kind.CHECKPOINT, beyond)


def test_a_token_may_end_at_a_given_second() -> None:
    text = minted(lifetime=None, expires_at=NOW + 7)
    assert verifier().verify(Kind.MEDIA, text).expires_at == NOW + 7
    for wrong in (NOW, NOW + 301):
        with pytest.raises(ValueError, match="300"):
            minted(lifetime=None, expires_at=wrong)


def test_what_is_said_of_an_unreadable_token_is_nothing() -> None:
    assert kind_of("x" * 100_000) is None  # not even looked into
    for read in (said_key, said_claims):
        with pytest.raises(TokenError, match="malformed"):
            read("a.b.c")


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
