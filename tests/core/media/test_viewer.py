"""A peer that is sent to: what it reports is heeded, how it ends."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.media.phone import SOUND, Phone
from tests.core.media.support import (
    TurnedClock,
    sending,
    unpacked,
)
from village_core.media import rtcp
from village_core.media.ntp import NtpTime, middle
from village_core.media.packet import Kind
from village_core.media.viewer import Viewer
from village_core.permits import Quality


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


@given(st.binary(max_size=80))
def test_no_rtcp_makes_it_fail(data: bytes) -> None:
    phone = Phone()
    phone.play(0.04)
    phone.viewer.on_connected()
    phone.viewer.on_rtcp(data, phone.clock.now)
    phone.play(0.04)


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
