"""The chain: any one change is found, and the first bad index is the right one (AUD-3)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village_hub.audit.chain import (
    NOTHING_SIGNED,
    Fault,
    Head,
    Link,
    Signed,
    Wrong,
    follow,
    genesis,
    next_hash,
    verify,
)
from village_hub.audit.entry import Entry, EntryKind, document

CHAIN = "serve"


def entry(number: int, reason: str = "") -> Entry:
    return Entry(
        id=f"e{number}{reason}",
        utc_ms=1_795_000_000_000 + number,
        kind=EntryKind.DECISION,
        action="live",
        result="allowed",
        camera=f"c{number}",
        reason=reason,
    )


def whole(length: int, chain: str = CHAIN) -> list[Link]:
    links: list[Link] = []
    head = None
    for number in range(length):
        links.append(follow(chain, head, entry(number)))
        head = Head(links[-1].seq, links[-1].hash)
    return links


def signed(links: Sequence[Link], *at: int, begin: int = 0) -> Signed:
    return Signed({seq: frozenset({links[seq].hash}) for seq in at}, begin)


def rewritten(links: list[Link], at: int, *, recomputed: bool) -> list[Link]:
    """Entry `at` says something else; its hash fits, or everything's behind it does, too."""
    head = Head(at - 1, links[at - 1].hash) if at else None
    made = [follow(CHAIN, head, entry(at, "other"))]
    if recomputed:
        for number in range(at + 1, len(links)):
            made.append(follow(CHAIN, Head(made[-1].seq, made[-1].hash), entry(number)))
        return [*links[:at], *made]
    return [*links[:at], *made, *links[at + 1 :]]


def renumbered(links: Sequence[Link]) -> list[Link]:
    return [replace(link, seq=seq) for seq, link in enumerate(links)]


lengths = st.integers(2, 30)


@st.composite
def chain_and_index(draw: st.DrawFn) -> tuple[list[Link], int]:
    length = draw(lengths)
    return whole(length), draw(st.integers(0, length - 1))


def found(links: list[Link], said: Signed = NOTHING_SIGNED) -> Fault:
    fault = verify(CHAIN, links, said)
    assert fault is not None
    return fault


@pytest.mark.parametrize("length", [0, 1, 2, 50])
def test_a_whole_chain_has_no_fault(length: int) -> None:
    links = whole(length)
    assert verify(CHAIN, links) is None
    assert verify(CHAIN, links, signed(links, *range(length))) is None


def test_the_first_hash_is_made_as_documented() -> None:
    text = document(entry(0), CHAIN, 0)
    first = whole(1)[0]
    assert (first.prev, first.document) == (genesis(CHAIN), text)
    assert first.hash == next_hash(genesis(CHAIN), text)


@given(chain_and_index(), st.integers(0, 10_000))
def test_a_changed_character_is_found(case: tuple[list[Link], int], position: int) -> None:
    links, at = case
    text = links[at].document
    spot = position % len(text)
    other = "x" if text[spot] != "x" else "y"
    links[at] = replace(links[at], document=text[:spot] + other + text[spot + 1 :])
    fault = found(links)
    assert (fault.seq, fault.wrong) == (at, Wrong.ALTERED)


@given(chain_and_index(), st.sampled_from(["hash", "prev"]), st.integers(0, 63))
def test_a_changed_hash_is_found(case: tuple[list[Link], int], name: str, spot: int) -> None:
    links, at = case
    text = getattr(links[at], name)
    other = "0" if text[spot] != "0" else "1"
    links[at] = replace(links[at], **{name: text[:spot] + other + text[spot + 1 :]})
    fault = found(links)
    assert (fault.seq, fault.wrong) == (at, Wrong.ALTERED)


@given(chain_and_index())
def test_an_entry_replaced_with_its_own_hash_is_found(case: tuple[list[Link], int]) -> None:
    links, at = case
    if at == len(links) - 1:  # nothing rests on the last one but a signature
        fault = found(rewritten(links, at, recomputed=False), signed(links, at - 1, at))
        assert (fault.seq, fault.wrong) == (at, Wrong.FORKED)
        return
    fault = found(rewritten(links, at, recomputed=False))
    assert (fault.seq, fault.wrong) == (at, Wrong.ALTERED)


@given(chain_and_index())
def test_an_entry_given_another_past_is_found(case: tuple[list[Link], int]) -> None:
    links, at = case
    stray = genesis("elsewhere")
    text = links[at].document
    links_signed = signed(links, len(links) - 1)
    links[at] = replace(links[at], prev=stray, hash=next_hash(stray, text))
    fault = found(links, links_signed)
    assert fault.wrong is Wrong.ALTERED
    assert fault.seq == at


@given(chain_and_index())
def test_a_deleted_entry_is_found(case: tuple[list[Link], int]) -> None:
    links, at = case
    last = len(links) - 1
    fault = found([*links[:at], *links[at + 1 :]], signed(links, last))
    assert (fault.seq, fault.wrong) == (at, Wrong.TRUNCATED if at == last else Wrong.DELETED)


@given(chain_and_index())
def test_a_deleted_entry_is_found_when_the_others_are_renumbered(
    case: tuple[list[Link], int],
) -> None:
    links, at = case
    last = len(links) - 1
    fault = found(renumbered([*links[:at], *links[at + 1 :]]), signed(links, last))
    assert (fault.seq, fault.wrong) == (at, Wrong.TRUNCATED if at == last else Wrong.DELETED)


@given(chain_and_index(), st.integers(1, 30))
def test_swapped_entries_are_found(case: tuple[list[Link], int], by: int) -> None:
    links, at = case
    other = (at + by) % len(links)
    if other == at:
        return
    links[at], links[other] = links[other], links[at]
    fault = found(renumbered(links))
    assert (fault.seq, fault.wrong) == (min(at, other), Wrong.REORDERED)


@given(chain_and_index(), st.booleans())
def test_an_inserted_entry_is_found(case: tuple[list[Link], int], copied: bool) -> None:
    """It fits what is before it, and those behind it moved down."""
    links, at = case
    head = Head(at - 1, links[at - 1].hash) if at else None
    extra = links[0] if copied and at else follow(CHAIN, head, entry(at, "extra"))
    said = signed(links, len(links) - 1)
    fault = found(renumbered([*links[:at], extra, *links[at:]]), said)
    assert (fault.seq, fault.wrong) == (at, Wrong.INSERTED)


@given(chain_and_index())
def test_a_second_entry_of_one_number_is_found(case: tuple[list[Link], int]) -> None:
    links, at = case
    fault = found([*links[: at + 1], links[at], *links[at + 1 :]])
    assert (fault.seq, fault.wrong) == (at, Wrong.INSERTED)


@given(chain_and_index())
def test_truncation_behind_a_checkpoint_is_found(case: tuple[list[Link], int]) -> None:
    links, at = case
    fault = found(links[:at], signed(links, len(links) - 1))
    assert (fault.seq, fault.wrong) == (at, Wrong.TRUNCATED)


@given(chain_and_index(), st.integers(0, 30))
def test_a_rewritten_rest_contradicts_the_checkpoints(
    case: tuple[list[Link], int], signed_at: int
) -> None:
    """Hashes recomputed: only a signature tells. What an earlier one vouches for is whole."""
    links, at = case
    before = signed_at % (at + 1) - 1  # a checkpoint before the change, or none
    said = signed(links, *([before] if before >= 0 else []), len(links) - 1)
    fault = found(rewritten(links, at, recomputed=True), said)
    assert (fault.seq, fault.wrong) == (before + 1, Wrong.FORKED)
    assert fault.seq <= at


@given(chain_and_index())
def test_two_signed_histories_are_a_fork(case: tuple[list[Link], int]) -> None:
    links, at = case
    other = rewritten(links, at, recomputed=True)
    said = Signed({at: frozenset({links[at].hash, other[at].hash})})
    assert found(links, said).wrong is Wrong.FORKED
    assert found(other, said).wrong is Wrong.FORKED


def test_entries_of_another_chain_do_not_fit() -> None:
    """Nor does the whole other chain under this one's name."""
    links = whole(5)
    stranger = whole(5, "cli")
    assert found([*links[:2], stranger[2], *links[3:]]).seq == 2
    assert found(stranger).seq == 0


@given(chain_and_index())
def test_after_retention_a_chain_begins_at_a_signed_head(case: tuple[list[Link], int]) -> None:
    links, at = case
    last = len(links) - 1
    kept = links[at:]
    said = signed(links, *([at - 1] if at else []), last, begin=at)
    assert verify(CHAIN, kept, said) is None
    assert verify(CHAIN, links, said) is None  # signed first, taken away then
    if at < last:
        assert found(kept[1:], said).seq == at
        kept[1] = replace(kept[1], document=kept[1].document.replace("live", "clip"))
        assert (found(kept, said).seq, found(kept, said).wrong) == (at + 1, Wrong.ALTERED)


def test_a_beginning_that_nobody_signed_is_no_retention() -> None:
    links = whole(6)
    assert found(links[2:], signed(links, 5)) == Fault(
        CHAIN, 0, Wrong.DELETED, "entries 0 to 1 are gone"
    )
    assert found(links[2:], Signed(begin=2)).wrong is Wrong.UNSIGNED


def test_nonsense_in_a_row_is_a_fault_and_no_crash() -> None:
    links = whole(3)
    for wrong in ("", "[]", "{", "null", "[" * 100_000, '{"chain":1,"seq":"x"}'):
        prev = links[0].hash
        links[1] = Link(1, prev, wrong, next_hash(prev, wrong))
        assert found(links).seq == 1
    for stray in ("", "zz", "é"):
        links[1] = Link(1, stray, "{}", stray)
        assert found(links).seq == 1
