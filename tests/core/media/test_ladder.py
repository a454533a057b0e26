"""When a leg is paced, takes the smaller picture, skips, and takes the larger one again."""

from itertools import pairwise

import pytest

from village_core.media.ladder import CLEAN_FOR, LONGEST_CLEAN, Ladder, Step


class Climb:
    """A ladder fed with a report every second, and asked four times a second."""

    def __init__(self, *, down: bool = True, up: bool = False) -> None:
        self.ladder = Ladder()
        self.now = 10.0
        self.down, self.up = down, up
        self.behind = 0.0
        self.steps: list[tuple[float, Step]] = []
        self._highest = self._lost = 0.0

    def go(self, seconds: int, loss: float, *, packets: int = 100) -> list[Step]:
        """Steps other than STAY in that time."""
        before = len(self.steps)
        for _ in range(seconds):
            for _ in range(4):
                self.now += 0.25
                step = self.ladder.step(
                    self.now, self.behind, can_go_down=self.down, can_go_up=self.up
                )
                if step is not Step.STAY:
                    self.steps.append((self.now, step))
            self._highest += packets
            self._lost += packets * loss
            self.ladder.report(int(self._highest), int(self._lost), self.now)
        return [step for _, step in self.steps[before:]]


def test_ten_percent_over_two_seconds_goes_down() -> None:
    climb = Climb()
    assert climb.go(3, 0.12) == []
    assert climb.go(1, 0.12) == [Step.DOWN]


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.09])
def test_less_does_not(loss: float) -> None:
    assert Climb().go(30, loss) == []


def test_one_bad_second_does_not() -> None:
    climb = Climb()
    climb.go(5, 0)
    assert climb.go(1, 0.15) == []
    assert climb.go(5, 0) == []


def test_few_packets_prove_nothing() -> None:
    assert Climb().go(10, 0.5, packets=5) == []


def test_without_a_smaller_picture_it_is_paced_and_then_skips() -> None:
    climb = Climb(down=False)
    climb.go(4, 0.2)
    assert [step for _, step in climb.steps] == [Step.PACE]
    climb.go(12, 0.2)
    skips = [at for at, step in climb.steps if step is Step.SKIP]
    assert len(skips) == 3
    assert all(later - earlier >= 4 for earlier, later in pairwise(skips))


def test_what_waits_unsent_goes_down_after_half_a_second_and_skips_after_one() -> None:
    climb = Climb()
    climb.behind = 0.6
    assert climb.go(1, 0)[0] is Step.DOWN
    climb.down = False
    assert set(climb.go(1, 0)) == {Step.PACE}
    climb.behind = 1.1
    assert climb.go(1, 0).count(Step.SKIP) == 1


def test_up_after_30_s_clean() -> None:
    climb = Climb(down=False, up=True)
    climb.go(5, 0.05)
    began = climb.now
    climb.go(40, 0)
    ((at, step),) = climb.steps
    assert step is Step.UP
    assert CLEAN_FOR <= at - began <= CLEAN_FOR + 4


def test_never_up_without_reports() -> None:
    ladder = Ladder()
    steps = [ladder.step(now / 4, 0, can_go_down=False, can_go_up=True) for now in range(4 * 120)]
    assert set(steps) == {Step.STAY}


def test_a_try_that_failed_makes_the_next_wait_longer() -> None:
    climb = Climb(down=False, up=True)
    waits = []
    for _ in range(5):
        began = climb.now
        while Step.UP not in climb.go(1, 0):
            pass
        waits.append(climb.now - began)
        climb.ladder.moved()
        climb.up, climb.down = False, True
        while Step.DOWN not in climb.go(1, 0.3):
            pass
        climb.ladder.moved()
        climb.up, climb.down = True, False
    assert waits == pytest.approx([30, 60, 120, 240, LONGEST_CLEAN], abs=6)


def test_a_try_that_held_makes_the_next_wait_short_again() -> None:
    climb = Climb(down=False, up=True)
    climb.go(40, 0)
    climb.ladder.moved()
    climb.up, climb.down = False, True
    climb.go(60, 0)
    climb.go(5, 0.3)
    climb.ladder.moved()
    climb.up, climb.down = True, False
    assert Step.UP in climb.go(36, 0)


def test_an_estimate_far_below_what_is_sent_counts_like_loss() -> None:
    """REMB, where a browser offers it."""
    climb = Climb()
    for _ in range(4):
        climb.ladder.limit(1_000_000, 2_000_000, climb.now)
        assert climb.go(1, 0) == [] or climb.steps[-1][1] is Step.DOWN
    assert [step for _, step in climb.steps] == [Step.DOWN]


def test_an_estimate_that_recovers_does_not() -> None:
    climb = Climb()
    for bits in (1_000_000, 1_900_000) * 5:
        climb.ladder.limit(bits, 2_000_000, climb.now)
        assert climb.go(1, 0) == []


def test_reports_that_begin_anew_are_a_new_window() -> None:
    climb = Climb()
    climb.go(2, 0.15)
    climb._highest, climb._lost = 0, 0
    assert climb.go(2, 0) == []
    assert climb.ladder.loss is None or climb.ladder.loss < 0.1
