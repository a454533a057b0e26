"""From a camera's pictures and sound to bursts of a stream."""

from tests.core.media.support import PPS, SPS, TICKS, TurnedClock, audio, picture, video
from tests.core.media.test_stream import Listener
from village_core.media import h264
from village_core.media.feeder import AccessUnit, Feeder
from village_core.media.packet import MOST_PACKETS
from village_core.media.rfc6184 import LARGEST_PAYLOAD


class Fed:
    def __init__(self, **options: object) -> None:
        self.clock = TurnedClock()
        self.stream = video(self.clock)
        self.listener = Listener()
        self.stream.join(self.listener)
        self.feeder = Feeder(self.stream, **options)  # type: ignore[arg-type]

    @property
    def bursts(self) -> list[list[int]]:
        return [[packet.number for packet in burst.packets] for burst in self.listener.bursts]


def test_a_picture_is_one_burst_of_one_size_with_a_marker_at_its_end() -> None:
    fed = Fed()
    fed.feeder.feed(picture(1, size=9000))
    (burst,) = fed.listener.bursts
    assert {len(packet.payload) for packet in burst.packets[:-1]} == {LARGEST_PAYLOAD}
    assert [packet.marker for packet in burst.packets].index(True) == len(burst.packets) - 1
    assert len({packet.timestamp for packet in burst.packets}) == 1


def test_a_large_picture_is_several_bursts_the_first_a_keyframe() -> None:
    fed = Fed()
    fed.feeder.feed(picture(0, size=100_000))
    assert [len(numbers) for numbers in fed.bursts] == [MOST_PACKETS, MOST_PACKETS, 6]
    assert [burst.keyframe for burst in fed.listener.bursts] == [True, False, False]


def test_numbers_and_times_run_on() -> None:
    fed = Fed()
    for index in range(3):
        fed.feeder.feed(AccessUnit([b"\x41p"], 77_000 + index * TICKS, False))
    assert fed.bursts == [[0], [1], [2]]
    first, second, third = (burst.packets[0].timestamp for burst in fed.listener.bursts)
    assert third - second == second - first == TICKS


def test_known_parameter_sets_go_before_a_keyframe_without() -> None:
    fed = Fed(parameter_sets=[SPS, PPS])
    fed.feeder.feed(AccessUnit([b"\x65idr"], 0, True))
    (burst,) = fed.listener.bursts
    assert h264.stap_nals(burst.packets[0].payload) == [SPS, PPS, b"\x65idr"]
    newer = SPS[:-1] + b"\x11"
    fed.feeder.feed(AccessUnit([newer, PPS, b"\x65idr"], TICKS, True))
    fed.feeder.feed(AccessUnit([b"\x65idr"], 2 * TICKS, True))
    assert h264.stap_nals(fed.listener.bursts[2].packets[0].payload) == [newer, PPS, b"\x65idr"]


def test_a_reconnected_camera_goes_on_in_time_and_waits_for_its_keyframe() -> None:
    fed = Fed()
    fed.feeder.feed(picture(5))
    replaced = fed.listener.replaced
    fed.clock.now += 3
    fed.feeder.restart()
    fed.feeder.feed(picture(0))
    before, after = fed.listener.bursts
    assert after.packets[0].timestamp - before.packets[0].timestamp == 3 * 90_000
    assert fed.listener.replaced == replaced + 1


def test_a_picture_of_nothing_is_not_sent() -> None:
    fed = Fed()
    fed.feeder.feed(AccessUnit([b"\x09\x10"], 0, False))
    assert fed.bursts == []


def test_sound_is_one_packet_a_frame() -> None:
    clock = TurnedClock()
    stream, listener = audio(clock), Listener()
    stream.join(listener)
    feeder = Feeder(stream)
    feeder.feed_audio(b"one", 0)
    feeder.feed_audio(b"two", 160)
    assert [burst.packets[0].payload for burst in listener.bursts] == [b"one", b"two"]
    assert not any(burst.keyframe for burst in listener.bursts)


def test_a_camera_that_is_gone_leaves_no_picture() -> None:
    fed = Fed()
    fed.feeder.feed(picture(0))
    assert fed.stream.picture
    fed.feeder.end()
    assert fed.stream.picture == []
    fed.feeder.feed(picture(10))
    assert fed.stream.picture
