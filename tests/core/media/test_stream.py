"""A stream: fan-out, the cached picture, the history, keyframe requests, sources that change."""

from itertools import pairwise

import pytest

from tests.core.media.clips import clip
from tests.core.media.support import Camera, TurnedClock, Wire, picture, sending, video
from village_core.media.feeder import AccessUnit, Feeder
from village_core.media.leg import Leg
from village_core.media.packet import Burst, Kind, Packet
from village_core.media.stream import (
    LARGEST_PICTURE,
    LONGEST_PICTURE,
    REMEMBERED,
    STALE,
    Inlet,
    Stream,
)


class Listener:
    """A Consumer that keeps what it is offered; raises when told to."""

    def __init__(self) -> None:
        self.bursts: list[Burst] = []
        self.late: list[Burst] = []
        self.replaced = 0
        self.paced: list[float] = []
        self.failures: list[str] = []
        self.error: Exception | None = None

    def joined(self, stream: Stream) -> None:
        self.stream = stream

    def offer(self, burst: Burst) -> None:
        if self.error is not None:
            raise self.error
        self.bursts.append(burst)

    def offer_late(self, burst: Burst) -> None:
        if self.error is not None:
            raise self.error
        self.late.append(burst)

    def source_replaced(self) -> None:
        self.replaced += 1

    def pace(self, now: float) -> None:
        if self.error is not None:
            raise self.error
        self.paced.append(now)

    def failed(self, reason: str) -> None:
        self.failures.append(reason)


class Set:
    """A clock, a stream, a camera and two listeners."""

    def __init__(self, *, gop: int = 10, size: int = 3000) -> None:
        self.clock = TurnedClock()
        self.stream = video(self.clock)
        self.camera = Camera(self.stream, self.clock, gop=gop, size=size)
        self.first, self.second = Listener(), Listener()
        for listener in (self.first, self.second):
            self.stream.join(listener)


@pytest.fixture
def scene() -> Set:
    return Set()


def packets(*numbers: int, timestamp: int = 0) -> list[Packet]:
    return [Packet(number, timestamp, False, b"\x41%d" % number) for number in numbers]


def test_every_leg_is_offered_the_same_bursts(scene: Set) -> None:
    scene.camera.play(12)
    assert len(scene.first.bursts) == 12
    assert scene.first.bursts == scene.second.bursts
    assert [burst.keyframe for burst in scene.first.bursts].count(True) == 2


def test_a_leg_joins_once_and_leaves(scene: Set) -> None:
    scene.stream.join(scene.first)
    assert scene.stream.legs == (scene.first, scene.second)
    scene.stream.leave(scene.first)
    scene.stream.leave(scene.first)
    scene.camera.play()
    assert scene.first.bursts == []
    assert len(scene.second.bursts) == 1


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError(), ValueError("x"), KeyError("y")])
def test_one_legs_failure_never_stops_the_others(scene: Set, error: Exception) -> None:
    scene.first.error = error
    scene.camera.play(3)
    assert len(scene.second.bursts) == 3
    assert len(scene.first.failures) == 1
    assert scene.first.failures[0]
    assert scene.stream.legs == (scene.second,)


def test_a_leg_that_fails_on_a_late_packet_or_while_paced_is_let_go(scene: Set) -> None:
    scene.stream.feed(Burst(Kind.VIDEO, packets(0, 2)))
    scene.first.error = OSError("gone")
    scene.stream.feed(Burst(Kind.VIDEO, packets(1)))
    assert list(scene.stream.legs) == [scene.second]
    scene.stream.slow.add(scene.second)
    scene.stream.tick(1.0)
    assert scene.second.paced == [1.0]
    scene.second.error = OSError("gone")
    scene.stream.tick(2.0)
    assert list(scene.stream.legs) == []
    assert scene.stream.slow == set()


def test_the_picture_is_kept_since_its_last_keyframe(scene: Set) -> None:
    assert scene.stream.picture == []
    assert scene.stream.picture_age(scene.clock.now) is None
    assert scene.stream.still() == []
    scene.camera.play(13)
    kept = scene.stream.picture
    assert kept == scene.first.bursts[10:]
    assert kept[0].keyframe
    assert scene.stream.picture_packets == sum(len(burst.packets) for burst in kept)
    assert scene.stream.picture_age(scene.clock.now) == pytest.approx(0.08)
    assert scene.stream.still() == [kept[0]]


def test_the_still_is_the_whole_keyframe() -> None:
    scene = Set(size=150_000)
    scene.camera.play(1)
    assert len(scene.stream.picture) == 4  # 127 packets
    assert scene.stream.still() == scene.stream.picture


def test_the_picture_is_bounded_in_time() -> None:
    scene = Set(gop=1000)
    scene.camera.play(int(LONGEST_PICTURE / 0.04))
    assert scene.stream.picture
    scene.camera.play(3)
    assert scene.stream.picture == []


def test_the_picture_is_bounded_in_bytes() -> None:
    scene = Set(gop=1000, size=500_000)
    scene.camera.play(LARGEST_PICTURE // 500_000 + 1)
    assert scene.stream.picture == []
    assert scene.stream.picture_packets == 0


def test_a_stalled_sources_picture_is_not_shown_as_live(scene: Set) -> None:
    scene.camera.play(3)
    scene.clock.now += STALE + 1
    assert scene.stream.picture == []
    assert scene.stream.picture_age(scene.clock.now) is None


def test_an_ended_sources_picture_is_not_kept(scene: Set) -> None:
    """The privacy switch: nothing of the camera may be seen afterwards."""
    scene.camera.play(3)
    scene.camera.feeder.end()
    assert scene.stream.picture == []
    assert scene.stream.inlet is None
    assert scene.first.replaced == 2


def test_the_history_finds_the_last_packets_by_number(scene: Set) -> None:
    scene.camera.play(600)
    last = scene.stream.last_number
    found = scene.stream.history.get(last)
    assert found is not None
    assert found.number == last
    assert scene.stream.history.get(last - REMEMBERED + 1) is not None
    assert scene.stream.history.get(last - REMEMBERED) is None
    assert scene.stream.history.get(last + 1) is None


def test_counters_tell_what_passed(scene: Set) -> None:
    scene.camera.play(12)
    counters = scene.stream.counters
    bursts = scene.first.bursts
    assert (counters.bursts, counters.keyframes, counters.lost) == (12, 2, 0)
    assert counters.packets == sum(len(burst.packets) for burst in bursts)
    assert counters.octets == sum(len(p.payload) for burst in bursts for p in burst.packets)
    assert scene.stream.last_packet_at == scene.clock.now


def test_gaps_are_counted_until_they_are_filled(scene: Set) -> None:
    scene.stream.feed(Burst(Kind.VIDEO, packets(0, 1)))
    scene.stream.feed(Burst(Kind.VIDEO, packets(4, 6)))
    assert scene.stream.counters.lost == 3
    scene.stream.feed(Burst(Kind.VIDEO, packets(5)))
    assert scene.stream.counters.lost == 2
    assert [burst.packets for burst in scene.first.late] == [packets(5)]
    assert scene.stream.history.get(5) == packets(5)[0]


def test_a_number_is_never_given_other_bytes(scene: Set) -> None:
    """The history's word stands: a second packet of one number is dropped (GCM nonce)."""
    scene.stream.feed(Burst(Kind.VIDEO, packets(0, 1, 3)))
    other = Packet(1, 0, False, b"\x41other")
    scene.stream.feed(Burst(Kind.VIDEO, [other]))
    scene.stream.feed(Burst(Kind.VIDEO, [Packet(3, 0, False, b"x"), Packet(4, 0, False, b"y")]))
    assert scene.stream.history.get(1) == packets(1)[0]
    assert scene.stream.history.get(3) == packets(3)[0]
    assert scene.stream.history.get(4) is None
    assert scene.first.late == []


def test_a_packet_too_old_for_the_history_is_dropped(scene: Set) -> None:
    scene.stream.feed(Burst(Kind.VIDEO, packets(0)))
    scene.stream.feed(Burst(Kind.VIDEO, packets(2000)))
    scene.stream.feed(Burst(Kind.VIDEO, packets(5)))
    assert scene.first.late == []


def test_a_copy_laid_out_for_sending_is_not_kept(scene: Set) -> None:
    scene.camera.play()
    burst = scene.first.bursts[0]
    burst.laid_out = "bytes"
    scene.stream.feed(Burst(Kind.VIDEO, packets(500), laid_out="bytes"))
    assert scene.first.bursts[-1].laid_out is None


def test_a_keyframe_is_asked_for_at_most_once_a_second_and_less_and_less(scene: Set) -> None:
    scene.camera.play()
    asked_at: list[float] = []
    for _ in range(2000):
        scene.stream.request_keyframe()
        scene.clock.now += 0.01
        scene.stream.tick(scene.clock.now)
        if scene.camera.asked > len(asked_at):
            asked_at.append(scene.clock.now)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses == pytest.approx([1, 2, 4, 8], abs=0.03)
    assert scene.stream.counters.keyframe_requests == 5


def test_a_keyframe_settles_the_request(scene: Set) -> None:
    scene.camera.play(9)
    scene.stream.request_keyframe()
    scene.camera.to_keyframe()
    scene.clock.now += 20
    scene.stream.tick(scene.clock.now)
    assert scene.camera.asked == 1


def test_nothing_is_asked_for_when_nobody_is_left(scene: Set) -> None:
    scene.camera.play(9)
    scene.stream.request_keyframe()
    scene.stream.leave(scene.first)
    scene.stream.leave(scene.second)
    scene.clock.now += 20
    scene.stream.tick(scene.clock.now)
    assert scene.camera.asked == 1


def test_the_owner_hears_of_requests_without_a_source() -> None:
    clock, calls = TurnedClock(), []
    stream = Stream("camera", video(clock).quality, clock, lambda: calls.append(clock.now))
    stream.request_keyframe()
    assert calls == [clock.now]


def test_a_source_that_begins_without_a_keyframe_is_asked_soon(scene: Set) -> None:
    """Its first packets may have been lost on the way."""
    scene.camera.index = 5
    scene.camera.play()
    assert scene.camera.asked == 0
    scene.camera.play(4)
    assert scene.camera.asked == 1


def test_a_new_source_goes_on_with_numbers_and_time_and_shuts_the_old(scene: Set) -> None:
    scene.camera.play(5)
    last, stamp = scene.stream.last_number, scene.stream.last_timestamp
    newer = Feeder(scene.stream)
    scene.clock.now += 2.0
    newer.feed(picture(0, start=77_000_000))
    (burst,) = scene.first.bursts[5:]
    assert burst.packets[0].number == last + 1
    assert burst.packets[0].timestamp == stamp + 2 * 90_000
    assert scene.first.replaced == 2
    scene.camera.play(5)
    assert len(scene.first.bursts) == 6
    scene.camera.feeder.end()
    assert scene.stream.inlet is not None
    assert scene.stream.counters.sources == 2


def test_late_packets_of_the_old_source_are_dropped(scene: Set) -> None:
    scene.stream.feed(Burst(Kind.VIDEO, packets(0, 2)))
    inlet = Inlet(scene.stream)
    assert inlet.shut
    assert inlet.begin()[0] == 3
    inlet.feed(Burst(Kind.VIDEO, packets(3)))
    inlet.feed(Burst(Kind.VIDEO, packets(1)))
    assert scene.first.late == []
    assert not inlet.shut


def test_a_new_source_never_steps_back_in_time(scene: Set) -> None:
    scene.camera.play(3)
    scene.stream.anchor(scene.stream.last_timestamp - 900_000, scene.clock.now)
    assert Inlet(scene.stream).begin()[1] == scene.stream.last_timestamp + 1


def test_the_time_of_a_picture_follows_the_sources_report(scene: Set) -> None:
    scene.camera.play()
    now = scene.clock.now
    assert scene.stream.timestamp_at(now + 1) == scene.stream.last_timestamp + 90_000
    scene.stream.anchor(500, now)
    assert scene.stream.timestamp_at(now + 1) == 90_500


def units(size: tuple[int, int]) -> list[AccessUnit]:
    return list(clip("main", size=size, frames=5))


def test_a_change_of_resolution_is_noticed(scene: Set) -> None:
    feeder = Feeder(scene.stream)
    for size in ((320, 240), (640, 360)):
        for unit in units(size):
            feeder.feed(unit)
        feeder.restart()
        assert scene.stream.format is not None
        assert (scene.stream.format.width, scene.stream.format.height) == size
    assert scene.stream.counters.formats == 2
    assert len(scene.stream.parameter_sets) == 2


def test_parameter_sets_that_cannot_be_read_change_nothing(scene: Set) -> None:
    feeder = Feeder(scene.stream)
    feeder.feed(AccessUnit([b"\x67\x42", b"\x68x", b"\x65idr"], 0, True))
    assert scene.stream.format is None
    feeder.feed(AccessUnit([b"\x67\x42", b"\x68x", b"\x65idr"], TICK, True))
    assert scene.stream.counters.formats == 1
    assert scene.stream.counters.keyframes == 2


def test_a_keyframe_without_parameter_sets_changes_nothing(scene: Set) -> None:
    Feeder(scene.stream).feed(AccessUnit([b"\x65idr"], 0, True))
    assert scene.stream.parameter_sets == []


TICK = 3600


def test_a_leg_may_leave_while_it_is_offered_a_burst(scene: Set) -> None:
    """An owner that ends one viewer because another failed."""
    wire = Wire()
    leg = Leg(scene.stream, wire, sending())
    leg.join()
    scene.first.failed = lambda reason: leg.leave()  # type: ignore[method-assign]
    scene.first.error = OSError("gone")
    scene.camera.play()
    assert wire.sent == []
