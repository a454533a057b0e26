"""A viewer's test bench: a camera with both qualities and sound, and a phone."""

from tests.core.media.support import (
    Camera,
    TurnedClock,
    Wire,
    audio,
    sending,
    video,
)
from village_core.media import rtcp
from village_core.media.feeder import Feeder
from village_core.media.leg import Sending
from village_core.media.packet import Kind
from village_core.media.stream import Stream
from village_core.media.viewer import Viewer, ViewerEvents
from village_core.permits import Quality

SOUND = Sending(ssrc=30, payload_type=8, clock_rate=8000, first_number=1, first_timestamp=0)


class Phone:
    """A viewer of a camera with both qualities and sound, on a wire."""

    def __init__(self, quality: Quality = Quality.MAIN, *, both: bool = True) -> None:
        self.clock = TurnedClock()
        self.streams: dict[Quality, Stream] = {
            each: video(self.clock, each) for each in Quality if both or each is quality
        }
        self.cameras = {
            each: Camera(stream, self.clock, gop=50, size=9000 if each is Quality.MAIN else 900)
            for each, stream in self.streams.items()
        }
        self.sound = audio(self.clock)
        self.microphone = Feeder(self.sound)
        self.frame = 0
        self.wire = Wire()
        self.log: list[tuple[str, str]] = []
        self.viewer = Viewer(
            self.streams,
            {Kind.VIDEO: sending(10), Kind.AUDIO: SOUND},
            self.clock,
            audio=self.sound,
            quality=quality,
            events=ViewerEvents(
                on_want=lambda _, wanted: self.log.append(("want", wanted)),
                on_settled=lambda _, settled: self.log.append(("settled", settled)),
                on_ended=lambda _, reason: self.log.append(("ended", reason)),
            ),
        )
        self.viewer.attach(self.wire)

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.04)):
            for camera in self.cameras.values():
                camera.play()
                self.clock.now -= 0.04
            self.microphone.feed_audio(b"sound", 320 * self.frame)
            self.frame += 1
            for _ in range(8):
                self.clock.now += 0.005
                for stream in self.streams.values():
                    stream.tick(self.clock.now)
            self.viewer.tick(self.clock.now)

    def hear(self, *packets: rtcp.RtcpPacket) -> None:
        self.viewer.on_rtcp(rtcp.build(rtcp.ReceiverReport(99), *packets), self.clock.now)

    def report(self, highest: int, lost: int, last_report: int = 0, delay: int = 0) -> None:
        block = rtcp.ReportBlock(10, 0, lost, highest, 0, last_report, delay)
        self.hear(rtcp.ReceiverReport(99, (block,)))

    def suffer(self, seconds: int, loss: float) -> None:
        """Plays, with a report of so much loss every second."""
        for _ in range(seconds):
            before = self.viewer._legs[Kind.VIDEO].next_number
            self.play(1)
            now = self.viewer._legs[Kind.VIDEO].next_number
            self._lost = getattr(self, "_lost", 0) + loss * (now - before)
            self.report(now - 1, int(self._lost))

    @property
    def video(self) -> list[bytes]:
        return [data for data in self.wire.sent if data[11] == 10]
