"""What a hub tells the one above of its cameras, over HTTP, and that it stays true: within seconds,
after a line that was down, and never more than the rule allows (PRM-2)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hub.support import Hub, Viewer, camera_note, until
from tests.support.tree import COUNTY, TOWN, WEST, connected, hub_of, joined, known, lane, office_of
from village_core.permits import CameraClass, Role
from village_hub import keys, tree_commands
from village_hub.catalogue import camera_records, remote_find


@dataclass
class Tree:
    county: Hub
    town: Hub
    west: Hub
    camera: str

    async def found(self, at: Hub, who: Viewer) -> dict[str, Any]:
        response = await at.ask("GET", "/api/v1/below/cameras", headers=who.headers)
        assert response.status == 200
        return {each["id"]: each for each in (await response.json())["items"]}

    async def becomes(self, at: Hub, who: Viewer, **wanted: Any) -> None:
        async def so() -> bool:
            shown = (await self.found(at, who)).get(self.camera, {})
            return all(shown.get(name) == value for name, value in wanted.items())

        await until(so, 10)


@pytest.fixture
async def tree(tmp_path: Path) -> AsyncIterator[Tree]:
    async with (
        hub_of(tmp_path, COUNTY) as county,
        hub_of(tmp_path, TOWN) as town,
        hub_of(tmp_path, WEST) as west,
    ):
        await joined(town, county)
        await joined(west, town)
        camera = await lane(west)
        await known(county, camera)
        yield Tree(county, town, west, camera)


async def on_duty(hub: Hub, role: Role) -> Viewer:
    viewer = await hub.staff(role, place=hub.app[keys.CONFIG].place)
    await hub.shift(viewer)
    return viewer


async def test_a_lane_is_found_two_tiers_up_and_so_is_its_state(tree: Tree) -> None:
    officer = await on_duty(tree.county, Role.BUREAU_OFFICER)
    await tree.becomes(tree.county, officer, state="online", hub=tree.west.id, place=WEST)
    (agent,) = tree.west.app[keys.CHILDREN].online_now()
    await tree.west.app[keys.CHILDREN].revoke(agent)
    await tree.becomes(tree.county, officer, state="offline", trouble="agent_offline")


async def test_a_home_s_camera_is_told_to_nobody_above(tree: Tree) -> None:
    """PRM-2: nothing of it, not its id, not in any table."""
    home = await tree.west.household("Wang")
    agent = await tree.west.enrolled(home)
    note = camera_note(camera_class=CameraClass.H_OUT)
    assert await tree.west.tell(agent, note) == 204
    second = await lane(tree.west)
    await known(tree.county, second)  # told later than the home's would have been
    for hub in (tree.town, tree.county):
        assert await hub.app[keys.CATALOGUE].read(remote_find.where, note.id) is None


async def test_what_is_withheld_goes_away_above(tree: Tree) -> None:
    """PRM-19: an objection pauses sharing, and knowing."""
    officer = await on_duty(tree.county, Role.BUREAU_OFFICER)
    await tree.becomes(tree.county, officer, state="online")
    write = tree.west.app[keys.CATALOGUE].write
    await write(camera_records.pause, tree.camera, "objection-1")

    async def gone() -> bool:
        return tree.camera not in await tree.found(tree.county, officer)

    await until(gone, 10)
    await write(camera_records.resume, tree.camera, "objection-1")
    await tree.becomes(tree.county, officer, state="online")


async def test_a_village_whose_line_is_down_is_stale_and_back_with_everything(tree: Tree) -> None:
    officer = await on_duty(tree.town, Role.STATION_OFFICER)
    await tree.becomes(tree.town, officer, state="online")
    await tree.west.app[keys.SUPERVISOR].end("uplink")
    await tree.becomes(tree.town, officer, state="stale")
    county = await on_duty(tree.county, Role.BUREAU_OFFICER)
    await tree.becomes(tree.county, county, state="offline")  # never online on its old word
    second = await lane(tree.west)
    upward = tree.west.app[keys.UPWARD]
    tree.west.app[keys.SUPERVISOR].start("uplink", upward.run)
    await connected(tree.west, tree.town)
    await tree.becomes(tree.town, officer, state="online")
    await tree.becomes(tree.county, county, state="online")
    await known(tree.county, second)


async def test_a_village_that_leaves_takes_its_cameras_with_it(tree: Tree) -> None:
    await tree_commands.leave(office_of(tree.west))

    async def gone(hub: Hub) -> bool:
        return await hub.app[keys.CATALOGUE].read(remote_find.where, tree.camera) is None

    await until(lambda: gone(tree.town), 10)
    await until(lambda: gone(tree.county), 10)
