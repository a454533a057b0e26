"""The server half over real UDP: ICE-lite, DTLS and SRTP on loopback."""

import asyncio
import struct

import pytest
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
)

from tests.core.transport.support import (
    RECEIVER_REPORT,
    Hub,
    Recorder,
    TurnedClock,
    burst,
    rewrite,
    until,
)
from tests.support.peers import LightPeer
from village_core.jobs import Supervisor
from village_core.transport import MediaPort, State, sdp
from village_core.transport.dtls import Certificate


async def test_a_viewer_gets_what_is_sent_with_rewritten_headers(hub: Hub) -> None:
    viewer, session, _ = await hub.peer()
    frame = burst(70_000, 1200, 1200, 1200, 300, timestamp=2**32 + 5)
    assert session.send(frame, rewrite(99, 102, number=10, timestamp=7))
    await until(lambda: len(viewer.rtp) == 4)
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in viewer.rtp]
    first = (70_010) & 0xFFFF
    assert heads == [
        (0x80, 102 | (0x80 if last else 0), first + index, 12, 99)
        for index, last in enumerate([False, False, False, True])
    ]
    assert [packet[12:] for packet in viewer.rtp] == [p.payload for p in frame.packets]


async def test_a_publisher_is_heard_in_batches(hub: Hub) -> None:
    publisher, _, recorder = await hub.peer(direction="sendonly")
    publisher.send(burst(1, *[1100] * 10), rewrite())
    await until(lambda: len(recorder.rtp) == 10)
    assert len(recorder.batches) < 10
    assert [int.from_bytes(each[2:4], "big") for each in recorder.rtp] == list(range(1, 11))


async def test_rtcp_passes_both_ways(hub: Hub) -> None:
    viewer, session, recorder = await hub.peer()
    viewer.send_rtcp(RECEIVER_REPORT)
    session.send_rtcp(RECEIVER_REPORT + RECEIVER_REPORT)
    await until(lambda: recorder.rtcp and viewer.rtcp)
    assert recorder.rtcp == [RECEIVER_REPORT]
    assert viewer.rtcp == [RECEIVER_REPORT + RECEIVER_REPORT]


async def test_the_server_prefers_128_bit_gcm(hub: Hub) -> None:
    order = [SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_128_GCM]
    _, session, _ = await hub.peer(srtp_profiles=order)
    assert session.profile == "SRTP_AEAD_AES_128_GCM"


@pytest.mark.parametrize("profile", [SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM])
async def test_a_peer_with_only_one_other_srtp_profile_is_served(hub: Hub, profile: object) -> None:
    viewer, session, recorder = await hub.peer(srtp_profiles=[profile])
    session.send(burst(1, 1000, 500), rewrite())
    viewer.send_rtcp(RECEIVER_REPORT)
    await until(lambda: len(viewer.rtp) == 2 and recorder.rtcp)
    assert session.profile == profile.openssl_profile.decode()  # type: ignore[attr-defined]


async def test_viewers_with_different_profiles_share_a_burst(hub: Hub) -> None:
    gcm, to_gcm, _ = await hub.peer()
    old, to_old, _ = await hub.peer(srtp_profiles=[SRTP_AES128_CM_SHA1_80])
    frame = burst(1, 1000, 1000, 10)
    assert to_gcm.send(frame, rewrite())
    assert to_old.send(frame, rewrite(5))
    await until(lambda: len(gcm.rtp) == 3 and len(old.rtp) == 3)
    assert [each[12:] for each in gcm.rtp] == [each[12:] for each in old.rtp]


async def test_a_viewer_over_ipv6_is_served(hub: Hub) -> None:
    viewer, session, _ = await hub.peer(host="::1")
    session.send(burst(1, 1188, 1188, 1188, 100), rewrite())
    await until(lambda: len(viewer.rtp) == 4)


async def test_two_sessions_never_hear_each_other(hub: Hub) -> None:
    one, to_one, from_one = await hub.peer()
    two, _, from_two = await hub.peer()
    to_one.send(burst(1, 100, 100), rewrite())
    one.send_rtcp(RECEIVER_REPORT)
    await until(lambda: len(one.rtp) == 2 and from_one.rtcp)
    assert not two.packets
    assert not from_two.rtcp


async def test_nothing_is_sent_before_the_handshake(hub: Hub, supervisor: Supervisor) -> None:
    peer = LightPeer(supervisor)
    hub.peers.append(peer)
    session, _, _ = hub.accept(peer)
    assert not session.send(burst(1, 100), rewrite())
    session.send_rtcp(RECEIVER_REPORT)
    assert session.state == State.WAITING


async def test_the_peers_goodbye_ends_the_session_at_once(hub: Hub) -> None:
    viewer, session, recorder = await hub.peer()
    viewer.close()
    await until(lambda: recorder.closed)
    assert recorder.closed == ["the peer left"]
    assert session.state == State.CLOSED
    assert not hub.port.sessions


async def test_close_tells_the_peer_and_is_idempotent(hub: Hub) -> None:
    viewer, session, recorder = await hub.peer()
    session.close("revoked")
    session.close("again")
    await asyncio.wait_for(viewer.left.wait(), 5)
    assert recorder.closed == ["revoked"]
    assert session.reason == "revoked"
    assert not session.send(burst(1, 100), rewrite())


async def test_a_wrong_certificate_is_refused(hub: Hub, supervisor: Supervisor) -> None:
    peer = LightPeer(supervisor)
    hub.peers.append(peer)
    session, recorder, answer = hub.accept(peer)
    peer.certificate = Certificate.make()  # not the one the offer named
    connecting = supervisor.once("connect", peer.connect(answer))
    await until(lambda: recorder.closed)
    connecting.cancel()
    assert recorder.closed == ["the DTLS handshake failed"]
    assert not recorder.connected
    assert session.state == State.CLOSED


async def test_noise_before_and_during_the_handshake_does_not_prevent_it(
    hub: Hub, supervisor: Supervisor
) -> None:
    peer = LightPeer(supervisor)
    hub.peers.append(peer)
    _, recorder, answer = hub.accept(peer)
    connecting = supervisor.once("connect", peer.connect(answer))
    await until(lambda: peer.server)
    for round_ in range(100):
        for first in (20, 21, 22, 23, 40, 63):
            size = round_ * 7 % 300
            peer.socket.sendto(bytes([first, 254, 253]) + bytes(size), peer.server)
        await asyncio.sleep(0)
    await connecting
    await until(lambda: recorder.connected)


async def test_a_peer_that_never_comes_is_forgotten(
    hub: Hub, supervisor: Supervisor, clock: TurnedClock
) -> None:
    peer = LightPeer(supervisor)
    hub.peers.append(peer)
    _, recorder, _ = hub.accept(peer)
    clock.turn(14)
    await asyncio.sleep(0.05)
    assert not recorder.closed
    clock.turn(2)
    await until(lambda: recorder.closed)
    assert recorder.closed == ["the peer did not connect in time"]
    assert not hub.port.sessions


async def test_a_peer_that_checks_but_never_shakes_hands_is_forgotten(
    hub: Hub, supervisor: Supervisor, clock: TurnedClock
) -> None:
    peer = LightPeer(supervisor)
    hub.peers.append(peer)
    session, recorder, answer = hub.accept(peer)
    with pytest.raises(TimeoutError):
        await peer.connect(answer, within=0)
    await until(lambda: session.state == State.CONNECTING)
    clock.turn(16)
    await until(lambda: recorder.closed)
    assert not hub.port.sessions


async def test_silence_for_30_s_ends_the_session(hub: Hub, clock: TurnedClock) -> None:
    viewer, _, recorder = await hub.peer()
    viewer.vanish()
    clock.turn(29)
    await asyncio.sleep(0.05)
    assert not recorder.closed
    clock.turn(2)
    await until(lambda: recorder.closed)
    assert recorder.closed == ["no sign of life for 30 s"]


@pytest.mark.parametrize("sign", ["check", "rtcp", "rtp"])
async def test_an_authentic_packet_is_a_sign_of_life(
    hub: Hub, clock: TurnedClock, sign: str
) -> None:
    peer, session, recorder = await hub.peer(direction="sendonly")
    peer.stop_checking()
    clock.turn(29)
    answered = peer.checks_answered
    if sign == "check":
        peer.socket.sendto(peer.check(), peer.server)
    elif sign == "rtcp":
        peer.send_rtcp(RECEIVER_REPORT)
    else:
        peer.send(burst(1, 100), rewrite())
    await until(lambda: recorder.rtcp or recorder.rtp or peer.checks_answered > answered)
    clock.turn(29)
    await asyncio.sleep(0.05)
    assert session.state == State.CONNECTED


async def test_a_forged_packet_is_no_sign_of_life(hub: Hub, clock: TurnedClock) -> None:
    viewer, _, recorder = await hub.peer()
    viewer.stop_checking()
    clock.turn(29)
    viewer.socket.sendto(b"\x80\xc9\0\1" + bytes(40), viewer.server)
    viewer.socket.sendto(b"\x80\x60\0\1" + bytes(100), viewer.server)
    await asyncio.sleep(0.05)
    clock.turn(2)
    await until(lambda: recorder.closed)


async def test_a_handler_may_close_its_session_from_within(hub: Hub) -> None:
    viewer, session, recorder = await hub.peer()
    recorder.on_rtcp = lambda compound, now: session.close("enough")  # type: ignore[method-assign]
    for _ in range(3):
        viewer.send_rtcp(RECEIVER_REPORT)
    await until(lambda: recorder.closed)
    assert recorder.closed == ["enough"]


async def test_a_handler_can_be_made_from_its_session(hub: Hub, supervisor: Supervisor) -> None:
    peer = LightPeer(supervisor)
    hub.peers.append(peer)
    made: list[object] = []
    recorder = Recorder()

    def make(session: object) -> Recorder:
        made.append(session)
        return recorder

    session = hub.port.accept(sdp.read_offer(peer.offer), make)
    assert made == [session]


async def test_joining_and_leaving_leaves_nothing_behind(hub: Hub, port: MediaPort) -> None:
    tasks = len(asyncio.all_tasks())
    for index in range(20):
        viewer, session, recorder = await hub.peer()
        session.send(burst(1, 100), rewrite())
        if index % 2:
            viewer.close()
        else:
            session.close("done")
            viewer.close()
        await until(lambda: recorder.closed)  # noqa: B023 - awaited here
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert not port.sessions
    assert not port._by_fragment
    assert not any(door.sessions for door in port._doors)
