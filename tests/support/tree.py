"""Hubs of a tree in one process, each with its own books, on loopback: real HTTP between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from aiohttp.test_utils import TestClient, TestServer, unused_port

from tests.hub.support import FakeLive, Hub, TurnedClock, camera_note, small_config, until
from village_core.clock import Clock
from village_core.keys import SigningKey
from village_core.permits import CameraClass
from village_core.tokens import Issuer
from village_core.trust import Entry, TrustList, sign_trust_list
from village_hub import keys, tree_commands
from village_hub.access.classes import Place
from village_hub.app import make_app
from village_hub.catalogue import camera_records, remote_find
from village_hub.catalogue.camera_records import RecordRow
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Session
from village_hub.commands import Lines, Office
from village_hub.media.service import LiveNeeds, LiveService, OpenLive
from village_hub.trust_commands import ROLES

COUNTY = "110101"
TOWN = "110101001"
WEST, EAST = "110101001001", "110101001002"
TIERS = {6: "bureau", 9: "township", 12: "village"}


async def open_fake(needs: LiveNeeds) -> LiveService:
    return FakeLive(needs)


@asynccontextmanager
async def hub_of(
    folder: Path,
    place: str,
    open_live: OpenLive = open_fake,
    clock: Clock | None = None,
    **more: Any,
) -> AsyncIterator[Hub]:
    """The hub of an administrative code, answering at the address that it says."""
    port, clock = unused_port(), clock or TurnedClock()
    config = small_config(
        folder / place,
        name=f"hub of {place}",
        tier=TIERS[len(place)],
        place=place,
        **{"public_url": f"http://127.0.0.1:{port}", **more},
    )
    app = await asyncio.to_thread(make_app, config, open_live, clock)
    client: TestClient[Any, Any] = TestClient(TestServer(app, port=port))
    try:
        await client.start_server()
        app[keys.FRONT_DOOR].url = f"http://127.0.0.1:{port}"
        yield Hub(app, client, cast(TurnedClock, clock))  # who gives another one turns none
    finally:
        await client.close()


def trusted(number: int, root: SigningKey, *found: Hub) -> str:
    """The county's list of these hubs, as its root key signs it."""
    entries = [
        Entry(
            issuer=hub.id,
            keys=(hub.app[keys.NODE].key.public.text,),
            roles=frozenset(ROLES[hub.app[keys.CONFIG].tier]),
            place=hub.app[keys.CONFIG].place,
        )
        for hub in found
    ]
    trust_list = TrustList(number=number, entries=tuple(entries))
    return sign_trust_list(Issuer("county root", root, found[0].clock), trust_list)


async def lane(hub: Hub, **more: Any) -> str:
    """A public camera of a village's unit, on record, whose box is connected."""
    agent = await hub.enrolled(await site(hub))
    note = camera_note(camera_class=CameraClass.P9, name="Lane", **more)
    assert await hub.tell(agent, note) == 204
    await on_record(hub, note.id, CameraClass.P9, Place.LANE)
    await hub.client.ws_connect("/uplink", headers=hub.node_token(agent))
    await until(lambda: hub.app[keys.CHILDREN].online(agent.id))
    return note.id


async def site(hub: Hub) -> str:
    """The committee's own household, of its unit and place."""
    place = hub.app[keys.CONFIG].place
    household, unit = await hub.household("Committee"), await hub.unit("committee", place)

    def belongs(session: Session) -> None:
        row = session.get_one(Household, household)
        row.place, row.unit_id = f"{place}201", unit

    await hub.app[keys.CATALOGUE].write(belongs)
    return household


async def on_record(hub: Hub, camera: str, camera_class: CameraClass, place: Place) -> None:
    record = RecordRow(
        camera=camera,
        camera_class=camera_class,
        place=place,
        purpose="what it is for",
        installer="somebody",
        duty="the unit's duty",
        sign_placed=True,
        mask_needed=False,
        mask=(),
        proposed_by="a test",
        proposed=hub.clock.utc_ms(),
        picture_sha256=None,
        approved_by=None,
        approved=None,
        objection=None,
        version=0,
    )
    write, now = hub.app[keys.CATALOGUE].write, hub.clock.utc_ms()
    await write(camera_records.put, record)
    await write(camera_records.approve, camera, 1, "ab" * 32, "another", now)


async def known(above: Hub, camera: str) -> None:
    """`above` was told of the camera."""

    async def there() -> bool:
        return await above.app[keys.CATALOGUE].read(remote_find.where, camera) is not None

    await until(there, 10)


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
