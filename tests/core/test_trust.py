"""The county's list of who may speak for which place (IDN-4)."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.grants import NOW, SetClock
from village_core.enrolment import new_nonce
from village_core.keys import PublicKey, SigningKey
from village_core.permits import Role
from village_core.tokens import Issuer, Kind, TokenError
from village_core.trust import (
    AUDIENCE,
    Entry,
    ForeignVerifier,
    TrustList,
    read_trust_list,
    sign_trust_list,
)
from village_core.vouching import Vouched, read_vouch, vouch

ROOT, STRANGER = SigningKey.make(), SigningKey.make()
NODES = {name: SigningKey.make() for name in ("county", "village-a", "village-b")}
TOKENS = {name: SigningKey.make() for name in NODES}
PLACES = {"county": "110101", "village-a": "110101001001", "village-b": "110101001002"}
HERE = "hub-here"
DAY = 86_400_000

COUNTY_ROLES = frozenset({Role.BUREAU_OFFICER, Role.STATION_OFFICER, Role.AUDITOR})
VILLAGE_ROLES = frozenset({Role.COMMITTEE, Role.CARER, Role.ENGINEER})


def entry(name: str, **changes: Any) -> Entry:
    said = {
        "issuer": name,
        "keys": (NODES[name].public.text,),
        "roles": COUNTY_ROLES if name == "county" else VILLAGE_ROLES,
        "place": PLACES[name],
        **changes,
    }
    return Entry.model_validate(said)


def trust_list(number: int = 1, *names: str) -> TrustList:
    return TrustList(number=number, entries=tuple(entry(name) for name in names or NODES))


def vouched(name: str, node: SigningKey | None = None, hub: str = "") -> Vouched:
    """As it is really learned: over the node key's vouch."""
    key, nonce = node or NODES[name], new_nonce()
    text = vouch(hub or name, key, SetClock(), nonce, [], [TOKENS[name].public])
    return read_vouch(text, nonce, key.public.fingerprint)


def verifier(known: dict[str, Vouched] | None = None, ms: int = NOW) -> ForeignVerifier:
    found = {name: vouched(name) for name in NODES} if known is None else known
    return ForeignVerifier(HERE, trust_list(), found, SetClock(ms))


def access(name: str, key: SigningKey | None = None, **more: Any) -> str:
    said = {"unit": "unit", "place": PLACES.get(name, "110101"), **more}
    given = {claim: value for claim, value in said.items() if value is not None}
    issuer = Issuer(name, key or TOKENS[name], SetClock())
    return issuer.mint(Kind.ACCESS, subject="officer", audience=HERE, more=given)


def refused(text: str, code: str, by: ForeignVerifier | None = None) -> None:
    with pytest.raises(TokenError) as error:
        (by or verifier()).verify(Kind.ACCESS, text)
    assert error.value.code == code


def test_each_speaks_for_its_own_people() -> None:
    for name, role in (("county", Role.BUREAU_OFFICER), ("village-a", Role.COMMITTEE)):
        claims = verifier().verify(Kind.ACCESS, access(name, roles=[role]))
        assert (claims.issuer, claims.subject) == (name, "officer")


@pytest.mark.parametrize("role", sorted(set(Role) - VILLAGE_ROLES))
def test_a_village_cannot_make_county_people(role: Role) -> None:
    refused(access("village-a", roles=[role]), "beyond_trust")
    refused(access("village-a", roles=[Role.COMMITTEE, role]), "beyond_trust")


@pytest.mark.parametrize(
    "place",
    [
        "110101001002",  # the next village
        "110101001",  # its township
        "110101",  # its county
        "11",
        "",
        "1101010010010",  # no place's code
        "110101001001\n",
        "１１０１０１００１００１",
        None,
        5,
    ],
)
def test_a_village_cannot_speak_for_another_place(place: Any) -> None:
    refused(access("village-a", roles=[Role.COMMITTEE], place=place), "beyond_trust")


def test_a_county_speaks_for_its_townships_and_villages() -> None:
    for place in ("110101", "110101001", "110101001001"):
        text = access("county", roles=[Role.STATION_OFFICER], place=place)
        assert verifier().verify(Kind.ACCESS, text).text("place") == place
    refused(access("county", roles=[Role.STATION_OFFICER], place="110102001"), "beyond_trust")


def test_a_resident_has_neither_roles_nor_place() -> None:
    text = access("village-a", unit=None, place=None)
    assert verifier().verify(Kind.ACCESS, text).subject == "officer"
    refused(access("village-a", place=None), "beyond_trust")  # with a unit


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        ("committee", "claim_not_text"),
        ([["committee"]], "claim_not_text"),
        ([None], "claim_not_text"),
        (["Committee"], "unknown_role"),
        (["committee", "committee"], "unknown_role"),
    ],
)
def test_roles_are_words_of_the_table(roles: Any, code: str) -> None:
    refused(access("village-a", roles=roles), code)


def test_one_hubs_key_signs_nothing_in_anothers_name() -> None:
    for key in (TOKENS["village-b"], NODES["village-a"], NODES["county"], ROOT, STRANGER):
        refused(access("village-a", key, roles=[Role.COMMITTEE]), "unknown_key")
    refused(access("nobody", STRANGER), "unknown_key")


def test_a_hub_that_is_not_listed_vouches_for_nothing() -> None:
    text = access("village-a", roles=[Role.COMMITTEE])
    stranger = verifier({"village-a": vouched("village-a", STRANGER)})
    refused(text, "unknown_key", stranger)
    anothers = verifier({"village-a": vouched("village-a", hub="village-b")})
    refused(text, "unknown_key", anothers)
    refused(text, "unknown_key", verifier({}))
    two_names = verifier({"village-a": vouched("village-b")})
    refused(access("village-a", TOKENS["village-b"]), "unknown_key", two_names)


def test_a_node_key_signs_what_stays_and_a_token_key_does_not() -> None:
    node = Issuer("village-a", NODES["village-a"], SetClock())
    text = node.mint(Kind.CHECKPOINT, subject="log", audience=HERE)
    assert verifier({}).verify(Kind.CHECKPOINT, text).issuer == "village-a"
    rotated = Issuer("village-a", TOKENS["village-a"], SetClock())
    wrong = rotated.mint(Kind.CHECKPOINT, subject="log", audience=HERE)
    with pytest.raises(TokenError, match="unknown_key"):
        verifier().verify(Kind.CHECKPOINT, wrong)


def test_foreign_clocks_may_differ_by_a_minute() -> None:
    text = access("village-a")
    assert verifier(ms=NOW - 60_000).verify(Kind.ACCESS, text).subject == "officer"
    refused(text, "not_yet", verifier(ms=NOW - 61_000))


def signed(found: TrustList | None = None, key: SigningKey = ROOT) -> str:
    return sign_trust_list(Issuer("county-root", key, SetClock()), found or trust_list())


def read(text: str, ms: int = NOW, held: TrustList | None = None) -> TrustList:
    return read_trust_list(text, ROOT.public, SetClock(ms), held=held)


def test_the_list_is_read_as_it_was_signed() -> None:
    assert read(signed()) == trust_list()


def test_the_list_is_the_roots_or_none() -> None:
    for key in (STRANGER, NODES["county"]):
        with pytest.raises(TokenError, match="unknown_key"):
            read(signed(key=key))


def test_an_old_list_does_not_come_back() -> None:
    """Else a hub that was struck out is in again."""
    second = trust_list(2, "county")
    with pytest.raises(TokenError, match="older"):
        read(signed(), held=second)
    assert read(signed(second), held=trust_list()) == second
    with pytest.raises(TokenError, match="expired"):
        read(signed(), NOW + 400 * DAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": ()},
        {"keys": ("x" * 43,)},
        {"keys": ("short",)},
        {"roles": ["king"]},
        {"place": "11"},
        {"place": "1101010"},
        {"place": ""},
        {"issuer": ""},
        {"everything": True},
    ],
)
def test_an_entry_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry("county", **changes)


@pytest.mark.parametrize(
    "entries",
    [
        (entry("county"), entry("county", keys=(STRANGER.public.text,))),
        (entry("county"), entry("village-a", keys=(NODES["county"].public.text,))),
    ],
)
def test_an_issuer_and_a_key_stand_once(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(ValidationError):
        TrustList(number=1, entries=entries)


@pytest.mark.parametrize("said", [None, [], {"number": True, "entries": []}, {"number": 1}])
def test_a_list_of_another_form_is_refused(said: Any) -> None:
    text = Issuer("county-root", ROOT, SetClock()).mint(
        Kind.TRUST, subject="county-root", audience=AUDIENCE, more={"trust": said}
    )
    with pytest.raises(TokenError, match="malformed"):
        read(text)


def test_two_keys_while_one_is_moved() -> None:
    both = entry("county", keys=(NODES["county"].public.text, STRANGER.public.text))
    assert both.node_keys == (NODES["county"].public, PublicKey(STRANGER.public.raw))
