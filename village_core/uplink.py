"""The child's side of `GET /uplink` (design.md, Uplink rules): dial, listen, dispatch, answer.

One `Uplink` keeps one WebSocket to the parent open: `run` is one connection, and the supervisor
dials again after a jittered pause, at most LONGEST_PAUSE, so that the link is back within 15 s of
its return. A link on which nothing answers a ping within about 8 s is dead.

    routes = [Route("POST", "/pushes", start), Route("DELETE", "/pushes/{push}", stop)]
    uplink = Uplink(dial, routes, supervisor, on_connected=..., on_lost=...)
    supervisor.start("uplink", uplink.run, expected=UPLINK_ERRORS, longest_pause=LONGEST_PAUSE)

A handler gets a `Call` and returns `Reply`, or raises `Refused`. Answers go out as they get ready.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import BaseModel, ValidationError

from village_core.jobs import Supervisor
from village_core.messages import LARGEST_FRAME, PROTOCOL, Answer, Cancel, Hello, Request

log = logging.getLogger(__name__)

LONGEST_PAUSE = 6.0  # seconds between dials: with DIAL_TIMEOUT it stays below 15
DIAL_TIMEOUT = 6.0  # seconds for DNS, TCP, TLS and the upgrade, also over a satellite
HELLO_TIMEOUT = 5.0
HEARTBEAT = 5.0  # a ping after so long a silence; aiohttp gives the pong half of it
MOST_RUNNING = 64  # requests at a time
REVOKED = 4001  # close codes (RFC 6455 section 7.4.2: private use); this one is the parent's
NEWER_VERSION = 4010  # these two are the child's
NO_HELLO = 4011


class UplinkError(Exception):
    """The uplink is not up, or no more; the sentence says why.

    `status` is the parent's HTTP answer to the dial, when that was the reason (401: the token);
    `revoked` when the parent ended the uplink because this node is enrolled no more.
    """

    def __init__(self, detail: str, *, status: int | None = None, close: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.revoked = close == REVOKED


UPLINK_ERRORS = (UplinkError, aiohttp.ClientError, OSError, TimeoutError)


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """A handler's no: becomes an Answer with a `code` and a sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a handler; `params` are the path's parts in braces."""

    params: Mapping[str, str]
    body: dict[str, Any] | None = field(repr=False)
    authorization: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: BaseModel | None = None


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: str  # /permits/{permit}
    handler: Handler

    def match(self, path: str) -> dict[str, str] | None:
        """The named parts when `path` is of this route."""
        wanted, given = self.pattern.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        found: dict[str, str] = {}
        for want, part in zip(wanted, given, strict=True):
            if want.startswith("{"):
                found[want[1:-1]] = part
            elif want != part:
                return None
        return found if all(found.values()) else None


@dataclass(frozen=True, slots=True)
class Dial:
    """Where and as whom: asked for before every dial, so that a token is always fresh.

    `ssl` is what aiohttp takes: a context, a Fingerprint (the pinned certificate), or True.
    """

    http: aiohttp.ClientSession
    url: str  # https://host[:port]; /uplink is added
    token: str = field(repr=False)
    ssl: Any = True


def nothing(*_: object) -> None:
    """For callbacks that nobody needs."""


class Uplink:
    """Keeps one connection to the parent and answers what comes through it."""

    def __init__(
        self,
        dial: Callable[[], Awaitable[Dial]],
        routes: Sequence[Route],
        supervisor: Supervisor,
        *,
        on_connected: Callable[[Hello], None] = nothing,
        on_lost: Callable[[], None] = nothing,
    ) -> None:
        self._dial = dial
        self._routes = routes
        self._supervisor = supervisor
        self._on_connected = on_connected
        self._on_lost = on_lost
        self.connected = False

    async def run(self) -> None:
        """One connection, from the dial to its loss. Raises one of UPLINK_ERRORS."""
        async with asyncio.timeout(DIAL_TIMEOUT):
            dial = await self._dial()
            socket = await _upgrade(dial)
        try:
            hello = await _greeting(socket)
            self.connected = True
            log.info("the uplink to %s is up", dial.url)
            self._on_connected(hello)
            await _Connection(socket, self._routes, self._supervisor).listen()
        finally:
            self._lost()
            await socket.close()

    def _lost(self) -> None:
        if self.connected:
            self.connected = False
            self._on_lost()


async def _upgrade(dial: Dial) -> aiohttp.ClientWebSocketResponse:
    try:
        return await dial.http.ws_connect(
            f"{dial.url.rstrip('/')}/uplink",
            headers={"Authorization": f"Bearer {dial.token}"},
            ssl=dial.ssl,
            protocols=(f"secvillage.{PROTOCOL}",),
            heartbeat=HEARTBEAT,
            max_msg_size=LARGEST_FRAME,
            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
        )
    except aiohttp.WSServerHandshakeError as error:
        said = f"{dial.url} answered {error.status} to the uplink"
        raise UplinkError(said, status=error.status) from error


async def _greeting(socket: aiohttp.ClientWebSocketResponse) -> Hello:
    """The parent's first frame; a newer protocol gets a clear refusal."""
    message = await socket.receive(timeout=HELLO_TIMEOUT)
    if message.type is not aiohttp.WSMsgType.TEXT:
        said = f"the parent closed the uplink at once ({_why_closed(socket)})"
        raise UplinkError(said, close=socket.close_code)
    version = _peek(message.data).get("version")
    if isinstance(version, int) and version > PROTOCOL:
        said = f"the parent speaks version {version} of the uplink, this node {PROTOCOL}"
        await socket.close(code=NEWER_VERSION, message=said.encode())
        raise UplinkError(f"{said}: update this node")
    try:
        return Hello.model_validate_json(message.data)
    except ValidationError as error:
        await socket.close(code=NO_HELLO, message=b"the first frame is to be a hello")
        raise UplinkError("the parent's first frame is not a hello") from error


class _Connection:
    """What runs while one WebSocket is open."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        routes: Sequence[Route],
        supervisor: Supervisor,
    ) -> None:
        self._socket = socket
        self._routes = routes
        self._supervisor = supervisor
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def listen(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.ERROR:
                    break
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(message.data)
                else:
                    await self._answer(_refusal("", 400, "bad_message", "a frame is to be text"))
        finally:
            for task in self._running.values():
                task.cancel()
        said = f"the uplink was lost ({_why_closed(self._socket)})"
        raise UplinkError(said, close=self._socket.close_code)

    async def _take(self, text: str) -> None:
        peek = _peek(text)
        try:
            if "cancel" in peek:
                self._cancel(Cancel.model_validate_json(text).cancel)
                return
            request = Request.model_validate_json(text)
        except ValidationError as error:
            name = peek.get("id")
            sentence = f"not a message of version {PROTOCOL}: {_first_error(error)}"
            await self._answer(
                _refusal(name if isinstance(name, str) else "", 400, "bad_message", sentence)
            )
            return
        if refusal := self._cannot_start(request):
            await self._answer(refusal)
            return
        task = self._supervisor.once(f"uplink {request.method}", self._serve(request))
        self._running[request.id] = task
        task.add_done_callback(lambda done: self._ended(request.id, done))

    def _ended(self, name: str, task: asyncio.Task[Any]) -> None:
        self._running.pop(name, None)
        if not task.cancelled() and task.exception():  # logged by the supervisor
            refusal = _refusal(name, 500, "internal", "the node failed; its log has the cause")
            _ = self._supervisor.once("uplink answer", self._answer(refusal))

    def _cannot_start(self, request: Request) -> Answer | None:
        if request.id in self._running:
            return _refusal(request.id, 409, "same_id", "a request with this id is running")
        if len(self._running) >= MOST_RUNNING:
            return _refusal(request.id, 503, "busy", "too many requests at a time")
        return None

    def _cancel(self, name: str) -> None:
        if task := self._running.get(name):
            task.cancel()

    async def _serve(self, request: Request) -> None:
        try:
            async with asyncio.timeout(request.deadline_ms / 1000):
                answer = await self._answer_to(request)
        except TimeoutError:
            answer = _refusal(request.id, 504, "deadline", "not done before the deadline")
        await self._answer(answer)

    async def _answer_to(self, request: Request) -> Answer:
        try:
            handler, params = self._find(request)
            reply = await handler(Call(params, request.body, request.authorization))
        except Refused as refused:
            return _refusal(request.id, refused.status, refused.code, str(refused))
        except ValidationError as error:
            return _refusal(request.id, 400, "bad_body", _first_error(error))
        body = reply.body.model_dump(mode="json") if reply.body is not None else None
        return Answer(id=request.id, status=reply.status, body=body)

    def _find(self, request: Request) -> tuple[Handler, dict[str, str]]:
        known = False
        for route in self._routes:
            params = route.match(request.path)
            if params is not None and route.method == request.method:
                return route.handler, params
            known = known or params is not None
        if known:
            raise Refused(405, "method", f"{request.method} is not for {request.path}")
        raise Refused(404, "unknown_message", f"this node has no {request.path}")

    async def _answer(self, answer: Answer) -> None:
        data = answer.model_dump_json().encode()
        if len(data) > LARGEST_FRAME:
            short = _refusal(answer.id, 500, "too_large", "the answer has over 64 KiB")
            data = short.model_dump_json().encode()
        try:
            await self._socket.send_str(data.decode())
        except (aiohttp.ClientError, ConnectionError):
            log.debug("an answer came after the uplink was lost")


def _refusal(name: str, status: int, code: str, detail: str) -> Answer:
    return Answer(id=name, status=status, body={"code": code, "detail": detail[:500]})


def _peek(text: str) -> dict[str, Any]:
    """The frame's object before it is checked: only to name what is refused."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'frame'}: {first['msg']}"


def _why_closed(socket: aiohttp.ClientWebSocketResponse) -> str:
    error = socket.exception()
    return f"{type(error).__name__}" if error else f"close code {socket.close_code}"
