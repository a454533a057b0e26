"""Grants as they are signed by the household key and read again (PRM-21)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.grants import (
    CLASSES,
    DAY,
    HOUSE,
    HOUSEHOLD,
    HUB,
    KEY,
    NOW,
    ROOM,
    SetClock,
    issuer,
    signed,
    terms,
)
from village_core.grant_limits import TermsError, Unfit
from village_core.grant_tokens import (
    Assertion,
    AtHome,
    AtWindow,
    ByPasskey,
    Clerk,
    GrantError,
    House,
    StatusPlace,
    check_confirmation,
    mint,
    plain_confirmation,
    read_grant,
    sign_grant,
)
from village_core.grants import GrantKind, plain
from village_core.keys import SigningKey
from village_core.tokens import Issuer, Kind

STRANGER = SigningKey.make()
ASSERTION = Assertion(credential="AQ", client_data="Ag", authenticator_data="Aw", signature="BA")
PASSKEY = ByPasskey(issuer=HUB, person="owner", name="Li Hua", assertion=ASSERTION)
CLERKS = (
    Clerk(issuer=HUB, person="a", name="A", assertion=ASSERTION),
    Clerk(
        issuer=HUB,
        person="b",
        name="B",
        assertion=ASSERTION.model_copy(update={"credential": "BQ"}),
    ),
)
WINDOW = AtWindow(clerks=CLERKS, scan="0" * 64)
LATER: dict[str, Any] = {"not_before": NOW + DAY}


def refused(text: str, code: str, now: int = NOW, house: House = HOUSE) -> None:
    with pytest.raises(GrantError) as error:
        read_grant(text, house, now)
    assert error.value.code == code


@pytest.mark.parametrize("kind", list(GrantKind))
def test_a_grant_says_what_was_signed(kind: GrantKind) -> None:
    what = terms(kind)
    status = StatusPlace(idx=5, uri="https://hub.test/api/v1/status-lists/1")
    text = signed(what, status=status)
    grant = read_grant(text, HOUSE, NOW)
    assert grant.terms == what
    assert (grant.household, grant.hub) == (HOUSEHOLD, HUB)
    assert (grant.issued, grant.status, grant.cnf) == (NOW // 1000, status, None)
    assert (grant.text, grant.parents) == ((text,), ())
    assert grant.confirmed == AtHome(person="owner")


@pytest.mark.parametrize("confirmed", [PASSKEY, AtHome(), WINDOW], ids=lambda each: each.how)
def test_how_it_was_confirmed_stays_with_it(confirmed: ByPasskey | AtHome | AtWindow) -> None:
    text = sign_grant(issuer(), HUB, terms(**LATER), confirmed)
    assert read_grant(text, HOUSE, NOW).confirmed == confirmed


def test_a_grant_ends_to_the_millisecond() -> None:
    """No leeway for the end (design.md, Who decides)."""
    what = terms(GrantKind.LIVE, until=NOW + 1500)
    text = signed(what)
    assert read_grant(text, HOUSE, NOW + 1499).terms == what
    refused(text, "expired", NOW + 1500)
    assert read_grant(text, HOUSE, NOW + DAY, expired_ok=True).terms == what


def test_a_grant_that_is_still_to_begin_can_be_kept() -> None:
    assert read_grant(signed(terms(**LATER)), HOUSE, NOW).terms.not_before == NOW + DAY


def test_a_grant_of_the_future_is_refused() -> None:
    """Leeway is for clocks that differ, 60 s at most (IDN-3)."""
    text = signed()
    assert read_grant(text, HOUSE, NOW - 60_000).issued == NOW // 1000
    refused(text, "not_yet", NOW - 60_001)


def test_nobody_else_makes_a_grant_of_this_household() -> None:
    """PRM-21: a hub, its administrator or an upper tier cannot make one."""
    hub = Issuer(HUB, STRANGER, SetClock())
    in_our_name = Issuer(HOUSEHOLD, STRANGER, SetClock())
    for other in (hub, in_our_name):
        refused(sign_grant(other, HUB, terms(), AtHome()), "unknown_key")
    of_another_house = Issuer("household-8", KEY, SetClock())
    refused(sign_grant(of_another_house, HUB, terms(), AtHome()), "unknown_key")


def test_a_grant_is_for_the_hub_of_its_household() -> None:
    refused(sign_grant(issuer(), "hub-2", terms(), AtHome()), "wrong_audience")


def test_a_key_that_may_hand_it_on_is_named_only_where_the_terms_say_so() -> None:
    with pytest.raises(ValueError, match="hand it on"):
        signed(cnf=STRANGER.public)
    text = signed(terms(may_hand_on=True), cnf=STRANGER.public)
    assert read_grant(text, HOUSE, NOW).cnf == STRANGER.public


def test_what_is_agreed_to_on_paper_begins_a_day_later_wherever_it_is_read() -> None:
    """PRM-21."""
    early = terms(not_before=NOW + DAY - 1)
    refused(sign_grant(issuer(), HUB, early, WINDOW), "too_soon")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cameras": {ROOM}, "sensitive": True}, Unfit.CLASS),
        ({"cameras": {"gone"}}, Unfit.CLASS),
        ({"not_before": NOW + DAY - 1}, Unfit.TOO_SOON),
    ],
)
def test_paper_is_not_enough_for_some_things(changes: dict[str, Any], code: Unfit) -> None:
    """PRM-21: never H-IN, and not before 24 h."""
    what = terms(**{**LATER, **changes})
    with pytest.raises(TermsError) as error:
        check_confirmation(what, WINDOW, CLASSES, NOW)
    assert error.value.code is code
    check_confirmation(what, PASSKEY, CLASSES, NOW)


def test_paper_is_enough_for_the_yard_tomorrow() -> None:
    check_confirmation(terms(**LATER), WINDOW, CLASSES, NOW)


@pytest.mark.parametrize(
    "second",
    [
        CLERKS[0],
        CLERKS[1].model_copy(update={"assertion": ASSERTION}),
        CLERKS[0].model_copy(update={"assertion": CLERKS[1].assertion}),
    ],
)
def test_two_clerks_are_two_people_with_two_keys(second: Clerk) -> None:
    with pytest.raises(ValueError, match="two clerks"):
        AtWindow(clerks=(CLERKS[0], second), scan="0" * 64)


def minted(claims: dict[str, Any] | None = None, **changes: Any) -> str:
    """Signed by the household key but written by hand; a claim of None is left out."""
    what = terms()
    said = {"terms": plain(what), "confirmed": plain_confirmation(AtHome()), **(claims or {})}
    parts: dict[str, Any] = {
        "subject": "son",
        "audience": HUB,
        "expires_at": what.until // 1000,
        "more": {name: value for name, value in said.items() if value is not None},
        **changes,
    }
    return issuer().mint(Kind.GRANT, **parts)


def changed(**changes: Any) -> dict[str, Any]:
    return {"terms": {**plain(terms()), **changes}}


JWK = STRANGER.public.jwk()
MALFORMED: dict[str, Callable[[], str]] = {
    "no terms": lambda: minted({"terms": None}),
    "terms that are none": lambda: minted({"terms": "all"}),
    "an unknown term": lambda: minted(changed(faces=True)),
    "a default written out": lambda: minted(changed(sensitive=False)),
    "cameras in another order": lambda: minted(changed(cameras=["yard", "gate"])),
    "a camera twice": lambda: minted(changed(cameras=["yard", "yard"])),
    "an action of no such name": lambda: minted(changed(actions=["watch"])),
    "an end before the beginning": lambda: minted(changed(not_before=NOW + 3650 * DAY)),
    "another end in exp": lambda: minted(expires_at=NOW // 1000 + 60),
    "another recipient in sub": lambda: minted(subject="cousin"),
    "confirmed in no way": lambda: minted({"confirmed": {"how": "by phone"}}),
    "confirmed by nothing": lambda: minted({"confirmed": {}}),
    "a claim more": lambda: minted({"scope": "all"}),
    "a key though nobody may hand on": lambda: minted({"cnf": {"jwk": JWK}}),
    "a key that is none": lambda: minted({**changed(may_hand_on=True), "cnf": {"jwk": {"x": "a"}}}),
    "a key by its name": lambda: minted({**changed(may_hand_on=True), "cnf": {"kid": JWK["kid"]}}),
    "a key as text": lambda: minted({**changed(may_hand_on=True), "cnf": "key"}),
    "a key with a private part": lambda: minted(
        {**changed(may_hand_on=True), "cnf": {"jwk": {**JWK, "d": "AA"}}}
    ),
    "a status of another kind": lambda: minted({"status": {"ocsp": {}}}),
    "a status that is none": lambda: minted({"status": "valid"}),
    "a status before the first": lambda: minted(
        {"status": {"status_list": {"idx": -1, "uri": "u"}}}
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_grant_of_another_form_is_refused(name: str) -> None:
    """Even signed by the household: there is one form, so that all verifiers agree on it."""
    refused(MALFORMED[name](), "malformed")


def test_the_handmade_grant_is_good_when_nothing_is_wrong_with_it() -> None:
    assert read_grant(minted(), HOUSE, NOW).terms == terms()


def test_a_grant_without_its_confirmation_is_none() -> None:
    refused(minted({"confirmed": None}), "chain")
    refused(minted({"parent": "another"}), "chain")


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.GRANT])
def test_no_other_token_of_the_household_key_is_a_grant(kind: Kind) -> None:
    text = issuer().mint(kind, subject="son", audience=HUB, more={"terms": plain(terms())})
    refused(text, "wrong_typ")


def test_a_grant_with_everything_in_it_fits_a_message() -> None:
    """An uplink message has at most 64 KiB, and a permit may carry three grants."""
    long = "看" * 240
    big = ASSERTION.model_copy(
        update={"client_data": "A" * 400, "signature": "A" * 400, "credential": "A" * 400}
    )
    clerks = tuple(
        each.model_copy(
            update={"assertion": big.model_copy(update={"credential": each.person * 400})}
        )
        for each in CLERKS
    )
    what = terms(why=long, stop=long, cameras={f"{i:036}" for i in range(20)}, **LATER)
    text = mint(
        issuer(),
        HUB,
        what,
        {"confirmed": plain_confirmation(AtWindow(clerks=(clerks[0], clerks[1]), scan="0" * 64))},
        None,
        None,
    )
    assert read_grant(text, HOUSE, NOW).terms == what
    assert len(text) < 64 * 1024 / 4
