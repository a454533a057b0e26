"""What an agent says of its cameras, and who is told of them; stills on their way up."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse

from tests.hub.support import Agent, Hub, Viewer, bearer, camera_note, until
from village_core.ids import new_id
from village_core.messages import EncodingNote
from village_core.troubles import Trouble
from village_hub import keys
from village_hub.catalogue import cameras
from village_hub.errors import ChildOffline, ChildTimeout, NotFound, Overloaded
from village_hub.media.uploads import LARGEST_STILL, MOST_WAITING

JPEG = b"\xff\xd8\xff\xe0 picture"


async def listed(hub: Hub, viewer: Viewer) -> list[dict[str, Any]]:
    response = await hub.ask("GET", "/api/v1/cameras", headers=viewer.headers)
    assert response.status == 200
    found: list[dict[str, Any]] = (await response.json())["cameras"]
    return found


@pytest.fixture
async def home(hub: Hub) -> tuple[Agent, Viewer]:
    household, viewer = await hub.owner()
    return await hub.enrolled(household), viewer


@pytest.fixture
async def line(hub: Hub, home: tuple[Agent, Viewer]) -> AsyncIterator[ClientWebSocketResponse]:
    """The home's uplink."""
    async with hub.client.ws_connect("/uplink", headers=hub.node_token(home[0])) as socket:
        await socket.receive_str()
        yield socket


@pytest.mark.usefixtures("line")
async def test_cameras_appear_change_and_vanish(hub: Hub, home: tuple[Agent, Viewer]) -> None:
    agent, viewer = home
    sub = EncodingNote(profile_level_id="42e01f", width=640, height=360, fps=15)
    gate, yard = camera_note(name="大门", sub=sub, audio="PCMA"), camera_note(name="Yard")
    assert await hub.tell(agent, gate, yard) == 204
    found = await listed(hub, viewer)
    assert [each["name"] for each in found] == ["大门", "Yard"]
    assert found[0]["main"] == {"width": 1280, "height": 720, "fps": 25}
    assert (found[0]["sub"]["width"], found[0]["audio"]) == (640, "PCMA")
    assert (found[0]["online"], found[0]["trouble"]) == (True, None)
    await hub.tell(agent, gate.model_copy(update={"online": False, "trouble": Trouble.NO_ROUTE}))
    found = await listed(hub, viewer)
    assert [(each["online"], each["trouble"]) for each in found] == [(False, "no_route")]
    gone = await hub.ask("GET", f"/api/v1/cameras/{yard.id}", headers=viewer.headers)
    assert gone.status == 404
    await hub.tell(agent, gate, yard.model_copy(update={"name": "Back yard"}))
    back = await (await hub.ask("GET", f"/api/v1/cameras/{yard.id}", headers=viewer.headers)).json()
    assert back["name"] == "Back yard"


async def test_without_its_box_a_camera_is_offline(hub: Hub, home: tuple[Agent, Viewer]) -> None:
    agent, viewer = home
    await hub.tell(agent, camera_note())
    assert [each["trouble"] for each in await listed(hub, viewer)] == ["agent_offline"]
    async with hub.client.ws_connect("/uplink", headers=hub.node_token(agent)) as socket:
        await socket.receive_str()
        assert [each["online"] for each in await listed(hub, viewer)] == [True]
    await until(lambda: not hub.app[keys.CHILDREN].online(agent.id))
    assert [each["trouble"] for each in await listed(hub, viewer)] == ["agent_offline"]


@pytest.mark.usefixtures("line")
async def test_the_privacy_switch_shows_as_such(hub: Hub, home: tuple[Agent, Viewer]) -> None:
    agent, viewer = home
    await hub.tell(agent, camera_note(), privacy_off=True)
    found = await listed(hub, viewer)
    assert [(each["online"], each["trouble"]) for each in found] == [(False, "privacy_off")]


async def test_an_agent_speaks_for_its_own_cameras_only(hub: Hub) -> None:
    gate = camera_note()
    first = await hub.enrolled(await hub.household())
    second = await hub.enrolled(await hub.household("Li"))
    assert await hub.tell(first, gate) == 204
    mine = camera_note()
    assert await hub.tell(second, mine, gate) == 409
    assert await hub.app[keys.CATALOGUE].read(cameras.find, mine.id) is None  # nothing half-done
    row = await hub.app[keys.CATALOGUE].read(cameras.find, gate.id)
    assert row is not None
    assert row.node == first.id


async def test_a_changed_box_takes_over_its_households_cameras(hub: Hub) -> None:
    household = await hub.household()
    gate = camera_note()
    old = await hub.enrolled(household)
    await hub.tell(old, gate)
    new = await hub.enrolled(household)
    assert await hub.app[keys.CATALOGUE].read(cameras.find, gate.id) is None
    assert await hub.tell(new, gate) == 204
    row = await hub.app[keys.CATALOGUE].read(cameras.find, gate.id)
    assert row is not None
    assert (row.id, row.node) == (gate.id, new.id)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{}", 422),
        ('{"version":"1","privacy_off":false,"cameras":[{}]}', 422),
        ('{"version":"1","privacy_off":false,"cameras":[],"x":1}', 422),
        ("{", 400),
        ("x" * 70_000, 413),
    ],
)
async def test_a_malformed_status_changes_nothing(hub: Hub, body: str, status: int) -> None:
    agent = await hub.enrolled(await hub.household())
    headers = {**hub.node_token(agent), "Content-Type": "application/json"}
    response = await hub.ask("PUT", "/api/v1/node/status", data=body, headers=headers)
    assert response.status == status


async def test_nobody_is_told_of_another_households_camera(hub: Hub) -> None:
    """PRM-1, PRM-2."""
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    _, other = await hub.owner("Li")
    assert await listed(hub, other) == []
    paths = [f"/api/v1/cameras/{camera}", f"/api/v1/cameras/{camera}/still"]
    for path in paths:
        refused = await hub.ask("GET", path, headers=other.headers)
        unknown = await hub.ask("GET", path.replace(camera, new_id()), headers=other.headers)
        assert (refused.status, unknown.status) == (404, 404)
        assert await refused.text() == await unknown.text()
    token = await hub.ask("POST", f"/api/v1/cameras/{camera}/media-token", headers=other.headers)
    assert token.status == 404
    assert len(await listed(hub, viewer)) == 1


async def test_a_push_camera_is_there_while_it_pushes(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, secret = await hub.push_camera(household)
    assert [each["online"] for each in await listed(hub, viewer)] == [False]
    headers = {**bearer(secret), "Content-Type": "application/sdp"}
    await hub.ask("POST", f"/whip/{camera}", data="v=0\r\n", headers=headers)
    assert [(each["online"], each["trouble"]) for each in await listed(hub, viewer)] == [
        (True, None)
    ]


async def test_a_still_is_a_picture_of_now(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    response = await hub.ask("GET", f"/api/v1/cameras/{camera}/still", headers=viewer.headers)
    assert (response.status, response.content_type) == (200, "image/jpeg")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Last-Modified" in response.headers
    hub.live.error = ChildOffline("not there", retry_after=5)
    response = await hub.ask("GET", f"/api/v1/cameras/{camera}/still", headers=viewer.headers)
    assert (response.status, (await response.json())["code"]) == (409, "agent_offline")
    assert response.headers["Retry-After"] == "5"


async def put(hub: Hub, url: str, ticket: str, body: bytes = JPEG, **more: str) -> ClientResponse:
    path = url.removeprefix(hub.app[keys.NODE].url)
    headers = {**bearer(ticket), "Content-Type": more.get("kind", "image/jpeg")}
    return await hub.ask("PUT", path, data=io.BytesIO(body), headers=headers)


async def test_a_still_that_was_asked_for_arrives_once(hub: Hub) -> None:
    async with hub.app[keys.UPLOADS].expect("gate") as expected:
        waiting = asyncio.get_running_loop().create_task(expected.picture(5))
        assert (await put(hub, expected.to.url, expected.to.ticket)).status == 204
        assert await waiting == JPEG
        assert (await put(hub, expected.to.url, expected.to.ticket)).status == 404
    assert (await put(hub, expected.to.url, expected.to.ticket)).status == 404


async def test_an_upload_needs_the_ticket_that_was_given_for_it(hub: Hub) -> None:
    uploads = hub.app[keys.UPLOADS]
    async with uploads.expect("gate") as one, uploads.expect("gate") as two:
        assert (await put(hub, one.to.url, two.to.ticket)).status == 404
        push = hub.ticket("gate")["Authorization"].removeprefix("Bearer ")
        assert (await put(hub, one.to.url, push)).status == 403
        assert (await put(hub, one.to.url, "x")).status == 401
        assert (await put(hub, one.to.url, one.to.ticket)).status == 204


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"GIF89a", "image/jpeg", 415),
        (b"", "image/jpeg", 415),
        (JPEG, "image/png", 415),
        (JPEG + bytes(LARGEST_STILL), "image/jpeg", 413),
    ],
    ids=["no jpeg", "empty", "another type", "too large"],
)
async def test_what_is_no_small_jpeg_is_refused(
    hub: Hub, body: bytes, kind: str, status: int
) -> None:
    async with hub.app[keys.UPLOADS].expect("gate") as expected:
        response = await put(hub, expected.to.url, expected.to.ticket, body, kind=kind)
        assert response.status == status
        assert not expected.arrived.done()


async def test_a_body_without_a_length_is_cut_off_too(hub: Hub) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield JPEG
        for _ in range(LARGEST_STILL // 65_536 + 2):
            yield bytes(65_536)

    async with hub.app[keys.UPLOADS].expect("gate") as expected:
        path = expected.to.url.removeprefix(hub.app[keys.NODE].url)
        headers = {**bearer(expected.to.ticket), "Content-Type": "image/jpeg"}
        response = await hub.ask("PUT", path, data=endless(), headers=headers)
        assert response.status == 413


async def test_a_still_that_does_not_come_is_a_timeout(hub: Hub) -> None:
    async with hub.app[keys.UPLOADS].expect("gate") as expected:
        with pytest.raises(ChildTimeout):
            await expected.picture(0.01)


async def test_only_so_many_stills_wait_at_a_time(hub: Hub) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST_WAITING):
            await stack.enter_async_context(hub.app[keys.UPLOADS].expect("gate"))
        with pytest.raises(Overloaded):
            await stack.enter_async_context(hub.app[keys.UPLOADS].expect("gate"))
    async with hub.app[keys.UPLOADS].expect("gate"):
        pass


async def test_a_removed_camera_is_nowhere(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, secret = await hub.push_camera(household)
    await hub.app[keys.CATALOGUE].write(cameras.remove, camera, hub.clock.utc_ms())
    assert await listed(hub, viewer) == []
    headers = {**bearer(secret), "Content-Type": "application/sdp"}
    assert (await hub.ask("POST", f"/whip/{camera}", data="v=0", headers=headers)).status == 401
    with pytest.raises(NotFound):
        hub.live.session("x", "y")
