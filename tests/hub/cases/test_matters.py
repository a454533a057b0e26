"""What holds for every kind of matter: the tables, walked at random."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.cases.cast import NOW
from tests.hub.cases.walks import SOUND, WALKS
from village_hub.cases.drawing import document
from village_hub.cases.kinds import kind_of, kinds
from village_hub.cases.matter import THE_CLOCK, Act, Kind, Matter, Person, StepRefused, TimeIsUp

DRAWINGS = Path(__file__).parents[3] / "docs/ref/matters.md"
NAMES = sorted(kinds())


def test_every_kind_is_walked() -> None:
    assert sorted(WALKS) == sorted(SOUND) == NAMES


def test_the_drawings_are_those_of_the_tables() -> None:
    assert DRAWINGS.read_text(encoding="utf-8") == document(kinds())


@pytest.mark.parametrize("name", NAMES)
def test_a_table_names_only_its_own_states_and_every_state_leads_to_an_end(name: str) -> None:
    kind = kinds()[name]
    named = {state for way in kind.ways for state in (*way.at, way.to or way.at[0])}
    assert named | set(kind.ends) | set(kind.timers) <= set(kind.states)
    assert not any(set(way.at) & kind.ends for way in kind.ways)
    leading = set(kind.ends)
    for _ in kind.states:
        leading |= {state for way in kind.ways for state in way.at if way.to in leading}
    assert leading == set(kind.states)


@pytest.mark.parametrize("name", NAMES)
def test_every_state_is_reached(name: str) -> None:
    kind = kinds()[name]
    reached = {kind.states[0], WALKS[name].begin().matter.state}
    for _ in kind.states:
        reached |= {way.to for way in kind.ways if way.to and set(way.at) & reached}
    assert reached == set(kind.states)


@pytest.mark.parametrize("name", NAMES)
def test_every_act_that_a_walk_needs_is_in_it(name: str) -> None:
    tried = {type(act) for act in WALKS[name].acts} | {TimeIsUp}
    assert tried == {way.act for way in kinds()[name].ways}
    words = [way.act.name for way in kinds()[name].ways]
    assert len(set(words)) == len({way.act for way in kinds()[name].ways})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(data=st.data())
def test_an_act_steps_or_is_refused_with_a_code(name: str, data: st.DataObject) -> None:
    """Whoever tries whatever whenever: nothing skips what it needs, and what is over stays so."""
    kind, walk = kinds()[name], WALKS[name]
    matter, now = walk.begin().matter, NOW
    for _ in range(data.draw(st.integers(*walk.lengths))):
        now += data.draw(st.sampled_from(walk.jumps))
        if data.draw(st.booleans()):
            matter = _time_passes(kind, matter, now)
        tries = [(act, by) for act in walk.acts for by in walk.people]
        if data.draw(st.booleans()):  # else few walks would get far
            tries = [each for each in tries if _steps(kind, matter, *each, now)] or tries
        act, by = data.draw(st.sampled_from(tries))
        before, matter = matter, _tried(kind, matter, act, by, now)
        assert matter.id == before.id
        assert (matter.closed is not None) is (matter.state in kind.ends)
        assert SOUND[name](matter), matter
        assert kind.document.model_validate_json(matter.model_dump_json()) == matter
        assert kind_of(matter) is kind


def _steps(kind: Kind[Any], matter: Matter, act: Act, by: Person, now: int) -> bool:
    try:
        kind.step(matter, act, by, now)
    except StepRefused:
        return False
    return True


def _tried(kind: Kind[Any], matter: Matter, act: Act, by: Person, now: int) -> Matter:
    try:
        found: Matter = kind.step(matter, act, by, now).matter
    except StepRefused as refused:
        said = refused.to_caller()
        assert (said.code, str(said)) == (refused.code, str(refused))  # noqa: PT017 - one of two
        assert said.code and str(said)  # noqa: PT018
        return matter
    assert matter.state not in kind.ends
    assert act.name in kind.may(matter, by)
    return found


def _time_passes(kind: Kind[Any], matter: Matter, now: int) -> Matter:
    """What is due is done, and then is due no more."""
    for _ in range(6):
        due = kind.due(matter)
        if due is None or due > now:
            return matter
        matter = kind.step(matter, TimeIsUp(), THE_CLOCK, now).matter
    raise AssertionError(f"{kind.name} in {matter.state} is due again and again")


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_the_clock(name: str) -> None:
    kind, walk = kinds()[name], WALKS[name]
    matter = walk.begin().matter
    late = NOW + 400 * 24 * 3600 * 1000
    for by in set(walk.people) - {THE_CLOCK}:
        with pytest.raises(StepRefused):
            kind.step(matter, TimeIsUp(), by, late)


@pytest.mark.parametrize("name", NAMES)
def test_before_its_time_the_clock_does_nothing(name: str) -> None:
    matter = WALKS[name].begin().matter
    due = kinds()[name].due(matter)
    with pytest.raises(StepRefused) as refused:
        kinds()[name].step(matter, TimeIsUp(), THE_CLOCK, (due or NOW) - 1)
    assert refused.value.code == "too_early"
