"""What a leg sends again: NACK, RTX, and pictures lost."""

from itertools import pairwise

import pytest

from tests.core.media.support import (
    TICKS,
    in_order,
    picture,
    unpacked,
)
from tests.core.media.watching import Watching
from village_core.media.leg import (
    MOST_REPEATS,
    REPEATABLE,
    Leg,
    Sending,
)


def test_a_nack_is_answered_with_the_very_bytes() -> None:
    view = Watching()
    view.camera.play(5)
    view.leg.join()
    view.camera.play(5)
    sent = view.wire.take()
    view.leg.repair([1000, 1003, 1000 + len(sent) - 1], view.clock.now)
    assert view.wire.take() == [sent[0], sent[3], sent[-1]]
    assert view.leg.counters.repeated == 3


def test_a_leg_whose_numbers_equal_the_streams_repairs_too() -> None:
    view = Watching()
    view.camera.index = 5
    view.camera.play(5)
    number, stamp = view.stream.last_number + 1, view.stream.last_timestamp + TICKS
    same = Sending(ssrc=1, payload_type=96, first_number=number, first_timestamp=stamp - 90)
    leg = Leg(view.stream, view.wire, same)
    leg.join()
    view.camera.play()
    sent = view.wire.take()
    assert sent
    leg.repair([number], view.clock.now)
    assert view.wire.take() == sent[:1]


def test_one_packet_is_not_repeated_twice_within_20_ms() -> None:
    view = Watching()
    view.camera.play(5)
    view.leg.join()
    view.wire.take()
    view.leg.repair([1000, 1000], view.clock.now)
    view.leg.repair([1000], view.clock.now + 0.01)
    assert len(view.wire.take()) == 1
    view.leg.repair([1000], view.clock.now + 0.03)
    assert len(view.wire.take()) == 1


def test_one_nack_cannot_ask_for_everything() -> None:
    view = Watching(gop=1000)
    view.camera.play(300)
    view.leg.join()
    view.camera.play(100)
    view.wire.take()
    first = view.leg.next_number - REPEATABLE
    view.leg.repair(range(first, first + 3 * MOST_REPEATS), view.clock.now)
    assert len(view.wire.take()) == MOST_REPEATS
    for at in range(first, first + 6 * MOST_REPEATS, MOST_REPEATS):
        view.leg.repair(range(at, at + MOST_REPEATS), view.clock.now + 1)
    view.leg.repair([first], view.clock.now + 2)
    assert len(view.leg._repeats) < MOST_REPEATS


def test_rtx_goes_in_a_stream_of_its_own() -> None:
    """RFC 4588 section 4: own SSRC, payload type and numbers; the original number first."""
    view = Watching(rtx=True)
    view.camera.play(5)
    view.leg.join()
    sent = view.wire.take()
    view.leg.repair([1002, 1003], view.clock.now)
    first, second = view.wire.parsed
    assert (first.ssrc, first.payload_type) == (2, 97)
    assert second.number == first.number + 1 & 0xFFFF
    assert first.payload[:2] == (1002).to_bytes(2)
    assert in_order(view.wire.take()) == sent[2:4]


@pytest.mark.parametrize("number", [999, 1012, 40_000])
def test_a_nack_for_what_was_never_sent_gets_nothing(number: int) -> None:
    view = Watching()
    view.leg.repair([number], view.clock.now)
    view.camera.play(3)
    view.leg.join()
    assert len(view.wire.take()) < 12
    view.leg.repair([number], view.clock.now)
    assert view.wire.take() == []


def test_a_nack_beyond_the_srtp_window_gets_nothing() -> None:
    view = Watching(gop=10_000, size=100)
    view.camera.play()
    view.leg.join()
    view.camera.play(REPEATABLE + 10)
    view.wire.take()
    view.leg.repair([1003], view.clock.now)
    assert view.wire.take() == []
    view.leg.repair([1003 + 50], view.clock.now)
    assert len(view.wire.take()) == 1


def test_many_turns_are_forgotten_once_nothing_can_be_asked_of_them() -> None:
    view = Watching(gop=5)
    view.camera.play()
    view.leg.join()
    for _ in range(300):
        view.camera.play(5)
        view.clock.now += 5
        view.leg.picture_lost(view.clock.now)
        view.camera.feeder.feed(picture(view.camera.index - 1))
    assert len(view.leg._turns) < 1500


def test_a_picture_loss_is_answered_from_the_cache_first_then_upstream() -> None:
    """PLI and FIR are answered from there first and go upstream rate-limited."""
    view = Watching()
    view.camera.play(4)
    view.leg.join()
    view.camera.play(3)
    view.wire.take()
    view.leg.picture_lost(view.clock.now)
    replay = unpacked(view.wire.sent)
    assert len(replay) == 7
    assert replay[0].keyframe
    assert view.camera.asked == 0
    view.clock.now += 0.2
    view.leg.picture_lost(view.clock.now)
    assert view.camera.asked == 1
    assert len(unpacked(view.wire.take())) == 7


def test_a_replay_has_new_numbers_and_later_times() -> None:
    view = Watching()
    view.camera.play(4)
    view.leg.join()
    view.camera.play(3)
    before = len(view.wire.numbers)
    view.leg.picture_lost(view.clock.now)
    view.camera.play(2)
    assert view.wire.numbers == list(range(1000, 1000 + len(view.wire.sent)))
    assert view.wire.numbers[before] == 1000 + before
    assert all(later > earlier for earlier, later in pairwise(view.stamps))
    units = unpacked(view.wire.sent)
    assert all(unit.whole for unit in units)


def test_a_picture_loss_right_after_the_start_is_not_news() -> None:
    view = Watching()
    view.camera.play(4)
    view.leg.join()
    sent = len(view.wire.sent)
    view.leg.picture_lost(view.clock.now + 0.05)
    assert len(view.wire.sent) == sent
    assert view.camera.asked == 0


def test_a_picture_loss_while_waiting_goes_upstream() -> None:
    view = Watching()
    view.camera.play(8)
    view.leg.join()
    view.leg.skip()
    view.clock.now += 3
    view.leg.picture_lost(view.clock.now)
    assert view.camera.asked == 2
