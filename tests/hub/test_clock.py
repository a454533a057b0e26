"""Somebody sets the hub's wall clock by an hour: views go on, agents learn the new time."""

import pytest
from aiohttp import WSMsgType

from tests.hub.support import Hub
from village_hub import keys
from village_hub.tiers.children import CLOCK_SET


@pytest.mark.parametrize("step", [3600, -3600])
async def test_permits_are_renewed_after_the_clock_was_set(hub: Hub, step: int) -> None:
    """design.md, Who decides: permits are counted on the monotonic clock once given."""
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    await hub.watch(viewer, camera)
    hub.clock.step(step)
    await hub.app[keys.RENEWAL].look()
    assert len(hub.live.renewals) == 1
    assert hub.live.renewals[0].until == hub.clock.utc_ms() + 90_000
    await hub.app[keys.RENEWAL].look()
    assert len(hub.live.renewals) == 1
    assert len(hub.live.sessions()) == 1


@pytest.mark.parametrize("step", [3600, -3600])
async def test_agents_dial_again_after_the_clock_was_set(hub: Hub, step: int) -> None:
    """Until then they would refuse every new permit as ended, or count it for an hour."""
    agent = await hub.enrolled(await hub.household())
    async with hub.client.ws_connect("/uplink", headers=hub.node_token(agent)) as socket:
        await socket.receive_str(timeout=5)
        hub.clock.turn(30)  # time that passes is no step
        hub.clock.step(step)
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, CLOCK_SET)
