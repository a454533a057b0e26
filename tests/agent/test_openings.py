"""home_agent/openings.py: what is open at home, until when, by its own clock (PRM-6, PRM-7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.boxclock import BoxClock
from home_agent.openings import Openings
from village_core.messages import OpeningNote
from village_core.uplink import Refused

MINUTE = 60_000
GATE = frozenset({"gate"})


class Turned:
    """A clock in the test's hand; its time of day can be set apart from its seconds."""

    def __init__(self) -> None:
        self.now, self.set_by = 1000.0, 0

    def utc_ms(self) -> int:
        return round(self.now * 1000) + self.set_by

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def turned() -> Turned:
    return Turned()


@pytest.fixture
def openings(turned: Turned) -> Openings:
    return Openings(BoxClock(turned))


def note(turned: Turned, minutes: float = 15, **changes: Any) -> OpeningNote:
    opened = turned.utc_ms()
    said = {"id": "sos-1", "kind": "sos", "cameras": ("gate",), "opened": opened}
    return OpeningNote.model_validate({**said, "ends": opened + round(minutes * MINUTE), **changes})


def is_open(openings: Openings, name: str = "sos-1") -> bool:
    return openings.get(name) is not None


def test_an_sos_is_open_for_15_minutes(turned: Turned, openings: Openings) -> None:
    openings.put(note(turned), GATE)
    turned.now += 899.9
    assert is_open(openings)
    turned.now += 0.1
    assert not is_open(openings)
    assert openings.running() == []


def test_it_ends_when_the_hub_says_if_that_is_sooner(turned: Turned, openings: Openings) -> None:
    openings.put(note(turned, minutes=4), GATE)
    turned.now += 240
    assert not is_open(openings)


def test_it_is_renewed_once_and_never_lasts_longer(turned: Turned, openings: Openings) -> None:
    """PRM-6: 15 min, renewable once; whatever a hub says after that."""
    openings.put(note(turned, minutes=10_000), GATE)
    assert openings.running()[0].ends == turned.now + 900  # not twice in one breath
    turned.now += 890
    openings.put(note(turned, minutes=10_000), GATE)
    turned.now += 890
    openings.put(note(turned, minutes=10_000), GATE)
    assert is_open(openings)
    turned.now += 20.1
    assert not is_open(openings)
    with pytest.raises(Refused, match="over"):
        openings.put(note(turned, minutes=10_000), GATE)


def test_an_emergency_is_not_renewed(turned: Turned, openings: Openings) -> None:
    """PRM-7. Nor by calling it an SOS afterwards."""
    openings.put(note(turned, kind="emergency"), GATE)
    turned.now += 600
    for kind in ("emergency", "sos"):
        openings.put(note(turned, minutes=60, kind=kind), GATE)
    turned.now += 300
    assert not is_open(openings)


def test_what_was_ended_is_not_opened_again(turned: Turned, openings: Openings) -> None:
    openings.put(note(turned), GATE)
    assert openings.end("sos-1")
    assert not openings.end("sos-1")
    with pytest.raises(Refused) as caught:
        openings.put(note(turned), GATE)
    assert caught.value.code == "over"


def test_an_opening_of_yesterday_opens_nothing(turned: Turned, openings: Openings) -> None:
    with pytest.raises(Refused) as caught:
        openings.put(note(turned, minutes=-1), GATE)
    assert caught.value.code == "over"


@pytest.mark.parametrize(("kind", "most"), [("sos", 6), ("emergency", 2)])
def test_there_are_only_so_many_a_day(
    turned: Turned, openings: Openings, kind: str, most: int
) -> None:
    for number in range(most):
        openings.put(note(turned, id=f"{number}", kind=kind), GATE)
        turned.now += 3600
    with pytest.raises(Refused) as caught:
        openings.put(note(turned, id="more", kind=kind), GATE)
    assert caught.value.code == "too_many"
    turned.now += 24 * 3600 - most * 3600 + 1
    openings.put(note(turned, id="more", kind=kind), GATE)


def test_the_household_s_own_calls_are_not_counted(turned: Turned, openings: Openings) -> None:
    for number in range(20):
        assert openings.raise_here(f"{number}", GATE, "button").ends == turned.now + 900
    openings.put(note(turned, id="0", cameras=("gate", "room")), frozenset({"gate", "room"}))
    opening = openings.get("0")
    assert opening is not None
    assert opening.cameras == GATE  # what was chosen when it was raised


@given(
    st.lists(
        st.tuples(st.floats(0, 1200), st.integers(-7_200_000, 7_200_000), st.integers(-60, 10_000)),
        min_size=1,
        max_size=12,
    )
)
def test_no_clock_and_no_hub_makes_one_last_longer(steps: list[tuple[float, int, int]]) -> None:
    """The clock is set an hour or two either way between any two messages."""
    turned = Turned()
    openings = Openings(BoxClock(turned))
    began: float | None = None
    for wait, set_by, minutes in steps:
        turned.now += wait
        turned.set_by = set_by
        if began is not None and turned.now >= began + 1800:
            assert not is_open(openings)
        try:
            openings.put(note(turned, minutes=minutes), GATE)
        except Refused:
            continue
        began = turned.now if began is None else began
        assert openings.running()[0].ends <= began + 1800
