"""village_core/uplink.py against a real WebSocket server: design.md, Uplink rules."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from village_core.jobs import Supervisor
from village_core.uplink import (
    LONGEST_PAUSE,
    NEWER_VERSION,
    UPLINK_ERRORS,
    Call,
    Dial,
    Refused,
    Reply,
    Route,
    Uplink,
    UplinkError,
)

HELLO = {"hello": "secvillage", "version": 1, "hub": "hub-1", "utc_ms": 1}


class Body(BaseModel):
    word: str


class Parent:
    """The parent's side, raw: what is sent and received is in the test's hands."""

    def __init__(self) -> None:
        self.first: object = HELLO
        self.sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.tokens: list[str | None] = []
        self.status = 101
        self.close_code: int | None = None
        self.deaf = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/uplink", self.serve)
        return app

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization"))
        if self.status != 101:
            return web.Response(status=self.status)
        socket = web.WebSocketResponse(autoping=not self.deaf)
        await socket.prepare(request)
        if self.first is not None:
            await socket.send_str(json.dumps(self.first))
        self.sockets.put_nowait(socket)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.answers.put_nowait(json.loads(message.data))
        self.close_code = socket.close_code
        return socket

    async def ask(self, **frame: Any) -> dict[str, Any]:
        await self.send(**frame)
        async with asyncio.timeout(5):
            return await self.answers.get()

    async def send(self, **frame: Any) -> None:
        socket = await self.socket()
        await socket.send_str(json.dumps({"deadline_ms": 2000, **frame}))

    async def socket(self) -> web.WebSocketResponse:
        async with asyncio.timeout(5):
            socket = await self.sockets.get()
        self.sockets.put_nowait(socket)
        return socket


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


@pytest.fixture
def parent() -> Parent:
    return Parent()


@pytest.fixture
async def server(parent: Parent) -> AsyncIterator[TestServer]:
    server = TestServer(parent.app())
    await server.start_server()
    yield server
    await server.close()


class Child:
    """An uplink with a few handlers."""

    def __init__(self, http: aiohttp.ClientSession, url: str, supervisor: Supervisor) -> None:
        self.gate = asyncio.Event()
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.events: list[str] = []
        self._http, self._url = http, url
        routes = [
            Route("POST", "/words", self.say),
            Route("GET", "/slow/{name}", self.slow),
            Route("DELETE", "/slow/{name}", self.quick),
            Route("GET", "/large", self.large),
            Route("GET", "/broken", self.broken),
            Route("GET", "/refused", self.refused),
        ]
        self.uplink = Uplink(
            self.dial,
            routes,
            supervisor,
            on_connected=lambda hello: self.events.append(hello.hub),
            on_lost=lambda: self.events.append("lost"),
        )

    async def dial(self) -> Dial:
        return Dial(self._http, self._url, "token")

    async def say(self, call: Call) -> Reply:
        return Reply(202, Body.model_validate(call.body))

    async def slow(self, call: Call) -> Reply:
        self.started.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Reply(200, Body(word=call.params["name"]))

    async def quick(self, call: Call) -> Reply:
        return Reply(200, Body(word=call.params["name"]))

    async def large(self, _: Call) -> Reply:
        return Reply(200, Body(word="x" * 70_000))

    async def broken(self, _: Call) -> Reply:
        raise ZeroDivisionError

    async def refused(self, _: Call) -> Reply:
        raise Refused(403, "privacy_off", "the switch is off")


@pytest.fixture
async def child(server: TestServer, supervisor: Supervisor) -> AsyncIterator[Child]:
    async with aiohttp.ClientSession() as http:
        child = Child(http, str(server.make_url("/")), supervisor)
        supervisor.start(
            "uplink", child.uplink.run, expected=UPLINK_ERRORS, longest_pause=LONGEST_PAUSE
        )
        yield child
        await supervisor.stop()


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - conditions of several objects
            await asyncio.sleep(0.01)


async def test_a_request_is_answered_by_its_handler(parent: Parent, child: Child) -> None:
    answer = await parent.ask(id="1", method="POST", path="/words", body={"word": "门"})
    assert answer == {"id": "1", "status": 202, "body": {"word": "门"}}
    assert parent.tokens == ["Bearer token"]
    assert child.events == ["hub-1"]


@pytest.mark.parametrize(
    ("frame", "status", "code"),
    [
        ({"method": "GET", "path": "/nothing"}, 404, "unknown_message"),
        ({"method": "GET", "path": "/slow/"}, 404, "unknown_message"),
        ({"method": "PUT", "path": "/words"}, 405, "method"),
        ({"method": "POST", "path": "/words", "body": {"wrod": "x"}}, 400, "bad_body"),
        ({"method": "POST", "path": "/words"}, 400, "bad_body"),
        ({"method": "PATCH", "path": "/words"}, 400, "bad_message"),
        ({"method": "GET", "path": "/words", "more": 1}, 400, "bad_message"),
        ({"method": "GET", "path": "/words", "deadline_ms": 0}, 400, "bad_message"),
        ({"method": "GET", "path": "/large"}, 500, "too_large"),
        ({"method": "GET", "path": "/broken"}, 500, "internal"),
        ({"method": "GET", "path": "/refused"}, 403, "privacy_off"),
        ({"method": "GET", "path": "/slow/x", "deadline_ms": 20}, 504, "deadline"),
    ],
)
async def test_what_cannot_be_done_gets_a_clear_refusal(
    parent: Parent, child: Child, frame: dict[str, Any], status: int, code: str
) -> None:
    answer = await parent.ask(id="1", **frame)
    assert (answer["id"], answer["status"], answer["body"]["code"]) == ("1", status, code)
    assert answer["body"]["detail"]
    assert child.uplink.connected


async def test_answers_come_out_of_order(parent: Parent, child: Child) -> None:
    await parent.send(id="1", method="GET", path="/slow/a")
    assert (await parent.ask(id="2", method="DELETE", path="/slow/b"))["id"] == "2"
    child.gate.set()
    assert (await parent.answers.get())["id"] == "1"


async def test_a_cancel_ends_the_running_request(parent: Parent, child: Child) -> None:
    await parent.send(id="1", method="GET", path="/slow/a")
    await asyncio.wait_for(child.started.wait(), 5)
    socket = await parent.socket()
    await socket.send_str(json.dumps({"cancel": "1"}))
    await asyncio.wait_for(child.cancelled.wait(), 5)
    assert (await parent.ask(id="1", method="DELETE", path="/slow/b"))["status"] == 200


async def test_the_same_id_twice_is_refused(parent: Parent, child: Child) -> None:
    await parent.send(id="1", method="GET", path="/slow/a")
    answer = await parent.ask(id="1", method="GET", path="/slow/a")
    assert answer["body"]["code"] == "same_id"


async def test_too_many_requests_at_a_time_are_refused(parent: Parent, child: Child) -> None:
    for number in range(64):
        await parent.send(id=str(number), method="GET", path="/slow/a")
    assert (await parent.ask(id="65", method="GET", path="/slow/a"))["status"] == 503


async def test_a_frame_over_64_kib_ends_the_connection(parent: Parent, child: Child) -> None:
    socket = await parent.socket()
    await socket.send_str("x" * 70_000)
    await until(lambda: parent.close_code == 1009)
    assert child.events[:2] == ["hub-1", "lost"]


async def test_a_newer_protocol_is_refused_with_a_sentence(
    server: TestServer, parent: Parent, supervisor: Supervisor
) -> None:
    parent.first = {**HELLO, "version": 2, "novelty": True}
    async with aiohttp.ClientSession() as http:
        child = Child(http, str(server.make_url("/")), supervisor)
        with pytest.raises(UplinkError, match="speaks version 2"):
            await child.uplink.run()
    await until(lambda: parent.close_code == NEWER_VERSION)
    assert child.events == []


@pytest.mark.parametrize("first", [{"id": "1"}, [], "x", {"hello": "other", "version": 1}])
async def test_a_parent_that_does_not_say_hello_is_left(
    server: TestServer, parent: Parent, supervisor: Supervisor, first: object
) -> None:
    parent.first = first
    async with aiohttp.ClientSession() as http:
        with pytest.raises(UplinkError, match="not a hello"):
            await Child(http, str(server.make_url("/")), supervisor).uplink.run()


async def test_a_refused_dial_says_the_status(
    server: TestServer, parent: Parent, supervisor: Supervisor
) -> None:
    parent.status = 401
    async with aiohttp.ClientSession() as http:
        with pytest.raises(UplinkError, match="answered 401") as caught:
            await Child(http, str(server.make_url("/")), supervisor).uplink.run()
    assert caught.value.status == 401


async def test_the_uplink_comes_back_after_the_parent_closed(parent: Parent, child: Child) -> None:
    first = await parent.sockets.get()
    await first.close()
    await until(lambda: child.events == ["hub-1", "lost", "hub-1"])


async def test_a_dead_link_is_noticed_within_10_seconds(parent: Parent, child: Child) -> None:
    parent.deaf = True
    first = await parent.sockets.get()
    await first.close()
    await until(lambda: child.events.count("hub-1") == 2)
    began = asyncio.get_running_loop().time()
    await until(lambda: child.events.count("lost") == 2, 10.0)
    assert asyncio.get_running_loop().time() - began < 10.0


FRAMES = st.one_of(
    st.text(max_size=50),
    st.dictionaries(
        st.sampled_from(["id", "method", "path", "deadline_ms", "body", "cancel", "x"]),
        st.none()
        | st.integers()
        | st.sampled_from(["1", "GET", "/words", "/slow/a"])
        | st.just({}),
    ).map(json.dumps),
    st.just("[" * 5000),
)


@given(st.lists(FRAMES, max_size=10))
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_text_gets_a_refusal_or_silence(frames: list[str]) -> None:
    async def story() -> None:
        parent, supervisor = Parent(), Supervisor()
        server = TestServer(parent.app())
        await server.start_server()
        async with aiohttp.ClientSession() as http:
            child = Child(http, str(server.make_url("/")), supervisor)
            await _throw(parent, child, supervisor, frames)
        await server.close()

    asyncio.run(story())


async def _throw(parent: Parent, child: Child, supervisor: Supervisor, frames: list[str]) -> None:
    supervisor.start("uplink", child.uplink.run, expected=UPLINK_ERRORS)
    socket = await parent.socket()
    for frame in frames:
        await socket.send_str(frame)
    await parent.send(id="last", method="DELETE", path="/slow/last")
    async with asyncio.timeout(5):
        while (await parent.answers.get())["id"] != "last":
            pass
    assert child.uplink.connected
    await supervisor.stop()
