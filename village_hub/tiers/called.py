"""The way down of calls about matters (village_core/calls.py): passed on, or handed to this hub's
own front door, where they meet the same guard and handlers as anybody's."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
from pydantic import BaseModel

from village_core.calls import (
    DIGEST,
    INLINE,
    CallAnswered,
    CallAsked,
    PartSent,
    PartWanted,
    Way,
    content_digest,
    packed,
    unpacked,
)
from village_core.clock import Clock
from village_core.ids import new_id
from village_core.uplink import Call, Refused, Reply, Route
from village_hub.catalogue import hubs
from village_hub.catalogue.store import Catalogue, Session
from village_hub.tiers.children import Children
from village_hub.tiers.from_above import told
from village_hub.tiers.parts import PartsKept

log = logging.getLogger(__name__)

WITHIN = 15.0  # seconds for a handler here
ASK_WITHIN = 20.0  # seconds for a hub below
ANSWERED = ("ETag", "Location", "Content-Type", "Content-Disposition", "Retry-After")
MORE = ("Idempotency-Replayed",)

W = TypeVar("W", bound=Way)
Work = Callable[[W, str | None], Awaitable[BaseModel | None]]


class FrontDoor:
    """Where this hub reaches itself: set by whoever serves it."""

    def __init__(self) -> None:
        self.url = ""


class Called:
    def __init__(
        self, hub: str, catalogue: Catalogue, children: Children, door: FrontDoor, clock: Clock
    ) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._children = children
        self._door = door
        self._clock = clock
        self._parts = PartsKept(clock)
        self._http: aiohttp.ClientSession | None = None

    @property
    def routes(self) -> list[Route]:
        return [
            self._route("/calls", CallAsked, self._handle),
            self._route("/parts", PartSent, self._add),
            self._route("/parts/read", PartWanted, self._read),
        ]

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    def _route(self, path: str, kind: type[W], here: Work[W]) -> Route:
        async def work(call: Call) -> Reply:
            said = kind.model_validate(call.body)
            if said.to == self._hub:
                return Reply(200, await here(said, call.authorization))
            return await self._passed_on(path, said, call.authorization)

        return Route("POST", path, told(work))

    async def _passed_on(self, path: str, said: Way, token: str | None) -> Reply:
        child = await self._catalogue.read(way_down, said.place)
        if child is None:
            raise Refused(404, "no_such_hub", "there is no hub of this place below")
        answer = await self._children.ask(
            child, "POST", path, said, authorization=token, deadline=ASK_WITHIN
        )
        if answer.status != 200:
            body = answer.body or {}
            detail = str(body.get("detail") or "the hub below refused")
            raise Refused(answer.status, str(body.get("code") or "bad_child"), detail)
        return Reply(200, _Any.model_validate(answer.body) if answer.body is not None else None)

    async def _handle(self, said: CallAsked, token: str | None) -> CallAnswered:
        if token is None:
            raise Refused(401, "no_token", "a call comes with its person's token")
        headers: dict[str, str] = {str(name): value for name, value in said.headers.items()}
        body = self._parts.take(said.parts) if said.parts else _unpacked(said.data)
        if said.parts and headers.get(DIGEST) != content_digest(body):
            raise Refused(400, "bad_digest", "the body is another one than was sent")
        headers["Authorization"] = f"Bearer {token}"
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        try:
            async with self._client().request(
                said.method,
                f"{self._url()}{said.path}",
                data=body or None,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                return self._answered(answer, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("a call from another hub got no answer here: %s", error)
            raise Refused(503, "overloaded", "this hub cannot answer now") from error

    def _answered(self, answer: aiohttp.ClientResponse, body: bytes) -> CallAnswered:
        found = {
            name: answer.headers[name] for name in (*ANSWERED, *MORE) if name in answer.headers
        }
        shown = {"status": answer.status, "headers": found}
        if len(body) <= INLINE:
            return CallAnswered.model_validate({**shown, "data": packed(body)})
        parts = self._parts.keep(new_id(self._clock), body)
        return CallAnswered.model_validate({**shown, "parts": parts})

    async def _add(self, said: PartSent, _: str | None) -> None:
        self._parts.add(said, _unpacked(said.data))

    async def _read(self, said: PartWanted, _: str | None) -> PartSent:
        data = self._parts.read(said.id, said.number)
        return PartSent(
            to=said.to, place=said.place, id=said.id, number=said.number, data=packed(data)
        )

    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent",)
            )
        return self._http

    def _url(self) -> str:
        if not self._door.url:
            raise Refused(503, "overloaded", "this hub is not served yet")
        return self._door.url


class _Any(BaseModel, extra="allow"):
    """What a hub below answered, for the one above to check."""


def way_down(session: Session, place: str) -> str | None:
    """The child through which a place's hub is reached."""
    return next((row.id for row in hubs.living(session) if place.startswith(row.place)), None)


def _unpacked(text: str) -> bytes:
    try:
        return unpacked(text)
    except ValueError as error:
        raise Refused(400, "bad_body", "the body is not base64") from error
