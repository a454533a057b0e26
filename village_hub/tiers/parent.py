"""The hub above: how it is called, and the uplink to it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.line import PARENT_ERRORS, Line, ParentError, parsed
from village_core.messages import Hello
from village_core.tokens import Issuer, Kind
from village_core.uplink import UPLINK_ERRORS, Dial, Route, Uplink, UplinkError
from village_hub.node import Node
from village_hub.tiers import tie
from village_hub.tiers.tie import Tie, TieError

log = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)

NONE = "this hub has joined no other"
LOOK_EVERY = 2.0  # seconds between looks for whether this hub has joined, or left
UPWARD_ERRORS = (*UPLINK_ERRORS, *PARENT_ERRORS, TieError)


class Parent:
    """The hub above, as this one joined it."""

    def __init__(self, known: Tie, node: Node, clock: Clock) -> None:
        self.tie = known
        self.line = Line(known.url, known.fingerprint)
        self._issuer = Issuer(node.id, node.key, clock)

    def token(self) -> str:
        """A fresh node token for one call."""
        return self._issuer.mint(Kind.NODE, subject=self._issuer.name, audience=self.tie.hub)

    async def dial(self) -> Dial:
        await self.line.vouch()
        return Dial(self.line.http, self.line.url, self.token())

    async def ask(self, method: str, path: str, said: BaseModel | None, kind: type[T]) -> T:
        """Raises one of PARENT_ERRORS."""
        _, body = await self.line.ask(method, path, body=said, token=self.token())
        return parsed(kind, body)

    async def leave(self) -> None:
        """Raises one of PARENT_ERRORS."""
        await self.line.vouch()
        await self.line.ask("DELETE", "/api/v1/node", token=self.token())


class Upward:
    """The tie to the hub above, where there is one: joined or left at any time."""

    def __init__(self, state: Path, node: Node, supervisor: Supervisor, clock: Clock) -> None:
        self.routes: Sequence[Route] = ()  # what the hub above may ask for
        self.on_up: list[Callable[[], None]] = []
        self.on_lost: list[Callable[[], None]] = []
        self.trouble = NONE
        self._state = state
        self._node = node
        self._supervisor = supervisor
        self._clock = clock
        self._parent: Parent | None = None
        self._uplink: Uplink | None = None

    @property
    def connected(self) -> bool:
        return self._uplink is not None and self._uplink.connected

    @property
    def tie(self) -> Tie | None:
        return self._parent.tie if self._parent else None

    def parent(self) -> Parent:
        """Raises ParentError before there is one."""
        if self._parent is None:
            raise ParentError(NONE)
        return self._parent

    async def learn_root(self, root: str) -> None:
        """The county's root key by the hub above, taken where joining gave none; never in place of
        one."""
        if self._parent is None or self._parent.tie.root is not None:
            return
        found = self._parent.tie.model_copy(update={"root": root})
        try:
            await asyncio.to_thread(tie.write, self._state, found)
        except TieError as error:
            log.warning("the county's root key cannot be pinned: %s", error)
            return
        self._parent.tie = found
        log.info("the county's root key is pinned, as %s gave it", found.hub_name)

    async def run(self) -> None:
        """A job: one connection, from the dial to its loss. Raises one of UPWARD_ERRORS."""
        try:
            await self._take_up(await self._known())
            self._uplink = Uplink(
                self.parent().dial,
                self.routes,
                self._supervisor,
                on_connected=self._connected,
                on_lost=self._lost,
            )
            await self._uplink.run()
        except UPWARD_ERRORS as error:
            self.trouble = _why(error)
            raise

    async def close(self) -> None:
        if self._parent is not None:
            await self._parent.line.close()

    async def _known(self) -> Tie:
        while True:
            if found := await asyncio.to_thread(tie.read, self._state):
                return found
            await self._take_up(None)
            await self._clock.sleep(LOOK_EVERY)

    async def _take_up(self, known: Tie | None) -> None:
        if known == self.tie:
            return
        await self.close()
        self._parent = Parent(known, self._node, self._clock) if known else None
        self.trouble = "the hub above was not reached yet" if known else NONE

    def _connected(self, _: Hello) -> None:
        self.trouble = ""
        for callback in self.on_up:
            callback()

    def _lost(self) -> None:
        self.trouble = "the line to the hub above is down"
        for callback in self.on_lost:
            callback()


def _why(error: Exception) -> str:
    if isinstance(error, UplinkError) and (error.revoked or error.status == 401):
        return "the hub above does not accept this one any more: it left, or was taken out"
    return str(error) or type(error).__name__
