"""The enrolment protocol without HTTP (IDN-15): both ways, and who stands in between."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from village_core.clock import SYSTEM_CLOCK
from village_core.enrolment import (
    Begun,
    ChildKeys,
    Claim,
    Enrolled,
    EnrolmentError,
    OwnKeys,
    Qr,
    check_claim,
    check_enrolled,
    check_reveal,
    commitment,
    knows_secret,
    make_claim,
    make_reveal,
    new_nonce,
    new_secret,
    new_typed_code,
    read_typed_code,
    sign_enrolled,
    six_digits,
)
from village_core.keys import SigningKey
from village_core.messages import OwnerNote
from village_core.tokens import Issuer, Kind, TokenError
from village_core.vouching import AUDIENCE, read_vouch, vouch

HUB, NODE, HOME, MALLORY = (SigningKey.make() for _ in range(4))
KEYS = ChildKeys(NODE.public, HOME.public)


def a_qr() -> Qr:
    return Qr("https://hub.test:8443", "e-1", new_secret(), HUB.public.fingerprint)


def enrolled(**more: Any) -> Enrolled:
    fields: dict[str, Any] = {
        "enrolment": "e-1",
        "hub": "hub-1",
        "hub_name": "West",
        "hub_key": HUB.public.text,
        "agent": "agent-1",
        "household": "home-1",
        "household_name": "Wang",
        "signature": "A" * 86,
        **more,
    }
    return Enrolled(utc_ms=1, **fields)


def test_the_qr_says_url_code_and_the_hubs_fingerprint() -> None:
    qr = a_qr()
    assert Qr.parse(f"  {qr.text()}\n") == qr
    assert len(qr.secret) >= 22  # at least 128 bits
    assert qr.secret not in repr(qr)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://hub.test",
        "secvillage:1?",
        "secvillage:1?u=https://h&e=1&s=2",
        "secvillage:1?u=ftp://h&e=1&s=2&k=3",
        "secvillage:1?u=https://&e=1&s=2&k=3",
        "secvillage:1?u=https://[bad&e=1&s=2&k=3",
        "secvillage:1?u=https://h&e=1&e=2&s=2&k=3",
    ],
)
def test_what_is_no_qr_of_ours_is_said_in_words(text: str) -> None:
    with pytest.raises(EnrolmentError, match="enrolment code"):
        Qr.parse(text)


@given(st.text(max_size=200))
def test_any_text_is_a_qr_or_refused(text: str) -> None:
    try:
        Qr.parse("secvillage:1?" + text)
    except EnrolmentError:
        return


def test_a_claim_shows_the_secret_and_both_keys_without_sending_it() -> None:
    qr = a_qr()
    claim = make_claim(qr, OwnKeys(NODE, HOME))
    assert qr.secret not in claim.model_dump_json()
    assert knows_secret(claim, "e-1", qr.secret, HUB.public)
    assert check_claim(claim, "e-1", HUB.public) == KEYS


def test_a_claim_is_for_one_enrolment_at_one_hub() -> None:
    qr = a_qr()
    claim = make_claim(qr, OwnKeys(NODE, HOME))
    assert not knows_secret(claim, "e-2", qr.secret, HUB.public)
    assert not knows_secret(claim, "e-1", new_secret(), HUB.public)
    assert not knows_secret(claim, "e-1", qr.secret, MALLORY.public)


@pytest.mark.parametrize("field", ["node_key", "household_key"])
def test_keys_put_in_by_somebody_in_between_are_noticed(field: str) -> None:
    qr = a_qr()
    claim = make_claim(qr, OwnKeys(NODE, HOME)).model_copy(update={field: MALLORY.public.text})
    assert not knows_secret(claim, "e-1", qr.secret, HUB.public)
    with pytest.raises(EnrolmentError):
        check_claim(claim, "e-1", HUB.public)


def test_a_key_nobody_holds_cannot_be_claimed() -> None:
    proofs = make_claim(a_qr(), OwnKeys(MALLORY, HOME))
    claim = make_claim(a_qr(), OwnKeys(NODE, HOME)).model_copy(
        update={"node_proof": proofs.node_proof}
    )
    with pytest.raises(EnrolmentError, match="node key"):
        check_claim(claim, "e-1", HUB.public)
    other = make_claim(a_qr(), OwnKeys(NODE, HOME)).model_copy(
        update={"household_proof": proofs.household_proof}
    )
    with pytest.raises(EnrolmentError, match="household key"):
        check_claim(other, "e-1", HUB.public)


def test_one_key_cannot_be_both() -> None:
    with pytest.raises(EnrolmentError, match="the same"):
        check_claim(make_claim(a_qr(), OwnKeys(NODE, NODE)), "e-1", HUB.public)


def begun(key: SigningKey = HUB) -> Begun:
    return Begun(enrolment="e-1", hub="hub-1", hub_key=key.public.text, nonce=new_nonce())


def test_commit_and_reveal_give_the_same_digits_on_both_sides() -> None:
    said, nonce = begun(), new_nonce()
    committed = commitment(KEYS, nonce)
    reveal = make_reveal(said, OwnKeys(NODE, HOME), nonce)
    assert check_reveal(reveal, committed, said) == KEYS
    digits = six_digits(HUB.public, KEYS, said.nonce, nonce)
    assert len(digits) == 6
    assert digits.isdigit()
    assert digits == six_digits(
        HUB.public, check_reveal(reveal, committed, said), said.nonce, nonce
    )


def test_nobody_changes_keys_or_nonce_after_committing() -> None:
    said, nonce = begun(), new_nonce()
    committed = commitment(KEYS, nonce)
    for late in (
        make_reveal(said, OwnKeys(MALLORY, HOME), nonce),
        make_reveal(said, OwnKeys(NODE, MALLORY), nonce),
        make_reveal(said, OwnKeys(NODE, HOME), new_nonce()),
    ):
        with pytest.raises(EnrolmentError, match="committed"):
            check_reveal(late, committed, said)


def test_proofs_made_for_another_hub_do_not_hold() -> None:
    said, nonce = begun(), new_nonce()
    reveal = make_reveal(begun(MALLORY), OwnKeys(NODE, HOME), nonce)
    with pytest.raises(EnrolmentError, match="proof"):
        check_reveal(reveal, commitment(KEYS, nonce), said)


def test_every_key_and_nonce_goes_into_the_digits() -> None:
    hub_nonce, agent_nonce = new_nonce(), new_nonce()
    swapped = ChildKeys(MALLORY.public, HOME.public)
    seen = {
        six_digits(HUB.public, KEYS, hub_nonce, agent_nonce),
        six_digits(MALLORY.public, KEYS, hub_nonce, agent_nonce),
        six_digits(HUB.public, swapped, hub_nonce, agent_nonce),
        six_digits(HUB.public, ChildKeys(NODE.public, MALLORY.public), hub_nonce, agent_nonce),
        six_digits(HUB.public, KEYS, new_nonce(), agent_nonce),
        six_digits(HUB.public, KEYS, hub_nonce, new_nonce()),
    }
    assert len(seen) >= 5  # two in a million may agree by chance


def test_the_hubs_answer_is_signed_and_is_the_expected_hubs() -> None:
    answer = sign_enrolled(enrolled(), KEYS, HUB)
    received = Enrolled.model_validate_json(answer.model_dump_json())
    assert check_enrolled(received, KEYS, HUB.public.fingerprint) == HUB.public
    with pytest.raises(EnrolmentError, match="expected"):
        check_enrolled(received, KEYS, MALLORY.public.fingerprint)
    another = dict.fromkeys(("agent", "hub", "household", "enrolment"), "another")
    for field, value in {**another, "owners": (OwnerNote(id="operator"),)}.items():
        changed = received.model_copy(update={field: value})
        with pytest.raises(EnrolmentError, match="signed"):
            check_enrolled(changed, KEYS, HUB.public.fingerprint)
    with pytest.raises(EnrolmentError, match="signed"):
        check_enrolled(received, ChildKeys(MALLORY.public, HOME.public), HUB.public.fingerprint)


def test_a_message_with_more_in_it_is_refused() -> None:
    with pytest.raises(ValidationError):
        Claim.model_validate({**make_claim(a_qr(), OwnKeys(NODE, HOME)).model_dump(), "x": 1})


def test_odd_base64_is_refused_in_words() -> None:
    claim = make_claim(a_qr(), OwnKeys(NODE, HOME)).model_copy(update={"node_proof": "B" * 86})
    with pytest.raises(EnrolmentError):
        check_claim(claim, "e-1", HUB.public)
    odd = make_claim(a_qr(), OwnKeys(NODE, HOME)).model_copy(update={"node_key": "B" * 43})
    with pytest.raises(EnrolmentError):
        check_claim(odd, "e-1", HUB.public)
    with pytest.raises(EnrolmentError):
        check_enrolled(enrolled(hub_key="B" * 43), KEYS, HUB.public.fingerprint)


def test_a_new_typed_code_can_be_read_back() -> None:
    code = new_typed_code()
    assert len(code) == 9
    assert read_typed_code(code.lower()) == code.replace("-", "")


def a_vouch(nonce: str, key: SigningKey = HUB) -> str:
    return vouch("hub-1", key, SYSTEM_CLOCK, nonce, [b"\x01" * 32], [NODE.public])


def test_a_vouch_brings_certificates_token_keys_and_the_time() -> None:
    nonce = new_nonce()
    found = read_vouch(a_vouch(nonce), nonce, HUB.public.fingerprint)
    assert (found.hub, found.key) == ("hub-1", HUB.public)
    assert found.certificates == {b"\x01" * 32}
    assert found.token_keys == (NODE.public,)
    assert abs(found.utc_ms - SYSTEM_CLOCK.utc_ms()) < 5000


def test_a_vouch_is_for_the_nonce_that_was_asked_with_and_by_the_pinned_key() -> None:
    nonce = new_nonce()
    with pytest.raises(TokenError, match="wrong_nonce"):
        read_vouch(a_vouch(new_nonce()), nonce, HUB.public.fingerprint)
    with pytest.raises(TokenError, match="unknown_key"):
        read_vouch(a_vouch(nonce, MALLORY), nonce, HUB.public.fingerprint)
    assert read_vouch(a_vouch(nonce, MALLORY), nonce, None).key == MALLORY.public


def a_vouch_saying(**claims: object) -> str:
    said = {"nonce": "n" * 22, "node_key": HUB.public.text, "tls": [], "keys": [], **claims}
    issuer = Issuer("hub-1", HUB, SYSTEM_CLOCK)
    return issuer.mint(Kind.VOUCH, subject="hub-1", audience=AUDIENCE, more=said)


@pytest.mark.parametrize(
    "claims",
    [{"tls": 5}, {"tls": ["zz"]}, {"tls": [5]}, {"keys": ["short"]}, {"keys": None}],
    ids=str,
)
def test_a_vouch_of_another_shape_is_malformed(claims: dict[str, object]) -> None:
    with pytest.raises(TokenError, match="malformed"):
        read_vouch(a_vouch_saying(**claims), "n" * 22, None)


@pytest.mark.parametrize(
    "key",
    [None, 5, "short", MALLORY.public.text],
    ids=["none", "number", "short", "another"],
)
def test_a_vouch_without_its_own_key_is_refused(key: object) -> None:
    with pytest.raises(TokenError):
        read_vouch(a_vouch_saying(node_key=key), "n" * 22, None)


@given(st.text(max_size=200))
def test_any_text_is_no_vouch(text: str) -> None:
    with pytest.raises(TokenError):
        read_vouch(text, "n", None)
