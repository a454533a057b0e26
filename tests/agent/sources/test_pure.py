"""The pure parts of sources: intakes, timelines, masks, framing."""

import asyncio
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home_agent.sources import frames, masking
from home_agent.sources.aac import AacFormat, AacIntake, access_units, read_format
from home_agent.sources.contract import AccessUnit
from home_agent.sources.hevc import HevcIntake, aggregated
from home_agent.sources.intake import AudioIntake, Numbers, VideoIntake, clock_skew_ms
from home_agent.sources.playing import Intake
from home_agent.sources.timeline import Timeline
from village_core.clock import SYSTEM_CLOCK
from village_core.media import rtp


class TurnedClock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def utc_ms(self) -> int:
        return int(self.now * 1000)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def packet(number: int, timestamp: int, payload: bytes, *, last: bool = False) -> bytes:
    return rtp.build(96, number, timestamp, 7, payload, marker=last)


def test_a_timeline_runs_on_through_restarts_by_the_time_passed() -> None:
    clock = TurnedClock()
    line = Timeline(90_000, clock)
    first = line.extend(0xFFFFFFF0)
    assert line.extend(0xFFFFFFF0 + 3600 & 0xFFFFFFFF) == first + 3600
    clock.now += 20
    line.restart()
    assert line.extend(5) == first + 20 * 90_000
    clock.now += 1
    assert line.extend(5 + 90_000 * 1000) == first + 21 * 90_000


@given(st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=30))
def test_a_timeline_goes_back_at_most_as_far_as_b_frames_do(raw: list[int]) -> None:
    line = Timeline(90_000, TurnedClock())
    times = [line.extend(each) for each in raw]
    assert all(b - a > -180_000 for a, b in itertools.pairwise(times))


def test_parameter_sets_sent_apart_join_their_picture() -> None:
    """Some cameras set the marker on them."""
    units: list[AccessUnit] = []
    intake = VideoIntake(Numbers(96), [], Timeline(90_000, TurnedClock()), units.append)
    for number, payload in enumerate([b"\x67abcd", b"\x68ab", b"\x65\x88abc", b"\x41\x9aab"]):
        intake.take(packet(number, 9000 if number < 3 else 12_600, payload, last=True))
    assert [unit.keyframe for unit in units] == [True, False]
    assert [nal[0] & 31 for nal in units[0].nals] == [7, 8, 5]


def test_a_picture_with_a_hole_is_left_out() -> None:
    units: list[AccessUnit] = []
    intake = VideoIntake(Numbers(96), [], Timeline(90_000, TurnedClock()), units.append)
    begin, end = b"\x7c\x85abc", b"\x7c\x45xyz"
    intake.take(packet(0, 0, b"\x06sei"))
    intake.take(packet(1, 0, begin))
    intake.take(packet(3, 0, end, last=True))
    intake.take(packet(4, 3600, b"\x41\x9aab", last=True))
    assert [unit.nals for unit in units] == [[b"\x41\x9aab"]]
    assert (intake.numbers.counts.lost, intake.numbers.counts.torn) == (1, 1)


def test_h265_is_put_together_from_all_packet_types() -> None:
    """RFC 7798 section 4.4."""
    found: list[tuple[list[bytes], bool]] = []
    numbers = Numbers(96)
    intake = HevcIntake(
        numbers,
        [b"\x40\x01v"],
        Timeline(90_000, TurnedClock()),
        lambda nals, _, key: found.append((nals, key)),
    )
    sps, idr = b"\x42\x01sps", b"\x26\x01" + b"slice"
    aggregate = b"\x60\x01" + b"".join(len(n).to_bytes(2) + n for n in (sps, b"\x44\x01p"))
    intake.take(packet(0, 0, aggregate))
    intake.take(packet(1, 0, b"\x62\x01\x93sli"))
    intake.take(packet(2, 0, b"\x62\x01\x53ce", last=True))
    assert found == [([b"\x40\x01v", sps, b"\x44\x01p", idr], True)]
    intake.take(packet(4, 3600, b"\x62\x01\x53ce", last=True))
    assert len(found) == 1
    assert numbers.counts.torn == 1
    assert aggregated(b"\x60\x01\x00\xffab") == []


def test_aac_is_taken_out_of_its_packets() -> None:
    """RFC 3640 section 3.2: AU headers of 13 bits size and 3 bits index."""
    form = read_format(
        {"mode": "AAC-hbr", "config": "1190", "sizelength": "13", "indexlength": "3"}
    )
    assert form == AacFormat("1190", 13, 3)
    heads = (3 << 3).to_bytes(2) + (2 << 3).to_bytes(2)
    payload = (32).to_bytes(2) + heads + b"abc" + b"de"
    assert access_units(payload, form) == [b"abc", b"de"]
    heard: list[tuple[bytes, int]] = []
    clock = TurnedClock()
    intake = AacIntake(
        Numbers(96), form, Timeline(16_000, clock), lambda unit, at: heard.append((unit, at))
    )
    intake.take(packet(1, 0, payload))
    assert [unit for unit, _ in heard] == [b"abc", b"de"]
    assert heard[1][1] - heard[0][1] == 1024


@pytest.mark.parametrize(
    "parameters", [{}, {"config": "xyz"}, {"config": "11", "sizelength": "99"}, {"mode": "CELP"}]
)
def test_damaged_aac_parameters_are_none(parameters: dict[str, str]) -> None:
    assert read_format(parameters) is None


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_packet_makes_an_intake_fail(payloads: list[bytes]) -> None:
    """DEV-11."""
    clock = TurnedClock()
    intakes: list[Intake] = [
        VideoIntake(Numbers(96), [], Timeline(90_000, clock), lambda _: None),
        AudioIntake(Numbers(96), Timeline(8_000, clock), lambda *_: None),
        AacIntake(Numbers(96), AacFormat("11", 13, 3), Timeline(8_000, clock), lambda *_: None),
        HevcIntake(Numbers(96), [], Timeline(90_000, clock), lambda *_: None),
    ]
    for number, payload in enumerate(payloads):
        for intake in intakes:
            intake.take(payload)
            intake.take(packet(number, number, payload, last=number % 2 == 0))
            clock_skew_ms(payload, SYSTEM_CLOCK)


TRIANGLE = [[0.1, 0.1], [0.9, 0.2], [0.3, 0.8]]
POLYGON = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=7)


def inside(x: float, y: float, polygon: list[list[float]]) -> bool:
    """Even-odd rule, one point at a time."""
    odd = False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            odd = not odd
    return odd


@given(POLYGON)
def test_every_pixel_whose_middle_is_in_the_polygon_is_masked(
    points: list[tuple[float, float]],
) -> None:
    """PRM-19: rather one pixel too many."""
    width, height = 32, 20
    polygon = [list(point) for point in points]
    plane = bytearray(b"\xff" * width * height)
    masking.fill(plane, width, masking.spans([polygon], width, height), 0)
    for y in range(height):
        for x in range(width):
            if inside((x + 0.5) / width, (y + 0.5) / height, polygon):
                assert plane[y * width + x] == 0


def test_pixels_far_from_the_polygon_stay() -> None:
    plane = bytearray(b"\xff" * 100 * 100)
    masking.fill(plane, 100, masking.spans([TRIANGLE], 100, 100), 0)
    assert plane[99 * 100 + 99] == plane[50 * 100 + 95] == plane[0] == 255
    assert 2000 < plane.count(0) < 3500


async def test_frames_pass_a_pipe_and_nonsense_does_not() -> None:
    frame = frames.Frame(frames.Kind.KEYFRAME, 1 << 40, b"abc")
    data = frames.pack(frame)
    assert frames.read_blocking(io.BytesIO(data)) == frame
    assert frames.read_blocking(io.BytesIO(data[:-1])) is None
    for rest, ending in ((data, frame), (data[:5], None), (b"", None)):
        reader = asyncio.StreamReader()
        reader.feed_data(rest)
        reader.feed_eof()
        assert await frames.read(reader) == ending
    for nonsense in (b"\x63" + data[1:], b"\x01" + b"\xff" * 12):
        reader = asyncio.StreamReader()
        reader.feed_data(nonsense)
        with pytest.raises(frames.FrameError):
            await frames.read(reader)
