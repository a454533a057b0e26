"""Tells the hub above what it may know of cameras here and below, as it changes (offer.py).

A state is told within a second or two; what is offered is read anew as often. A line that was down
tells everything once more when it is back.
"""

import logging

from village_core.catalogue_notes import (
    CatalogueAnswer,
    OfferNote,
    StateAnswer,
    StateBatch,
    StateNote,
)
from village_core.clock import Clock
from village_core.line import PARENT_ERRORS, ParentError
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Catalogue, CatalogueError
from village_hub.media.service import LiveService
from village_hub.tiers import offering
from village_hub.tiers.changes import Told, bare
from village_hub.tiers.children import Children
from village_hub.tiers.offer import Parent
from village_hub.tiers.parent import Upward
from village_hub.tiers.presence import presence

log = logging.getLogger(__name__)

LOOK_EVERY = 1.5  # seconds
ALIVE_EVERY = 30.0  # seconds: who says nothing for 75 is shown as stale
AGAIN = 5.0  # seconds after a failure
TELL_ERRORS = (*PARENT_ERRORS, CatalogueError)
CATALOGUE = "/api/v1/node/catalogue"


class Telling:
    def __init__(
        self,
        hub: str,
        upward: Upward,
        catalogue: Catalogue,
        children: Children,
        live: LiveService,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._upward = upward
        self._catalogue = catalogue
        self._children = children
        self._live = live
        self._clock = clock
        self._told = Told()
        self._states: dict[str, StateNote] = {}  # as last told, or about to be
        self._below: dict[str, tuple[OfferNote, StateNote]] = {}
        self._dirty = True
        self._parent: Parent | None = None
        self._said = float("-inf")  # when the hub above last heard anything
        upward.on_up.append(self._told.lost)

    def below_changed(self) -> None:
        """A hub below told something, came or went."""
        self._dirty = True

    async def run(self) -> None:
        """A job."""
        while True:
            pause = LOOK_EVERY
            if self._upward.connected and (tie := self._upward.tie) is not None:
                try:
                    await self._tell(offering.parent_of(tie))
                except TELL_ERRORS as error:
                    log.warning("the hub above was not told of the cameras: %s", error)
                    self._told.lost()
                    pause = AGAIN
            await self._clock.sleep(pause)

    async def _tell(self, parent: Parent) -> None:
        offers, states = await self._now(parent)
        for batch in self._told.batches(offers, states, self._clock.utc_ms()):
            answer = await self._upward.parent().ask("PUT", CATALOGUE, batch, CatalogueAnswer)
            self._said = self._clock.monotonic()
            if not self._told.took(batch, answer):
                raise ParentError("it wants everything anew")
        for news in self._told.newer(states):
            await self._say(news)
            self._told.took_states(news)
        if self._clock.monotonic() - self._said >= ALIVE_EVERY:
            await self._say(StateBatch())

    async def _say(self, news: StateBatch) -> None:
        await self._upward.parent().ask("PUT", f"{CATALOGUE}/state", news, StateAnswer)
        self._said = self._clock.monotonic()

    async def _now(self, parent: Parent) -> tuple[dict[str, OfferNote], dict[str, StateNote]]:
        """What is offered at the moment, and the state of each of those."""
        now = self._clock.utc_ms()
        offers, rows = await self._catalogue.read(offering.own, self._hub, parent, now)
        states = {name: self._state(rows[name], now) for name in offers}
        for name, (note, state) in (await self._of_hubs_below(parent)).items():
            if name not in offers:
                offers[name], states[name] = bare(note), state
        self._states = {name: self._numbered(note, now) for name, note in states.items()}
        return offers, self._states

    async def _of_hubs_below(self, parent: Parent) -> dict[str, tuple[OfferNote, StateNote]]:
        """Read again only when one of them told something: it may be tens of thousands."""
        if self._dirty or parent != self._parent:
            self._dirty, self._parent = False, parent  # what changes meanwhile is read again
            self._below = await self._catalogue.read(offering.below, parent)
        return self._below

    def _state(self, row: CameraRow, now: int) -> StateNote:
        found = presence(row, self._children, self._live)
        before = self._states.get(row.id)
        since = before.since if before and before.online == found.online else now
        return StateNote(
            id=row.id, number=1, online=found.online, since=since, trouble=found.trouble
        )

    def _numbered(self, note: StateNote, now: int) -> StateNote:
        """One line of numbers a camera, of this hub's own making: what it told of a village whose
        line was down has to give way to what the village said before, once that is heard again."""
        before = self._states.get(note.id)
        if before is not None and before.model_copy(update={"number": note.number}) == note:
            return before
        return note.model_copy(update={"number": max(now, before.number + 1 if before else 1)})
