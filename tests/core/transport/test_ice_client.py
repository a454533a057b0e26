"""The pushing side's ICE agent leaves no socket behind, wherever it is cut off."""

import asyncio
from pathlib import Path

import pytest

from village_core.clock import SYSTEM_CLOCK
from village_core.jobs import Supervisor
from village_core.transport.ice import IceClient


def sockets() -> set[str]:
    """Of this process, as the kernel numbers them."""
    links = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return {each for each in links if each.startswith("socket:")}


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("gathering_for", range(14))
@pytest.mark.parametrize("ending_for", range(4))
async def test_no_socket_stays_of_an_agent_that_is_cut_off(
    gathering_for: int, ending_for: int
) -> None:
    """Cancelled while it opens sockets, and the program ends while it closes them. Turns of the
    event loop."""
    before = sockets()
    supervisor = Supervisor()
    agent = IceClient(supervisor, SYSTEM_CLOCK, "a push", loopback=True)
    gathering = asyncio.create_task(agent.gather())
    await turns(gathering_for)
    gathering.cancel()
    await turns(1)
    closing = asyncio.create_task(agent.close())
    await turns(ending_for)
    await supervisor.stop()
    await asyncio.gather(gathering, closing, return_exceptions=True)
    await turns(3)  # a transport closes its socket in the next turn
    assert sockets() == before
