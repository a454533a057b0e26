"""Entries: their one form, and what never gets into one."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village_core.ids import new_secret
from village_core.keys import SigningKey
from village_core.permits import Role
from village_hub.access.facts import Subject
from village_hub.audit.cleaning import REMOVED, clean
from village_hub.audit.entry import (
    Entry,
    EntryKind,
    Who,
    canonical,
    document,
    place_of,
    read_document,
)

SECRETS = [
    "rtsp://admin:hunter2@192.168.1.20:554/main",
    "RTSPS://cam/1",
    "https://li:hunter2@hub.example/x",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
    "Authorization: Bearer abcdefgh12345",
    "bearer abcdefgh12345",
    "password=hunter2",
    "passwd: hunter2",
    '"secret": "hunter2"',
    "密码是hunter2",
    "口令:hunter2",
    "https://hub/x?token=hunter2",
    "data:image/jpeg;base64,hunter2/9j/4AAQ",
    "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
    "hunter2" * 8,
]


def entry(**more: object) -> Entry:
    return Entry.model_validate(
        {
            "id": "e1",
            "utc_ms": 1_795_000_000_000,
            "kind": EntryKind.ACT,
            "action": "grant.stop",
            "result": "allowed",
            **more,
        }
    )


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("field", ["reason", "device", "camera_name", "grant", "case", "source"])
def test_what_looks_like_a_secret_does_not_get_in(secret: str, field: str) -> None:
    """AUD-9."""
    text = document(entry(**{field: f"seen {secret}"}), "serve", 0)
    assert "hunter2" not in text
    assert "abcdefgh" not in text
    assert "c2lnbmF0" not in text
    assert "cam/1" not in text


@pytest.mark.parametrize("secret", SECRETS)
def test_nor_into_a_name_or_about(secret: str) -> None:
    """AUD-9."""
    said = entry(who=Who(id="p", name=secret, unit_name=secret), about={"note": secret})
    text = document(said, "serve", 0)
    assert REMOVED in text
    assert "hunter2" not in text


def test_a_new_secret_of_ours_is_taken_out_of_any_text() -> None:
    """AUD-9: session URLs and cookies are made of these."""
    secret = new_secret()
    assert clean(f"the code was {secret} then", 400) == f"the code was {REMOVED} then"


HOSTILE = ("?key", "&sig?", "a.", "a+b-", "eyJ-", "token", "密码", 'token"', "data:a", "bearer ")


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_costs_more_than_its_length(piece: str) -> None:
    """AUD-3, AUD-9: a browser's name is a stranger's choice, and every refusal is written down.
    With patterns that try again from everywhere this takes minutes to years."""
    begun = time.thread_time()
    clean(piece * (64_000 // len(piece)), 200)
    assert time.thread_time() - begun < 5


@pytest.mark.parametrize("name", ["token", "password", "api_key", "cookie_secret", "Authorization"])
def test_a_name_that_promises_a_secret_is_refused(name: str) -> None:
    """AUD-9: that is a mistake of a programmer, not of a user."""
    with pytest.raises(ValueError, match="no place in the log"):
        entry(about={name: "x"})


def test_a_fingerprint_may_be_named_and_ordinary_words_stay() -> None:
    key = SigningKey.make().public.fingerprint
    said = entry(
        about={"key_fingerprint": key, "count": 3},
        reason="看院门口的电动车 stolen 2026-11-20, case 粤公(2026)字第123号",
        camera="0192a7b0-7c1e-7abc-8def-0123456789ab",
        device="Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36",
    )
    assert said.about == {"key_fingerprint": key, "count": 3}
    assert said.reason == "看院门口的电动车 stolen 2026-11-20, case 粤公(2026)字第123号"
    assert said.camera == "0192a7b0-7c1e-7abc-8def-0123456789ab"
    assert said.device == "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36"


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "two words"},
        {"result": ""},
        {"utc_ms": -1},
        {"utc_ms": 2**53},
        {"bytes": 1.5},
        {"kind": "other"},
        {"unknown": 1},
        {"about": {"a": 1.5}},
        {"about": {"a": True}},
        {"about": {"a b": "x"}},
        {"about": {"a": ["x"]}},
    ],
)
def test_what_is_no_entry_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        entry(**wrong)


def test_an_entry_says_who_as_their_claims_do() -> None:
    """AUD-1: name, unit, person id."""
    subject = Subject("hub", "p1", "u1", frozenset({Role.STATION_OFFICER}), "x", "Li", "Xicun")
    assert Who.of(subject).model_dump() == {
        "issuer": "hub",
        "id": "p1",
        "name": "Li",
        "unit": "u1",
        "unit_name": "Xicun",
        "roles": ("station_officer",),
    }


def test_the_document_is_canonical_json() -> None:
    """RFC 8785: sorted names, no spaces, UTF-8, the shortest escapes."""
    said = entry(reason='院 "gate"\n', about={"b": 1, "a": "é"}, who=Who(id="p"))
    assert document(said, "serve", 7) == (
        '{"about":{"a":"é","b":1},"action":"grant.stop","chain":"serve","id":"e1","kind":"act",'
        '"reason":"院 \\"gate\\"","result":"allowed","seq":7,"utc_ms":1795000000000,'
        '"who":{"id":"p"}}'
    )


@given(st.text(max_size=60), st.integers(0, 2**53 - 1))
def test_a_document_is_read_back_as_it_was(text: str, number: int) -> None:
    said = entry(reason=text, bytes=number, about={"x": number, "y": text}, camera_name=text)
    written = document(said, "cli", 3)
    assert read_document(written) == said
    assert place_of(written) == ("cli", 3)
    assert canonical(json.loads(written)) == written
    assert document(read_document(written), "cli", 3) == written
    written.encode()  # no half of a surrogate pair is in it


@pytest.mark.parametrize("wrong", [1.0, {"a": 0.5}, {"é": 1}, {1: 1}, [2**53], {"a": [1.0]}])
def test_what_has_no_one_form_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"number|names|ASCII"):
        canonical(wrong)
