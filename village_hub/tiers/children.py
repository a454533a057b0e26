"""The parent's side of `GET /uplink` (design.md, Uplink rules): one connection a child.

    answer = await children.ask(node_id, "POST", "/pushes", push_request, deadline=5.0)

A new connection of a child replaces its old one (close 4000); a revoked child is closed with 4001.
All are closed with 4002 when the hub's wall clock was set, for they count on it and learn it anew
as they dial again, and with 1001 when the hub stops. A version other than ours is refused in the
upgrade when the child names one (`Sec-WebSocket-Protocol: secvillage.N`).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from aiohttp import ClientError, WSMsgType, web
from pydantic import BaseModel

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.messages import (
    LARGEST_FRAME,
    PING_EVERY,
    PROTOCOL,
    Answer,
    Hello,
    Request,
)
from village_hub.catalogue import nodes
from village_hub.catalogue.store import Catalogue
from village_hub.errors import BadRequest, ChildOffline, ChildTimeout, Overloaded
from village_hub.tiers.link import Link, LinkError, LinkFull

log = logging.getLogger(__name__)

Method = Literal["GET", "POST", "PUT", "DELETE"]
SUBPROTOCOL = f"secvillage.{PROTOCOL}"
REPLACED = 4000  # close codes for private use (RFC 6455 section 7.4.2)
REVOKED = 4001
CLOCK_SET = 4002
STOPPING = 1001  # going away
STEP = 2.0  # seconds by which the wall clock may drift from the steady one between two looks
RETRY = 5  # seconds: a child dials again within this most of the time
LOOKS_EVERY = 2.0  # seconds between looks for agents that were revoked by the command line


class Child:
    """One open connection."""

    def __init__(self, node: str, socket: web.WebSocketResponse) -> None:
        self.node = node
        self.socket = socket
        self.link = Link()
        self.ready = asyncio.Event()  # something is to be sent
        self.answers: dict[str, asyncio.Future[Answer]] = {}

    async def close(self, code: int, reason: str) -> None:
        await self.socket.close(code=code, message=reason.encode()[:123])


class Children:
    """All children that are connected now."""

    def __init__(
        self, hub: str, catalogue: Catalogue, supervisor: Supervisor, clock: Clock
    ) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._supervisor = supervisor
        self._clock = clock
        self._children: dict[str, Child] = {}
        self.on_change: list[Callable[[str, bool], None]] = []  # (node id, is it online now)

    def online(self, node_id: str | None) -> bool:
        return node_id in self._children

    def online_now(self) -> list[str]:
        return list(self._children)

    def __len__(self) -> int:
        return len(self._children)

    async def ask(
        self,
        node_id: str,
        method: Method,
        path: str,
        body: BaseModel | None = None,
        *,
        deadline: float = 5.0,
        authorization: str | None = None,
    ) -> Answer:
        """The child's answer, whatever its status. `deadline` in seconds, at most 60.
        `authorization`: a person's token, exchanged for the node that is to decide.

        Raises ChildOffline when it is not connected or gets lost meanwhile, ChildTimeout,
        Overloaded when it owes too many answers.
        """
        child = self._children.get(node_id)
        if child is None:
            raise _offline()
        request = Request(
            id=new_id(self._clock),
            method=method,
            path=path,
            deadline_ms=round(deadline * 1000),
            body=body.model_dump(mode="json") if body is not None else None,
            authorization=authorization,
        )
        try:
            child.link.ask(request)
        except LinkFull as error:
            raise Overloaded("this home is busy", code="agent_busy", retry_after=RETRY) from error
        child.ready.set()
        return await self._answer(child, request, deadline)

    async def _answer(self, child: Child, request: Request, deadline: float) -> Answer:
        waiting = asyncio.get_running_loop().create_future()
        child.answers[request.id] = waiting
        try:
            async with asyncio.timeout(deadline):
                answer: Answer = await waiting
        except TimeoutError as error:
            raise ChildTimeout("the home did not answer in time", retry_after=RETRY) from error
        finally:
            del child.answers[request.id]
            child.link.forget(request.id)
            child.ready.set()  # for the cancel, if there is one
        return answer

    async def serve(self, request: web.Request, node: str) -> web.WebSocketResponse:
        """One connection, from the upgrade to its end."""
        _check_version(request)
        socket = web.WebSocketResponse(
            heartbeat=PING_EVERY,
            max_msg_size=LARGEST_FRAME,
            protocols=(SUBPROTOCOL,),
            timeout=2.0,
            compress=False,
        )
        await socket.prepare(request)
        child = Child(node, socket)
        self._enter(child)
        try:
            await self._talk(child)
        finally:
            self._leave(child)
        return socket

    def _enter(self, child: Child) -> None:
        before = self._children.get(child.node)
        self._children[child.node] = child
        child.link.greet(Hello(hub=self._hub, utc_ms=self._clock.utc_ms()))
        child.ready.set()
        log.info("agent is connected", extra={"agent": child.node})
        if before is None:
            self._tell(child.node, online=True)
        else:  # its line may be dead: the new one does not wait for its goodbye
            goodbye = before.close(REPLACED, "a newer connection took its place")
            _ = self._supervisor.once(f"goodbye to {child.node}", goodbye)

    def _leave(self, child: Child) -> None:
        for waiting in child.answers.values():
            if not waiting.done():
                waiting.set_exception(_offline())
        if self._children.get(child.node) is child:
            del self._children[child.node]
            code = child.socket.close_code
            log.info("agent is gone (close code %s)", code, extra={"agent": child.node})
            self._tell(child.node, online=False)

    def _tell(self, node_id: str, *, online: bool) -> None:
        for callback in self.on_change:
            callback(node_id, online)

    async def _talk(self, child: Child) -> None:
        writing = self._supervisor.once(f"uplink of {child.node}", _write(child))
        try:
            async for message in child.socket:
                if message.type is WSMsgType.TEXT:
                    _deliver(child, message.data)
                elif message.type is WSMsgType.BINARY:
                    raise LinkError(1003, "frames are to be text")  # noqa: TRY301 - handled below
        except LinkError as error:
            log.warning("agent %s broke the uplink's protocol: %s", child.node, error)
            await child.close(error.close, str(error))
        finally:
            writing.cancel()

    async def revoke(self, node_id: str) -> None:
        """Close a child's connection because it is enrolled no more."""
        if child := self._children.get(node_id):
            await child.close(REVOKED, "revoked")

    async def watch_revocations(self) -> None:
        """A job: agents may also be revoked by the command line, in another process."""
        while True:
            await self._clock.sleep(LOOKS_EVERY)
            if self._children:
                living = await self._catalogue.read(nodes.living_children)
                for node_id in set(self._children) - living:
                    await self.revoke(node_id)

    async def watch_clock(self) -> None:
        """A job: permits and tokens carry the wall clock's time, which somebody may set."""
        before = self._drift()
        while True:
            await self._clock.sleep(LOOKS_EVERY)
            drift = self._drift()
            if abs(drift - before) > STEP:
                log.warning("the hub's clock was set by %+.0f s", drift - before)
                await self._close_all(CLOCK_SET, "the hub's clock was set")
            before = drift

    def _drift(self) -> float:
        return self._clock.utc_ms() / 1000 - self._clock.monotonic()

    async def close(self) -> None:
        """Tell every child that the hub stops."""
        await self._close_all(STOPPING, "the hub is stopping")

    async def _close_all(self, code: int, reason: str) -> None:
        children = list(self._children.values())
        await asyncio.gather(*[child.close(code, reason) for child in children])


async def _write(child: Child) -> None:
    """Send what waits, until cancelled or the socket is lost (the reader then ends as well)."""
    while True:
        await child.ready.wait()
        child.ready.clear()
        while frame := child.link.next_frame():
            try:
                await child.socket.send_str(frame)
            except (ClientError, ConnectionError):
                return


def _deliver(child: Child, frame: str) -> None:
    answer = child.link.feed(frame)
    waiting = child.answers.get(answer.id) if answer else None
    if answer and waiting and not waiting.done():
        waiting.set_result(answer)


def _check_version(request: web.Request) -> None:
    """A child that names versions names ours among them; one that names none speaks version 1."""
    offered = request.headers.get("Sec-WebSocket-Protocol")
    if offered is not None and SUBPROTOCOL not in [part.strip() for part in offered.split(",")]:
        raise BadRequest(f"this hub speaks {SUBPROTOCOL}, not {offered[:80]}", code="other_version")


def _offline() -> ChildOffline:
    return ChildOffline("the home's box is not connected", retry_after=RETRY)
