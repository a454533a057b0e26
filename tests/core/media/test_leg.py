"""One consumer: its start, its numbers and times."""

from itertools import pairwise

import pytest

from tests.core.media.support import (
    FRAME,
    TICKS,
    Camera,
    TurnedClock,
    Wire,
    audio,
    unpacked,
)
from tests.core.media.watching import Watching
from village_core.media.feeder import Feeder
from village_core.media.leg import (
    MOST_AT_ONCE,
    MOST_AT_START,
    Leg,
    Sending,
)
from village_core.media.packet import Burst, Kind, Packet


def test_a_leg_without_a_cached_picture_waits_for_the_keyframe() -> None:
    view = Watching()
    view.camera.index = 7
    view.leg.join()
    view.camera.play(3)
    assert view.wire.sent == []
    assert view.leg.waiting
    assert view.leg.counters.skipped == 3
    view.camera.play(2)
    assert len(unpacked(view.wire.sent)) == 2
    assert unpacked(view.wire.sent)[0].keyframe


def test_a_leg_that_waits_has_a_keyframe_asked_for() -> None:
    view = Watching()
    view.leg.join()
    assert view.stream.counters.keyframe_requests == 1


def test_picture_at_once_in_one_burst_1_ms_apart_to_the_live_edge() -> None:
    """Picture at once: Chromium is at the live edge within a second."""
    view = Watching()
    view.camera.play(7)
    view.leg.join()
    assert len(unpacked(view.wire.sent)) == 7
    assert [b - a for a, b in pairwise(view.stamps)] == [90] * 6
    view.camera.play(2)
    assert [b - a for a, b in pairwise(view.stamps)][6:] == [TICKS, TICKS]
    assert view.wire.numbers == list(range(1000, 1000 + len(view.wire.sent)))
    assert view.leg.counters.starts == 1


def test_each_leg_has_its_own_ssrc_numbers_and_times() -> None:
    view = Watching()
    other = Wire()
    leg = Leg(view.stream, other, Sending(ssrc=9, payload_type=102, first_number=30_000))
    view.camera.play(3)
    view.leg.join()
    leg.join()
    view.camera.play(3)
    ours, theirs = view.wire.parsed, other.parsed
    assert [p.payload for p in ours] == [p.payload for p in theirs]
    assert {(p.ssrc, p.payload_type) for p in theirs} == {(9, 102)}
    assert theirs[0].number == 30_000
    assert {a.timestamp - b.timestamp & 0xFFFFFFFF for a, b in zip(ours, theirs, strict=True)} == {
        ours[0].timestamp - theirs[0].timestamp & 0xFFFFFFFF
    }


def test_first_numbers_are_random_and_far_from_their_wrap() -> None:
    firsts = {Sending(ssrc=1, payload_type=96).first_number for _ in range(50)}
    assert len(firsts) > 40
    assert max(firsts) < 1 << 15


def test_numbers_and_times_go_through_their_wrap() -> None:
    view = Watching()
    begin = Sending(ssrc=1, payload_type=96, first_number=65_530, first_timestamp=(1 << 32) - TICKS)
    leg = Leg(view.stream, view.wire, begin)
    leg.join()
    view.camera.play(20)
    assert len(unpacked(view.wire.sent)) == 20
    assert [p.number for p in view.wire.parsed][:8] == [*range(65_530, 65_536), 0, 1]
    leg.repair([65_531, 2], view.clock.now)
    assert view.wire.sent[-2:] == [view.wire.sent[1], view.wire.sent[8]]


def test_upstream_loss_stays_in_the_numbers() -> None:
    """Renumbering hid 2% loss from Chromium: 79 of 350 frames decoded."""
    view = Watching()
    view.camera.play()
    view.leg.join()
    first = view.stream.last_number + 1
    before = len(view.wire.sent)
    lost = [Packet(first + n, 9, False, b"\x41%d" % n) for n in (0, 1, 4)]
    view.stream.feed(Burst(Kind.VIDEO, lost))
    base = view.wire.numbers[before - 1]
    assert view.wire.numbers[before:] == [base + 1, base + 2, base + 5]


def test_a_packet_that_comes_late_fills_the_gap_left_for_it() -> None:
    view = Watching()
    view.camera.play(3)
    view.leg.join()
    first = view.stream.last_number + 1
    late, after = Packet(first, 9, False, b"\x41late"), Packet(first + 1, 9, True, b"\x41after")
    view.stream.feed(Burst(Kind.VIDEO, [after]))
    view.stream.feed(Burst(Kind.VIDEO, [late]))
    assert view.wire.numbers[-1] == view.wire.numbers[-2] - 1
    assert view.wire.parsed[-1].payload == b"\x41late"
    assert view.wire.parsed[-1].timestamp == view.wire.parsed[-2].timestamp


def test_a_late_packet_of_what_the_leg_skipped_is_not_sent() -> None:
    view = Watching()
    view.camera.play(3)
    view.leg.join()
    view.leg.skip()
    first = view.stream.last_number + 1
    view.stream.feed(Burst(Kind.VIDEO, [Packet(first + 1, 9, True, b"\x41after")]))
    view.camera.feeder._number = first + 2
    view.camera.to_keyframe()
    sent = len(view.wire.sent)
    view.stream.feed(Burst(Kind.VIDEO, [Packet(first, 9, False, b"\x41late")]))
    assert len(view.wire.sent) == sent


def test_what_the_hub_itself_drops_is_closed_up() -> None:
    view = Watching()
    view.camera.play(3)
    view.leg.join()
    before = view.stamps[-1]
    view.leg.skip()
    view.camera.play(5)
    assert view.camera.asked == 1
    view.camera.to_keyframe()
    numbers = view.wire.numbers
    assert numbers == list(range(1000, 1000 + len(numbers)))
    assert view.stamps[-1] - before == 8 * TICKS
    assert unpacked(view.wire.sent)[-1].keyframe


def test_a_group_too_large_to_catch_up_shows_its_first_picture_and_waits() -> None:
    view = Watching(gop=1000, size=12_000)
    view.camera.play(MOST_AT_START // 10)
    view.leg.join()
    (still,) = unpacked(view.wire.sent)
    assert still.keyframe
    assert view.leg.waiting
    assert view.camera.asked == 1


def test_the_rest_of_a_large_group_is_paced() -> None:
    view = Watching(gop=1000, size=12_000)
    view.camera.play(70)
    view.leg.join()
    assert MOST_AT_ONCE - 40 < len(view.wire.sent) <= MOST_AT_ONCE
    for _ in range(70):
        view.clock.now += 0.005
        view.stream.tick(view.clock.now)
    assert len(unpacked(view.wire.sent)) == 70
    assert view.leg.behind(view.clock.now) == 0


def test_a_replaced_source_is_awaited_at_its_keyframe_with_numbers_and_times_going_on() -> None:
    view = Watching()
    view.camera.play(5)
    view.leg.join()
    view.camera.play(3)
    newer = Camera(view.stream, view.clock, index=1007)
    newer.play(2)
    sent = len(unpacked(view.wire.sent))
    assert sent == 8
    newer.play(3)
    units = unpacked(view.wire.sent)
    assert [unit.keyframe for unit in units[8:]] == [True, False]
    assert view.wire.numbers == list(range(1000, 1000 + len(view.wire.sent)))
    assert all(later > earlier for earlier, later in pairwise(view.stamps))
    assert view.stamps[-1] - view.stamps[7] == pytest.approx(5 * TICKS, abs=2)


def test_a_leg_that_left_and_joins_again_goes_on_with_its_numbers() -> None:
    view = Watching()
    view.camera.play(3)
    view.leg.join()
    view.leg.leave()
    sent = len(view.wire.sent)
    view.camera.play(10)
    assert len(view.wire.sent) == sent
    view.leg.join()
    view.camera.play(2)
    assert view.wire.numbers == list(range(1000, 1000 + len(view.wire.sent)))


def test_sound_needs_no_keyframe() -> None:
    clock, wire = TurnedClock(), Wire()
    stream = audio(clock)
    leg = Leg(stream, wire, Sending(ssrc=3, payload_type=8, clock_rate=8000, first_number=7))
    feeder = Feeder(stream)
    feeder.feed_audio(b"zero", 0)
    leg.join()
    for index in range(1, 5):
        clock.now += 0.02
        feeder.feed_audio(b"%d" % index, 160 * index)
    assert [p.payload for p in wire.parsed] == [b"1", b"2", b"3", b"4"]
    assert wire.numbers == [7, 8, 9, 10]
    assert [b.timestamp - a.timestamp for a, b in pairwise(wire.parsed)] == [160] * 3
    leg.picture_lost(clock.now)
    assert not any(p.marker for p in wire.parsed)


def test_a_sender_report_says_what_was_sent_and_maps_the_time() -> None:
    """RFC 3550 section 6.4.1: the timestamp corresponds to the same instant as the NTP time."""
    view = Watching()
    assert view.leg.sender_report(view.clock.now, 1) is None
    view.camera.play(5)
    view.leg.join()
    now = view.clock.now + 0.5
    report = view.leg.sender_report(now, 77)
    assert report is not None
    assert (report.ssrc, report.ntp) == (1, 77)
    assert report.packets == len(view.wire.sent)
    assert report.octets == sum(len(p.payload) for p in view.wire.parsed)
    assert report.timestamp == view.stamps[-1] + 45_000


def test_a_sender_report_follows_the_camera_not_the_jitter() -> None:
    view = Watching()
    view.camera.play(5)
    view.leg.join()
    view.stream.anchor(view.stream.last_timestamp, view.clock.now)
    view.clock.now += 0.03
    view.camera.play()
    report = view.leg.sender_report(view.clock.now, 1)
    assert report is not None
    assert report.timestamp == view.stamps[-2] + round((FRAME + 0.03) * 90_000)


def test_a_leg_that_fails_needs_nobody_to_tell() -> None:
    view = Watching()
    view.leg.join()
    view.wire.error = OSError("gone")
    view.camera.play()
    assert view.stream.legs == ()
