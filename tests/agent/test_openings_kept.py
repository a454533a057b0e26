"""What is open outlives a restart, and never lasts longer for it (PRM-6, PRM-7)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.boxclock import BoxClock
from home_agent.openings import DAY, Kept, Openings
from home_agent.openings_file import FILE, OpeningsFile
from home_agent.state import State, StateError
from tests.agent.test_openings import GATE, Turned, is_open, note
from village_core.uplink import Refused

BOOT, OTHER = "boot-1", "boot-2"


class Box:
    """A box's clock, and the openings of one agent after another."""

    def __init__(self) -> None:
        self.turned, self.boot, self.right = Turned(), BOOT, True
        self.clock = BoxClock(self.turned, lambda: self.right)
        self.openings = Openings(self.clock)

    def restart(self, seconds: float = 0.0) -> None:
        """The agent alone: the monotonic clock went on."""
        kept = Kept.model_validate_json(self.openings.kept(self.boot).model_dump_json())
        self.turned.now += seconds
        self.clock = BoxClock(self.turned, lambda: self.right)
        self.openings = Openings(self.clock)
        self.openings.restore(kept, self.boot)

    def reboot(self, seconds: float, *, believes: float | None = None) -> None:
        """The box was off for so long; its clock says another time when it `believes` one."""
        kept = self.openings.kept(self.boot)
        utc_ms = self.turned.utc_ms() + round((seconds if believes is None else believes) * 1000)
        self.boot, self.turned.now = OTHER, 7.0
        self.turned.set_by = utc_ms - 7000
        self.clock = BoxClock(self.turned, lambda: self.right)
        self.openings = Openings(self.clock)
        self.openings.restore(kept, self.boot)


@pytest.fixture
def box() -> Box:
    return Box()


def test_a_restart_of_the_agent_changes_nothing(box: Box) -> None:
    """Whatever the clock was set to meanwhile."""
    box.openings.put(note(box.turned, by="李", unit="村委会", incident="7"), GATE)
    before = box.openings.running()
    box.turned.now += 300
    box.turned.set_by = -7_200_000
    box.restart(299)
    assert box.openings.running() == before
    box.turned.now += 300.9
    assert is_open(box.openings)
    box.turned.now += 0.2
    assert not is_open(box.openings)


def test_a_reboot_takes_off_the_time_that_the_box_was_off(box: Box) -> None:
    box.openings.raise_here("sos-1", GATE, "button")
    box.reboot(600)
    assert is_open(box.openings)
    box.turned.now += 299.9
    assert is_open(box.openings)
    box.turned.now += 0.2
    assert not is_open(box.openings)


def test_after_a_reboot_nothing_is_open_before_the_time_is_known(box: Box) -> None:
    """A box without a battery for its clock believes that no time has passed."""
    box.openings.raise_here("sos-1", GATE, "button")
    now = box.turned.utc_ms()
    box.right = False
    box.reboot(3600, believes=1)
    assert not is_open(box.openings)
    with pytest.raises(Refused, match="ended"):
        box.openings.put(note(box.turned), GATE)
    box.clock.learn(now + 3_600_000)
    assert not is_open(box.openings)


def test_it_is_open_again_once_the_hub_has_said_what_time_it_is(box: Box) -> None:
    box.openings.raise_here("sos-1", GATE, "button")
    now = box.turned.utc_ms()
    box.right = False
    box.reboot(60, believes=0)
    box.clock.learn(now + 60_000)
    assert box.openings.running()[0].ends == pytest.approx(box.turned.now + 840)


def test_a_clock_that_went_back_over_a_reboot_ends_it(box: Box) -> None:
    box.openings.raise_here("sos-1", GATE, "button")
    box.reboot(60, believes=-1)
    assert not is_open(box.openings)
    with pytest.raises(Refused, match="ended"):
        box.openings.put(note(box.turned), GATE)


def test_what_waits_for_the_time_waits_on_over_another_restart(box: Box) -> None:
    box.openings.raise_here("sos-1", GATE, "button")
    now = box.turned.utc_ms()
    box.right = False
    box.reboot(60, believes=0)
    box.restart(60)
    assert not is_open(box.openings)
    box.clock.learn(now + 120_000)
    assert box.openings.running()[0].ends == pytest.approx(box.turned.now + 780)


def test_what_has_ended_stays_ended(box: Box) -> None:
    box.openings.put(note(box.turned), GATE)
    box.openings.end("sos-1")
    box.reboot(1)
    with pytest.raises(Refused, match="ended"):
        box.openings.put(note(box.turned), GATE)


def test_what_waits_can_be_ended_and_ends_with_the_enrolment(box: Box) -> None:
    box.openings.raise_here("sos-1", GATE, "button")
    box.right = False
    box.reboot(1)
    box.openings.end_all()
    box.right = True
    assert not is_open(box.openings)


@pytest.mark.parametrize(("kind", "most"), [("sos", 6), ("emergency", 2)])
def test_no_restart_makes_a_days_count_smaller(box: Box, kind: str, most: int) -> None:
    """Whatever the clock says afterwards."""
    for number in range(most):
        box.openings.put(note(box.turned, id=f"{number}", kind=kind), GATE)
        box.restart(60)
    box.reboot(0, believes=10 * DAY)
    with pytest.raises(Refused, match="a day"):
        box.openings.put(note(box.turned, id="more", kind=kind), GATE)
    box.turned.now += DAY + 1
    box.openings.put(note(box.turned, id="more", kind=kind), GATE)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["wait", "restart", "reboot", "put"]),
            st.floats(0, 900),
            st.integers(-7_200_000, 7_200_000),
        ),
        max_size=15,
    )
)
def test_whatever_restarts_it_is_open_for_30_minutes_at_most(
    steps: list[tuple[str, float, int]],
) -> None:
    """Counted in seconds during which the box was on; clocks say what they like."""
    box, seconds = Box(), 0.0
    box.openings.raise_here("sos-1", GATE, "button")
    for what, wait, set_by in steps:
        seconds += 0 if what == "reboot" else wait
        if what == "restart":
            box.restart(wait)
        elif what == "reboot":
            box.reboot(wait, believes=set_by / 1000)
        else:
            box.turned.now += wait
        if what == "put":
            try:
                box.openings.put(note(box.turned, minutes=10_000), GATE)
            except Refused:
                continue
        assert seconds < 1800 or not is_open(box.openings)


async def test_the_file_holds_it(tmp_path: Path) -> None:
    state, turned = State.open(tmp_path / "state"), Turned()
    openings = Openings(BoxClock(turned))
    file = OpeningsFile(state, openings, BoxClock(turned), BOOT)
    openings.put(note(turned), GATE)
    await file.save()
    again = Openings(BoxClock(turned))
    OpeningsFile(state, again, BoxClock(turned), BOOT)
    assert again.running() == openings.running()
    assert state.path(FILE).stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_opens_nothing_from_outside_for_a_day(tmp_path: Path) -> None:
    state, turned = State.open(tmp_path / "state"), Turned()
    state.write_bytes(FILE, b"{")
    openings = Openings(BoxClock(turned))
    OpeningsFile(state, openings, BoxClock(turned), BOOT)
    with pytest.raises(Refused, match="a day"):
        openings.put(note(turned), GATE)
    openings.raise_here("mine", GATE, "button")  # the household's own press
    assert openings.get("mine") is not None


async def test_a_full_disk_keeps_no_sos_from_being_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_name: str, _document: object) -> None:
        raise StateError("the disk is full")

    state, turned = State.open(tmp_path / "state"), Turned()
    openings = Openings(BoxClock(turned))
    file = OpeningsFile(state, openings, BoxClock(turned), BOOT)
    openings.raise_here("sos-1", GATE, "button")
    monkeypatch.setattr(state, "write", full)
    await file.save()
    assert openings.get("sos-1") is not None
