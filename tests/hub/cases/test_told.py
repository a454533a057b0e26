"""What matters tell, against what notices need: whatever happens in whichever order, every notice
has its parts and can be said in words (PRM-23)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.hub.cases.cast import NOW, Walk
from tests.hub.cases.walks import WALKS
from village_hub.cases.effects import Spawn, Tell
from village_hub.cases.kinds import kind_of, kinds
from village_hub.cases.matter import THE_CLOCK, Kind, Matter, Next, StepRefused, TimeIsUp
from village_hub.notices.due import RULES
from village_hub.notices.sentences import full, needs

MOST = 400  # states looked at, each with every act of everybody


def stepped(kind: Kind[Any], walk: Walk, matter: Matter, now: int) -> Iterator[Next[Any]]:
    tries = [(act, by) for act in walk.acts for by in walk.people]
    for act, by in [*tries, (TimeIsUp(), THE_CLOCK)]:
        try:
            yield kind.step(matter, act, by, now)
        except StepRefused:
            continue


def tells(found: Next[Any]) -> Iterator[Tell]:
    for effect in found.effects:
        if isinstance(effect, Tell):
            yield effect
        elif isinstance(effect, Spawn):
            yield from tells(effect.began)


def all_told(walk: Walk) -> Iterator[Tell]:
    """Every notice of every way through its states, as far as they differ."""
    begun = walk.begin()
    yield from tells(begun)
    seen, left = set[str](), [(begun.matter, NOW)]
    while left and len(seen) < MOST:
        matter, now = left.pop(0)
        for jump in walk.jumps:
            for found in stepped(kind_of(matter), walk, matter, now + jump):
                yield from tells(found)
                key = f"{found.matter.state} {sorted(found.matter.model_fields_set)}"
                if key not in seen and found.matter.closed is None:
                    seen.add(key)
                    left.append((found.matter, now + jump))


@pytest.mark.parametrize("name", sorted(kinds()))
def test_whatever_a_matter_tells_is_whole(name: str) -> None:
    count = 0
    for tell in all_told(WALKS[name]):
        count += 1
        wanted = {duty.whom for duty in RULES[tell.kind].duties}
        assert set(tell.told) == wanted, tell.kind
        for whom in wanted:
            if tell.told[whom]:
                assert needs(tell.kind, whom) <= set(tell.params), (tell.kind, whom)
                assert full("zh", tell.kind, whom, tell.params)
    assert count
