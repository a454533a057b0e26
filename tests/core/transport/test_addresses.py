"""Where a session's peer is, and who may be there: moves, spoofed sources, ICE restarts."""

import asyncio
import socket

import pytest

from tests.core.transport.support import RECEIVER_REPORT, Hub, burst, rewrite, until
from tests.support.peers import LightPeer, build_check
from village_core.jobs import Supervisor
from village_core.transport import State


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
