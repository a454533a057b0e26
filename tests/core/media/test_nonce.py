"""The one thing that must never happen: an SSRC and number with two different packets (GCM nonce).

The Wire raises when it does, so this only has to do everything that may lead to it.
"""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.core.media.support import Camera, TurnedClock, Wire, in_order, sending, unpacked
from tests.core.media.support import video as new_stream
from village_core.media import rtcp
from village_core.media.packet import Kind
from village_core.media.publisher import Publisher
from village_core.media.receiving import Receiving
from village_core.media.viewer import Viewer
from village_core.permits import Quality

QUALITIES = st.sampled_from([Quality.MAIN, Quality.SUB])


class Village(RuleBasedStateMachine):
    """A home's two pushes over a lossy line into a hub with two viewers, and all that happens."""

    @initialize(number=st.integers(0, (1 << 15) - 1), rtx=st.booleans(), seed=st.integers())
    def build(self, number: int, rtx: bool, seed: int) -> None:
        self.random = Random(seed)
        self.clock = TurnedClock()
        self.rtx = rtx
        self.cameras: dict[Quality, Camera] = {}
        self.pushes: dict[Quality, Viewer] = {}
        self.lines: dict[Quality, Wire] = {}
        self.streams = {quality: new_stream(self.clock, quality) for quality in Quality}
        self.publishers: dict[Quality, Publisher] = {}
        self.wires: list[Wire] = []
        self.viewers: list[Viewer] = []
        for quality in Quality:
            size = 9000 if quality is Quality.MAIN else 900
            self.cameras[quality] = Camera(new_stream(self.clock, quality), self.clock, 6, size)
            self.push(quality)
        for at in range(2):
            self.watch(number + at)
        self.play(8, loss=0)

    def push(self, quality: Quality) -> None:
        """A new push replaces the old."""
        receiving = Receiving(96, rtx_payload_type=97 if self.rtx else None)
        publisher = Publisher(
            {Kind.VIDEO: self.streams[quality]}, {Kind.VIDEO: receiving}, self.clock
        )
        publisher.attach(Wire())
        publisher.on_connected()
        line = Wire()
        push = Viewer(
            {quality: self.cameras[quality].stream},
            {Kind.VIDEO: sending(50, rtx=self.rtx, number=65_000 % (1 << 15))},
            self.clock,
        )
        push.attach(line)
        push.on_connected()
        if quality in self.pushes:
            self.pushes[quality].on_closed("replaced")
            self.publishers[quality].on_closed("replaced")
        self.publishers[quality], self.pushes[quality], self.lines[quality] = publisher, push, line

    def watch(self, number: int) -> None:
        wire = Wire()
        how = sending(10 * (1 + len(self.viewers)), rtx=self.rtx, number=number % (1 << 15))
        viewer = Viewer(self.streams, {Kind.VIDEO: how}, self.clock)
        viewer.attach(wire)
        viewer.on_connected()
        self.wires.append(wire)
        self.viewers.append(viewer)

    @rule(count=st.integers(1, 20), loss=st.sampled_from([0, 0.02, 0.2]))
    def play(self, count: int, loss: float) -> None:
        """Some pictures; the home's line loses some packets and swaps some."""
        for _ in range(count):
            for camera in self.cameras.values():
                camera.play()
                self.clock.now -= 0.04
            for _ in range(8):
                self.carry(loss)
                self.clock.now += 0.005
                self.tick()

    def carry(self, loss: float) -> None:
        for quality, line in self.lines.items():
            arrived = [data for data in line.take() if self.random.random() >= loss]
            if len(arrived) > 1 and self.random.random() < loss:
                at = self.random.randrange(len(arrived) - 1)
                arrived[at : at + 2] = arrived[at + 1], arrived[at]
            publisher = self.publishers[quality]
            if arrived:
                publisher.on_rtp(arrived, self.clock.now)
            for compound in line.compounds:
                publisher.on_rtcp(compound, self.clock.now)
            line.compounds.clear()
            back = publisher._outlet
            assert isinstance(back, Wire)
            for compound in back.compounds:
                self.pushes[quality].on_rtcp(compound, self.clock.now)
            back.compounds.clear()

    def tick(self) -> None:
        now = self.clock.now
        for quality in Quality:
            self.publishers[quality].tick(now)
            self.streams[quality].tick(now)
            self.cameras[quality].stream.tick(now)
            self.pushes[quality].tick(now)
        for viewer in self.viewers:
            viewer.tick(now)

    @rule(which=st.integers(0, 1), back=st.lists(st.integers(-5, 400), max_size=10))
    def nack(self, which: int, back: list[int]) -> None:
        leg = self.viewers[which]._legs[Kind.VIDEO]
        numbers = tuple(leg.next_number - 1 - each & 0xFFFF for each in back)
        self.heed(which, rtcp.Nack(1, leg.sending.ssrc, numbers))
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(which=st.integers(0, 1))
    def picture_lost(self, which: int) -> None:
        leg = self.viewers[which]._legs[Kind.VIDEO]
        self.heed(which, rtcp.PictureLoss(1, leg.sending.ssrc))
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(which=st.integers(0, 1), quality=st.one_of(st.none(), QUALITIES))
    def pin(self, which: int, quality: Quality | None) -> None:
        self.viewers[which].pin(quality)
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(which=st.integers(0, 1), full=st.booleans())
    def fill_socket(self, which: int, full: bool) -> None:
        self.wires[which].full = full
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(which=st.integers(0, 1))
    def skip(self, which: int) -> None:
        self.viewers[which]._legs[Kind.VIDEO].skip()
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(which=st.integers(0, 1))
    def join_again(self, which: int) -> None:
        leg = self.viewers[which]._legs[Kind.VIDEO]
        leg.leave()
        leg.join()
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(quality=QUALITIES)
    def replace_push(self, quality: Quality) -> None:
        self.push(quality)
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(quality=QUALITIES)
    def reconnect_camera(self, quality: Quality) -> None:
        self.cameras[quality].feeder.restart()
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(quality=QUALITIES)
    def end_source(self, quality: Quality) -> None:
        self.publishers[quality].end("ended")
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    @rule(quality=QUALITIES, number=st.integers(0, 65_535))
    def stray(self, quality: Quality, number: int) -> None:
        """The source sends a packet out of the blue, twice."""
        for each in (number, number + 1):
            ssrc = self.publishers[quality].receivers[Kind.VIDEO].ssrc or 50
            packet = b"\x80\x60" + (each & 0xFFFF).to_bytes(2) + bytes(4) + ssrc.to_bytes(4) + b"A!"
            self.publishers[quality].on_rtp([packet], self.clock.now)
        self.play(self.random.randrange(12), self.random.choice([0, 0.05]))

    def heed(self, which: int, feedback: rtcp.RtcpPacket) -> None:
        compound = rtcp.build(rtcp.ReceiverReport(1), feedback)
        self.viewers[which].on_rtcp(compound, self.clock.now)

    @invariant()
    def no_number_is_sent_before_its_time(self) -> None:
        for viewer, wire in zip(
            getattr(self, "viewers", []), getattr(self, "wires", []), strict=True
        ):
            leg = viewer._legs[Kind.VIDEO]
            own = [number for ssrc, number in wire.order if ssrc == leg.sending.ssrc]
            assert all(number < leg.next_number for number in own)

    def teardown(self) -> None:
        """What a player makes of it never mixes two pictures."""
        for viewer, wire in zip(
            getattr(self, "viewers", []), getattr(self, "wires", []), strict=True
        ):
            ssrc = viewer._legs[Kind.VIDEO].sending.ssrc
            for unit in unpacked(in_order(wire.sent, ssrc)):
                slices = [nal[2:] for nal in unit.nals if nal[1:2] == b"\x9a" and unit.whole]
                for each in slices:
                    assert len({each[at : at + 5] for at in range(0, len(each), 5)}) == 1


Village.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestVillage = Village.TestCase
