"""Hubs of a tree in one process, each with its own books, on loopback: real HTTP between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer, unused_port

from tests.hub.support import FakeLive, Hub, TurnedClock, small_config, until
from village_core.clock import Clock
from village_hub import keys, tree_commands
from village_hub.app import make_app
from village_hub.commands import Lines, Office
from village_hub.media.service import LiveNeeds, LiveService, OpenLive

COUNTY = "110101"
TOWN = "110101001"
WEST, EAST = "110101001001", "110101001002"
TIERS = {6: "bureau", 9: "township", 12: "village"}


async def open_fake(needs: LiveNeeds) -> LiveService:
    return FakeLive(needs)


@asynccontextmanager
async def hub_of(
    folder: Path, place: str, open_live: OpenLive = open_fake, **more: Any
) -> AsyncIterator[Hub]:
    """The hub of an administrative code, answering at the address that it says."""
    port, clock = unused_port(), TurnedClock()
    config = small_config(
        folder / place,
        name=f"hub of {place}",
        tier=TIERS[len(place)],
        place=place,
        public_url=f"http://127.0.0.1:{port}",
        **more,
    )
    app = await asyncio.to_thread(make_app, config, open_live, clock)
    client: TestClient[Any, Any] = TestClient(TestServer(app, port=port))
    try:
        await client.start_server()
        yield Hub(app, client, clock)
    finally:
        await client.close()


def office_of(hub: Hub, clock: Clock | None = None) -> Office:
    """Its command line."""
    app = hub.app
    return Office(app[keys.CONFIG], app[keys.NODE], app[keys.CATALOGUE], clock or hub.clock)


async def code_for(above: Hub, place: str) -> str:
    lines = await tree_commands.new_hub(office_of(above), place, f"of {place}", typed=False)
    return lines[-1].split("'")[1]


async def joined(child: Hub, above: Hub) -> Lines:
    """Joined by QR and connected."""
    place = child.app[keys.CONFIG].place
    said = await tree_commands.join(office_of(child), await code_for(above, place), None)
    await connected(child, above)
    return said


async def connected(child: Hub, above: Hub) -> None:
    await until(lambda: above.app[keys.CHILDREN].online(child.id))
    await until(lambda: child.app[keys.UPWARD].connected)
