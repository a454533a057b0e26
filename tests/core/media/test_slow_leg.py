"""A leg whose line or socket takes too little: paced, then skipping; the others notice nothing."""

import pytest

from tests.core.media.support import Camera, TurnedClock, Wire, sending, unpacked, video
from village_core.media.leg import MOST_QUEUED, PACED_FOR, Leg


class Line:
    """One stream to a leg that may be slow and one that is not."""

    def __init__(self, *, gop: int = 10, size: int = 30_000) -> None:
        self.clock = TurnedClock()
        self.stream = video(self.clock)
        self.camera = Camera(self.stream, self.clock, gop=gop, size=size)
        self.slow, self.quick = Wire(), Wire()
        self.leg = Leg(self.stream, self.slow, sending(1))
        self.camera.play()
        self.leg.join()
        self.other = Leg(self.stream, self.quick, sending(2))
        self.other.join()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.005)):
            self.clock.now += 0.005
            self.stream.tick(self.clock.now)

    def play(self, count: int) -> None:
        """Pictures in their time, ticked every 5 ms."""
        for _ in range(count):
            self.wait(0.04)
            self.clock.now -= 0.04
            self.camera.play()


def test_an_unsent_burst_is_sent_again_in_small_pieces_with_the_same_bytes() -> None:
    line = Line()
    line.slow.full = True
    line.camera.play()
    line.slow.full = False
    sent = len(line.slow.sent)
    line.clock.now += 0.005
    line.stream.tick(line.clock.now)
    assert len(line.slow.sent) - sent <= 8
    line.wait(0.1)
    assert len(unpacked(line.slow.sent)) == 2
    assert line.leg.counters.unsent == 1
    assert all(unit.whole for unit in unpacked(line.slow.sent))


def test_a_slow_leg_never_holds_back_another() -> None:
    line = Line()
    line.slow.full = True
    line.play(20)
    assert len(unpacked(line.quick.sent)) == 21
    assert line.other.counters.unsent == 0


def test_a_paced_leg_gets_8_packets_in_5_ms() -> None:
    line = Line(size=100_000)
    line.leg.slow_down(line.clock.now)
    start = len(line.slow.sent)
    line.camera.play()  # 85 packets
    before = len(line.slow.sent)
    counts = []
    for _ in range(20):
        line.wait(0.005)
        counts.append(len(line.slow.sent) - before)
        before = len(line.slow.sent)
    assert max(counts) <= 8
    assert len(line.slow.sent) - start == 85


def test_a_late_tick_catches_up_but_not_without_end() -> None:
    line = Line(size=100_000)
    line.leg.slow_down(line.clock.now)
    line.camera.play()
    before = len(line.slow.sent)
    line.clock.now += 1
    line.stream.tick(line.clock.now)
    assert len(line.slow.sent) - before == 32


def test_pacing_ends_when_there_was_no_trouble_for_a_while() -> None:
    line = Line()
    line.leg.slow_down(line.clock.now)
    line.play(10)
    paced = [line.leg.paced]
    line.wait(PACED_FOR)
    assert [*paced, line.leg.paced] == [True, False]
    assert line.stream.slow == set()
    sent = len(line.slow.bursts)
    line.camera.play()
    assert len(line.slow.bursts) == sent + 1
    assert len(unpacked(line.slow.sent)) == 12


def test_a_second_trouble_makes_the_pacing_longer() -> None:
    line = Line()
    line.leg.slow_down(line.clock.now)
    line.wait(1.5)
    line.leg.slow_down(line.clock.now)
    line.wait(1.5)
    assert line.leg.paced


def test_behind_counts_from_the_first_unsent_burst_until_all_is_written() -> None:
    line = Line()
    assert line.leg.behind(line.clock.now) == 0
    line.slow.full = True
    line.camera.play()
    line.wait(0.3)
    assert line.leg.behind(line.clock.now) == pytest.approx(0.3)
    line.slow.full = False
    line.wait(0.1)
    assert line.leg.behind(line.clock.now) == 0


def test_a_socket_that_fills_up_while_paced_counts_too() -> None:
    line = Line()
    line.leg.slow_down(line.clock.now)
    line.slow.full = True
    line.play(10)
    assert line.leg.behind(line.clock.now) > 0.3
    line.slow.full = False
    line.wait(0.5)
    assert len(unpacked(line.slow.sent)) == 11


def test_skipping_drops_what_waits_and_goes_on_at_a_keyframe() -> None:
    line = Line()
    line.slow.full = True
    line.camera.play(3)
    line.leg.skip()
    line.slow.full = False
    line.wait(0.1)
    assert len(unpacked(line.slow.sent)) == 1
    assert line.leg.counters.skipped > 0
    line.camera.to_keyframe()
    line.wait(0.2)
    units = unpacked(line.slow.sent)
    assert len(units) == 2
    assert units[1].keyframe


def test_numbers_given_to_a_full_socket_stay_used() -> None:
    """They were protected once; other bytes under them would repeat a nonce. The viewer asks."""
    line = Line()
    line.slow.full = True
    line.camera.play()
    attempted = line.leg.next_number
    line.leg.skip()
    line.slow.full = False
    line.camera.to_keyframe()
    line.wait(0.2)
    gap = [n for n in range(1000, attempted) if n not in line.slow.numbers]
    assert gap
    assert min(n for n in line.slow.numbers if n >= attempted) == attempted
    line.leg.repair(gap[:5], line.clock.now)
    assert line.slow.numbers[-5:] == gap[:5]


def test_a_queue_without_end_is_cut_even_if_nobody_looks() -> None:
    line = Line(gop=100_000)
    line.slow.full = True
    line.camera.play(MOST_QUEUED)
    assert len(line.leg._queue) <= MOST_QUEUED + 8
    assert line.leg.waiting


def test_a_paced_leg_starts_paced() -> None:
    line = Line()
    line.leg.slow_down(line.clock.now)
    line.leg.leave()
    sent = len(line.slow.sent)
    line.leg.join()
    assert len(line.slow.sent) == sent
    line.wait(0.1)
    assert len(line.slow.sent) > sent


def test_a_replay_while_paced_drops_what_waited() -> None:
    line = Line()
    line.leg.slow_down(line.clock.now)
    line.play(3)
    line.clock.now += 1
    line.leg.picture_lost(line.clock.now)
    line.wait(1)
    numbers = line.slow.numbers
    assert numbers == list(range(1000, 1000 + len(numbers)))
    assert unpacked(line.slow.sent)[-1].whole


def test_a_paced_leg_that_left_is_not_written_to() -> None:
    line = Line()
    line.leg.slow_down(line.clock.now)
    line.camera.play()
    line.leg.leave()
    sent = len(line.slow.sent)
    line.play(5)
    assert len(line.slow.sent) == sent


def test_a_start_that_finds_the_socket_full_comes_later_and_whole() -> None:
    line = Line()
    line.camera.play(3)
    wire = Wire()
    wire.full = True
    leg = Leg(line.stream, wire, sending(7))
    leg.join()
    assert wire.sent == []
    wire.full = False
    line.wait(0.2)
    assert len(unpacked(wire.sent)) == 4
    assert leg.counters.unsent == 1
