"""A viewer's quality follows its line, or stays where it is pinned."""

from itertools import pairwise

import pytest

from tests.core.media.phone import Phone
from tests.core.media.support import (
    TICKS,
    unpacked,
)
from village_core.media import rtcp
from village_core.media.packet import Kind
from village_core.permits import Quality


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


def test_a_repair_comes_from_the_quality_that_was_sent_even_where_the_numbers_agree() -> None:
    phone = Phone()
    for camera, begin in ((phone.cameras[Quality.MAIN], 0), (phone.cameras[Quality.SUB], 1000)):
        camera.size, camera.index = 900, begin
    phone.cameras = dict(reversed(phone.cameras.items()))  # sub's pictures come first
    phone.viewer.on_connected()
    phone.play(1.6)
    phone.viewer.pin(Quality.SUB)
    phone.play(1)
    assert phone.viewer.quality is Quality.SUB
    sent = phone.video
    phone.wire.take()
    phone.hear(rtcp.Nack(99, 10, tuple(range(1040, 1060))))
    assert phone.video == sent[40:60]
