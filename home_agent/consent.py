"""Consent at home: what the household gave and to whom, who its owners are, what is open (PRM-21).

`Consent` answers the hub's messages about grants, owners and openings, and the household's own
hands on the LAN page and the command line; and it is asked before anything leaves the home
(`stands`, by judge.py). What ends here is told to `listen`ers in the same turn of the loop.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from home_agent.boxclock import BoxClock
from home_agent.camera import Camera
from home_agent.config import ConsentConfig
from home_agent.grants import By, Given, Grants, Waiting, listed
from home_agent.judge import Known, judge
from home_agent.openings import Opening, Openings
from home_agent.openings_file import OpeningsFile
from home_agent.owners import Owners
from home_agent.parent import Enrolment
from home_agent.signing import Signer, Signs
from home_agent.state import State
from village_core.assertion import Site
from village_core.grant_tokens import AtHome, House
from village_core.grants import GrantKind
from village_core.keys import SigningKey
from village_core.messages import (
    DraftNote,
    Granted,
    GrantList,
    OpeningNote,
    OwnerProposal,
    StoppedNote,
)
from village_core.permits import Action, CameraClass, PermitNote
from village_core.uplink import Call, Refused, Reply, Route

log = logging.getLogger(__name__)

Ended = Callable[[str], None]
"""Called with the id of a grant or opening that stands no more."""


@dataclass(frozen=True, slots=True)
class Leave:
    """A look that is permitted: until when (monotonic; None: as the permit says) and on what."""

    ends: float | None
    refs: frozenset[str]


class Consent:
    def __init__(
        self,
        state: State,
        clock: BoxClock,
        config: ConsentConfig,
        cameras: Mapping[str, Camera],
        boot: str | None = None,
    ) -> None:
        self.on_change: Callable[[], None] = _nothing  # something that the hub is told of
        self.owners = Owners(state)
        self.grants = Grants(state, self._ended)
        self.openings = Openings(clock)
        self.openings_file = OpeningsFile(state, self.openings, clock, boot)
        self._clock = clock
        self._config = config
        self._cameras = cameras
        self._listeners: list[Ended] = []
        self._ends: dict[str, float] = {}  # a grant's end, the earliest ever computed
        self._signing = asyncio.Lock()
        self._house: House | None = None
        self._signer: Signer | None = None
        self.routes = [
            Route("POST", "/grants", self._draft),
            Route("GET", "/grants", self._list),
            Route("DELETE", "/grants/{grant}", self._stop),
            Route("POST", "/owners", self._propose),
            Route("PUT", "/openings/{opening}", self._open),
            Route("DELETE", "/openings/{opening}", self._close),
        ]

    def listen(self, listener: Ended) -> None:
        self._listeners.append(listener)

    def begin(self, enrolment: Enrolment, key: SigningKey) -> None:
        """An enrolment holds; `key` is the household's. With another one than before all grants
        end (IDN-15), and its owners are those that were shown when it was made."""
        house = House(enrolment.household, key.public, enrolment.hub)
        before = set(self.grants.standing())
        self.owners.begin(enrolment)
        ended = self.grants.begin(enrolment.agent, house, self._clock.utc_ms())
        self._house = house
        self._signer = Signer(
            Signs(house, key, Site.of(enrolment.site or enrolment.url)),
            self.grants,
            self.owners,
            self.classes,
            self._clock,
        )
        if ended:
            log.warning("enrolled anew: %d grants end", len(before))
            self.openings.end_all()
            for name in before:
                self._ended(name)

    async def save(self) -> None:
        """After `begin`. Raises StateError."""
        await self.owners.save()
        await self.grants.save()
        await self.openings_file.save()

    @property
    def window(self) -> bool:
        """Whether consent on paper counts."""
        set_at_home = self.grants.ledger.window
        return self._config.window if set_at_home is None else set_at_home

    def classes(self) -> Mapping[str, CameraClass]:
        return {name: camera.config.class_ for name, camera in self._cameras.items()}

    # Asked before anything leaves

    def stands(self, note: PermitNote, action: Action) -> Leave:
        """Raises Refused."""
        found = judge(note, action, self._known())
        ends = [self._end_of(name, until) for name, until in found.grants]
        if found.ends is not None:
            ends.append(found.ends)
        if ends and min(ends) <= self._clock.monotonic():
            raise Refused(403, "expired", "what this permit stands on is over")
        return Leave(min(ends) if ends else None, found.refs)

    def _known(self) -> Known:
        return Known(
            house=self._house,
            owners=self.owners.ids(),
            classes=self.classes(),
            unmasked=frozenset(
                name
                for name, camera in self._cameras.items()
                if camera.config.mask and not camera.masked
            ),
            grants=self.grants.standing(),
            stopped=self.grants.stopped,
            openings={each.id: each for each in self.openings.running()},
            now=self._clock.utc_ms(),
        )

    def _end_of(self, grant: str, until: int) -> float:
        """On the monotonic clock. A clock that is set back makes no grant longer."""
        now = self._clock.monotonic()
        ends = now + (until - self._clock.utc_ms()) / 1000
        self._ends[grant] = min(ends, self._ends.get(grant, ends))
        return self._ends[grant]

    # The household's own hands

    async def stop(self, grant: str, by: By) -> bool:
        """One tap. Whether there is such a grant. Raises StateError: it is stopped all the same."""
        if self.grants.given(grant) is None:
            return False
        try:
            await self.grants.stop([grant], self._clock.utc_ms(), by)
        finally:
            self.on_change()
        return True

    async def give(self, draft: str) -> Given | None:
        """The yes at home, on the LAN page or at the console. None: nothing waits under this id.
        Raises Refused, StateError."""
        waiting = self.grants.waiting(draft)
        if waiting is None:
            return None
        async with self._signing:
            given = self.grants.of_draft(draft) or await self._must_signer().sign(
                waiting.draft, AtHome()
            )
        self.on_change()
        return given

    async def refuse(self, draft: str) -> bool:
        """The no at home. Whether something waited. Raises StateError."""
        if self.grants.waiting(draft) is None:
            return False
        await self.grants.refuse(draft)
        self.on_change()
        return True

    async def confirm_owner(self, proposal: str) -> bool:
        """Raises StateError."""
        found = await self.owners.confirm(proposal)
        self.on_change()
        return found is not None

    async def refuse_owner(self, proposal: str) -> bool:
        """Raises StateError."""
        return await self.owners.refuse(proposal)

    async def remove_owner(self, person: str) -> bool:
        """What this person watches ends. Raises StateError."""
        try:
            return await self.owners.remove(person)
        finally:
            self._ended(person)
            self.on_change()

    async def set_window(self, *, on: bool) -> None:
        """Raises StateError."""
        await self.grants.set_window(on=on)
        self.on_change()

    def standing_sos(self) -> tuple[str, frozenset[str]]:
        """The SOS grant that stands now (its id, "" when there is none) and what it opens."""
        now = self._clock.utc_ms()
        cameras: set[str] = set()
        name = ""
        for each in self.grants.standing().values():
            terms = each.terms
            if terms.kind is GrantKind.SOS and terms.not_before <= now < terms.until:
                name = name or each.id
                cameras |= terms.cameras
        return name, frozenset(cameras) & frozenset(self._cameras)

    def raise_sos(self, name: str, by: str) -> Opening:
        """Open at once; `openings_file.save` is the caller's next step."""
        _, cameras = self.standing_sos()
        return self.openings.raise_here(name, cameras, by)

    async def end_opening(self, name: str) -> bool:
        """Whether it was open."""
        was_open = self.openings.end(name)
        self._ended(name)
        await self.openings_file.save()
        return was_open

    # What the hub is told, and what it says

    def lists(self) -> list[GrantList]:
        found = listed(self.grants, window=self.window)
        return [each.model_copy(update={"owners": self.owners.notes()}) for each in found]

    async def heard_stopped(self, notes: Sequence[StoppedNote]) -> None:
        """Stopped anywhere is stopped. Raises StateError: they are stopped all the same."""
        await self.grants.stop([each.id for each in notes], self._clock.utc_ms(), "hub")

    # Routes

    async def _draft(self, call: Call) -> Reply:
        note = DraftNote.model_validate(call.body)
        async with self._signing:
            if given := self.grants.of_draft(note.id):
                return _granted(given)
            if note.id in self.grants.ledger.refused:
                raise Refused(403, "refused", "the household has said no")
            signer = self._must_signer()
            signer.check(note.terms)
            if note.confirmed is not None and signer.is_proven(note, window=self.window):
                given = await signer.sign(note, note.confirmed)
            else:
                return await self._wait(note)
        self.on_change()
        return _granted(given)

    async def _wait(self, note: DraftNote) -> Reply:
        now = self._clock.utc_ms()
        before = self.grants.waiting(note.id)
        if before is not None and before.draft.terms != note.terms:
            raise Refused(409, "other_terms", "a draft with this id waits with other terms")
        if before is None:
            if self.grants.is_full(now):
                raise Refused(429, "too_many_wait", "too many drafts wait at home already")
            await self.grants.wait(Waiting(draft=note, heard=now))
        return Reply(202)

    async def _list(self, _: Call) -> Reply:
        return Reply(200, self.lists()[-1])

    async def _stop(self, call: Call) -> Reply:
        """Also for one that somebody handed on: its id alone is known here."""
        name = call.params["grant"]
        if len(name) > 80:
            raise Refused(404, "no_such_grant", "this home has given no such grant")
        await self.grants.stop([name], self._clock.utc_ms(), "hub")
        self.on_change()
        return Reply(200)

    async def _propose(self, call: Call) -> Reply:
        note = OwnerProposal.model_validate(call.body)
        if self.owners.knows(note):
            return Reply(200)
        if self.owners.was_refused(note):
            raise Refused(403, "refused", "the household has said no")
        if self.owners.is_full():
            raise Refused(429, "too_many_wait", "too many owners wait to be confirmed at home")
        await self.owners.wait(note)
        return Reply(202)

    async def _open(self, call: Call) -> Reply:
        note = OpeningNote.model_validate(call.body)
        if note.id != call.params["opening"]:
            raise Refused(400, "wrong_opening", "the path names another opening than the body")
        opening = self.openings.put(note, self._openable(note))
        await self.openings_file.save()
        log.warning("%s %s is open: %s %s", opening.kind, opening.id, opening.unit, opening.by)
        return Reply(200)

    def _openable(self, note: OpeningNote) -> frozenset[str]:
        """What the household (or, in an emergency, the law) lets be opened. Raises Refused."""
        if note.kind == "sos":
            _, allowed = self.standing_sos()
            if not allowed:
                raise Refused(403, "no_grant", "the household has chosen no cameras for an SOS")
            return allowed
        outside = frozenset(
            name for name, kind in self.classes().items() if kind is CameraClass.H_OUT
        )
        found = outside & frozenset(note.cameras)
        if not found:
            raise Refused(403, "class", "an emergency opens cameras of yard and gate only")
        return found

    async def _close(self, call: Call) -> Reply:
        if not await self.end_opening(call.params["opening"]):
            raise Refused(404, "no_such_opening", "nothing is open here under this id")
        return Reply(200)

    def _must_signer(self) -> Signer:
        if self._signer is None:
            raise Refused(403, "not_enrolled", "this box is enrolled at no hub")
        return self._signer

    def _ended(self, name: str) -> None:
        for listener in self._listeners:
            listener(name)


def _granted(given: Given) -> Reply:
    return Reply(201, Granted(id=given.id, grant=given.text))


def _nothing() -> None:
    """Nobody is told yet."""
