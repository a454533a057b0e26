"""Between the hub and a home: drafts down, signed grants up, stops down. What a home misses while
it is offline it gets when it connects."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.grant_tokens import StatusPlace
from village_core.jobs import Supervisor
from village_core.messages import GrantList, GrantListAnswer, OwnerProposal, PasskeyKey
from village_hub.catalogue import drafts, grants, nodes, passkeys, people
from village_hub.catalogue.consent_rows import DraftRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import intake
from village_hub.consent.sending import CONFIRMED, Outcome, note_of, outcome_of
from village_hub.consent.states import Act, DraftState
from village_hub.errors import BadChild, ChildOffline, ChildTimeout, Overloaded
from village_hub.tiers.children import Children

log = logging.getLogger(__name__)

SEND_WITHIN = 15.0  # seconds: the home writes a grant to disk before it answers
STOP_WITHIN = 5.0
LATER = (ChildOffline, ChildTimeout, Overloaded)  # it is sent again when the home connects


class Post:
    def __init__(  # noqa: PLR0913 - what it joins
        self,
        hub: str,
        catalogue: Catalogue,
        children: Children,
        supervisor: Supervisor,
        *,
        ended: Callable[[], None],
        places: Callable[[int], StatusPlace],
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._children = children
        self._supervisor = supervisor
        self._places = places  # where the status of a grant with this number stands
        self._clock = clock
        self._sending: dict[str, asyncio.Lock] = {}  # one at a time to each home
        self.ended = ended  # to be called when something has been stopped
        children.on_change.append(self._changed)

    async def send(self, draft: DraftRow) -> DraftRow:
        """To the home, now if it is there; what became of the draft. Raises BadChild when the home
        answers with something that it did not sign."""
        home = await self._catalogue.read(grants.home, draft.household)
        if home is None or home.node is None:
            return draft
        async with self._lock(home.node):
            row = await self._catalogue.read(drafts.find, draft.id)
            if row is None or row.state is not DraftState.SENDING:
                return row or draft
            return await self._send(row, home.node)

    async def _send(self, draft: DraftRow, node: str) -> DraftRow:
        place = self._places(await self._catalogue.write(drafts.keep_place, draft.id))
        note = note_of(draft, await self._catalogue.read(_clerk_keys, draft), place)
        try:
            answer = await self._children.ask(node, "POST", "/grants", note, deadline=SEND_WITHIN)
        except LATER as error:
            log.info("draft %s waits for its home: %s", draft.id, error)
            return draft
        found = outcome_of(answer)
        try:
            return await self._catalogue.write(self._answered, draft, node, found)
        except intake.NotTaken as error:
            log.warning("draft %s: the home's grant is not taken in: %s", draft.id, error)
            raise BadChild("the home signed something else", code="bad_grant") from error

    def _answered(self, session: Session, draft: DraftRow, node: str, found: Outcome) -> DraftRow:
        home = grants.home_of_node(session, node)
        if home is None:
            return draft
        if found.act is Act.GIVE:
            row = intake.take_in(session, self._hub, home, found.grant, self._clock, draft.id)
            if row.draft != draft.id:
                raise intake.NotTaken("other_terms")
        elif found.act is Act.HELD:
            expires = self._clock.utc_ms() + intake.WAITS_AT_HOME
            drafts.move(session, draft.id, Act.HELD, expires=expires)
        elif found.act is Act.REFUSE:
            drafts.move(session, draft.id, Act.REFUSE, refused=found.code)
        return drafts.find(session, draft.id) or draft

    async def hear(self, node: str, said: GrantList) -> GrantListAnswer:
        """PUT /api/v1/node/grants."""
        heard = await self._catalogue.write(intake.hear, self._hub, node, said, self._clock)
        if heard.ended:
            self.ended()
        return heard.answer

    def tell_soon(self, node: str) -> None:
        """Stops that the home does not know of yet go out now."""
        _ = self._supervisor.once(f"stops for {node}", self._tell(node))

    async def _tell(self, node: str) -> None:
        await self._stop(node, await self._catalogue.read(grants.untold, node))

    async def _stop(self, node: str, names: Iterable[str]) -> None:
        for name in names:
            try:
                answer = await self._children.ask(
                    node, "DELETE", f"/grants/{name}", deadline=STOP_WITHIN
                )
            except LATER as error:
                log.info("the home hears later that grant %s is stopped: %s", name, error)
                return
            if answer.status in (200, 404):
                await self._catalogue.write(grants.told, [name])

    def propose_soon(self, household: str) -> None:
        """The owners and their passkeys, for the home to confirm: before that none of them counts
        there (PRM-21)."""
        _ = self._supervisor.once(f"owners of {household}", self._propose(household))

    async def _propose(self, household: str) -> None:
        home = await self._catalogue.read(grants.home, household)
        if home is not None and home.node is not None:
            await self._name(home.node, await self._catalogue.read(_proposals, household))

    async def _name(self, node: str, proposals: Iterable[OwnerProposal]) -> None:
        for proposal in proposals:
            try:
                await self._children.ask(node, "POST", "/owners", proposal)
            except LATER as error:
                log.info("the home hears later of its owners: %s", error)
                return

    def _changed(self, node: str, online: bool) -> None:  # noqa: FBT001 - a callback
        if online:
            _ = self._supervisor.once(f"consent for {node}", self._came(node))

    async def _came(self, node: str) -> None:
        waiting = await self._catalogue.read(_waiting, node)
        await self._stop(node, waiting.stops)
        await self._name(node, waiting.proposals)
        for draft in waiting.drafts:
            try:
                await self.send(draft)
            except BadChild as error:
                log.warning("draft %s: %s", draft.id, error)

    def _lock(self, node: str) -> asyncio.Lock:
        return self._sending.setdefault(node, asyncio.Lock())


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What a home is told when it connects; for nearly all of them it is nothing."""

    stops: Sequence[str] = ()
    proposals: Sequence[OwnerProposal] = ()
    drafts: Sequence[DraftRow] = ()


def _waiting(session: Session, node: str) -> _Waiting:
    row = nodes.find(session, node)
    if row is None or row.revoked:
        return _Waiting()
    return _Waiting(
        stops=grants.untold(session, node),
        proposals=_proposals(session, row.household),
        drafts=drafts.in_state(session, [row.household], DraftState.SENDING),
    )


def _clerk_keys(session: Session, draft: DraftRow) -> tuple[PasskeyKey, ...]:
    """Of paper: the public keys of the clerks who signed, the hub's word for them."""
    if not draft.confirmed or not draft.made_unit:
        return ()
    confirmed = CONFIRMED.validate_json(draft.confirmed)
    if confirmed.how != "window":
        return ()
    rows = [passkeys.find(session, each.assertion.credential) for each in confirmed.clerks]
    return tuple(
        PasskeyKey(credential=row.id, public_key=row.public_key) for row in rows if row is not None
    )


def _proposals(session: Session, household: str) -> list[OwnerProposal]:
    """The same ones again have the same ids, by which the home knows them."""
    owners = people.owners(session, household)
    found = [each for each in people.members(session, household) if each.person in owners]
    return [
        OwnerProposal(
            id=hashlib.sha256(f"{each.person} {key.id}".encode()).hexdigest(),
            person=each.person,
            name=each.name[:120],
            passkey=PasskeyKey(credential=key.id, public_key=key.public_key),
        )
        for each in found
        for key in passkeys.of_person(session, each.person)
    ]
