"""Real H.264 from a camera through agent and hub to a real decoder, with losses on both lines."""

from collections.abc import Sequence
from random import Random

import pytest

from tests.core.media.clips import clip, decode
from tests.core.media.support import TurnedClock, Wire, in_order, sending, unpacked, video
from village_core.media import rtcp
from village_core.media.feeder import AccessUnit, Feeder
from village_core.media.packet import Kind
from village_core.media.publisher import Publisher
from village_core.media.receiving import Receiving
from village_core.media.viewer import Viewer
from village_core.permits import Quality

DELAY = 4  # ticks of 5 ms, one way


class Way:
    """Camera, agent's push, hub, one viewer; every line delays by 20 ms and may lose packets."""

    def __init__(self, *, loss: float = 0, rtx: bool = False) -> None:
        self.clock = TurnedClock()
        self.random = Random(4)
        self.loss = loss
        self.home, self.hub = video(self.clock), video(self.clock)
        self.feeder = Feeder(self.home)
        receiving = Receiving(96, rtx_payload_type=97 if rtx else None)
        self.publisher = Publisher({Kind.VIDEO: self.hub}, {Kind.VIDEO: receiving}, self.clock)
        self.push = self.viewer_of(self.home, 50, rtx=rtx)
        self.viewer = self.viewer_of(self.hub, 1, rtx=rtx)
        self.push_line, self.back_line, self.view_line = Wire(), Wire(), Wire()
        self.push.attach(self.push_line)
        self.publisher.attach(self.back_line)
        self.viewer.attach(self.view_line)
        self.publisher.on_connected()
        self.push.on_connected()
        self.arrived: list[bytes] = []  # at the viewer's
        self.lost = 0
        self._newest: int | None = None
        self._asked: dict[int, int] = {}
        self._under_way: list[tuple[int, str, bytes]] = []
        self._tick = 0

    def viewer_of(self, stream: object, ssrc: int, *, rtx: bool) -> Viewer:
        streams = {Quality.MAIN: stream}
        return Viewer(streams, {Kind.VIDEO: sending(ssrc, rtx=rtx)}, self.clock)  # type: ignore[arg-type]

    def play(self, units: Sequence[AccessUnit]) -> None:
        for unit in units:
            self.feeder.feed(unit)
            for _ in range(8):
                self.tick()

    def wait(self, ticks: int = 80) -> None:
        for _ in range(ticks):
            self.tick()

    def tick(self) -> None:
        self.clock.now += 0.005
        self._tick += 1
        due = [(line, data) for at, line, data in self._under_way if at <= self._tick]
        self._under_way = [each for each in self._under_way if each[0] > self._tick]
        self.deliver(due)
        now = self.clock.now
        for each in (self.publisher, self.home, self.hub, self.push, self.viewer):
            each.tick(now)
        self.depart("push", self.push_line.take(), self.loss)
        self.depart("view", self.view_line.take(), self.loss)
        for line, wire in (("push rtcp", self.push_line), ("back", self.back_line)):
            self.depart(line, wire.compounds, 0)
            wire.compounds.clear()

    def depart(self, line: str, sent: Sequence[bytes], loss: float) -> None:
        for data in sent:
            if self.random.random() < loss:
                self.lost += 1
            else:
                self._under_way.append((self._tick + DELAY, line, data))

    def deliver(self, due: list[tuple[str, bytes]]) -> None:
        now = self.clock.now
        if pushed := [data for line, data in due if line == "push"]:
            self.publisher.on_rtp(pushed, now)
        for line, data in due:
            if line == "push rtcp":
                self.publisher.on_rtcp(data, now)
            elif line == "back":
                self.push.on_rtcp(data, now)
        self.arrived += [data for line, data in due if line == "view"]
        self.ask_again()

    def ask_again(self) -> None:
        """The viewer's jitter buffer: NACKs its gaps, each at most 8 times."""
        found = {int.from_bytes(data[2:4]) for data in in_order(self.arrived)}
        if not found:
            return
        missing = [n for n in range(min(found), max(found)) if n not in found]
        due = [n for n in missing if self._asked.get(n, -100) <= self._tick - 12]
        for number in due:
            self._asked[number] = self._tick
        if due:
            nack = rtcp.build(rtcp.ReceiverReport(9), rtcp.Nack(9, 1, tuple(due)))
            self.viewer.on_rtcp(nack, self.clock.now)

    @property
    def pictures(self) -> list[tuple[int, int]]:
        """What the decoder makes of what arrived."""
        return decode(unit.nals for unit in unpacked(in_order(self.arrived)))


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_every_picture_of_a_camera_is_decoded(profile: str) -> None:
    way = Way()
    way.viewer.on_connected()
    way.play(clip(profile))
    way.wait()
    assert way.pictures == [(320, 240)] * 50


def test_b_frames_pass_untouched() -> None:
    """The hub forwards what it gets; who asks the camera to stop them is the agent."""
    way = Way()
    way.viewer.on_connected()
    way.play(clip("high", b_frames=2))
    way.wait()
    assert len(way.pictures) == 50


@pytest.mark.parametrize("late", [0, 3, 24, 26, 40])
def test_whoever_joins_later_gets_all_since_the_keyframe(late: int) -> None:
    way = Way()
    units = clip()
    way.play(units[:late])
    way.wait(10)
    way.viewer.on_connected()
    way.play(units[late:])
    way.wait()
    since = 25 if late > 25 else 0
    assert len(way.pictures) == 50 - since


@pytest.mark.parametrize("rtx", [False, True])
def test_five_percent_loss_on_both_lines_is_repaired(rtx: bool) -> None:
    """Frames decoded at least 95% of sent; here, with 40 ms of round trip, all of them."""
    way = Way(loss=0.05, rtx=rtx)
    way.viewer.on_connected()
    way.play(clip(frames=100))
    way.loss = 0
    way.wait()
    assert way.lost > 30
    assert len(way.pictures) >= 95


def test_a_change_of_resolution_is_decoded() -> None:
    way = Way()
    way.viewer.on_connected()
    way.play(clip(frames=25))
    way.feeder.restart()
    way.play(clip(frames=25, size=(640, 360)))
    way.wait()
    assert way.pictures == [(320, 240)] * 25 + [(640, 360)] * 25
    assert way.hub.format is not None
    assert way.hub.format.width == 640


def test_a_replaced_push_is_decoded_on() -> None:
    way = Way()
    way.viewer.on_connected()
    units = clip()
    way.play(units[:30])
    way.push.on_closed("line down")
    receiving = Receiving(96)
    way.publisher = Publisher({Kind.VIDEO: way.hub}, {Kind.VIDEO: receiving}, way.clock)
    way.publisher.attach(way.back_line)
    way.publisher.on_connected()
    way.push = way.viewer_of(way.home, 60, rtx=False)
    way.push.attach(way.push_line)
    way.push.on_connected()
    way.play(units[30:])
    way.wait()
    assert len(way.pictures) >= 50
    numbers = [number for ssrc, number in way.view_line.order if ssrc == 1]
    assert numbers == list(range(1000, 1000 + len(numbers)))
