"""home_agent/journal.py: the home's own log of who was let see what (AUD-2)."""

import json
from pathlib import Path

import pytest

from home_agent import journal
from home_agent.boxclock import BoxClock
from home_agent.journal import Event, Journal
from home_agent.state import State, StateError
from tests.agent.test_judge import note


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.open(tmp_path / "state")


@pytest.fixture
def kept(state: State) -> Journal:
    return Journal(state, BoxClock())


async def test_a_look_and_its_end_are_on_the_disk_and_found_again(
    kept: Journal, state: State
) -> None:
    await kept.write(Event("push", note(grant=("a.b.c",), name="李明")))
    await kept.write(Event("ended", ref="permit", why="stopped"))
    again = Journal(state, BoxClock())
    one, two = again.recent
    assert (one.number, one.event, two.number, two.ref) == (1, "push", 2, "permit")
    assert one.permit is not None
    assert (one.permit.name, one.permit.grant) == ("李明", ())
    assert "a.b.c" not in state.path("permits.jsonl").read_text()
    assert again.verify() == ""
    await again.write(Event("still", note()))
    assert again.last == 3
    assert again.verify() == ""


async def test_a_line_that_was_changed_or_taken_out_is_found(kept: Journal, state: State) -> None:
    for number in range(4):
        await kept.write(Event("push", note(id=f"permit-{number}")))
    path = state.path("permits.jsonl")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], *lines[3:]]) + "\n")
    assert "line 4" in Journal(state, BoxClock()).verify()
    other = json.loads(lines[2])
    other["permit"]["subject"] = "somebody else"
    path.write_text("\n".join([*lines[:2], json.dumps(other), lines[3]]) + "\n")
    assert "line 3" in Journal(state, BoxClock()).verify()


async def test_a_line_cut_short_by_a_power_failure_costs_that_line(
    kept: Journal, state: State
) -> None:
    await kept.write(Event("push", note()))
    with state.path("permits.jsonl").open("ab") as file:
        file.write(b'{"number": 2, "at"')
    again = Journal(state, BoxClock())
    assert again.last == 1
    await again.write(Event("ended", ref="permit"))
    assert [line.number for line in Journal(state, BoxClock()).recent] == [1, 2]


async def test_the_log_does_not_grow_without_end(
    kept: Journal, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PART", 5_000)
    monkeypatch.setattr(journal, "SHOWN", 5)
    for number in range(60):
        await kept.write(Event("push", note(id=f"permit-{number}")))
    sizes = [state.path(name).stat().st_size for name in ("permits.jsonl", "permits.1.jsonl")]
    assert max(sizes) <= 5_000
    again = Journal(state, BoxClock())
    assert again.last == 60
    assert again.verify() == ""
    assert [line.number for line in again.after(57, 40)] == [58, 59, 60]


async def test_old_lines_are_read_from_the_disk(kept: Journal) -> None:
    for number in range(journal.SHOWN + 5):
        await kept.write(Event("push", note(id=f"permit-{number}")))
    assert [line.number for line in kept.after(0, 3)] == [1, 2, 3]
    assert kept.after(journal.SHOWN + 5, 3) == []


async def test_what_cannot_be_written_is_not_there(kept: Journal, state: State) -> None:
    state.path("permits.jsonl").symlink_to("/dev/full")
    with pytest.raises(StateError):
        await kept.write(Event("push", note()))
    assert (kept.recent, kept.last) == ([], 0)
    await kept.note(Event("ended", ref="permit"))  # what has happened is no failure
