"""Pictures through the tree: a box at home, the village, the township, the county, and phones that
watch at the top; every hub and all media are real (design.md, The media path; MED-17)."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.support import OFFER, SDP, bearer, until
from tests.support.live_tree import Tree, live, live_tree
from tests.support.peers import Pull
from village_core.clock import SYSTEM_CLOCK
from village_core.permits import Quality, Role
from village_hub import keys

pytestmark = pytest.mark.timeout(120)

LATEST = 2.0  # seconds from a revocation in the village to the last packet at the county
QUIET = 1.0


@pytest.fixture
async def tree(tmp_path: Path) -> AsyncIterator[Tree]:
    async with live_tree(tmp_path) as found:
        yield found


async def silent_after(pulls: list[Pull]) -> float:
    """Seconds until the last packet came, once none has for QUIET."""
    loop = asyncio.get_running_loop()
    began = last = loop.time()
    seen = [len(pull.peer.rtp) for pull in pulls]
    while loop.time() < last + QUIET:
        await asyncio.sleep(0.02)
        if (now := [len(pull.peer.rtp) for pull in pulls]) != seen:
            last, seen = loop.time(), now
        assert last - began < 20
    return last - began


async def flows(pulls: list[Pull]) -> bool:
    before = [len(pull.peer.rtp) for pull in pulls]
    await asyncio.sleep(QUIET)
    return all(len(p.peer.rtp) > one for p, one in zip(pulls, before, strict=True))


async def test_one_copy_on_each_link_however_many_watch(tree: Tree) -> None:
    """And nothing is sent any more when the last has left."""
    pulls = await tree.watched(3)
    for hub in (tree.west, tree.town):
        assert len(live(hub).above.viewers) == 1
    assert len(live(tree.west).above.sessions()) == 3
    assert len(tree.agent.pushes.running) == 1
    for pull in pulls:
        await pull.stop()
    await until(lambda: live(tree.west).above.sessions() == [], 5)
    await until(lambda: not live(tree.west).above.viewers, 5)


@pytest.mark.parametrize("full", ["west", "town"])
async def test_what_a_full_line_has_no_room_for_is_refused_with_the_reason(
    tree: Tree, full: str
) -> None:
    """And stands nowhere: the household is told of no look that there was not."""
    room = live(getattr(tree, full)).above.line.room
    room.carries = 300_000.0
    zhao = await tree.officer(tree.county, Role.BUREAU_OFFICER)
    token = await tree.token(tree.county, zhao)
    headers = {**bearer(token), "Content-Type": SDP}
    path = f"/whep/{tree.camera}"
    refused = await tree.county.ask("POST", path, data=OFFER, headers=headers)
    assert (refused.status, (await refused.json())["code"]) == (409, "no_room")
    await until(lambda: live(tree.west).above.sessions() == [], 5)
    room.carries = 3_000_000.0
    pull = await tree.watch(tree.county, zhao)
    await until(lambda: len(pull.peer.rtp) > 20, 20)
    assert [up.quality for up in live(getattr(tree, full)).above.line.ups()] == [Quality.MAIN]


async def test_an_officer_of_the_township_and_one_of_the_county_share_the_village_s_copy(
    tree: Tree,
) -> None:
    (pull,) = await tree.watched(1)
    near = await tree.watch(tree.town, await tree.officer(tree.town, Role.STATION_OFFICER))
    await until(lambda: len(near.peer.rtp) > 20, 20)
    assert len(live(tree.west).above.viewers) == 1
    await pull.stop()
    assert await flows([near])


async def test_what_the_village_takes_back_is_seen_no_longer_at_the_county(tree: Tree) -> None:
    """MED-17: of three one is taken back, at random, then all."""
    pulls = await tree.watched(3)
    sessions = live(tree.west).above.sessions()
    lost = random.Random(7).randrange(3)
    await live(tree.west).end(sessions[lost], "objection")
    gone = await silent_after([pulls[lost]])
    assert gone < LATEST
    assert await flows([pull for pull in pulls if pull is not pulls[lost]])
    for session in live(tree.west).above.sessions():
        await live(tree.west).end(session, "objection")
    assert await silent_after(pulls) < LATEST


async def test_a_hub_that_ignores_the_end_of_a_look_gets_nothing(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The township confirms nothing and shows on: the village cuts its push, for all of them."""
    pulls = await tree.watched(2)

    async def deaf(*_: object) -> bool:
        await asyncio.sleep(60)
        return False

    monkeypatch.setattr(live(tree.west).above, "tell", deaf)
    first, _ = live(tree.west).above.sessions()
    began = asyncio.get_running_loop().time()
    await live(tree.west).end(first, "objection")
    await silent_after(pulls)
    assert asyncio.get_running_loop().time() - began < 2 + LATEST + QUIET
    assert not live(tree.west).above.viewers
    assert not await flows(pulls)  # nor when it asks again


async def test_with_the_line_to_the_township_down_the_village_carries_on(tree: Tree) -> None:
    """Its own officer sees the lane; who watches above, no longer than their permit (90 s)."""
    (pull,) = await tree.watched(1)
    near = await tree.watch(tree.west, await tree.officer(tree.west, Role.COMMITTEE))
    await until(lambda: len(near.peer.rtp) > 20, 20)
    await tree.west.app[keys.SUPERVISOR].end("uplink")
    await tree.west.app[keys.UPWARD].close()
    (lent,) = live(tree.west).above.sessions()
    now = SYSTEM_CLOCK.monotonic()
    assert now < lent.ends_at <= now + 90
    lent.ends_at = now + 1
    assert await silent_after([pull]) < 1 + LATEST
    assert await flows([near])


async def test_a_push_that_breaks_is_asked_for_again(tree: Tree) -> None:
    (pull,) = await tree.watched(1)
    for viewer in list(live(tree.west).above.viewers):
        viewer.end("a test")
    await until_flows([pull])


async def test_a_township_s_restart_is_got_over(tree: Tree, tmp_path: Path) -> None:
    """Its hub loses all it knew of who watches; the county asks anew, nobody has to do anything."""
    (pull,) = await tree.watched(1)
    above = live(tree.town).above
    above._lent.clear()  # as a kill does, without a word to anybody
    for viewer in list(above.viewers):
        viewer.end("killed")
    await until_flows([pull])


async def test_a_village_s_restart_ends_what_was_shown(tree: Tree) -> None:
    """Its hub knows of no permit any more; nothing is shown that it did not give itself."""
    (pull,) = await tree.watched(1)
    live(tree.west).above.close()
    await until(lambda: live(tree.county).sessions() == [], 15)
    again = await tree.watch(tree.county, await tree.officer(tree.county, Role.BUREAU_OFFICER))
    await until_flows([again])
    assert not await flows([pull])


async def until_flows(pulls: list[Pull]) -> None:
    seen = [len(pull.peer.rtp) for pull in pulls]
    await until(lambda: all(len(p.peer.rtp) > s + 20 for p, s in zip(pulls, seen, strict=True)), 15)
