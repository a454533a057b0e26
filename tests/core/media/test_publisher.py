"""A peer that sends to us: demultiplexing, reports, NACK, PLI, stalls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.media.support import (
    PPS,
    SPS,
    TICKS,
    TurnedClock,
    Wire,
    audio,
    sending,
    slice_of,
    unpacked,
    video,
)
from village_core.media import rtcp, rtp
from village_core.media.leg import Leg
from village_core.media.ntp import middle
from village_core.media.packet import Kind
from village_core.media.publisher import MOST_NACKED, STALLED_AFTER, Publisher
from village_core.media.receiving import Receiving


class Push:
    """A publisher of picture and sound into two streams."""

    def __init__(self, *, sound: bool = True) -> None:
        self.clock = TurnedClock()
        self.video, self.audio = video(self.clock), audio(self.clock)
        receiving = {Kind.VIDEO: Receiving(96, rtx_payload_type=97)}
        if sound:
            receiving[Kind.AUDIO] = Receiving(8, 8000, kind=Kind.AUDIO)
        self.log: list[str] = []
        self.publisher = Publisher(
            {Kind.VIDEO: self.video, Kind.AUDIO: self.audio},
            receiving,
            self.clock,
            on_first=lambda _: self.log.append("first"),
            on_stalled=lambda _: self.log.append("stalled"),
            on_ended=lambda _, reason: self.log.append(reason),
        )
        self.outlet = Wire()
        self.publisher.attach(self.outlet)
        self.publisher.on_connected()

    def take(self, *datagrams: bytes) -> None:
        self.publisher.on_rtp(list(datagrams), self.clock.now)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.005)):
            self.clock.now += 0.005
            self.publisher.tick(self.clock.now)

    def hear(self, *packets: rtcp.RtcpPacket) -> None:
        self.publisher.on_rtcp(rtcp.build(*packets), self.clock.now)

    def answers(self, kind: type) -> list[rtcp.RtcpPacket]:
        return [packet for packet in self.outlet.take_rtcp() if isinstance(packet, kind)]


def picture(number: int, ssrc: int = 5) -> bytes:
    return rtp.build(96, number, number * TICKS, ssrc, slice_of(number), marker=True)


def sound(number: int) -> bytes:
    return rtp.build(8, number, number * 160, 6, b"sound")


def test_picture_and_sound_go_to_their_streams() -> None:
    push = Push()
    push.take(picture(0), sound(0), picture(1), sound(1), rtp.build(99, 0, 0, 7, b"else"))
    assert push.video.counters.packets == 2
    assert push.audio.counters.packets == 2
    assert push.publisher.receivers[Kind.VIDEO].ssrc == 5


def test_the_first_packet_is_told_once() -> None:
    push = Push()
    push.take(picture(0))
    push.take(picture(1))
    assert push.log == ["first"]
    assert push.publisher.first_packet_at == push.publisher.last_packet_at == push.clock.now


def test_three_seconds_without_rtp_are_a_stall_told_once_each() -> None:
    """The receiver drives recovery: no RTP for 3 s, and it issues a new ticket."""
    push = Push()
    push.take(picture(0))
    push.wait(STALLED_AFTER - 0.1)
    assert push.log == ["first"]
    push.wait(5)
    assert push.log == ["first", "stalled"]
    push.take(picture(1))
    push.wait(4)
    assert push.log == ["first", "stalled", "stalled"]


def test_a_push_that_never_sends_is_a_stall_too() -> None:
    push = Push()
    push.wait(STALLED_AFTER + 0.1)
    assert push.log == ["stalled"]


def test_a_push_that_has_not_connected_is_not() -> None:
    push = Push()
    other = Publisher({Kind.VIDEO: push.video}, {Kind.VIDEO: Receiving(96)}, push.clock)
    for _ in range(1000):
        push.clock.now += 0.005
        other.tick(push.clock.now)
    other.on_rtp([picture(0)], push.clock.now)
    push.clock.now += 10
    other.tick(push.clock.now)
    other.end("over")


def test_a_gap_is_asked_for_at_once_in_a_compound_with_a_report() -> None:
    """RFC 4585 section 3.1: feedback goes behind a report and the name."""
    push = Push()
    push.take(picture(0), picture(3))
    report, names, nack = push.outlet.take_rtcp()
    assert isinstance(report, rtcp.ReceiverReport)
    assert isinstance(names, rtcp.SourceDescription)
    assert nack == rtcp.Nack(push.publisher.ssrc, 5, (1, 2))


def test_a_long_gap_is_asked_for_in_parts_that_fit_a_datagram() -> None:
    push = Push()
    push.take(picture(0), *(picture(number) for number in range(17, 17 * 50, 17)))
    nacks = push.answers(rtcp.Nack)
    assert len(nacks) >= 16 * 49 // MOST_NACKED


def test_a_repaired_packet_reaches_the_stream_in_order() -> None:
    push = Push(sound=False)
    push.take(picture(0), picture(2))
    push.wait(0.03)
    repair = rtp.build(97, 900, TICKS, 55, (1).to_bytes(2) + slice_of(1), marker=True)
    push.take(repair)
    assert push.video.counters.packets == 3
    assert push.video.counters.lost == 0


def test_reports_go_out_every_second() -> None:
    push = Push()
    push.take(picture(0), sound(0))
    push.wait(3.1)
    reports = push.answers(rtcp.ReceiverReport)
    assert len(reports) == 4
    assert isinstance(reports[1], rtcp.ReceiverReport)
    assert [block.ssrc for block in reports[1].blocks] == [5, 6]


def test_a_senders_report_is_answered_with_its_time_and_our_delay() -> None:
    push = Push(sound=False)
    push.take(picture(0))
    push.wait(0.1)
    push.outlet.take_rtcp()
    ntp = 0x1234_5678_9ABC_DEF0
    push.hear(rtcp.SenderReport(5, ntp, 0, 1, 1))
    push.wait(1)
    (report,) = push.answers(rtcp.ReceiverReport)
    assert isinstance(report, rtcp.ReceiverReport)
    assert report.blocks[0].last_report == middle(ntp)
    assert 0.85 * 65_536 < report.blocks[0].delay < 1.05 * 65_536


def seconds(value: float) -> int:
    """NTP time of a source whose clock is far from ours."""
    return int((value + 1000) * (1 << 32))


def test_a_senders_reports_give_picture_and_sound_one_clock() -> None:
    """Lip sync: what was taken at one instant is placed at one instant of ours."""
    push = Push()
    push.take(picture(0), sound(0))
    push.hear(
        rtcp.SenderReport(5, seconds(0.0), 0, 1, 1), rtcp.SenderReport(6, seconds(0.2), 0, 1, 1)
    )
    now = push.clock.now
    both = push.video.timestamp_at(now) / 90_000, push.audio.timestamp_at(now) / 8000
    base = push.video.last_timestamp / 90_000, push.audio.last_timestamp / 8000
    assert both[0] - base[0] == pytest.approx(0.2, abs=0.001)  # it was longer under way
    assert both[1] - base[1] == pytest.approx(0.0, abs=0.001)


def test_a_report_from_before_a_restart_is_not_used() -> None:
    push = Push(sound=False)
    push.take(picture(0))
    push.hear(rtcp.SenderReport(5, seconds(0.0), 0, 1, 1))
    push.take(picture(9, ssrc=55))
    last = push.video.last_timestamp
    push.hear(rtcp.SenderReport(5, seconds(0.5), 0, 1, 1))
    assert push.video.timestamp_at(push.clock.now) == last


def test_a_senders_report_of_another_clock_is_not_believed() -> None:
    push = Push()
    push.take(picture(0))
    push.hear(rtcp.SenderReport(5, seconds(0.0), 90_000 * 3600, 1, 1))
    now = push.clock.now
    assert push.video.timestamp_at(now) == push.video.last_timestamp


def test_a_senders_report_of_an_unknown_source_or_before_any_packet_is_ignored() -> None:
    push = Push()
    push.hear(rtcp.SenderReport(5, seconds(0.0), 0, 1, 1), rtcp.Bye((5,)))
    push.take(picture(0))
    push.hear(rtcp.SenderReport(77, seconds(0.0), 0, 1, 1))
    assert push.video.timestamp_at(push.clock.now) == push.video.last_timestamp


def test_a_keyframe_request_becomes_a_pli() -> None:
    push = Push()
    push.video.request_keyframe()
    assert push.answers(rtcp.PictureLoss) == []
    push.take(picture(0), sound(0))
    push.clock.now += 1
    push.video.request_keyframe()
    assert push.answers(rtcp.PictureLoss) == [rtcp.PictureLoss(push.publisher.ssrc, 5)]


def test_a_newer_push_replaces_the_older() -> None:
    push = Push(sound=False)
    push.take(picture(0), picture(1))
    newer = Publisher({Kind.VIDEO: push.video}, {Kind.VIDEO: Receiving(96)}, push.clock)
    replaced = [push.publisher.replaced]
    newer.on_rtp([picture(700, ssrc=8)], push.clock.now)
    assert [*replaced, push.publisher.replaced] == [False, True]
    assert not newer.replaced
    push.take(picture(2))
    push.hear(rtcp.SenderReport(5, seconds(0.0), 0, 1, 1))
    assert push.video.counters.packets == 3
    assert push.video.last_number == 2
    push.publisher.end("replaced")
    newer.on_rtp([picture(701, ssrc=8)], push.clock.now)
    assert push.video.counters.packets == 4


def test_the_older_push_takes_its_stream_back_when_the_newer_ends() -> None:
    """A camera's sound comes with both its pushes: the end of one must not end it."""
    push = Push()
    push.take(picture(0), sound(0))
    newer = Publisher(
        {Kind.AUDIO: push.audio}, {Kind.AUDIO: Receiving(8, 8000, kind=Kind.AUDIO)}, push.clock
    )
    newer.on_rtp([sound(500)], push.clock.now)
    push.take(picture(1), sound(1))
    assert push.audio.counters.packets == 2
    newer.end("not needed")
    push.take(picture(2), sound(2), sound(3))
    assert push.audio.counters.packets == 4
    assert push.audio.last_number == 3
    assert not push.publisher.replaced
    assert push.video.counters.sources == 1


def test_an_ended_publisher_takes_and_sends_nothing() -> None:
    push = Push()
    push.take(picture(0))
    push.publisher.on_closed("peer left")
    push.publisher.end("again")
    push.outlet.compounds.clear()
    push.take(picture(1), picture(5))
    push.wait(5)
    push.publisher.request_keyframe()
    assert push.log == ["first", "peer left"]
    assert push.outlet.compounds == []
    assert push.video.counters.packets == 1
    assert push.video.inlet is None


@given(st.lists(st.binary(max_size=40), max_size=5), st.binary(max_size=60), st.booleans())
def test_no_bytes_make_it_fail(datagrams: list[bytes], compound: bytes, both: bool) -> None:
    push = Push(sound=both)
    push.take(picture(0), *datagrams)
    push.publisher.on_rtcp(compound, push.clock.now)
    push.wait(0.01)


def test_parameter_sets_of_the_offer_are_put_before_keyframes() -> None:
    clock, wire = TurnedClock(), Wire()
    stream = video(clock)
    leg = Leg(stream, wire, sending())
    leg.join()
    receiving = Receiving(96, parameter_sets=(SPS, PPS))
    publisher = Publisher({Kind.VIDEO: stream}, {Kind.VIDEO: receiving}, clock)
    publisher.on_rtp([rtp.build(96, 0, 0, 5, b"\x65\x88idr", marker=True)], clock.now)
    assert unpacked(wire.sent)[0].nals == [SPS, PPS, b"\x65\x88idr"]
