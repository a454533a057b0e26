"""The receiving half: its bursts, keyframes, parameter sets, and sources that begin anew."""

from tests.core.media.receipt import SSRC, Receipt, packet
from tests.core.media.support import PPS, SPS, TICKS
from village_core.media import h264
from village_core.media.packet import MOST_BYTES, MOST_PACKETS, Kind
from village_core.media.receiver import MOST_HELD
from village_core.media.receiving import Receiving
from village_core.media.rfc6184 import packetise


def test_a_burst_ends_at_the_marker() -> None:
    receipt = Receipt()
    for number in range(3):
        receipt.take(packet(number, timestamp=0, marker=number == 2))
    assert [len(burst.packets) for burst in receipt.sink.bursts] == [3]


def test_a_burst_ends_where_the_timestamp_changes() -> None:
    receipt = Receipt()
    receipt.take(*(packet(number, timestamp=number // 2, marker=False) for number in range(6)))
    assert [len(burst.packets) for burst in receipt.sink.bursts] == [2, 2]


def test_a_burst_ends_at_40_packets_and_64000_bytes() -> None:
    receipt = Receipt()
    receipt.take(*(packet(n, timestamp=0, marker=False) for n in range(MOST_PACKETS)))
    assert [len(burst.packets) for burst in receipt.sink.bursts] == [MOST_PACKETS]
    large = [packet(40 + n, timestamp=9, marker=False, payload=bytes(9000)) for n in range(8)]
    receipt.take(*large)
    size = sum(12 + len(p.payload) for p in receipt.sink.bursts[1].packets)
    assert 50_000 < size <= MOST_BYTES


def test_a_burst_is_held_no_longer_than_5_ms() -> None:
    receipt = Receipt()
    receipt.take(packet(0, marker=False))
    receipt.wait(0.004)
    assert receipt.sink.bursts == []
    receipt.wait(0.002)
    assert len(receipt.sink.bursts) == 1
    receipt.take(packet(1, timestamp=0, marker=False))
    receipt.now += 0.006
    receipt.take(packet(2, timestamp=0, marker=False))
    assert len(receipt.sink.bursts) == 2


def test_sound_is_not_held_at_all() -> None:
    receipt = Receipt(Receiving(0, 8000, kind=Kind.AUDIO))
    receipt.take(packet(0, kind=0, marker=False))
    assert [burst.keyframe for burst in receipt.sink.bursts] == [False]


def keyframe(number: int, payloads: list[bytes], timestamp: int) -> list[bytes]:
    last = len(payloads) - 1
    return [
        packet(number + n, timestamp=timestamp, marker=n == last, payload=payload)
        for n, payload in enumerate(payloads)
    ]


def test_a_keyframe_is_marked_on_its_first_burst_only() -> None:
    receipt = Receipt()
    payloads = packetise([SPS, PPS, b"\x65\x88" + bytes(60_000)])
    receipt.take(packet(0), *keyframe(1, payloads, TICKS), packet(1 + len(payloads)))
    assert [burst.keyframe for burst in receipt.sink.bursts] == [False, True, False, False]


def test_a_keyframe_held_up_behind_its_delimiter_is_marked_where_it_shows() -> None:
    receipt = Receipt()
    receipt.take(packet(0, timestamp=0, marker=False, payload=b"\x09\x10"))
    receipt.wait(0.01)
    receipt.take(packet(1, timestamp=0, payload=b"\x65\x88idr"))
    assert [burst.keyframe for burst in receipt.sink.bursts] == [False, True]


def test_parameter_sets_of_the_sdp_go_before_a_keyframe_without() -> None:
    receipt = Receipt(Receiving(96, parameter_sets=(SPS, PPS)))
    receipt.take(packet(0), packet(1, payload=b"\x65\x88idr"), packet(2), packet(4))
    receipt.take(packet(3))
    assert receipt.numbers == [0, 1, 2, 3, 4, 5]
    added = receipt.sink.bursts[1].packets[0]
    assert h264.stap_nals(added.payload) == [SPS, PPS]
    assert added.timestamp == receipt.sink.bursts[1].packets[1].timestamp
    report = receipt.receiver.report(receipt.now)
    assert report is not None
    assert (report.highest, report.lost) == (4, 0)


def test_parameter_sets_put_in_move_what_is_held_and_missing() -> None:
    receipt = Receipt(Receiving(96, parameter_sets=(SPS, PPS)))
    receipt.take(packet(0, payload=b"\x65\x88idr", marker=False))
    receipt.take(packet(1, timestamp=9), packet(5), packet(3))  # the keyframe ends with 1
    assert receipt.nacks == [2, 3, 4]
    receipt.take(packet(2))
    assert receipt.numbers == [0, 1, 2, 3, 4]
    receipt.wait(0.2)
    assert receipt.numbers == [0, 1, 2, 3, 4, 6]
    receipt.take(packet(4))
    assert receipt.numbers == [0, 1, 2, 3, 4, 6, 5]


def test_parameter_sets_seen_in_band_are_put_in_later() -> None:
    receipt = Receipt()
    receipt.take(*keyframe(0, [SPS, PPS, b"\x65\x88a"], 0), packet(3, payload=b"\x65\x88b"))
    assert h264.stap_nals(receipt.sink.packets[3].payload) == [SPS, PPS]


def test_a_new_ssrc_goes_on_with_the_numbers_and_the_old_does_not_come_back() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(1))
    receipt.take(packet(40_000, ssrc=5), packet(2), packet(40_001, ssrc=5))
    assert receipt.numbers == [0, 1, 2, 3]
    assert receipt.sink.begun == 2
    assert receipt.receiver.ssrc == 5
    receipt.now += 10
    receipt.take(packet(3))
    assert receipt.receiver.ssrc == SSRC
    assert receipt.numbers == [0, 1, 2, 3, 4]


def test_a_new_ssrc_lets_go_what_was_held() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2), packet(3, marker=False), packet(9, ssrc=5))
    assert receipt.numbers == [0, 2, 3, 4]
    assert receipt.receiver.take_nacks() == []


def test_many_new_ssrcs_are_not_remembered_for_ever() -> None:
    receipt = Receipt()
    for ssrc in range(1000):
        receipt.take(packet(0, ssrc=ssrc))
    assert len(receipt.receiver._retired) <= 17
    assert receipt.numbers == list(range(1000))


def test_numbers_that_jump_far_are_a_restart_when_two_follow_each_other() -> None:
    """RFC 3550 appendix A.1."""
    receipt = Receipt()
    receipt.take(packet(0), packet(20_000), packet(1), packet(20_001))
    assert receipt.numbers == [0, 1]
    receipt.take(packet(20_002), packet(20_003))
    assert receipt.numbers == [0, 1, 2, 3, 4]
    assert receipt.receiver.counters.restarts == 1


def test_a_large_jump_is_left_in_the_numbers_and_not_asked_for() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2000), packet(2001))
    assert receipt.numbers == [0, 2000, 2001]
    assert receipt.nacks == []
    assert receipt.receiver.counters.lost == 1999


def test_too_much_behind_a_gap_gives_it_up() -> None:
    receipt = Receipt()
    receipt.take(packet(0))
    receipt.take(*(packet(number) for number in range(2, MOST_HELD + 4)))
    assert receipt.numbers == [0, *range(2, MOST_HELD + 4)]


def test_what_the_old_source_lost_is_not_filled_by_the_new() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2))
    receipt.wait(0.2)
    receipt.take(packet(100, ssrc=5), packet(98, ssrc=5))
    assert receipt.numbers == [0, 2, 3]


def test_what_was_given_up_before_parameter_sets_were_put_in_is_not_filled_wrongly() -> None:
    receipt = Receipt(Receiving(96, parameter_sets=(SPS, PPS)))
    receipt.take(packet(0), packet(3))
    receipt.wait(0.2)
    receipt.take(packet(4, payload=b"\x65\x88idr"), packet(1), packet(2))
    assert receipt.numbers == [0, 3, 4, 5]
