"""The uplink from above (design.md, Uplink rules), over a real WebSocket; and fuzzed messages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.support import Agent, Hub, until
from village_core.messages import LARGEST_FRAME, Answer, Hello, Request
from village_hub import keys
from village_hub.catalogue import nodes
from village_hub.errors import ChildOffline, ChildTimeout, Overloaded
from village_hub.tiers.link import MOST_WAITING, Link, LinkError, LinkFull, refusal_of


@asynccontextmanager
async def uplink(hub: Hub, agent: Agent, **more: Any) -> AsyncIterator[ClientWebSocketResponse]:
    headers = hub.node_token(agent)
    async with hub.client.ws_connect("/uplink", headers=headers, **more) as socket:
        yield socket


async def greeted(socket: ClientWebSocketResponse) -> Hello:
    return Hello.model_validate_json(await socket.receive_str(timeout=5))


async def next_request(socket: ClientWebSocketResponse) -> Request:
    return Request.model_validate_json(await socket.receive_str(timeout=5))


async def say(socket: ClientWebSocketResponse, request: Request, status: int = 200) -> None:
    answer = Answer(id=request.id, status=status, body={"path": request.path})
    await socket.send_str(answer.model_dump_json())


def asking(hub: Hub, agent: Agent, path: str, **more: Any) -> "asyncio.Task[Answer]":
    method = more.pop("method", "GET")
    work = hub.app[keys.CHILDREN].ask(agent.id, method, path, **more)
    return asyncio.get_running_loop().create_task(work)


async def test_the_first_frame_greets_with_the_hubs_clock(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        hello = await greeted(socket)
        assert (hello.hub, hello.version) == (hub.id, 1)
        assert hello.utc_ms == hub.clock.utc_ms()
        assert hub.app[keys.CHILDREN].online(agent.id)
    await until(lambda: not hub.app[keys.CHILDREN].online(agent.id))


async def test_answers_may_come_out_of_order(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        first, second = asking(hub, agent, "/a"), asking(hub, agent, "/b")
        requests = [await next_request(socket), await next_request(socket)]
        for request in reversed(requests):
            await say(socket, request)
        assert (await first).body == {"path": "/a"}
        assert (await second).body == {"path": "/b"}


async def test_revocations_go_first(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        tasks = [asking(hub, agent, f"/pushes/{n}") for n in range(5)]
        tasks.append(asking(hub, agent, "/permits/p", method="DELETE"))
        requests = [await next_request(socket) for _ in tasks]
        assert requests[0].method == "DELETE"
        for request in requests:
            await say(socket, request)
        await asyncio.gather(*tasks)


async def test_a_late_answer_is_a_timeout_and_the_child_is_told(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        with pytest.raises(ChildTimeout):
            await asyncio.gather(asking(hub, agent, "/slow", deadline=0.05))
        request = await next_request(socket)
        assert request.deadline_ms == 50
        assert json.loads(await socket.receive_str(timeout=5)) == {"cancel": request.id}
        await say(socket, request)  # late: nobody waits, nothing breaks
        again = asking(hub, agent, "/quick")
        await say(socket, await next_request(socket))
        assert (await again).status == 200


async def test_a_status_that_is_an_error_is_still_an_answer(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        asked = asking(hub, agent, "/pushes", method="POST")
        await say(socket, await next_request(socket), 403)
        assert (await asked).status == 403


async def test_a_child_that_is_not_there_is_offline(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    with pytest.raises(ChildOffline) as refused:
        await hub.app[keys.CHILDREN].ask(agent.id, "GET", "/status")
    assert refused.value.retry_after


async def test_who_waits_is_told_when_the_link_is_lost(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        asked = asking(hub, agent, "/a")
        await next_request(socket)
    with pytest.raises(ChildOffline):
        await asked


async def test_a_new_connection_takes_the_place_of_the_old(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    changes: list[tuple[str, bool]] = []
    hub.app[keys.CHILDREN].on_change.append(lambda node, online: changes.append((node, online)))
    async with uplink(hub, agent) as old:
        await greeted(old)
        async with uplink(hub, agent) as new:
            await greeted(new)
            closed = await old.receive(timeout=5)
            assert (closed.type, old.close_code) == (WSMsgType.CLOSE, 4000)
            asked = asking(hub, agent, "/a")
            await say(new, await next_request(new))
            assert (await asked).status == 200
    await until(lambda: len(changes) == 2)
    assert changes == [(agent.id, True), (agent.id, False)]


async def test_a_revoked_child_is_cut_off_and_cannot_come_back(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        await hub.app[keys.CATALOGUE].write(nodes.revoke, agent.id, hub.clock.utc_ms())
        closed = await socket.receive(timeout=5)
        assert (closed.type, socket.close_code) == (WSMsgType.CLOSE, 4001)
    with pytest.raises(WSServerHandshakeError) as refused:
        async with uplink(hub, agent):
            pass
    assert refused.value.status == 401


async def test_the_hub_says_goodbye_when_it_stops(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        stopping = asyncio.get_running_loop().create_task(hub.app.shutdown())
        closed = await socket.receive(timeout=5)
        await stopping
        assert (closed.type, socket.close_code) == (WSMsgType.CLOSE, 1001)
        assert closed.extra == "the hub is stopping"
        assert hub.live.closed


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        '{"hello": 1}',
        '{"id": 5, "status": 200}',
        '{"id": "a", "status": 99}',
        "null",
    ],
)
async def test_an_unknown_message_gets_a_clear_refusal(hub: Hub, frame: str) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        await socket.send_str(frame)
        closed = await socket.receive(timeout=5)
        assert (closed.type, socket.close_code) == (WSMsgType.CLOSE, 1007)
        assert "version 1" in str(closed.extra) or "JSON object" in str(closed.extra)


async def test_frames_are_text_of_at_most_64_kib(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        await socket.send_bytes(b"{}")
        await socket.receive(timeout=5)
        assert socket.close_code == 1003
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        await socket.send_str("x" * (LARGEST_FRAME + 1))
        await socket.receive(timeout=5)
        assert socket.close_code == 1009


async def test_a_newer_version_is_refused_before_the_upgrade(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    with pytest.raises(WSServerHandshakeError) as refused:
        async with uplink(hub, agent, protocols=("secvillage.2",)):
            pass
    assert refused.value.status == 400
    async with uplink(hub, agent, protocols=("secvillage.2", "secvillage.1")) as socket:
        assert socket.protocol == "secvillage.1"
        await greeted(socket)


async def test_a_person_or_a_stranger_has_no_uplink(hub: Hub) -> None:
    _, viewer = await hub.owner()
    for headers in ({}, dict(viewer.headers)):
        with pytest.raises(WSServerHandshakeError) as refused:
            async with hub.client.ws_connect("/uplink", headers=headers):
                pass
        assert refused.value.status == 401


async def test_a_page_has_no_uplink_whatever_token_it_found(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    headers = {**hub.node_token(agent), "Origin": hub.origin}
    with pytest.raises(WSServerHandshakeError) as refused:
        async with hub.client.ws_connect("/uplink", headers=headers):
            pass
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "wrong",
    [{"subject": "another"}, {"audience": "another"}, {"lifetime": 301}],
    ids=["subject", "audience", "life"],
)
async def test_a_node_token_that_is_wrong_in_anything_is_refused(
    hub: Hub, wrong: dict[str, Any]
) -> None:
    agent = await hub.enrolled(await hub.household())
    if "lifetime" in wrong:
        with pytest.raises(ValueError, match="300"):
            hub.node_token(agent, **wrong)
        return
    response = await hub.ask("GET", "/uplink", headers=hub.node_token(agent, **wrong))
    assert response.status == 401


async def test_a_node_token_by_another_key_is_refused(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    impostor = Agent(agent.id, agent.household)
    response = await hub.ask("GET", "/uplink", headers=hub.node_token(impostor))
    assert response.status == 401


def request(name: str, method: str = "GET", path: str = "/a") -> Request:
    return Request.model_validate({"id": name, "method": method, "path": path, "deadline_ms": 1000})


def test_a_child_that_owes_too_much_gets_only_revocations() -> None:
    link = Link()
    for number in range(MOST_WAITING):
        link.ask(request(str(number)))
    with pytest.raises(LinkFull):
        link.ask(request("one more"))
    link.ask(request("end", "DELETE"))
    frame = link.next_frame()
    assert frame is not None
    assert json.loads(frame)["id"] == "end"


def test_what_was_never_sent_is_not_cancelled_but_dropped() -> None:
    link = Link()
    link.ask(request("a"))
    link.forget("a")
    assert link.next_frame() is None
    link.forget("unknown")
    assert link.next_frame() is None


def test_a_request_over_64_kib_is_not_sent() -> None:
    big = request("a").model_copy(update={"body": {"x": "y" * LARGEST_FRAME}})
    with pytest.raises(ValueError, match="64 KiB"):
        Link().ask(big)


async def test_too_many_requests_are_overload_for_the_asker(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    async with uplink(hub, agent) as socket:
        await greeted(socket)
        tasks = [asking(hub, agent, f"/{n}") for n in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await hub.app[keys.CHILDREN].ask(agent.id, "GET", "/one-more")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.text(max_size=200) | JSON.map(json.dumps))
def test_any_frame_is_an_answer_or_a_clear_refusal(frame: str) -> None:
    """Fuzzed uplink messages: no crash, no leak of what waits."""
    link = Link()
    link.ask(request("a"))
    link.next_frame()
    with suppress(LinkError):
        assert link.feed(frame) is None
    assert 0 < len(refusal_of(frame).encode()) <= 123  # fits a close frame
    link.feed(Answer(id="a", status=200).model_dump_json())


@given(st.lists(st.sampled_from(["ask", "delete", "forget", "send", "answer"]), max_size=40))
def test_every_request_is_answered_cancelled_or_still_waits(steps: list[str]) -> None:
    link, asked, open_now = Link(), 0, []
    sent: list[str] = []
    for step in steps:
        if step in ("ask", "delete"):
            asked += 1
            link.ask(request(str(asked), "DELETE" if step == "delete" else "GET"))
            open_now.append(str(asked))
        elif step == "forget" and open_now:
            link.forget(open_now.pop(0))
        elif step == "send" and (frame := link.next_frame()):
            said = json.loads(frame)
            sent.append(said.get("id") or f"cancel {said['cancel']}")
        elif step == "answer" and open_now:
            name = open_now.pop()
            assert link.feed(Answer(id=name, status=200).model_dump_json()) is not None
    assert len(sent) == len(set(sent))
