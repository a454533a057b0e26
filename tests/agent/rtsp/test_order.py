"""The order of packets that came by UDP."""

from hypothesis import given
from hypothesis import strategies as st

from home_agent.rtsp.udp import Order


def packet(number: int) -> bytes:
    return b"\x80\x60" + (number & 0xFFFF).to_bytes(2) + bytes(8)


def numbers(packets: list[bytes]) -> list[int]:
    return [int.from_bytes(each[2:4]) for each in packets]


@given(st.integers(0, 0xFFFF), st.permutations(range(12)))
def test_packets_in_any_order_come_out_in_theirs(first: int, places: list[int]) -> None:
    out: list[bytes] = []
    order = Order(out.append)
    order.take(packet(first))
    for place in places:
        order.take(packet(first + 1 + place))
    assert numbers(out) == [(first + n) & 0xFFFF for n in range(13)]


def test_a_gap_is_given_up_once_enough_waits_behind_it() -> None:
    out: list[bytes] = []
    order = Order(out.append, most=8)
    for number in [0, *range(2, 12)]:
        order.take(packet(number))
    assert numbers(out) == [0, *range(2, 12)]


def test_a_copy_and_a_straggler_are_passed_over() -> None:
    out: list[bytes] = []
    order = Order(out.append)
    for number in (5, 6, 6, 5, 7):
        order.take(packet(number))
    assert numbers(out) == [5, 6, 7]


def test_a_camera_that_counts_anew_is_followed() -> None:
    out: list[bytes] = []
    order = Order(out.append)
    for number in (60_000, 60_001, 3, 4):
        order.take(packet(number))
    assert numbers(out) == [60_000, 60_001, 3, 4]


@given(st.lists(st.binary(max_size=20) | st.integers(0, 0xFFFF).map(packet), max_size=200))
def test_nothing_is_held_without_bound(data: list[bytes]) -> None:
    order = Order(lambda _: None, most=16)
    for each in data:
        order.take(each)
    assert len(order._held) <= 17
