"""Cameras of the hubs below, over HTTP: what these may tell, and whom the search answers."""

from typing import Any

import pytest

from tests.hub.support import Agent, Hub, Viewer
from village_core.ids import new_id
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import hubs

WEST = "110101001001"
PATH = "/api/v1/node/catalogue"


@pytest.fixture
async def child(hub: Hub) -> Agent:
    """A hub that joined below, with its token."""
    node = Agent(id=new_id(), household="")
    at = (WEST, "West")
    key = node.node_key.public.text
    await hub.app[keys.CATALOGUE].write(hubs.join, node.id, at, key, hub.clock.utc_ms())
    return node


def offered(key: str, **more: Any) -> dict[str, Any]:
    state = {"id": key, "number": 1, "online": True, "since": 1}
    said = {"place": WEST, "name": f"Lane {key}", "camera_class": "P9", "state": state}
    return {**said, **more}


def yard(name: str, **who: str) -> dict[str, Any]:
    return offered(name, name="yard", camera_class="H-OUT", named=[who])


def whole(*put: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"number": 1, "after": 0, "last": True, "put": list(put), **more}


async def tell(hub: Hub, node: Agent, body: Any, path: str = PATH) -> tuple[int, dict[str, Any]]:
    response = await hub.ask("PUT", path, json=body, headers=hub.node_token(node))
    return response.status, await response.json()


async def look(hub: Hub, viewer: Viewer, query: str = "") -> tuple[int, dict[str, Any]]:
    response = await hub.ask("GET", f"/api/v1/below/cameras{query}", headers=viewer.headers)
    return response.status, await response.json()


async def seen(hub: Hub, viewer: Viewer, query: str = "") -> list[str]:
    status, body = await look(hub, viewer, query)
    assert status == 200, body
    return [each["id"] for each in body["items"]]


async def on_shift(hub: Hub, role: Role, place: str) -> Viewer:
    viewer = await hub.staff(role, place=place)
    await hub.shift(viewer)
    return viewer


async def test_on_duty_the_public_cameras_of_ones_place_are_found(hub: Hub, child: Agent) -> None:
    """PRM-2: not without a shift, and not those of another place."""
    said = await tell(hub, child, whole(offered("a"), offered("b"), yard("c", unit="none")))
    assert said == (200, {"taken": True, "after": 1})
    officer = await on_shift(hub, Role.STATION_OFFICER, WEST[:9])
    assert await seen(hub, officer) == ["a", "b"]
    assert await seen(hub, officer, "?name=lane%20B&state=online&place=1101") == ["b"]
    assert await seen(hub, await hub.staff(Role.STATION_OFFICER, place=WEST[:9])) == []
    assert await seen(hub, await on_shift(hub, Role.TOWNSHIP, "110102")) == []


async def test_a_villager_finds_nothing_below(hub: Hub, child: Agent) -> None:
    await tell(hub, child, whole(offered("a")))
    _, viewer = await hub.owner()
    assert await seen(hub, viewer) == []


async def test_a_homes_camera_is_found_by_whom_its_household_let_know(
    hub: Hub, child: Agent
) -> None:
    """PRM-2: not by their neighbour at the next desk, nor by who stands higher."""
    officer = await hub.staff(Role.STATION_OFFICER, place=WEST[:9])
    other = await on_shift(hub, Role.STATION_OFFICER, WEST[:9])
    bureau = await on_shift(hub, Role.BUREAU_OFFICER, WEST[:6])
    admin = await hub.staff(Role.ADMIN, unit=officer.unit)
    put = [yard("mine", person=officer.person), yard("ours", unit=officer.unit)]
    await tell(hub, child, whole(*put, yard("both", unit=officer.unit, person=other.person)))
    assert await seen(hub, officer) == ["mine", "ours"]
    for viewer in (other, bureau, admin):
        assert await seen(hub, viewer) == []


async def test_a_batch_out_of_its_turn_is_answered_with_where_to_go_on(
    hub: Hub, child: Agent
) -> None:
    assert await tell(hub, child, {"number": 8, "after": 7}) == (200, {"taken": False, "after": 0})


async def test_states_are_told_by_themselves(hub: Hub, child: Agent) -> None:
    await tell(hub, child, whole(offered("a")))
    new = {"id": "a", "number": 2, "online": False, "since": 5, "trouble": "agent_offline"}
    said = await tell(hub, child, {"states": [new]}, f"{PATH}/state")
    assert said == (200, {"changed": 1})
    officer = await on_shift(hub, Role.STATION_OFFICER, WEST[:9])
    _, body = await look(hub, officer)
    (shown,) = body["items"]
    assert (shown["state"], shown["since"], shown["trouble"]) == ("offline", 5, "agent_offline")
    hub.clock.turn(80)
    _, body = await look(hub, officer)
    assert body["items"][0]["state"] == "stale"
    assert body["items"][0]["stale_since"] == hub.clock.utc_ms() - 80_000


async def test_a_home_box_is_no_hub_below(hub: Hub) -> None:
    """What a child can do to the catalogue above: who is none can do nothing."""
    box = await hub.enrolled(await hub.household())
    for path, body in ((PATH, whole(offered("a"))), (f"{PATH}/state", {"states": []})):
        status, said = await tell(hub, box, body, path)
        assert (status, said["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (whole(offered("a", place="110101001002")), "not_its_place"),
        (whole(offered("a", place=WEST + "0042")), "bad_body"),
        (whole(offered("a"), offered("a")), "bad_body"),
        (whole(offered("a", camera_class="H-IN")), "bad_body"),
        (whole(offered("a", named=[{"unit": "u"}])), "bad_body"),
        (whole(offered("a", lat=1)), "bad_body"),
        (whole(offered("a", name="a\n")), "bad_body"),
        (whole(offered("a", household="Wang")), "bad_body"),
        (whole(number=0), "bad_body"),
        (whole(gone=["a"]), "bad_body"),
        ({"number": 3, "after": 5}, "bad_body"),
        ({"number": 2, "after": 1, "gone": [f"c{each}" for each in range(201)]}, "bad_body"),
    ],
)
async def test_a_bad_batch_is_refused_in_words(
    hub: Hub, child: Agent, body: Any, code: str
) -> None:
    status, said = await tell(hub, child, body)
    assert (status, said["code"]) == (422, code)


@pytest.mark.parametrize(
    "query",
    [
        "?lat=1",
        "?lat=91&lon=1",
        "?lat=nan&lon=1",
        "?place=x",
        "?state=on",
        "?after=x",
        "?within=9999",
    ],
)
async def test_a_bad_search_is_refused_in_words(hub: Hub, query: str) -> None:
    officer = await hub.staff(Role.STATION_OFFICER, place=WEST[:9])
    status, said = await look(hub, officer, query)
    assert (status, said["code"]) == (400, "bad_query")


async def test_the_search_goes_by_pages(hub: Hub, child: Agent) -> None:
    await tell(hub, child, whole(*(offered(f"c{each}") for each in range(5))))
    officer = await on_shift(hub, Role.STATION_OFFICER, WEST[:9])
    found, query = [], "?limit=2"
    while True:
        _, body = await look(hub, officer, query)
        found.append([each["id"] for each in body["items"]])
        if body["next"] is None:
            break
        query = f"?limit=2&after={body['next']}"
    assert found == [["c0", "c1"], ["c2", "c3"], ["c4"]]


async def test_near_a_point(hub: Hub, child: Agent) -> None:
    there = {"lat": 39_900_000, "lon": 116_400_000}
    await tell(hub, child, whole(offered("a", **there), offered("b")))
    officer = await on_shift(hub, Role.STATION_OFFICER, WEST[:9])
    assert await seen(hub, officer, "?lat=39.9005&lon=116.4&within=100") == ["a"]
