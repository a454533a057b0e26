"""A look that is asked of another hub: for one camera, one permit, one minute (IDN-7, IDN-8)."""

from typing import Any

import pytest

from tests.core.test_trust import HERE, NODES, TOKENS, verifier
from tests.support.grants import NOW, SetClock
from village_core.exchange import Look, OnShift, exchange, read_look
from village_core.keys import SigningKey
from village_core.permits import Action, Purpose, Quality, Role
from village_core.tokens import Claims, Issuer, Kind, TokenError

LOOK = Look(
    id="look-1",
    camera="lane",
    quality=Quality.SUB,
    action=Action.LIVE,
    purpose=Purpose.PUBLIC_SECURITY,
    reason="a fight is reported",
    shift=OnShift(id="shift-1", ends=NOW + 3_600_000),
)
OFFICER = {"unit": "bureau", "place": "110101", "roles": [Role.BUREAU_OFFICER.value]}


def token(name: str = "county", key: SigningKey | None = None, **said: Any) -> str:
    issuer = Issuer(name, key or NODES[name], SetClock())
    return exchange(issuer, HERE, "officer", {**OFFICER, **said}, LOOK)


def read(text: str, ms: int = NOW) -> Claims:
    return verifier({}, ms).verify(Kind.EXCHANGED, text)


def test_the_owner_node_reads_who_asks_for_what() -> None:
    """Nothing has to be vouched for: node keys stand in the list itself."""
    claims = read(token())
    assert (claims.issuer, claims.subject) == ("county", "officer")
    assert read_look(claims) == LOOK


def test_it_ends_after_a_minute() -> None:
    text = token()
    assert read(text, NOW + 59_000).subject == "officer"
    with pytest.raises(TokenError, match="expired"):
        read(text, NOW + 60_000)


@pytest.mark.parametrize(
    "key", [NODES["village-a"], TOKENS["county"], SigningKey.make()], ids="abc"
)
def test_nobody_asks_in_another_hubs_name(key: SigningKey) -> None:
    with pytest.raises(TokenError, match="unknown_key"):
        read(token(key=key))


def test_a_village_invents_no_officer_of_the_county() -> None:
    with pytest.raises(TokenError, match="beyond_trust"):
        read(token("village-a", place="110101001001"))


def test_a_hub_acts_for_nobody_but_its_own_people() -> None:
    """The actor is who signed: a hub on the way cannot put itself, or another, in its place."""
    issuer = Issuer("county", NODES["county"], SetClock())
    for act in ({"sub": "village-a"}, {}, None, {"sub": "county", "act": {"sub": "x"}}):
        more = {**OFFICER, "act": act, "look": LOOK.model_dump(mode="json")}
        text = issuer.mint(Kind.EXCHANGED, subject="officer", audience=HERE, more=more)
        with pytest.raises(TokenError, match="wrong_actor"):
            read_look(read(text))


@pytest.mark.parametrize(
    "changed",
    [
        {"camera": "../x"},
        {"action": "watch"},
        {"purpose": "parking"},
        {"more": 1},
        {"shift": {"id": "s", "ends": 1.5}},
        {"permit": None},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_look_in_another_form_is_refused(changed: dict[str, Any]) -> None:
    issuer = Issuer("county", NODES["county"], SetClock())
    look = {**LOOK.model_dump(mode="json"), **changed}
    more = {**OFFICER, "act": {"sub": "county"}, "look": look}
    text = issuer.mint(Kind.EXCHANGED, subject="officer", audience=HERE, more=more)
    with pytest.raises(TokenError, match="malformed"):
        read_look(read(text))
