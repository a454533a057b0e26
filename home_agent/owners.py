"""The owners that the home knows: from its enrolment, or confirmed at home since (PRM-21).

A hub, or its administrator, can write anybody down as an owner; nobody sees a picture for that
before somebody at home has said yes to it here.
"""

import asyncio
import logging

from home_agent.parent import Enrolment
from home_agent.state import State, StateError, Stored
from village_core.messages import OwnerNote, OwnerProposal, PasskeyKey

log = logging.getLogger(__name__)

FILE = "owners.json"
MOST_WAITING = 10
MOST_PASSKEYS = 10  # of one owner
MOST_OWNERS = 32
MOST_REFUSED = 32


class Owner(Stored):
    id: str
    name: str = ""
    passkeys: tuple[PasskeyKey, ...] = ()


class Pinned(Stored):
    """owners.json"""

    agent: str = ""  # the enrolment that they belong to
    owners: tuple[Owner, ...] = ()
    waiting: tuple[OwnerProposal, ...] = ()
    refused: tuple[str, ...] = ()


class Owners:
    def __init__(self, state: State) -> None:
        self._state = state
        self._writing = asyncio.Lock()
        self._pinned = _stored(state)

    @property
    def all(self) -> tuple[Owner, ...]:
        return self._pinned.owners

    @property
    def waiting(self) -> tuple[OwnerProposal, ...]:
        return self._pinned.waiting

    def ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self._pinned.owners)

    def find(self, person: str) -> Owner | None:
        return next((each for each in self._pinned.owners if each.id == person), None)

    def notes(self) -> tuple[OwnerNote, ...]:
        return tuple(OwnerNote(id=each.id, name=each.name) for each in self._pinned.owners)

    def begin(self, enrolment: Enrolment) -> None:
        """With another enrolment those before are known no more."""
        if self._pinned.agent == enrolment.agent:
            return
        owners = tuple(Owner(id=each.id, name=each.name) for each in enrolment.owners)
        self._pinned = Pinned(agent=enrolment.agent, owners=owners)

    def knows(self, note: OwnerProposal) -> bool:
        owner = self.find(note.person)
        return owner is not None and (note.passkey is None or note.passkey in owner.passkeys)

    def was_refused(self, note: OwnerProposal) -> bool:
        return note.id in self._pinned.refused

    def is_full(self) -> bool:
        return len(self._pinned.waiting) >= MOST_WAITING

    async def wait(self, note: OwnerProposal) -> None:
        """Raises StateError."""
        others = tuple(each for each in self._pinned.waiting if each.id != note.id)
        await self._change(waiting=(*others, note))

    async def confirm(self, proposal: str) -> Owner | None:
        """Somebody at home said yes. None: there is no such proposal. Raises StateError."""
        note = next((each for each in self._pinned.waiting if each.id == proposal), None)
        if note is None:
            return None
        before = self.find(note.person) or Owner(id=note.person, name=note.name)
        passkeys = (*before.passkeys, note.passkey) if note.passkey else before.passkeys
        owner = before.model_copy(update={"passkeys": passkeys[-MOST_PASSKEYS:]})
        others = tuple(each for each in self._pinned.owners if each.id != owner.id)
        log.warning("%s (%s) is an owner from now on", owner.name, owner.id)
        await self._change(owners=(*others, owner)[-MOST_OWNERS:], waiting=self._without(proposal))
        return owner

    async def refuse(self, proposal: str) -> bool:
        """Whether there was one. Raises StateError."""
        if all(each.id != proposal for each in self._pinned.waiting):
            return False
        refused = (*self._pinned.refused, proposal)[-MOST_REFUSED:]
        await self._change(waiting=self._without(proposal), refused=refused)
        return True

    async def remove(self, person: str) -> bool:
        """Whether there was one: no owner any more. Raises StateError: removed all the same."""
        if self.find(person) is None:
            return False
        log.warning("%s is an owner no more", person)
        owners = tuple(each for each in self._pinned.owners if each.id != person)
        await self._change(owners=owners)
        return True

    async def save(self) -> None:
        async with self._writing:
            await asyncio.to_thread(self._state.write, FILE, self._pinned)

    def _without(self, proposal: str) -> tuple[OwnerProposal, ...]:
        return tuple(each for each in self._pinned.waiting if each.id != proposal)

    async def _change(self, **what: object) -> None:
        self._pinned = self._pinned.model_copy(update=what)
        await self.save()


def _stored(state: State) -> Pinned:
    """Damaged: nobody is an owner until the home is enrolled again or confirms somebody."""
    try:
        return state.read(FILE, Pinned) or Pinned()
    except StateError as error:
        log.error("%s", error)  # noqa: TRY400
        aside = state.path(FILE)
        aside.replace(aside.with_suffix(".damaged"))
        return Pinned()
