"""`Idempotency-Key`: what creates is done once, whoever asks again and however often."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.hub.support import Hub, TurnedClock
from village_hub import keys
from village_hub.api import bodies
from village_hub.api.contract import Shape, operation, reply
from village_hub.api.once import KEPT
from village_hub.catalogue import once
from village_hub.errors import Conflict

pytestmark = pytest.mark.both_databases

PATH = "/api/v1/things"


class Thing(Shape):
    name: str


class Workshop:
    """A route that makes something: how often it did can be counted."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    @operation(body=Thing, answer=Thing, status=201, creates=True)
    async def make(self, request: web.Request) -> web.Response:
        body = await bodies.read(request, Thing)
        await self.go_on.wait()
        if body.name == "taken":
            raise Conflict("there is one already")
        self.made.append(body.name)
        return reply(Thing(name=f"{body.name} {len(self.made)}"), status=201, Location="/x")


@pytest.fixture
async def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
async def hub(app: web.Application, clock: TurnedClock, workshop: Workshop) -> AsyncIterator[Hub]:
    app.router.add_post(PATH, workshop.make, name="make_thing")
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    try:
        await client.start_server()
        yield Hub(app, client, clock)
    finally:
        await client.close()


async def make(hub: Hub, headers: Mapping[str, str], name: str, key: str) -> tuple[int, Any, bool]:
    answer = await hub.ask(
        "POST", PATH, json={"name": name}, headers={**headers, "Idempotency-Key": key}
    )
    return answer.status, await answer.json(), "Idempotency-Replayed" in answer.headers


async def test_the_same_key_gives_the_first_answer_again(hub: Hub, workshop: Workshop) -> None:
    _, viewer = await hub.owner()
    first = await make(hub, viewer.headers, "gate", "key-00001")
    again = await make(hub, viewer.headers, "gate", "key-00001")
    assert first == (201, {"name": "gate 1"}, False)
    assert again == (201, {"name": "gate 1"}, True)
    assert workshop.made == ["gate"]


async def test_a_key_is_its_callers_own(hub: Hub, workshop: Workshop) -> None:
    """Nobody reads another's answer by guessing a key."""
    _, one = await hub.owner("Fang")
    _, other = await hub.owner("Li")
    await make(hub, one.headers, "gate", "key-00001")
    assert await make(hub, other.headers, "gate", "key-00001") == (201, {"name": "gate 2"}, False)


async def test_the_same_key_for_something_else_is_refused(hub: Hub, workshop: Workshop) -> None:
    _, viewer = await hub.owner()
    await make(hub, viewer.headers, "gate", "key-00001")
    status, said, _ = await make(hub, viewer.headers, "yard", "key-00001")
    assert (status, said["code"], workshop.made) == (422, "key_reused", ["gate"])


async def test_what_was_refused_may_be_tried_again_with_the_same_key(
    hub: Hub, workshop: Workshop
) -> None:
    _, viewer = await hub.owner()
    for _ in range(2):
        status, said, replayed = await make(hub, viewer.headers, "taken", "key-00001")
        assert (status, said["code"], replayed) == (409, "conflict", False)


async def test_two_at_once_are_done_once(hub: Hub, workshop: Workshop) -> None:
    """The other is told to look, at once; it does not wait for the first."""
    _, viewer = await hub.owner()
    workshop.go_on.clear()
    both = [asyncio.ensure_future(make(hub, viewer.headers, "gate", "key-00001")) for _ in "12"]
    done, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    workshop.go_on.set()
    status, said, _ = done.pop().result()
    assert (status, said["code"]) == (409, "key_running")
    assert (await waiting.pop())[0] == 201
    assert workshop.made == ["gate"]


@pytest.mark.parametrize("key", ["short", "with space in it", "x" * 121, "schlüssel-123"])
async def test_a_key_that_is_none_is_refused(hub: Hub, workshop: Workshop, key: str) -> None:
    _, viewer = await hub.owner()
    status, said, _ = await make(hub, viewer.headers, "gate", key)
    assert (status, said["code"], workshop.made) == (400, "bad_key", [])


async def test_keys_are_forgotten_after_a_day(hub: Hub, workshop: Workshop) -> None:
    _, viewer = await hub.owner()
    await make(hub, viewer.headers, "gate", "key-00001")
    hub.clock.turn(25 * 3600)
    before = hub.clock.utc_ms() - KEPT
    await hub.app[keys.CATALOGUE].write(once.forget_old, before)
    assert (await make(hub, viewer.headers, "gate", "key-00001"))[1] == {"name": "gate 2"}
