"""Checkpoints: what a node signed of its chains, and what contradicts that (AUD-3)."""

from collections.abc import Sequence

import pytest

from tests.hub.support import TurnedClock
from village_core.keys import SigningKey
from village_core.tokens import Issuer, Kind
from village_hub.audit.chain import Head, Wrong
from village_hub.audit.signing import (
    FIRST,
    Checkpoint,
    CheckpointError,
    combine,
    digest,
    read,
    sign,
)

KEY = SigningKey.make()
ISSUER = Issuer("hub", KEY, TurnedClock())


def checkpoint(number: int, prev: str, seq: int, **more: object) -> str:
    heads = {"serve": Head(seq, f"{seq:064x}")}
    said = {"number": number, "prev": prev, "utc_ms": 1000 + number, "heads": heads, "begins": {}}
    return sign(ISSUER, Checkpoint(**{**said, **more}))  # type: ignore[arg-type]


def run(*heads: int) -> list[str]:
    texts: list[str] = []
    for number, seq in enumerate(heads):
        texts.append(checkpoint(number, digest(texts[-1] if texts else None), seq))
    return texts


def faults(*places: Sequence[str]) -> list[tuple[int, Wrong]]:
    return [(fault.seq, fault.wrong) for fault in combine(places, KEY.public).faults]


def test_a_checkpoint_is_read_back_as_it_was() -> None:
    (text,) = run(7)
    found = read(text, KEY.public)
    assert found == Checkpoint(0, FIRST, 1000, {"serve": Head(7, f"{7:064x}")}, {})


def test_only_the_nodes_own_key_makes_one() -> None:
    stranger = Issuer("hub", SigningKey.make(), TurnedClock())
    forged = sign(stranger, Checkpoint(0, FIRST, 0, {}, {}))
    other_kind = ISSUER.mint(Kind.NODE, subject="hub", audience="hub", more={"number": 0})
    (text,) = run(7)
    head, body, signature = text.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for wrong in (forged, other_kind, "", "x", f"{head}.{body}.{flipped}", text[:-1]):
        with pytest.raises(CheckpointError, match="not signed by"):
            read(wrong, KEY.public)


@pytest.mark.parametrize(
    "more", [{"number": -1}, {"number": "0"}, {"heads": {"serve": [1]}}, {"extra": 1}]
)
def test_a_signed_thing_of_another_form_is_none(more: dict[str, object]) -> None:
    said = {"number": 0, "prev": FIRST, "utc_ms": 0, "heads": {}, "begins": {}, **more}
    text = ISSUER.mint(Kind.CHECKPOINT, subject="hub", audience="hub", more=said)
    with pytest.raises(CheckpointError):
        read(text, KEY.public)


def test_what_two_places_say_is_put_together() -> None:
    texts = run(3, 5, 9)
    found = combine([texts, texts[:2]], KEY.public)
    assert found.faults == ()
    assert found.count == 3
    assert found.last_ms == 1002
    assert found.signed["serve"].last == 9
    assert set(found.signed["serve"].heads) == {3, 5, 9}


def test_one_that_is_gone_from_the_database_is_missed() -> None:
    texts = run(3, 5, 9)
    assert faults([texts[0], texts[2]], texts) == [(1, Wrong.DELETED)]
    assert faults(texts[:2], texts) == [(2, Wrong.DELETED)]
    assert faults([texts[0], texts[2]]) == [(1, Wrong.DELETED)]  # without a file, too


def test_two_histories_are_a_fork() -> None:
    texts, other = run(3, 5, 9), run(3, 4, 9)
    assert (1, Wrong.FORKED) in faults(other, texts)
    assert combine([other, texts], KEY.public).signed["serve"].last == 9


def test_one_that_follows_another_history_is_a_fork() -> None:
    texts = run(3, 5)
    stray = checkpoint(2, digest("something else"), 9)
    assert faults([*texts, stray]) == [(2, Wrong.FORKED)]


def test_one_that_was_changed_is_told() -> None:
    texts = run(3, 5)
    assert faults([texts[0], texts[1][:-4] + "AAAA"], texts) == [
        (1, Wrong.UNSIGNED),
        (1, Wrong.DELETED),
    ]


def test_where_a_chain_begins_is_signed_too() -> None:
    (first,) = run(9)
    begins = {"serve": Head(4, "a" * 64)}
    later = checkpoint(1, digest(first), 12, begins=begins)
    found = combine([[first, later]], KEY.public).signed["serve"]
    assert found.begin == 4
    assert found.heads[3] == {"a" * 64}
