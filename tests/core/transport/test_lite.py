"""The server half over real UDP: ICE-lite, DTLS and SRTP on loopback."""

import asyncio
import socket
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
from tests.support.peers import LightPeer, build_check
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


async def test_a_peer_that_moves_gets_media_only_after_it_proved_the_new_address(hub: Hub) -> None:
    """design.md: a spoofed source must not aim video at a stranger."""
    viewer, session, recorder = await hub.peer()
    old = viewer.move()
    with old:
        viewer.socket.sendto(viewer.check(), viewer.server)
        answered = viewer.checks_answered
        await until(lambda: viewer.checks_answered > answered)
        session.send(burst(1, 100), rewrite())
        session.send_rtcp(RECEIVER_REPORT)
        await asyncio.sleep(0.05)
        assert not viewer.packets  # a check alone, which anybody on the path can replay: nothing
        viewer.send_rtcp(RECEIVER_REPORT)
        await until(lambda: recorder.rtcp)
        session.send(burst(2, 100), rewrite())
        await until(lambda: viewer.packets)


async def test_authentic_media_from_an_address_without_a_check_moves_nothing(hub: Hub) -> None:
    viewer, session, recorder = await hub.peer()
    with viewer.move():
        viewer.send_rtcp(RECEIVER_REPORT)
        await asyncio.sleep(0.05)
        session.send(burst(2, 100), rewrite())
        await asyncio.sleep(0.05)
    assert not recorder.rtcp
    assert not viewer.packets


async def test_a_replayed_check_from_a_stranger_disturbs_nobody(hub: Hub) -> None:
    viewer, session, _ = await hub.peer()
    overheard = viewer.check()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.settimeout(0.2)
        stranger.sendto(overheard, viewer.server)
        await asyncio.sleep(0.05)
        session.send(burst(1, 500), rewrite())
        await until(lambda: viewer.rtp)
        assert stranger.recv(2000)[0] < 4  # the STUN answer
        with pytest.raises(TimeoutError):
            stranger.recv(2000)


async def test_a_live_sessions_address_is_never_given_to_another(
    hub: Hub, supervisor: Supervisor
) -> None:
    viewer, session, _ = await hub.peer()
    other = LightPeer(supervisor)
    hub.peers.append(other)
    thief, _, _ = hub.accept(other)
    forged = build_check(f"{thief.description.ufrag}:{other.ufrag}", thief.description.pwd)
    answered = viewer.checks_answered
    viewer.socket.sendto(forged, viewer.server)  # as if its source were spoofed
    await asyncio.sleep(0.05)
    assert viewer.checks_answered == answered
    session.send(burst(1, 100), rewrite())
    await until(lambda: viewer.rtp)
    assert thief.state == State.WAITING


async def test_an_address_in_the_middle_of_a_handshake_is_not_given_away(
    hub: Hub, supervisor: Supervisor
) -> None:
    victim, thief = LightPeer(supervisor), LightPeer(supervisor)
    hub.peers += [victim, thief]
    session, recorder, answer = hub.accept(victim)
    other, _, _ = hub.accept(thief)
    forged = build_check(f"{other.description.ufrag}:{thief.ufrag}", other.description.pwd)
    connecting = supervisor.once("connect", victim.connect(answer))
    await until(lambda: session._at is not None)
    victim.socket.sendto(forged, victim.server)  # as if its source were spoofed
    await connecting
    await until(lambda: recorder.connected)
    assert other.state == State.WAITING


async def test_an_address_left_behind_can_be_used_by_another(
    hub: Hub, supervisor: Supervisor
) -> None:
    viewer, session, recorder = await hub.peer()
    left = viewer.move()
    viewer.socket.sendto(viewer.check(), viewer.server)
    await asyncio.sleep(0.02)
    viewer.send_rtcp(RECEIVER_REPORT)
    await until(lambda: recorder.rtcp)
    heir = LightPeer(supervisor)
    hub.peers.append(heir)
    heir.move().close()
    asyncio.get_running_loop().remove_reader(heir.socket)
    heir.socket.close()
    heir.socket = left
    asyncio.get_running_loop().add_reader(left, heir._read)
    _, heard, answer = hub.accept(heir)
    await heir.connect(answer)
    await until(lambda: heard.connected)
    session.send(burst(1, 100), rewrite())
    await until(lambda: viewer.rtp)
    assert not heir.packets


async def test_a_session_claims_only_a_few_addresses(hub: Hub) -> None:
    viewer, session, _ = await hub.peer()
    strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
    for each in strangers:
        each.bind(("127.0.0.1", 0))
        each.sendto(viewer.check(), viewer.server)
    await asyncio.sleep(0.05)
    assert sum(len(door.sessions) for door in hub.port._doors) <= 8
    session.send(burst(1, 100), rewrite())
    await until(lambda: viewer.rtp)
    for each in strangers:
        each.close()


async def test_an_ice_restart_keeps_the_old_generation_until_the_new_is_used(hub: Hub) -> None:
    """MED-7: a failed restart never ends the session."""
    viewer, session, _ = await hub.peer()
    renewed = session.restart_ice("newfrag")
    answered = viewer.checks_answered
    viewer.socket.sendto(viewer.check(), viewer.server)
    await until(lambda: viewer.checks_answered == answered + 1)
    viewer.socket.sendto(build_check(f"{renewed.ufrag}:newfrag", renewed.pwd), viewer.server)
    await until(lambda: viewer.checks_answered == answered + 2)
    viewer.socket.sendto(viewer.check(), viewer.server)
    await asyncio.sleep(0.05)
    assert viewer.checks_answered == answered + 2
    session.send(burst(1, 100), rewrite())
    await until(lambda: viewer.rtp)


async def test_a_restart_that_is_never_used_leaves_no_trace(hub: Hub) -> None:
    viewer, session, _ = await hub.peer()
    for _ in range(5):
        session.restart_ice("newfrag")
    assert len(hub.port._by_fragment) == 2
    session.close("done")
    assert not hub.port._by_fragment
    assert viewer.ufrag


async def test_a_peer_that_believes_to_be_controlled_hears_of_the_role_conflict(hub: Hub) -> None:
    viewer, session, _ = await hub.peer()
    ours = session.description
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(1)
        check = build_check(f"{ours.ufrag}:{viewer.ufrag}", ours.pwd, controlled=True)
        other.sendto(check, viewer.server)
        await asyncio.sleep(0.05)
        assert other.recv(2000)[:2] == b"\x01\x11"


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
