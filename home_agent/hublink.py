"""The tie to the hub: enrolment found, uplink kept, status told on connect and on change."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from home_agent.boxclock import BoxClock
from home_agent.enrol import ENROLMENT, stored_enrolment
from home_agent.parent import Enrolment, Parent
from home_agent.state import State, StateError
from village_core.jobs import Supervisor
from village_core.keys import SigningKey
from village_core.line import PARENT_ERRORS, Line, ParentError
from village_core.messages import AgentStatus, Hello
from village_core.uplink import (
    LONGEST_PAUSE,
    UPLINK_ERRORS,
    Route,
    Uplink,
    UplinkError,
    nothing,
)

log = logging.getLogger(__name__)

LINK_ERRORS = (*UPLINK_ERRORS, *PARENT_ERRORS, StateError)
LOOK_EVERY = 2.0  # seconds between looks for an enrolment, before there is one
SETTLE = 0.3  # seconds in which changes are gathered into one status
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0  # seconds
LOOK_AROUND = 3  # after so many failed dials, and again, the hub is looked for on the LAN
SEARCH = 2.0  # seconds: with the dial and its pause, a link is still back within 15 s


class Announced(Protocol):
    """A hub that announces itself on the LAN (mDNS)."""

    @property
    def url(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...


FindHubs = Callable[[float], Awaitable[Sequence[Announced]]]
"""Looks for so many seconds."""


class HubLink:
    """One enrolment at a time; a new one (home-agent enrol) is taken up at the next dial."""

    def __init__(
        self,
        state: State,
        url: str,
        clock: BoxClock,
        supervisor: Supervisor,
        *,
        status: Callable[[], AgentStatus],
        find_hubs: FindHubs,
    ) -> None:
        self.on_revoked: Callable[[], None] = nothing
        self.on_up: Callable[[], None] = nothing  # the uplink is there
        self.on_enrolment: Callable[[Enrolment], Awaitable[None]] = _kept
        self.routes: Sequence[Route] = ()
        self.trouble = "not enrolled"  # why there is no uplink, in words
        self._state = state
        self._url = url
        self._clock = clock
        self._supervisor = supervisor
        self._status = status
        self._find_hubs = find_hubs
        self._parent: Parent | None = None
        self._left: list[Parent] = []  # of older enrolments and addresses; a push may still use one
        self._uplink: Uplink | None = None
        self._failures = 0
        self._changed = asyncio.Event()
        self._told: AgentStatus | None = None

    @property
    def connected(self) -> bool:
        return self._uplink is not None and self._uplink.connected

    @property
    def enrolment(self) -> Enrolment | None:
        return self._parent.enrolment if self._parent else None

    def parent(self) -> Parent:
        """Raises ParentError before there is one."""
        if self._parent is None:
            raise ParentError("this agent is not enrolled at a hub")
        return self._parent

    def start(self) -> None:
        self._supervisor.start(
            "uplink", self._run, expected=LINK_ERRORS, longest_pause=LONGEST_PAUSE
        )
        self._supervisor.start("status", self._tell_forever)

    def changed(self) -> None:
        """Something of the status is different."""
        self._changed.set()

    async def close(self) -> None:
        for parent in (*self._left, self._parent):
            if parent is not None:
                await parent.close()

    async def _run(self) -> None:
        """One connection of the uplink, from finding the enrolment to its loss."""
        enrolment, key = await self._enrolled()
        await self.on_enrolment(enrolment)
        parent = await self._reach(enrolment, key)
        self._uplink = Uplink(
            parent.dial,
            self.routes,
            self._supervisor,
            on_connected=self._connected,
            on_lost=self._lost,
        )
        try:
            await self._uplink.run()
        except LINK_ERRORS as error:
            self._note(error)
            raise

    async def _enrolled(self) -> tuple[Enrolment, SigningKey]:
        while True:
            stored = await asyncio.to_thread(stored_enrolment, self._state)
            if stored is not None:
                return stored
            await self._clock.sleep(LOOK_EVERY)

    async def _reach(self, enrolment: Enrolment, key: SigningKey) -> Parent:
        """The parent for this dial: the one there is, unless enrolment or address changed."""
        url = await self._address(enrolment)
        if self._parent is not None:
            same = self._parent.enrolment.node == enrolment.node and self._parent.line.url == url
            if same:
                return self._parent
            self._left.append(self._parent)
        self._parent = Parent(enrolment, url, key, self._clock)
        return self._parent

    async def _address(self, enrolment: Enrolment) -> str:
        """The configured address, the enrolment's, or where the same hub is found on the LAN."""
        known = (self._url or enrolment.url).rstrip("/")
        if self._url or not self._failures or self._failures % LOOK_AROUND:
            return known
        for found in await self._find_hubs(SEARCH):
            if found.fingerprint == enrolment.fingerprint and await _answers(found):
                log.info("the hub was found at %s", found.url)
                moved = enrolment.model_copy(update={"url": found.url})
                await asyncio.to_thread(self._state.write, ENROLMENT, moved)
                return found.url.rstrip("/")
        return known

    def _connected(self, hello: Hello) -> None:
        self._clock.learn(hello.utc_ms)
        self._failures = 0
        self.trouble = ""
        self._told = None
        self._changed.set()
        self.on_up()

    def _lost(self) -> None:
        self.trouble = "the uplink was lost"

    def _note(self, error: Exception) -> None:
        self._failures += 1
        self.trouble = str(error) or type(error).__name__
        if isinstance(error, UplinkError) and error.revoked:
            self.trouble = "the hub has revoked this agent: enrol it again"
            self.on_revoked()
        elif isinstance(error, UplinkError) and error.status == 401:
            self.trouble = "the hub does not accept this agent (revoked, or its clock is wrong)"

    async def _tell_forever(self) -> None:
        pause = FIRST_RETRY
        while True:
            await self._changed.wait()
            await self._clock.sleep(SETTLE)
            self._changed.clear()
            try:
                await self._tell()
                pause = FIRST_RETRY
            except PARENT_ERRORS as error:
                log.warning("the status could not be told: %s", error)
                await self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_RETRY)
                self._changed.set()

    async def _tell(self) -> None:
        status = self._status()
        if self.connected and status != self._told:
            await self.parent().tell(status)
            self._told = status


async def _kept(_: Enrolment) -> None:
    """Nobody needs to know."""


async def _answers(found: Announced) -> bool:
    """Whether the hub there holds the key that it announces; nothing secret is sent."""
    line = Line(found.url, found.fingerprint)
    try:
        await line.vouch()
    except PARENT_ERRORS as error:
        log.info("what announces itself at %s is not our hub: %s", found.url, error)
        return False
    finally:
        await line.close()
    return True
