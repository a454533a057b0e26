"""What a household answers to a public ask by a phone key: no, and never yes (PRM-9, PRM-23)."""

from village_hub.cases.desk import Desk
from village_hub.cases.matter import Act, Person
from village_hub.cases.places import owned_by
from village_hub.cases.public_answer import KIND, PublicAnswer, PutAway, State, TakeBack
from village_hub.catalogue.notices import NoticeRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import Conflict, Forbidden, NotFound
from village_hub.notices.kinds import Kind, Outcome
from village_hub.notices.phone_keys import PhoneKeys

MOVED = "matter_moved"  # somebody was quicker: the gateway brings the key again


class ByPhone:
    def __init__(self, hub: str, catalogue: Catalogue, desk: Desk) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._desk = desk

    def register(self, keys: PhoneKeys) -> None:
        keys.on(Kind.ASK_MADE, Outcome.NO, self.by_key)

    async def by_key(self, notice: NoticeRow, outcome: Outcome) -> None:
        """No. What was offered before is taken back first, so that a no is one. What the notice was
        about may be over, and its reader an owner no more: then nothing is to be done."""
        if outcome is not Outcome.NO or notice.about_kind != KIND.name or not notice.person:
            return
        owns = await self._catalogue.read(owned_by, notice.person)
        by = Person(issuer=self._hub, id=notice.person, owns=tuple(sorted(owns)))
        try:
            answer = (await self._desk.find(PublicAnswer, notice.about_id)).matter
            if answer.household not in owns or answer.state in (State.PUT_AWAY, State.OVER):
                return
            if answer.state is State.OFFERED:
                await self._act(answer, TakeBack(), by)
            await self._act(answer, PutAway(), by)
        except NotFound:
            return

    async def _act(self, answer: PublicAnswer, act: Act, by: Person) -> None:
        try:
            await self._desk.act(answer.id, act, by)
        except (Conflict, Forbidden) as error:
            if error.code == MOVED:
                raise
