"""The grants that the household gave, and what became of them: the home's own list (PRM-21).

What is not on this list does not hold, however well it is signed; what is stopped here is stopped.
A grant is on disk before anybody is told of it; a stop holds at once, before it is written down.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field

from home_agent.state import State, StateError, Stored
from village_core.grant_tokens import Grant, GrantError, House, read_grant
from village_core.messages import DraftNote, GrantList, GrantNote, StoppedNote

log = logging.getLogger(__name__)

FILE = "grants.json"
DAY_MS = 24 * 3600 * 1000
MOST_WAITING = 20  # drafts at a time: a hub cannot bury one under others
WAITS = 7 * DAY_MS  # then a draft is forgotten: silence is no
MOST_REFUSED = 64
MOST_GIVEN = 400
MOST_STOPPED = 500  # ids of what was handed on; those of the list itself are kept with it
ROOM = 48 * 1024  # bytes of grants in one GrantList

By = Literal["lan", "command", "hub", "reset"]


class Given(Stored):
    id: str
    draft: str
    digest: str  # of the terms: what was agreed to once is not signed again
    text: str
    at: int
    stopped: int | None = None
    stopped_by: Literal["", "lan", "command", "hub", "reset"] = ""


class Waiting(Stored):
    draft: DraftNote
    heard: int


class Ledger(Stored):
    """grants.json"""

    agent: str = ""  # the enrolment that they belong to; with another they end (IDN-15)
    given: tuple[Given, ...] = ()
    stopped: dict[str, int] = Field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    refused: tuple[str, ...] = ()
    window: bool | None = None  # None: as the settings say


class Grants:
    """The list; `on_stop` is called in the turn in which something ends."""

    def __init__(self, state: State, on_stop: Callable[[str], None]) -> None:
        self._state = state
        self._on_stop = on_stop
        self._writing = asyncio.Lock()
        self._ledger = _stored(state)
        self._read: dict[str, Grant] = {}

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    @property
    def stopped(self) -> frozenset[str]:
        return frozenset(self._ledger.stopped)

    def begin(self, agent: str, house: House, now: int) -> bool:
        """An enrolment holds. Whether what was given before has ended with another one."""
        ended = bool(self._ledger.agent) and self._ledger.agent != agent
        if ended:
            ids = [each.id for each in self._ledger.given if each.stopped is None]
            self._ledger = _stopped(self._ledger, ids, now, "reset")
            self._ledger = self._ledger.model_copy(update={"waiting": (), "refused": ()})
        self._ledger = self._ledger.model_copy(update={"agent": agent})
        self._read = dict(self._verified(house, now))
        return ended

    def _verified(self, house: House, now: int) -> Mapping[str, Grant]:
        """What the household key signed; a file that somebody changed gains nothing."""
        found = {}
        for each in self._ledger.given:
            try:
                found[each.id] = read_grant(each.text, house, now, expired_ok=True)
            except GrantError as error:
                log.error("grant %s on the list is not the household's: %s", each.id, error.code)  # noqa: TRY400
        return found

    def all(self) -> dict[str, Grant]:
        return dict(self._read)

    def standing(self) -> dict[str, Grant]:
        """Given and not stopped. Some may be over, or not begun."""
        stopped = self._ledger.stopped
        return {name: grant for name, grant in self._read.items() if name not in stopped}

    def given(self, grant: str) -> Given | None:
        return next((each for each in self._ledger.given if each.id == grant), None)

    def of_draft(self, draft: str) -> Given | None:
        return next((each for each in self._ledger.given if each.draft == draft), None)

    def of_terms(self, digest: str) -> Given | None:
        return next((each for each in self._ledger.given if each.digest == digest), None)

    def waiting(self, draft: str) -> Waiting | None:
        return next((each for each in self._ledger.waiting if each.draft.id == draft), None)

    async def give(self, given: Given, grant: Grant) -> None:
        """Raises StateError: nothing was given then."""
        async with self._writing:
            after = _given(self._ledger, given)
            await self._write(after)
            self._ledger = _given(self._ledger, given)  # it may have changed in between
            self._read[given.id] = grant

    async def wait(self, waiting: Waiting) -> None:
        """For the household at home. Raises StateError."""
        kept = [
            each
            for each in self._ledger.waiting
            if each.heard + WAITS > waiting.heard and each.draft.id != waiting.draft.id
        ]
        await self._change(waiting=(*kept, waiting))

    def has_room(self) -> bool:
        given = self._ledger.given
        return len(given) < MOST_GIVEN or any(each.stopped is not None for each in given)

    def is_full(self, now: int) -> bool:
        return sum(each.heard + WAITS > now for each in self._ledger.waiting) >= MOST_WAITING

    async def refuse(self, draft: str) -> None:
        """The household's no. Raises StateError: it is refused all the same until a restart."""
        kept = tuple(each for each in self._ledger.waiting if each.draft.id != draft)
        refused = (*self._ledger.refused, draft)[-MOST_REFUSED:]
        await self._change(waiting=kept, refused=refused)

    async def set_window(self, *, on: bool) -> None:
        await self._change(window=on)

    async def stop(self, ids: list[str], now: int, by: By) -> None:
        """At once. Raises StateError when it could not be written down."""
        new = [each for each in ids if each not in self._ledger.stopped]
        if not new:
            return
        self._ledger = _stopped(self._ledger, new, now, by)
        for each in new:
            log.warning("grant %s is stopped (%s)", each, by)
            self._on_stop(each)
        await self.save()

    async def save(self) -> None:
        async with self._writing:
            await self._write(self._ledger)

    async def _change(self, **what: object) -> None:
        self._ledger = self._ledger.model_copy(update=what)
        await self.save()

    async def _write(self, ledger: Ledger) -> None:
        await asyncio.to_thread(self._state.write, FILE, ledger)


def listed(grants: Grants, *, window: bool) -> list[GrantList]:
    """For the hub: in as many messages as it takes, the ended ones first."""
    ledger = grants.ledger
    notes = [
        GrantNote(
            id=each.id,
            draft=each.draft,
            grant=each.text,
            stopped=each.stopped,
            stopped_by=each.stopped_by,
        )
        for each in ledger.given
    ]
    parts = _parted(notes)
    said = {
        "stopped": tuple(
            StoppedNote(id=name, at=at) for name, at in list(ledger.stopped.items())[-MOST_STOPPED:]
        ),
        "waiting": tuple(each.draft.id for each in ledger.waiting),
        "refused": ledger.refused,
        "window": window,
    }
    last = len(parts) - 1
    return [
        GrantList.model_validate({"grants": tuple(part), "more": at < last, **said})
        for at, part in enumerate(parts)
    ]


def _parted(notes: list[GrantNote]) -> list[list[GrantNote]]:
    parts: list[list[GrantNote]] = [[]]
    for note in notes:
        size = sum(len(each.grant) + 200 for each in parts[-1]) + len(note.grant)
        if len(parts[-1]) >= 32 or (parts[-1] and size > ROOM):
            parts.append([])
        parts[-1].append(note)
    return parts


def _given(ledger: Ledger, given: Given) -> Ledger:
    waiting = tuple(each for each in ledger.waiting if each.draft.id != given.draft)
    kept = [*ledger.given, given]
    if len(kept) > MOST_GIVEN:  # the oldest that was stopped: `has_room` saw that there is one
        kept.remove(next((each for each in kept if each.stopped is not None), kept[0]))
    return ledger.model_copy(update={"given": tuple(kept), "waiting": waiting})


def _stopped(ledger: Ledger, ids: list[str], now: int, by: By) -> Ledger:
    given = tuple(
        each.model_copy(update={"stopped": now, "stopped_by": by}) if each.id in ids else each
        for each in ledger.given
    )
    stopped = {**ledger.stopped, **dict.fromkeys(ids, now)}
    on_list = {each.id for each in given}
    others = [each for each in stopped if each not in on_list]
    for name in others[: max(0, len(others) - MOST_STOPPED)]:
        del stopped[name]
    return ledger.model_copy(update={"given": given, "stopped": stopped})


def _stored(state: State) -> Ledger:
    """A damaged list gives nobody anything; it is put aside for whoever repairs it."""
    try:
        return state.read(FILE, Ledger) or Ledger()
    except StateError as error:
        log.error("%s; until then no grant holds", error)  # noqa: TRY400
        aside = state.path(FILE)
        aside.replace(aside.with_suffix(".damaged"))
        return Ledger()
