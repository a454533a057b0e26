"""Laying out, rewriting, protecting and writing bursts; unprotecting what arrives."""

import errno
import os
import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from tests.core.transport.support import RECEIVER_REPORT, burst, rewrite
from village_core.media.packet import MOST_BYTES, MOST_PACKETS
from village_core.transport.srtp import (
    LARGEST_RTCP,
    LARGEST_WRITE,
    MOST_SEGMENTS,
    MOST_SOURCES,
    UDP_SEGMENT,
    Inbound,
    Layout,
    Receiver,
    Scratch,
    Sender,
)

GCM, CM = Policy.SRTP_PROFILE_AEAD_AES_128_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80
TAGS = {GCM: 16, CM: 10}
KEY = bytes(range(30))


def session(direction: int, profile: int = GCM) -> Session:
    length = 28 if profile == GCM else 30
    policy = Policy(key=KEY[:length], ssrc_type=direction, srtp_profile=profile)
    policy.allow_repeat_tx = True
    return Session(policy)


class Wire:
    """A socket that keeps what is written; `refuse` are errnos raised in turn."""

    def __init__(self, *refuse: int) -> None:
        self.refuse = list(refuse)
        self.datagrams: list[bytes] = []
        self.calls: list[int] = []  # datagrams of each system call

    def sendmsg(
        self,
        buffers: list[memoryview],
        ancillary: list[tuple[int, int, bytes]],
        flags: int,
        address: object,
        /,
    ) -> int:
        self._refuse()
        data = b"".join(buffers)
        (level, kind, value) = ancillary[0]
        assert (level, kind) == (socket.IPPROTO_UDP, UDP_SEGMENT)
        size = struct.unpack("=H", value)[0]
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        assert len(pieces) <= MOST_SEGMENTS
        self.datagrams += pieces
        self.calls.append(len(pieces))
        return len(data)

    def sendto(self, data: memoryview | bytes, address: object, /) -> int:
        self._refuse()
        self.datagrams.append(bytes(data))
        self.calls.append(1)
        return len(data)

    def _refuse(self) -> None:
        if self.refuse and (code := self.refuse.pop(0)):
            raise OSError(code, os.strerror(code))


def sender(wire: Wire, profile: int = GCM) -> Sender:
    return Sender(session(Policy.SSRC_ANY_OUTBOUND, profile), TAGS[profile], wire, ("peer", 1))


def opened(datagrams: list[bytes], profile: int = GCM) -> list[bytes]:
    other = session(Policy.SSRC_ANY_INBOUND, profile)
    return [other.unprotect(each) for each in datagrams]


@pytest.mark.parametrize("profile", [GCM, CM])
@given(
    sizes=st.lists(st.integers(0, 1450), min_size=1, max_size=MOST_PACKETS),
    first=st.integers(0, 1 << 40),
    timestamp=st.integers(0, 1 << 40),
    shifts=st.tuples(st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 40), 1 << 40)),
    ssrc=st.integers(0, (1 << 32) - 1),
)
def test_every_burst_arrives_whole_with_the_legs_own_headers(
    profile: int,
    sizes: list[int],
    first: int,
    timestamp: int,
    shifts: tuple[int, int],
    ssrc: int,
) -> None:
    wire, frame = Wire(), burst(first, *sizes, timestamp=timestamp)
    assert sender(wire, profile).send(frame, rewrite(ssrc, 96, *shifts))
    for packet, plain in zip(frame.packets, opened(wire.datagrams, profile), strict=True):
        head = struct.unpack("!BBHII", plain[:12])
        assert head == (
            0x80,
            96 | (0x80 if packet.marker else 0),
            packet.number + shifts[0] & 0xFFFF,
            packet.timestamp + shifts[1] & 0xFFFFFFFF,
            ssrc,
        )
        assert plain[12:] == packet.payload


def test_a_frame_cut_to_one_size_is_one_write() -> None:
    wire = Wire()
    sender(wire).send(burst(1, *[1188] * 9, 400), rewrite())
    assert wire.calls == [10]


def test_a_change_of_size_begins_a_new_write() -> None:
    wire = Wire()
    sender(wire).send(burst(1, 30, 1188, 1188, 400, 1188, 1188), rewrite())
    assert wire.calls == [1, 3, 2]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=128))
def test_no_write_is_larger_than_the_kernel_takes(sizes: list[int]) -> None:
    if sum(sizes) > MOST_BYTES:
        return
    layout = Layout(burst(1, *sizes), 16, Scratch())
    assert sum(len(run.pieces) for run in layout.runs) == len(sizes)
    for run in layout.runs:
        assert len(run.pieces) <= MOST_SEGMENTS
        assert len(run.views[0]) <= LARGEST_WRITE
        assert len({len(piece) for piece in run.pieces[:-1]}) <= 1


def test_the_largest_burst_fits() -> None:
    wire, size = Wire(), MOST_BYTES // MOST_PACKETS
    assert sender(wire).send(burst(1, *[size] * MOST_PACKETS), rewrite())
    assert len(wire.datagrams) == MOST_PACKETS


def test_a_burst_beyond_the_limits_is_refused_before_anything_is_sent() -> None:
    wire = Wire()
    with pytest.raises(ValueError, match="200 packets, 205600 bytes is too large"):
        sender(wire).send(burst(1, *[1000] * 200), rewrite())
    assert not wire.datagrams


def test_the_layout_is_made_once_for_all_legs_with_one_length_of_tag() -> None:
    frame, wire = burst(1, 100, 100), Wire()
    sender(wire).send(frame, rewrite(1))
    layouts = dict(frame.laid_out)  # type: ignore[call-overload]
    sender(wire).send(frame, rewrite(2))
    sender(wire, CM).send(frame, rewrite(3))
    assert set(layouts) == {16}
    assert set(frame.laid_out) == {16, 10}  # type: ignore[call-overload]
    assert frame.laid_out[16] is layouts[16]  # type: ignore[index]


def test_another_thread_has_its_own_buffer() -> None:
    frame, wire = burst(1, 100), Wire()
    here = sender(wire)
    here.send(frame, rewrite())
    made: list[Sender] = []
    thread = threading.Thread(target=lambda: made.append(sender(wire)))
    thread.start()
    thread.join()
    assert made[0]._scratch is not here._scratch
    made[0].send(frame, rewrite(5))
    assert opened(wire.datagrams)[1][8:12] == (5).to_bytes(4, "big")


@pytest.mark.parametrize("code", [errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP])
def test_without_offload_packets_are_written_one_by_one_from_then_on(code: int) -> None:
    wire = Wire(code)
    leg = sender(wire)
    assert leg.send(burst(1, 500, 500, 100), rewrite())
    assert leg.send(burst(4, 500, 500), rewrite())
    assert wire.calls == [1] * 5
    assert len(opened(wire.datagrams)) == 5
    assert leg.offload == (code == errno.EINVAL)


def test_packets_above_the_routes_mtu_do_not_cost_the_others_their_offload() -> None:
    wire = Wire(errno.EINVAL)
    leg = sender(wire)
    leg.send(burst(1, 1400, 1400), rewrite())
    leg.send(burst(3, 1188, 1188, 1188), rewrite())
    leg.send(burst(6, 1400, 1400), rewrite())
    assert wire.calls == [1, 1, 3, 1, 1]


@pytest.mark.parametrize(
    ("code", "counter"), [(errno.EAGAIN, "full"), (errno.ENETUNREACH, "failed")]
)
def test_a_burst_that_cannot_be_written_is_counted_and_reported(code: int, counter: str) -> None:
    leg = sender(Wire(code))
    assert not leg.send(burst(1, 500, 500), rewrite())
    assert getattr(leg, counter) == 1
    assert leg.packets == 0
    assert leg.send(burst(3, 500, 500), rewrite())
    assert leg.packets == 2


def test_a_packet_may_be_sent_again() -> None:
    """A NACK is answered with the same number and the same bytes."""
    wire = Wire()
    leg, frame = sender(wire), burst(7, 100)
    assert leg.send(frame, rewrite())
    assert leg.send(frame, rewrite())
    assert wire.datagrams[0] == wire.datagrams[1]


def test_what_cannot_be_protected_is_not_sent() -> None:
    wire = Wire()
    leg = sender(wire)
    leg.send(burst(5000, 100), rewrite())
    assert not leg.send(burst(1, 100), rewrite())  # far behind libsrtp's window
    assert leg.failed == 1
    assert len(wire.datagrams) == 1


@pytest.mark.parametrize("size", [0, 4, 9, LARGEST_RTCP + 4])
def test_what_is_no_rtcp_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="no RTCP packet"):
        sender(Wire()).send_rtcp(bytes(size))


def test_rtcp_that_the_socket_refuses_is_lost_and_counted() -> None:
    leg = sender(Wire(errno.EAGAIN))
    leg.send_rtcp(RECEIVER_REPORT)
    assert leg.failed == 1


# Receiving


class Taken:
    """Protects like a peer and takes like the server."""

    def __init__(self, profile: int = GCM) -> None:
        self.out = session(Policy.SSRC_ANY_OUTBOUND, profile)
        self.receiver = Receiver(session(Policy.SSRC_ANY_INBOUND, profile), TAGS[profile])
        self.inbound = Inbound()
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []

    def take(self, *datagrams: bytes) -> bool:
        data = b"".join(datagrams)
        self.inbound.buffer[0 : len(data)] = data
        return self.receiver.take(
            self.inbound, len(data), len(datagrams[0]), self.rtp, self.rtcp.append
        )


def rtp(number: int, ssrc: int = 9, size: int = 100) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, number, 0, ssrc) + bytes(size)


@pytest.fixture(params=[GCM, CM])
def taken(request: pytest.FixtureRequest) -> Taken:
    return Taken(request.param)


def test_joined_datagrams_are_taken_apart(taken: Taken) -> None:
    protected = [taken.out.protect(rtp(number)) for number in range(1, 5)]
    assert taken.take(*protected, taken.out.protect(rtp(5, size=7)))
    assert taken.rtp == [*map(rtp, range(1, 5)), rtp(5, size=7)]


def test_one_changed_packet_among_joined_ones_is_left_out(taken: Taken) -> None:
    assert taken.take(taken.out.protect(rtp(1)))
    protected = [bytearray(taken.out.protect(rtp(number))) for number in range(2, 6)]
    protected[1][30] ^= 1
    assert taken.take(*map(bytes, protected))
    assert taken.rtp == [rtp(1), rtp(2), rtp(4), rtp(5)]
    assert taken.receiver.refused == 1


def test_two_datagrams_that_fill_the_buffer_are_taken(taken: Taken) -> None:
    taken.inbound = Inbound(300)
    assert taken.take(taken.out.protect(rtp(1)))
    assert taken.take(taken.out.protect(rtp(2, size=150)), taken.out.protect(rtp(3, size=60)))
    assert [len(packet) for packet in taken.rtp] == [112, 162, 72]


def test_rtp_and_rtcp_of_one_read_are_told_apart(taken: Taken) -> None:
    trailer = len(taken.out.protect_rtcp(RECEIVER_REPORT)) - 8
    tag = len(taken.out.protect(rtp(1))) - len(rtp(1))
    filler = rtp(2, size=8 + trailer - tag - 12)
    assert taken.take(taken.out.protect(filler), taken.out.protect_rtcp(RECEIVER_REPORT))
    assert (taken.rtp, taken.rtcp) == ([filler], [RECEIVER_REPORT])


def test_a_replayed_packet_is_no_packet(taken: Taken) -> None:
    data = taken.out.protect(rtp(1))
    assert taken.take(data)
    assert not taken.take(data)
    assert taken.receiver.refused == 1


def test_a_changed_packet_is_no_packet(taken: Taken) -> None:
    data = bytearray(taken.out.protect(rtp(1)))
    data[20] ^= 1
    assert not taken.take(bytes(data))


@given(st.binary(min_size=1, max_size=200), st.integers(1, 200))
def test_nothing_forged_is_taken_and_nothing_breaks(data: bytes, size: int) -> None:
    taken = Taken()
    data = bytes([0x80 | data[0] & 0x3F]) + data[1:]
    taken.inbound.buffer[0 : len(data)] = data
    assert not taken.receiver.take(taken.inbound, len(data), size, taken.rtp, taken.rtcp.append)
    assert not taken.rtp
    assert not taken.rtcp


def test_one_peer_cannot_fill_the_memory_with_sources(taken: Taken) -> None:
    for ssrc in range(MOST_SOURCES + 20):
        taken.take(taken.out.protect(rtp(1, ssrc)))
    assert len(taken.rtp) == MOST_SOURCES
    assert taken.take(taken.out.protect(rtp(2, 0)))  # those known go on
