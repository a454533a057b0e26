"""A peer that is sent to: what it reports is heeded, its quality follows its line."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.media.support import (
    TICKS,
    Camera,
    TurnedClock,
    Wire,
    audio,
    sending,
    unpacked,
    video,
)
from village_core.media import rtcp
from village_core.media.feeder import Feeder
from village_core.media.leg import Sending
from village_core.media.ntp import NtpTime, middle
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


def test_nothing_is_sent_before_the_session_is_connected() -> None:
    phone = Phone()
    phone.play(0.2)
    assert phone.wire.sent == []
    phone.viewer.on_connected()
    assert len(unpacked(phone.video)) == 5
    phone.viewer.on_connected()
    assert len(unpacked(phone.video)) == 5


def test_a_viewer_without_an_outlet_sends_nothing() -> None:
    phone = Phone()
    viewer = Viewer(phone.streams, {Kind.VIDEO: sending()}, phone.clock)
    viewer.on_connected()
    viewer.tick(phone.clock.now)
    viewer.end("over")
    assert not viewer.connected


def test_a_viewer_needs_a_stream() -> None:
    with pytest.raises(ValueError, match="needs a stream"):
        Viewer({}, {}, TurnedClock())


def test_the_only_quality_there_is_is_taken() -> None:
    phone = Phone(Quality.SUB, both=False)
    viewer = Viewer(phone.streams, {}, phone.clock, quality=Quality.MAIN)
    assert viewer.quality is Quality.SUB


def test_sound_and_picture_go_side_by_side() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(1)
    sound = [parsed for parsed in phone.wire.parsed if parsed.ssrc == 30]
    assert len(sound) == 25
    assert {b.timestamp - a.timestamp for a, b in pairwise(sound)} == {320}
    phone.viewer.on_rtp([b"ignored"], phone.clock.now)
    assert phone.viewer.stats().packets == len(phone.wire.sent)


def test_sender_reports_follow_soon_and_every_2_s_with_one_clock_for_both_kinds() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(0.5)
    first = [p for p in phone.wire.take_rtcp() if isinstance(p, rtcp.SenderReport)]
    assert [report.ssrc for report in first] == [30, 10]
    assert first[0].ntp == first[1].ntp
    phone.play(4)
    later = [p for p in phone.wire.take_rtcp() if isinstance(p, rtcp.SenderReport)]
    assert len(later) == 4
    elapsed = (later[-1].ntp - first[1].ntp) / (1 << 32)
    assert later[-1].timestamp - first[1].timestamp == pytest.approx(elapsed * 90_000, abs=2)


def test_names_go_with_the_reports() -> None:
    """RFC 3550 section 6.5.1: one canonical name for both kinds."""
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(0.5)
    (names,) = [p for p in phone.wire.take_rtcp() if isinstance(p, rtcp.SourceDescription)]
    assert set(names.names) == {10, 30}
    assert len(set(names.names.values())) == 1


def test_no_report_is_sent_before_there_is_something_to_report() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    for _ in range(10):
        phone.clock.now += 0.1
        phone.viewer.tick(phone.clock.now)
    assert phone.wire.compounds == []


def test_the_round_trip_is_told_from_reports() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(0.2)
    sent = NtpTime(phone.clock).at(phone.clock.now)
    phone.clock.now += 0.25
    phone.report(1010, 3, middle(sent), round(0.05 * 65_536))
    stats = phone.viewer.stats()
    assert stats.round_trip == pytest.approx(0.2, abs=0.002)
    assert stats.lost == 3
    phone.report(1011, 3, middle(sent), round(0.15 * 65_536))
    stats = phone.viewer.stats()
    assert stats.round_trip == pytest.approx(0.2 - 0.1 / 8, abs=0.002)
    phone.report(1012, 3, middle(sent) + 5 * 65_536, 0)
    assert phone.viewer.stats().round_trip == stats.round_trip


def test_nack_pli_and_fir_reach_their_leg() -> None:
    phone = Phone()
    phone.play(0.4)
    phone.viewer.on_connected()
    phone.wire.take()
    phone.hear(rtcp.Nack(99, 10, (1001,)), rtcp.Nack(99, 77, (1002,)))
    assert [parsed.number for parsed in phone.wire.parsed] == [1001]
    phone.clock.now += 4
    phone.wire.take()
    phone.hear(rtcp.PictureLoss(99, 77))
    assert phone.video == []
    phone.hear(rtcp.PictureLoss(99, 10))
    assert len(unpacked(phone.video)) == 10
    phone.clock.now += 4
    phone.wire.take()
    phone.play(0.04)
    phone.hear(rtcp.FullIntraRequest(99, ((10, 1), (5, 1))))
    assert len(unpacked(phone.video)) > 10


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_no_rtcp_makes_it_fail(data: bytes) -> None:
    phone = Phone()
    phone.play(0.04)
    phone.viewer.on_connected()
    phone.viewer.on_rtcp(data, phone.clock.now)
    phone.play(0.04)


def test_heavy_loss_falls_to_sub_at_its_keyframe_numbers_and_times_going_on() -> None:
    """Quality: down after 2 s of 10% loss, at the other stream's keyframe."""
    phone = Phone()
    phone.viewer.on_connected()
    phone.suffer(2, 0)
    assert phone.log == []
    phone.suffer(6, 0.15)
    assert phone.log == [("want", "sub"), ("settled", "sub")]
    assert phone.viewer.quality is Quality.SUB
    assert phone.streams[Quality.MAIN].legs == ()
    units = unpacked(phone.video)
    assert all(unit.whole for unit in units)
    stamps = [unit.timestamp for unit in units]
    assert {b - a for a, b in pairwise(stamps)} <= {TICKS, 90}
    sizes = [sum(map(len, unit.nals)) for unit in units]
    assert sizes[0] > 8000
    assert sizes[-1] < 1000
    change = next(at for at, size in enumerate(sizes) if size < 2000)
    assert units[change].keyframe
    numbers = [number for ssrc, number in phone.wire.order if ssrc == 10]
    assert numbers == list(range(1000, 1000 + len(numbers)))


def test_thirty_clean_seconds_bring_main_back() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.suffer(6, 0.15)
    assert phone.viewer.quality is Quality.SUB
    phone.suffer(28, 0)
    assert phone.viewer.quality is Quality.SUB
    phone.suffer(9, 0)
    assert phone.log[2:] == [("want", "main"), ("settled", "main")]
    assert phone.streams[Quality.SUB].legs == ()


def test_a_nack_after_the_switch_still_finds_what_was_sent_before() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.suffer(1, 0)
    phone.viewer.pin(Quality.SUB)
    phone.play(2.5)
    assert phone.viewer.quality is Quality.SUB
    sent = phone.video
    first = next(n for n, data in enumerate(sent) if 800 < len(data) < 1000 and data[12] == 0x78)
    phone.wire.take()
    phone.hear(rtcp.Nack(99, 10, (1000 + first - 3, 1000 + first)))
    assert phone.video == [sent[first - 3], sent[first]]


def test_loss_on_the_homes_line_is_not_the_viewers() -> None:
    """Its numbers keep the gaps, so it reports them; going down would not help it."""
    phone = Phone()
    phone.viewer.on_connected()
    feeder = phone.cameras[Quality.MAIN].feeder
    for _ in range(8):
        before = phone.viewer._legs[Kind.VIDEO].next_number
        for _ in range(5):
            phone.play(0.2)
            feeder._number += 10  # lost upstream
        now = phone.viewer._legs[Kind.VIDEO].next_number
        lost = phone.streams[Quality.MAIN].counters.lost
        assert now > before
        phone.report(now - 1, lost)
    assert phone.log == []


def test_a_pinned_quality_is_held() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.viewer.pin(Quality.MAIN)
    phone.suffer(8, 0.15)
    assert phone.log == []
    phone.viewer.pin(None)
    phone.suffer(8, 0.15)
    assert phone.viewer.quality is Quality.SUB


def test_pinning_the_other_quality_switches_to_it_once() -> None:
    phone = Phone()
    phone.viewer.pin(Quality.SUB)
    assert phone.viewer.quality is Quality.SUB
    phone.viewer.pin(Quality.MAIN)
    phone.viewer.on_connected()
    phone.play(1.2)
    phone.viewer.pin(Quality.SUB)
    phone.viewer.pin(Quality.SUB)
    assert phone.log == [("want", "sub")]
    phone.play(2)
    assert phone.log == [("want", "sub"), ("settled", "sub")]


def test_pinning_back_before_the_switch_cancels_it() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(1.2)
    phone.viewer.pin(Quality.SUB)
    phone.viewer.pin(Quality.MAIN)
    assert phone.log == [("want", "sub"), ("settled", "main")]
    phone.play(3)
    assert phone.viewer.quality is Quality.MAIN
    assert phone.streams[Quality.SUB].legs == ()


def test_a_quality_that_is_not_there_cannot_be_pinned() -> None:
    with pytest.raises(ValueError, match="no sub stream"):
        Phone(both=False).viewer.pin(Quality.SUB)


def test_a_fresh_small_picture_is_taken_at_once() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(0.5)
    phone.viewer.pin(Quality.SUB)
    assert phone.log == [("want", "sub"), ("settled", "sub")]
    phone.play(0.2)
    assert all(unit.whole for unit in unpacked(phone.video))


def test_the_other_quality_that_never_comes_is_given_up_and_tried_again() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    quiet = phone.cameras.pop(Quality.SUB)
    phone.play(1)
    phone.viewer.pin(Quality.SUB)
    phone.play(14)
    assert phone.log == [("want", "sub")]
    assert phone.streams[Quality.SUB].counters.keyframe_requests > 2
    phone.play(1.5)
    assert phone.log[:3] == [("want", "sub"), ("settled", "main"), ("want", "sub")]
    phone.cameras[Quality.SUB] = quiet
    phone.play(1)
    assert phone.viewer.quality is Quality.SUB
    assert len(unpacked(phone.video)) > 400


def test_a_full_socket_falls_to_sub_and_recovers() -> None:
    """An unsent burst: paced, then moved to sub; what was not sent is dropped."""
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(1)
    phone.wire.full = True
    phone.play(1.5)
    phone.wire.full = False
    phone.play(3)
    assert phone.viewer.quality is Quality.SUB
    assert unpacked(phone.video)[-1].whole


def test_without_another_quality_a_full_socket_skips_to_a_keyframe() -> None:
    phone = Phone(both=False)
    phone.viewer.on_connected()
    phone.play(1)
    phone.wire.full = True
    phone.play(2)
    phone.wire.full = False
    skipped = phone.viewer.stats().skipped
    assert skipped > 0
    phone.play(3)
    assert unpacked(phone.video)[-1].whole
    assert phone.cameras[Quality.MAIN].asked > 0


def test_a_low_estimate_counts_like_loss() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    for _ in range(8):
        phone.play(1)
        phone.hear(rtcp.BitrateLimit(99, 300_000, (10,)))
    assert phone.viewer.quality is Quality.SUB


def test_ending_says_goodbye_leaves_all_streams_and_is_told_once() -> None:
    """RFC 3550 section 6.6."""
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(1.2)
    phone.viewer.pin(Quality.SUB)
    phone.viewer.end("revoked")
    phone.viewer.end("again")
    phone.viewer.on_closed("left")
    assert phone.log == [("want", "sub"), ("ended", "revoked")]
    assert phone.wire.take_rtcp()[-1] == rtcp.Bye((30, 10))
    assert all(stream.legs == () for stream in [*phone.streams.values(), phone.sound])
    sent = len(phone.wire.sent)
    phone.play(1)
    phone.hear(rtcp.PictureLoss(99, 10))
    phone.viewer.on_connected()
    assert len(phone.wire.sent) == sent


def test_a_closed_session_gets_no_goodbye() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(0.04)
    phone.wire.compounds.clear()
    phone.viewer.on_closed("peer left")
    assert phone.wire.compounds == []
    assert phone.viewer.ended == "peer left"


def test_a_viewer_that_cannot_be_sent_to_ends() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.wire.error = OSError("no route")
    phone.play(0.08)
    assert phone.log == [("ended", "sending failed: no route")]
    assert phone.sound.legs == ()


def test_a_failing_switch_ends_the_viewer_too() -> None:
    phone = Phone()
    phone.viewer.on_connected()
    phone.play(1.2)
    phone.viewer.pin(Quality.SUB)
    main = phone.cameras.pop(Quality.MAIN)
    phone.microphone.end()
    phone.sound.leave(phone.viewer._legs[Kind.AUDIO])
    phone.wire.error = OSError("no route")
    phone.play(1)
    assert phone.viewer.ended == "sending failed: no route"
    assert phone.streams[Quality.SUB].legs == ()
    assert main.stream.legs == ()


def test_a_viewer_of_sound_alone_is_served() -> None:
    phone = Phone()
    viewer = Viewer(phone.streams, {Kind.AUDIO: SOUND}, phone.clock, audio=phone.sound)
    viewer.attach(phone.wire)
    viewer.on_connected()
    phone.viewer = viewer
    phone.play(1)
    phone.report(5, 0)
    assert viewer.stats().packets == 25
    viewer.end("over")


def test_a_viewer_of_nothing_has_nothing_to_say() -> None:
    phone = Phone()
    viewer = Viewer(phone.streams, {}, phone.clock)
    viewer.attach(phone.wire)
    viewer.on_connected()
    viewer.end("over")
    assert phone.wire.compounds == []


def test_a_viewer_may_switch_before_its_first_picture() -> None:
    phone = Phone()
    main = phone.cameras.pop(Quality.MAIN)
    phone.play(0.5)
    phone.viewer.on_connected()
    assert phone.video == []
    phone.viewer.pin(Quality.SUB)
    phone.play(0.2)
    assert unpacked(phone.video)[0].keyframe
    assert phone.viewer.quality is Quality.SUB
    assert main.stream.legs == ()
