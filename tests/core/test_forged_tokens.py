"""Forged tokens of every kind, each refused and for the right reason (IDN-2, IDN-3)."""

import json
from collections.abc import Callable
from itertools import permutations
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.forgery import (
    HUB,
    KEY,
    NOW,
    OTHER,
    OTHERS_KEY,
    STRANGER,
    SetClock,
    assembled,
    claims_of,
    forged,
    header_of,
    part,
    trust,
)
from village_core.tokens import LARGEST, LARGEST_OF, LONGEST, Issuer, Kind, TokenError, Verifier

Forger = Callable[[Kind], str]


def verify(kind: Kind, text: str) -> str:
    return Verifier(HUB, trust, SetClock()).verify(kind, text).subject


def refused(kind: Kind, text: str, code: str) -> None:
    with pytest.raises(TokenError) as error:
        verify(kind, text)
    assert error.value.code == code


def said(claims: dict[str, Any] | None = None, without: str = "", **more: Any) -> Forger:
    return lambda kind: forged(claims, without=without, kind=kind, **more)


def headed(header: dict[str, Any], **more: Any) -> Forger:
    return lambda kind: forged(header=header, kind=kind, **more)


def by_library(key: Any, algorithm: str) -> Forger:
    def make(kind: Kind) -> str:
        headers = {"typ": str(kind), "kid": KEY.public.fingerprint}
        return jwt.encode(claims_of(), key, algorithm=algorithm, headers=headers)

    return make


def hs256_over_pem() -> Forger:
    """The public key's PEM as if it were a shared secret (RFC 8725 section 2.1); PyJWT refuses to
    sign with it, so this is signed by hand."""
    pem = KEY.public.crypto().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)

    def make(kind: Kind) -> str:
        head = json.dumps(header_of(kind, {"alg": "HS256"}))
        signed = f"{part(head.encode())}.{part(json.dumps(claims_of()).encode())}"
        return f"{signed}.{part(algorithm.sign(signed.encode(), pem))}"

    return make


def unsigned(alg: str) -> Forger:
    def make(kind: Kind) -> str:
        head, body, _ = forged(header={"alg": alg}, kind=kind).split(".")
        return f"{head}.{body}."

    return make


def written(body: str | bytes) -> Forger:
    """A payload as it is."""
    return lambda kind: assembled(json.dumps(header_of(kind)), body)


def body_with(more: str) -> Forger:
    return written(json.dumps(claims_of())[:-1] + more + "}")


def last_letter_changed(kind: Kind) -> str:
    """The same signature's bytes, written in another way: the last letter has bits to spare."""
    text = forged(kind=kind)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + letters[letters.index(text[-1]) ^ 1]


def head_with(more: str) -> Forger:
    return lambda kind: assembled(
        json.dumps(header_of(kind))[:-1] + more + "}", json.dumps(claims_of())
    )


FORGERIES: dict[str, tuple[Forger, str]] = {
    "the plain typ": (headed({"typ": "JWT"}), "wrong_typ"),
    "typ in capitals": (lambda kind: forged(header={"typ": kind.upper()}, kind=kind), "wrong_typ"),
    "typ as a media type": (
        lambda kind: forged(header={"typ": f"application/{kind}"}, kind=kind),
        "wrong_typ",
    ),
    "typ in a list": (lambda kind: forged(header={"typ": [str(kind)]}, kind=kind), "wrong_typ"),
    **{f"no {name}": (said(without=name), "claim_missing") for name in claims_of()},
    "audience in a list": (said({"aud": [HUB]}), "wrong_audience"),
    "two audiences": (said({"aud": [OTHER, HUB]}), "wrong_audience"),
    "another audience": (said({"aud": OTHER}), "wrong_audience"),
    "an audience like ours": (said({"aud": HUB + "0"}), "wrong_audience"),
    "HS256 over the public key": (by_library(KEY.public.raw, "HS256"), "wrong_alg"),
    "HS256 over its PEM": (hs256_over_pem(), "wrong_alg"),
    "alg none": (unsigned("none"), "wrong_alg"),
    "alg None": (unsigned("None"), "wrong_alg"),
    "EdDSA without a signature": (unsigned("EdDSA"), "wrong_signature"),
    "ES256 by another key": (
        by_library(ec.generate_private_key(ec.SECP256R1()), "ES256"),
        "wrong_alg",
    ),
    "alg in small letters": (headed({"alg": "eddsa"}), "wrong_alg"),
    "another's key under our kid": (said(key=STRANGER), "wrong_signature"),
    "a kid that is a path": (headed({"kid": "../../etc/passwd"}), "bad_kid"),
    "a kid that is SQL": (headed({"kid": "' OR 1=1 --"}), "bad_kid"),
    "a kid that is a number": (headed({"kid": 1}), "bad_kid"),
    "a kid with a line break": (headed({"kid": KEY.public.fingerprint + "\n"}), "bad_kid"),
    "no kid": (headed({"kid": None}), "bad_kid"),
    "a kid nobody has": (
        headed({"kid": STRANGER.public.fingerprint}, key=STRANGER),
        "unknown_key",
    ),
    "another issuer's key in our name": (
        headed({"kid": OTHERS_KEY.public.fingerprint}, key=OTHERS_KEY),
        "unknown_key",
    ),
    "our key in another issuer's name": (said({"iss": OTHER}), "unknown_key"),
    "the key in the header": (
        headed({"jwk": STRANGER.public.jwk()}, key=STRANGER),
        "header_not_allowed",
    ),
    "an address for the key": (headed({"jku": "https://evil.test/jwks"}), "header_not_allowed"),
    "an address for a certificate": (headed({"x5u": "https://evil.test/"}), "header_not_allowed"),
    "a certificate in the header": (headed({"x5c": ["MII"]}), "header_not_allowed"),
    "critical extensions": (headed({"crit": ["exp"]}), "header_not_allowed"),
    "a payload that is not encoded": (headed({"b64": False}), "header_not_allowed"),
    "compressed": (headed({"zip": "DEF"}), "header_not_allowed"),
    "expired": (said({"iat": NOW - 59, "nbf": NOW - 59, "exp": NOW}), "expired"),
    "issued in the future": (said({"iat": NOW + 1}), "not_yet"),
    "nbf in the future": (said({"nbf": NOW + 1}), "not_yet"),
    "a life too long": (
        lambda kind: forged({"exp": NOW + LONGEST[kind] + 1}, kind=kind),
        "lives_too_long",
    ),
    "issued long ago for long": (
        lambda kind: forged({"iat": NOW - LONGEST[kind]}, kind=kind),
        "lives_too_long",
    ),
    "valid since long ago for long": (
        lambda kind: forged({"nbf": NOW - LONGEST[kind]}, kind=kind),
        "lives_too_long",
    ),
    "over before it began": (said({"exp": NOW - 1}), "lives_too_long"),
    "a life beyond counting": (said({"exp": 10**30}), "lives_too_long"),
    "an issuer nobody knows": (said({"iss": "hub-9"}), "unknown_key"),
    "an issuer that is no text": (said({"iss": [HUB]}), "claim_missing"),
    "times as text": (said({"exp": str(NOW + 60)}), "time_not_number"),
    "exp as truth": (said({"exp": True}), "time_not_number"),
    "nbf as truth": (said({"nbf": True}), "time_not_number"),
    "iat as truth": (said({"iat": True}), "time_not_number"),
    "times as fractions": (said({"exp": NOW + 0.5}), "time_not_number"),
    "exp not a number": (body_with(', "x": NaN'), "malformed"),
    "exp NaN": (written(json.dumps(claims_of({"exp": float("nan")}))), "malformed"),
    "exp endless": (written(json.dumps(claims_of({"exp": float("inf")}))), "malformed"),
    "exp too big for a float": (
        written(json.dumps(claims_of({"exp": 9})).replace('"exp": 9', '"exp": 1e999')),
        "time_not_number",
    ),
    "exp of 2,800 digits": (
        written(json.dumps(claims_of({"exp": 9})).replace('"exp": 9', f'"exp": {"9" * 2800}')),
        "lives_too_long",
    ),
    "an empty subject": (said({"sub": ""}), "claim_not_text"),
    "an empty id": (said({"jti": ""}), "claim_not_text"),
    "a number for a subject": (said({"sub": 7}), "malformed"),
    "a claim twice": (body_with(', "sub": "owner"'), "malformed"),
    "an inner name twice": (body_with(', "x": {"a": 1, "a": 2}'), "malformed"),
    "a header twice": (head_with(', "alg": "EdDSA"'), "malformed"),
    "claims in a list": (written("[]"), "malformed"),
    "claims that are a word": (written('"person"'), "malformed"),
    "claims that are no JSON": (written("{'sub': 'person'}"), "malformed"),
    "claims that are no text": (written(b"\xff\xfe{}"), "malformed"),
    "claims as deep as a well": (written("[" * 2900), "malformed"),
    "a signature written otherwise": (last_letter_changed, "malformed"),
    "padded": (lambda kind: forged(kind=kind) + "==", "malformed"),
    "plain base64": (lambda kind: forged(kind=kind)[:-2] + "+/", "malformed"),
    "a space around it": (lambda kind: f" {forged(kind=kind)}", "malformed"),
    "a line break behind it": (lambda kind: f"{forged(kind=kind)}\n", "malformed"),
    "two parts": (lambda kind: forged(kind=kind).rpartition(".")[0], "malformed"),
    "four parts": (lambda kind: forged(kind=kind) + ".", "malformed"),
    "five parts, as if encrypted": (lambda kind: forged(kind=kind) + "..", "malformed"),
    "JSON serialised": (lambda kind: json.dumps({"payload": forged(kind=kind)}), "malformed"),
    "too long": (
        lambda kind: forged({"x": "y" * LARGEST_OF.get(kind, LARGEST)}, kind=kind),
        "too_long",
    ),
    "very long": (lambda kind: "x" * 1_000_000, "too_long"),
    "no JWT at all": (lambda kind: "abc", "malformed"),
    "empty": (lambda kind: "", "malformed"),
}


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(name: str, kind: Kind) -> None:
    """IDN-3: the twelve of it and more, for each kind."""
    make, code = FORGERIES[name]
    refused(kind, make(kind), code)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_handmade_token_is_good_when_nothing_is_wrong_with_it(kind: Kind) -> None:
    assert verify(kind, forged(kind=kind)) == "person"


@pytest.mark.parametrize(("made", "wanted"), list(permutations(Kind, 2)))
def test_no_kind_passes_for_another(made: Kind, wanted: Kind) -> None:
    """Every pair: the same key signs several kinds."""
    text = Issuer(HUB, KEY, SetClock()).mint(made, subject="person", audience=HUB, lifetime=60)
    assert verify(made, text) == "person"
    refused(wanted, text, "wrong_typ")


def test_forgeries_are_signed_where_it_matters() -> None:
    """They are refused for what is wrong with them, not for a broken signature."""
    signed = [name for name, (_, code) in FORGERIES.items() if code == "wrong_signature"]
    assert signed == ["EdDSA without a signature", "another's key under our kid"]
