"""village_hub/audit/home_chain.py: whether a home's lines follow from those before (AUD-2)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.home_lines import ended
from village_core.messages import LogLine
from village_hub.audit.home_chain import Fault, Followed, Found, Kept, follow

NOTHING = Kept({}, 0)


def kept(lines: Sequence[LogLine]) -> Kept:
    hashes: dict[int, frozenset[str]] = {}
    for line in lines:
        hashes[line.number] = hashes.get(line.number, frozenset()) | {line.hash}
    return Kept(hashes, max(hashes, default=0))


def test_lines_that_follow_are_new_once() -> None:
    lines = ended(5)
    assert follow(lines, NOTHING) == Followed(tuple(lines), ())
    assert follow(lines, kept(lines)) == Followed((), ())
    assert follow(lines, kept(lines[:3])) == Followed(tuple(lines[3:]), ())


@given(parts=st.lists(st.integers(0, 12), max_size=8))
def test_however_they_are_cut_into_batches_nothing_is_wrong(parts: list[int]) -> None:
    """Batches may overlap: an answer that was lost."""
    lines, taken = ended(12), list[LogLine]()
    for end in (*parts, 12):
        batch = lines[max(0, len(taken) - 2) : end]
        followed = follow(batch, kept(taken))
        assert followed.faults == ()
        taken += followed.new
    assert taken == lines


def test_a_home_that_was_enrolled_before_begins_anywhere() -> None:
    lines = ended(9)
    assert follow(lines[5:], NOTHING) == Followed(tuple(lines[5:]), ())


def test_lines_that_never_came_are_named() -> None:
    lines = ended(9)
    followed = follow([lines[4], lines[8]], kept(lines[:2]))
    assert followed.new == (lines[4], lines[8])
    assert followed.faults == (Found(Fault.GAP, 3, 8, 5),)


@pytest.mark.parametrize("spot", range(1, 4))
def test_a_line_that_was_changed_is_noticed(spot: int) -> None:
    lines = ended(4)
    lines[spot] = lines[spot].model_copy(update={"why": "nothing happened"})
    (found,) = follow(lines, NOTHING).faults
    assert (found.fault, found.first) == (Fault.BROKEN, spot + 1)


def test_a_log_that_was_begun_anew_is_noticed() -> None:
    """Its file was removed and it grew past where the hub had read."""
    told, anew = ended(3), ended(5, why="another")
    (found,) = follow(anew[3:], kept(told)).faults
    assert (found.fault, found.first) == (Fault.BROKEN, 4)


def test_a_log_that_was_rewritten_is_noticed_and_kept_once() -> None:
    """Its own hashes are right: every line was made anew."""
    told, anew = ended(3), ended(4, why="another")
    followed = follow(anew, kept(told))
    assert followed.faults == (Found(Fault.REWRITTEN, 1, 3, 3),)
    assert followed.new == tuple(anew)
    assert follow(anew, kept([*told, *anew])) == Followed((), ())


def test_the_first_line_of_all_has_nothing_before_it() -> None:
    (line,) = ended(1)
    (second,) = ended(1, before=line)
    forged = second.model_copy(update={"number": 1})
    (found,) = follow([forged], NOTHING).faults
    assert found.fault is Fault.BROKEN
