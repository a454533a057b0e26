"""Status lists: the draft's own vectors, bounds, and what may rest on an old one (IDN-9)."""

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.grants import NOW, SetClock
from village_core.grants import GrantStatus
from village_core.keys import PublicKey, SigningKey, encode
from village_core.status_list import (
    LARGEST_DATA,
    MOST,
    TTL,
    Freshness,
    HeldList,
    Status,
    StatusList,
    StatusListError,
    newer,
    read_list,
    sign_list,
)
from village_core.tokens import LARGEST_OF, LONGEST, Issuer, Kind, TokenError

HUB, URI = "hub-1", "https://hub.test/api/v1/status-lists/1"
KEY = SigningKey.make()
SECOND = 1000

# Of draft-ietf-oauth-status-list: sections 4.1 and 10, and its appendix of test vectors (2^20
# places), whose long ones are put together here from the parts that are not zeros.
FIRST_EXAMPLE = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
SECOND_EXAMPLE = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
ONE_BIT = {
    **dict.fromkeys((0, 1993, 25460, 159495, 495669, 554353), 1),
    **dict.fromkeys((645645, 723232, 854545, 934534, 1000345), 1),
}
ONE_BIT_LIST = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAA"
    "AAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)
TWO_BITS = {
    0: 1,
    1993: 2,
    25460: 1,
    159495: 3,
    495669: 1,
    554353: 1,
    645645: 2,
    723232: 1,
    854545: 1,
    934534: 2,
    1000345: 3,
}
TWO_BIT_LIST = (
    "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAA"
    "AAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAA"
    "AMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw"
)


def trust(issuer: str, kid: str) -> PublicKey | None:
    return KEY.public if (issuer, kid) == (HUB, KEY.public.fingerprint) else None


def issuer(ms: int = NOW) -> Issuer:
    return Issuer(HUB, KEY, SetClock(ms))


def refused(lst: str, code: str, bits: Any = 2) -> None:
    with pytest.raises(StatusListError) as error:
        StatusList.decoded(bits, lst)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("bits", "lst", "data", "values"),
    [
        (1, "eNrbuRgAAhcBXQ", b"\xb9\xa3", FIRST_EXAMPLE),
        (2, "eNo76fITAAPfAgc", b"\xc9\x44\xf9", SECOND_EXAMPLE),
    ],
)
def test_the_drafts_examples_are_read(bits: int, lst: str, data: bytes, values: list[int]) -> None:
    found = StatusList.decoded(bits, lst)
    assert found.data == data
    assert [found.value(place) for place in range(len(found))] == values
    assert StatusList.decoded(bits, found.encoded()) == found


@pytest.mark.parametrize(
    ("bits", "lst", "values"), [(1, ONE_BIT_LIST, ONE_BIT), (2, TWO_BIT_LIST, TWO_BITS)]
)
def test_the_drafts_test_vectors_are_read(bits: int, lst: str, values: dict[int, int]) -> None:
    found = StatusList.decoded(bits, lst)
    assert len(found) == 2**20
    each = 8 // bits
    written = [number for number, byte in enumerate(found.data) if byte]
    places = [number * each + inner for number in written for inner in range(each)]
    assert {place: found.value(place) for place in places if found.value(place)} == values


def test_our_list_is_the_drafts() -> None:
    """Bit for bit; 3 is nobody's status, so this leaves those out."""
    known = {place: Status(value) for place, value in TWO_BITS.items() if value < 3}
    theirs = bytearray(StatusList.decoded(2, TWO_BIT_LIST).data)
    for place in (159495, 1000345):
        theirs[place // 4] &= ~(3 << place % 4 * 2) & 0xFF
    assert StatusList.of(known, 2**20).data == theirs


@given(st.dictionaries(st.integers(0, 299), st.sampled_from(Status)), st.integers(300, 900))
def test_what_is_put_in_comes_out(statuses: dict[int, Status], size: int) -> None:
    found = StatusList.decoded(2, StatusList.of(statuses, size).encoded())
    assert size <= len(found) < size + 4
    for place in range(size):
        assert found.status(place) is statuses.get(place, Status.VALID)


@pytest.mark.parametrize(("places", "size"), [({5}, 5), ({-1}, 5), (set(), 0), (set(), MOST + 1)])
def test_a_place_beyond_the_list_cannot_be_written(places: set[int], size: int) -> None:
    with pytest.raises(ValueError, match="places"):
        StatusList.of(dict.fromkeys(places, Status.INVALID), size)


@pytest.mark.parametrize("place", [-1, 8])
def test_a_place_beyond_the_list_has_no_status(place: int) -> None:
    found = StatusList.of({}, 8)
    with pytest.raises(StatusListError, match="out_of_range"):
        found.status(place)


def test_a_number_that_means_nothing_to_us_is_not_valid() -> None:
    assert StatusList(2, b"\x03").status(0) is Status.INVALID
    assert StatusList(8, b"\x0c").status(0) is Status.INVALID


def test_lists_of_four_and_eight_bits_are_read_too() -> None:
    assert [StatusList(4, b"\x21").status(place) for place in (0, 1)] == [1, 2]
    assert [StatusList(8, b"\x00\x02").status(place) for place in (0, 1)] == [0, 2]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_bomb_is_not_unpacked(bits: int) -> None:
    bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
    assert len(encode(bomb)) > LARGEST_OF[Kind.STATUS_LIST]  # nor does it fit a token
    refused(encode(bomb), "too_large", bits)
    most = LARGEST_DATA * bits // 8
    assert len(StatusList.decoded(bits, encode(zlib.compress(bytes(most))))) == MOST
    refused(encode(zlib.compress(bytes(most + 1))), "too_large", bits)


GOOD = zlib.compress(b"\xc9\x44\xf9")
BROKEN = {
    "nothing": "",
    "no base64url": "e+==",
    "not compressed": encode(b"\xc9\x44\xf9"),
    "cut short": encode(GOOD[:-1]),
    "something behind it": encode(GOOD + b"\x00"),
    "a wrong sum": encode(GOOD[:-1] + bytes([GOOD[-1] ^ 1])),
    "no places": encode(zlib.compress(b"")),
    "bare deflate": encode(GOOD[2:-4]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_list_is_refused(name: str) -> None:
    refused(BROKEN[name], "malformed")


@pytest.mark.parametrize("bits", [0, 3, 16, True, "2", None, 2.0, -1])
def test_other_sizes_of_a_status_are_refused(bits: Any) -> None:
    refused(encode(GOOD), "malformed", bits)


def held(ms: int = NOW, statuses: dict[int, Status] | None = None) -> HeldList:
    found = StatusList.of(statuses or {}, 100)
    return read_list(sign_list(issuer(ms), URI, found), URI, trust, SetClock(ms))


def test_a_signed_list_says_what_was_taken_back() -> None:
    found = held(statuses={3: Status.INVALID, 4: Status.SUSPENDED})
    assert (found.uri, found.issuer, found.ttl) == (URI, HUB, 300)
    assert found.expires_at - found.issued_at == 3600
    assert found.word_on(2, NOW) == (GrantStatus.VALID, True)
    assert found.word_on(3, NOW) == (GrantStatus.STOPPED, True)
    assert found.word_on(4, NOW) == (GrantStatus.SUSPENDED, True)
    with pytest.raises(StatusListError):
        found.word_on(100, NOW)


def test_an_old_list_is_to_be_fetched_again_and_a_very_old_one_is_none() -> None:
    """IDN-9: ttl 300 s, exp 3600 s; seed vector 3 stands on the second element being False."""
    found = held()
    begin = NOW // SECOND * SECOND
    assert found.freshness(begin) is Freshness.FRESH
    assert found.freshness(begin + 299_999) is Freshness.FRESH
    assert found.freshness(begin + 300_000) is Freshness.DUE
    assert found.word_on(0, begin + 3_599_999) == (GrantStatus.VALID, True)
    assert found.freshness(begin + 3_600_000) is Freshness.STALE
    assert found.word_on(0, begin + 3_600_000) == (GrantStatus.VALID, False)


def test_an_older_list_takes_nothing_back() -> None:
    first, second = held(), held(NOW + SECOND, {1: Status.INVALID})
    assert newer(None, first) is first
    assert newer(first, second) is second
    assert newer(second, first) is second
    other = HeldList("elsewhere", HUB, first.statuses, 0, 1, 1)
    with pytest.raises(ValueError, match="addresses"):
        newer(first, other)


def test_a_list_is_of_one_address() -> None:
    text = sign_list(issuer(), URI, StatusList.of({}, 100))
    with pytest.raises(TokenError, match="wrong_audience"):
        read_list(text, URI + "2", trust, SetClock())


def test_an_ended_list_is_not_even_read() -> None:
    text = sign_list(issuer(), URI, StatusList.of({}, 100))
    with pytest.raises(TokenError, match="expired"):
        read_list(text, URI, trust, SetClock(NOW + 3_600_000))


GOOD_CLAIMS: dict[str, Any] = {"status_list": {"bits": 2, "lst": encode(GOOD)}, "ttl": 300}


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"status_list": []},
        {"status_list": {"bits": 2}},
        {"status_list": {"lst": encode(GOOD)}},
        {**GOOD_CLAIMS, "ttl": "300"},
        {**GOOD_CLAIMS, "ttl": True},
        {**GOOD_CLAIMS, "ttl": 0},
    ],
)
def test_a_list_of_another_form_is_refused(claims: dict[str, Any]) -> None:
    text = issuer().mint(Kind.STATUS_LIST, subject=URI, audience=URI, more=claims)
    with pytest.raises(StatusListError, match="malformed"):
        read_list(text, URI, trust, SetClock())


def test_a_list_for_this_address_about_another_is_refused() -> None:
    text = issuer().mint(Kind.STATUS_LIST, subject="other", audience=URI, more=GOOD_CLAIMS)
    with pytest.raises(TokenError, match="wrong_subject"):
        read_list(text, URI, trust, SetClock())


def test_a_copy_is_good_no_longer_than_its_token() -> None:
    claims = {**GOOD_CLAIMS, "ttl": 99_999}
    text = issuer().mint(Kind.STATUS_LIST, subject=URI, audience=URI, lifetime=60, more=claims)
    assert read_list(text, URI, trust, SetClock()).ttl == 60
    del claims["ttl"]
    text = issuer().mint(Kind.STATUS_LIST, subject=URI, audience=URI, more=claims)
    assert read_list(text, URI, trust, SetClock()).ttl == TTL


def test_a_full_list_fits_a_token() -> None:
    """65,536 places, one in twenty taken back here and there."""
    taken = {place: Status.INVALID for place in range(2**16) if place * 2654435761 % 97 < 5}
    text = sign_list(issuer(), URI, StatusList.of(taken, 2**16))
    assert len(text) < LARGEST_OF[Kind.STATUS_LIST]
    assert read_list(text, URI, trust, SetClock()).statuses.value(min(taken)) == 1
    assert LONGEST[Kind.STATUS_LIST] == 3600
