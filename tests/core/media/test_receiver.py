"""The receiving half: order, repair, reports; whatever arrives."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.media.receipt import SSRC, Receipt, packet, repair
from tests.core.media.support import TICKS
from village_core.media import rtp


def test_packets_in_order_pass_with_their_payload_number_and_time() -> None:
    receipt = Receipt()
    receipt.take(packet(10), packet(11), packet(12))
    assert receipt.sink.numbers == [1000, 1001, 1002]
    assert [p.timestamp for p in receipt.sink.packets] == [
        90_000,
        90_000 + TICKS,
        90_000 + 2 * TICKS,
    ]
    assert receipt.sink.packets[1].payload == b"\x41\x9a" + (11).to_bytes(8)
    assert receipt.receiver.counters.packets == 3


def test_reordered_packets_are_put_in_order() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2), packet(1), packet(4), packet(5), packet(3))
    assert receipt.numbers == [0, 1, 2, 3, 4, 5]


def test_a_gap_is_asked_for_at_once_and_again_by_the_round_trip() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(3))
    assert receipt.nacks == [1, 2]
    receipt.wait(0.045)
    assert receipt.nacks == [1, 2]
    receipt.wait(0.010)
    assert receipt.nacks == [1, 2, 1, 2]
    receipt.wait(1)
    assert 4 <= len(receipt.nacks) <= 12


def test_a_gap_holds_back_for_150_ms_and_then_stays_in_the_numbers() -> None:
    """Numbers: upstream loss stays visible (design.md: renumbering hid it from Chromium)."""
    receipt = Receipt()
    receipt.take(packet(0), packet(2), packet(3))
    receipt.wait(0.145)
    assert receipt.numbers == [0]
    receipt.wait(0.010)
    assert receipt.numbers == [0, 2, 3]
    assert receipt.receiver.counters.lost == 1
    receipt.take(packet(4))
    assert receipt.numbers == [0, 2, 3, 4]


def test_a_packet_repaired_in_time_is_in_order() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2))
    receipt.wait(0.08)
    receipt.take(packet(1))
    assert receipt.numbers == [0, 1, 2]
    assert receipt.receiver.counters.repaired == 1
    assert receipt.receiver.counters.lost == 0


def test_a_packet_repaired_too_late_fills_the_gap_it_left() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2))
    receipt.wait(0.2)
    receipt.take(packet(1), packet(3))
    assert receipt.numbers == [0, 2, 1, 3]
    assert [p.timestamp for p in receipt.sink.packets][2] == 90_000 + TICKS
    assert receipt.receiver.counters.lost == 0


def test_a_packet_given_up_long_ago_is_not_taken() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2), packet(3))
    receipt.wait(1.3)
    receipt.take(packet(4), packet(6))
    receipt.wait(0.2)
    receipt.take(packet(1), packet(5))
    assert receipt.numbers == [0, 2, 3, 4, 6, 5]


def test_two_gaps_are_given_up_each_in_its_time() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(2))
    receipt.wait(0.1)
    receipt.take(packet(3), packet(6))
    receipt.wait(0.06)
    assert receipt.numbers == [0, 2, 3]
    receipt.take(packet(5))
    receipt.wait(0.1)
    assert receipt.numbers == [0, 2, 3, 5, 6]


def test_duplicates_are_dropped() -> None:
    receipt = Receipt()
    receipt.take(packet(0), packet(0), packet(2), packet(2), packet(1), packet(1))
    assert receipt.numbers == [0, 1, 2]
    assert receipt.receiver.counters.duplicates == 3


def test_rtx_fills_a_gap() -> None:
    """RFC 4588 section 4."""
    receipt = Receipt()
    receipt.take(packet(0), packet(2), repair(1))
    assert receipt.numbers == [0, 1, 2]
    assert receipt.sink.packets[1].payload == b"\x41\x9a" + (1).to_bytes(8)


def test_rtx_of_what_is_there_or_of_nothing_is_dropped() -> None:
    receipt = Receipt()
    empty = rtp.build(97, 1, 0, SSRC + 1, b"")
    receipt.take(repair(1), empty, packet(0), packet(1), repair(1), repair(900), empty)
    assert receipt.numbers == [0, 1]
    assert receipt.receiver.ssrc == SSRC


@given(st.integers(65_500, 65_535), st.integers((1 << 32) - 50 * TICKS, (1 << 32) - 1))
def test_numbers_and_timestamps_run_on_through_their_wrap(first: int, begin: int) -> None:
    receipt = Receipt()
    for index in range(100):
        receipt.take(packet(first + index, timestamp=begin + index * TICKS))
    assert receipt.numbers == list(range(100))
    assert [p.timestamp for p in receipt.sink.packets] == [
        90_000 + index * TICKS for index in range(100)
    ]


@settings(max_examples=60)
@given(st.integers(), st.integers(0, 65_535), st.booleans())
def test_five_percent_loss_is_repaired(seed: int, first: int, rtx: bool) -> None:
    """Every packet in order, although 5% are lost, of repairs too, and some arrive disordered."""
    random = Random(seed)
    receipt = Receipt()
    wire: list[tuple[float, bytes]] = []
    for index in range(200):
        if index in (0, 199) or random.random() > 0.05:
            delay = 0.012 if index and random.random() < 0.05 else 0.004
            wire.append((receipt.now + 0.005 * index + delay, packet(first + index)))
    asked = 0
    lost_again: set[int] = set()  # a repair is lost once: what is lost ever again is another test
    for _ in range(300):
        receipt.wait(0.005)
        due = [each for each in wire if each[0] <= receipt.now]
        wire = [each for each in wire if each[0] > receipt.now]
        receipt.take(*[datagram for _, datagram in sorted(due)])
        for raw in receipt.nacks[asked:]:
            number = first + (raw - first & 0xFFFF)
            if random.random() > 0.05 or number in lost_again:
                again = repair(number) if rtx else packet(number)
                wire.append((receipt.now + 0.030, again))
            else:
                lost_again.add(number)
        asked = len(receipt.nacks)
    assert receipt.numbers == list(range(200))
    assert receipt.receiver.counters.lost == 0


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=80))
def test_whatever_arrives_is_handed_on_once_and_in_order_but_for_what_was_late(
    arrivals: list[tuple[int, int]],
) -> None:
    receipt = Receipt()
    receipt.take(packet(100))
    for number, pause in arrivals:
        receipt.take(packet(100 + number))
        receipt.wait(pause / 1000)
    receipt.wait(0.5)
    numbers = receipt.numbers
    assert len(numbers) == len(set(numbers))
    assert set(numbers) <= {0, *(number for number, _ in arrivals)}
    newest = max(number for number, _ in arrivals)
    assert max(numbers) == newest
    for each in receipt.sink.packets:
        assert each.payload == b"\x41\x9a" + (each.number - 900).to_bytes(8)
        assert each.timestamp == 90_000 + (each.number - 1000) * TICKS


def test_reports_tell_loss_highest_number_and_delay() -> None:
    """RFC 3550 section 6.4.1."""
    receipt = Receipt()
    assert receipt.receiver.report(receipt.now) is None
    receipt.take(packet(65_530))
    receipt.take(*(packet(65_530 + number) for number in range(1, 10) if number not in (3, 4)))
    receipt.receiver.take_sender_report(0x0123_4567_89AB_CDEF, receipt.now)
    receipt.now += 0.5
    report = receipt.receiver.report(receipt.now)
    assert report is not None
    assert (report.ssrc, report.lost, report.highest) == (SSRC, 2, 65_539)
    assert report.fraction_lost == 2 * 256 // 10
    assert report.last_report == 0x4567_89AB
    assert report.delay == pytest.approx(0.5 * 65_536, abs=2)
    receipt.take(packet(65_533), packet(65_534), packet(65_540))
    report = receipt.receiver.report(receipt.now)
    assert report is not None
    assert (report.lost, report.fraction_lost) == (0, 0)
    report = receipt.receiver.report(receipt.now)
    assert report is not None
    assert report.fraction_lost == 0


def test_jitter_follows_how_unevenly_pictures_arrive() -> None:
    receipt = Receipt()
    for number in range(100):
        receipt.now = 50 + number * 0.04
        receipt.take(packet(number))
    even = receipt.receiver.report(receipt.now)
    for number in range(100, 200):
        receipt.now = 50 + number * 0.04 + 0.01 * (number % 2)
        receipt.take(packet(number))
    uneven = receipt.receiver.report(receipt.now)
    assert even is not None
    assert uneven is not None
    assert even.jitter < 5
    assert uneven.jitter == pytest.approx(900, rel=0.1)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_make_it_fail(datagrams: list[bytes]) -> None:
    receipt = Receipt()
    receipt.take(packet(0), *datagrams, packet(1))
    receipt.wait(0.2)


@given(
    st.lists(
        st.builds(
            rtp.build,
            st.sampled_from([96, 97, 98]),
            st.integers(0, 70_000),
            st.integers(0, 1 << 33),
            st.sampled_from([SSRC, SSRC + 1]),
            st.binary(max_size=6),
            marker=st.booleans(),
        ),
        max_size=60,
    ),
    st.integers(0, 20),
)
def test_no_rtp_makes_it_fail_or_repeat_a_number(datagrams: list[bytes], pause: int) -> None:
    receipt = Receipt()
    for datagram in datagrams:
        receipt.take(datagram)
        receipt.wait(pause / 1000)
    receipt.wait(0.5)
    assert len(receipt.numbers) == len(set(receipt.numbers))
    assert all(0 <= raw <= 0xFFFF for raw in receipt.nacks)


def test_strange_packets_are_counted() -> None:
    receipt = Receipt()
    receipt.take(b"", b"\x80", packet(0, kind=100), b"\x40" + packet(0)[1:])
    assert receipt.receiver.counters.strange == 4
    assert receipt.receiver.ssrc is None


def test_an_empty_packet_keeps_its_place_in_the_numbers() -> None:
    """Browsers probe with padding alone; a hole would be asked for again."""
    receipt = Receipt()
    receipt.take(packet(0), packet(1, payload=b""), packet(2))
    assert receipt.numbers == [0, 1, 2]


def test_extensions_and_padding_do_not_enter_the_stream() -> None:
    receipt = Receipt()
    plain = packet(1)
    extended = bytes((0xB0,)) + plain[1:12] + b"\xbe\xde\0\1extd" + plain[12:] + b"\0\0\3"
    receipt.take(packet(0), extended, packet(2))
    assert receipt.sink.packets[1].payload == plain[12:]
