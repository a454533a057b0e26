"""Has a child push a feed while somebody wants it, whatever happens on the way.

    asked --202--> awaited --first packet--> flowing --3 s of silence, goodbye--> asked again
    not wanted for LINGER: the child is told to stop

Tickets are new for each attempt; a new push replaces the old at both ends.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.messages import Answer, Message, PushAnswer, PushRequest, Ticketed
from village_core.permits import PermitNote
from village_hub.access.tickets import Tickets
from village_hub.errors import ChildOffline, ChildTimeout, Overloaded
from village_hub.media.feed import Feed
from village_hub.tiers.children import Children, Method

log = logging.getLogger(__name__)

LOST = "no_such_permit"  # the child began anew, or the permit's end is on its way here
MOST_PERMITS = 100  # in one push request: an uplink's frame has 64 KiB; more come as they renew
LINGER = 10.0  # seconds after the last consumer
COME_WITHIN = 5.0  # seconds from the child's yes to the first packet
LOOK_EVERY = 1.0  # a stall is noticed by the clock, nothing else tells
PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0)  # seconds between attempts; the last repeats
CHILD_ERRORS = (ChildOffline, ChildTimeout, Overloaded)


Body = Message | PermitNote


class Asks(Protocol):
    async def ask(
        self,
        node_id: str,
        method: Method,
        path: str,
        body: Body | None = None,
        *,
        deadline: float = 5.0,
    ) -> Answer: ...


class Pulls:
    """One task for each feed that is wanted from a child."""

    def __init__(
        self, url: str, children: Children, tickets: Tickets, supervisor: Supervisor, clock: Clock
    ) -> None:
        self._url = url
        self._children: Asks = children
        self._tickets = tickets
        self._supervisor = supervisor
        self._clock = clock
        self._running: set[Feed] = set()
        self.on_refused: Callable[[frozenset[str]], None] = nothing  # ids of permits
        self.on_lost: Callable[[frozenset[str]], None] = nothing  # which a hub below knows no more

    def ensure(self, feed: Feed, node: str) -> None:
        """Keep the feed coming from now on, until nobody has wanted it for LINGER."""
        if feed not in self._running:
            self._running.add(feed)
            _ = self._supervisor.once(
                f"pull of {feed.camera} {feed.quality}", self._run(feed, node)
            )

    def busy(self, feed: Feed) -> bool:
        """Whether the feed is still looked after: wanted, or not yet told to stop."""
        return feed in self._running

    async def tell(self, node: str, method: Method, path: str, body: Body | None = None) -> int:
        """The child's status, or 0 when it cannot be reached: it counts permits down by itself."""
        try:
            answer = await self._children.ask(node, method, path, body)
            if isinstance(body, PermitNote) and _is_no(answer):
                self.on_refused(frozenset({body.id}))
            return answer.status
        except CHILD_ERRORS as error:
            log.info("%s %s did not reach agent %s: %s", method, path, node, error)
            return 0

    async def _run(self, feed: Feed, node: str) -> None:
        attempts = 0
        try:
            while await self._needed(feed):
                if feed.flowing:
                    attempts = 0
                    await self._changed(feed, LOOK_EVERY)
                    continue
                if not await self._attempt(feed, node):
                    pause = PAUSES[min(attempts, len(PAUSES) - 1)]
                    attempts += 1
                    await self._changed(feed, pause)
        finally:
            self._running.discard(feed)
        await self._stop(feed, node)

    async def _needed(self, feed: Feed) -> bool:
        """At once while it is wanted; else after LINGER whether it became so again."""
        idle_from = self._clock.monotonic()
        while not feed.wanted:
            left = LINGER - (self._clock.monotonic() - idle_from)
            if left <= 0:
                return False
            await self._changed(feed, left)
        return True

    async def _changed(self, feed: Feed, seconds: float) -> None:
        feed.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await feed.changed.wait()
        except TimeoutError:
            pass

    async def _attempt(self, feed: Feed, node: str) -> bool:
        """One push asked for with a new ticket; True when it flows."""
        feed.push = push = new_id(self._clock)
        request = PushRequest(
            push=push,
            camera=feed.camera,
            quality=feed.quality,
            to=Ticketed(
                url=f"{self._url}/whip/{feed.camera}?quality={feed.quality}",
                ticket=self._tickets.for_push(feed.camera, feed.quality, push),
            ),
            permits=_longest(feed.permits()),
        )
        try:
            answer = await self._children.ask(node, "POST", "/pushes", request)
        except CHILD_ERRORS as error:
            log.info("camera %s: no push: %s", feed.camera, error)
            return False
        if answer.status != 202:
            code = (answer.body or {}).get("code")
            log.info("camera %s: the agent refused a push: %s %s", feed.camera, answer.status, code)
            asked = frozenset(permit.id for permit in request.permits)
            if code == LOST:
                self.on_lost(asked)
            elif _is_no(answer):
                self.on_refused(asked)
            return False
        if refused := _refused(answer):
            log.info("camera %s: it is not shown to all: %s", feed.camera, refused)
            lost = frozenset(permit for permit, code in refused.items() if code == LOST)
            self.on_lost(lost)
            self.on_refused(frozenset(refused) - lost)
        return await self._comes(feed)

    async def _comes(self, feed: Feed) -> bool:
        ends = self._clock.monotonic() + COME_WITHIN
        while not feed.flowing and feed.wanted:
            left = ends - self._clock.monotonic()
            if left <= 0:
                log.info("camera %s: no picture within %.0f s", feed.camera, COME_WITHIN)
                return False
            await self._changed(feed, left)
        return True

    async def _stop(self, feed: Feed, node: str) -> None:
        if feed.publishing is not None:
            feed.publishing.end("nobody watches")
        if feed.push is not None:
            await self.tell(node, "DELETE", f"/pushes/{feed.push}")


def nothing(_: frozenset[str]) -> None:
    """Nobody is told."""


def _is_no(answer: Answer) -> bool:
    """The home's own decision on a permit; the privacy switch passes, and is shown as such."""
    return answer.status == 403 and (answer.body or {}).get("code") != "privacy_off"


def _refused(answer: Answer) -> dict[str, str]:
    try:
        return PushAnswer.model_validate(answer.body or {}).refused
    except ValidationError:
        return {}


def _longest(permits: list[PermitNote]) -> list[PermitNote]:
    """Those that a push can stand on longest, as many as fit."""
    return sorted(permits, key=lambda permit: permit.until, reverse=True)[:MOST_PERMITS]
