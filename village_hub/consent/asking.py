"""Asking a household to share (PRM-20): a no, and no answer, are one thing to whoever asks.

The asker reads the same bytes whatever the household did: when it was asked, and until when an
answer may come. A yes is a grant, which they are told of as of any other.
"""

from village_core.clock import Clock
from village_core.ids import new_id
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.catalogue import drafts, grants
from village_hub.catalogue.consent_models import GrantAsk
from village_hub.catalogue.consent_rows import AskRow
from village_hub.catalogue.notices import NoticeRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import record
from village_hub.consent.record import Acted
from village_hub.consent.wishes import Intent
from village_hub.errors import Conflict, NotFound
from village_hub.notices import port
from village_hub.notices.kinds import Kind, Outcome, Whom
from village_hub.notices.port import About, Event, To

ANSWER_WITHIN = 7 * 24 * 3600 * 1000  # ms


class Asking:
    def __init__(self, hub: str, catalogue: Catalogue, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._clock = clock

    async def ask(self, caller: PersonCaller, household: str, wish: Intent) -> AskRow:
        """Raises NotFound, Conflict while an earlier ask may still be answered."""
        return await self._catalogue.write(self._ask, caller.subject, household, wish)

    def _ask(self, session: Session, by: Subject, household: str, wish: Intent) -> AskRow:
        now = self._clock.utc_ms()
        home = grants.home(session, household)
        if home is None:
            raise NotFound("there is no such household", code="no_such_household")
        row = GrantAsk(
            id=new_id(self._clock),
            household_id=household,
            asker_issuer=by.issuer,
            asker_id=by.id,
            asker_name=by.name,
            unit_id=by.unit or "",
            unit_name=by.unit_name,
            role=",".join(sorted(by.roles)),
            wish=wish.model_dump_json(),
            created=now,
            expires=now + ANSWER_WITHIN,
        )
        added = drafts.add_ask(session, row, now)
        if added is None:
            raise Conflict("you have asked this home already: wait for it", code="asked_already")
        record.note(
            session,
            self._clock,
            "grant_asked",
            Acted(household, by),
            about={"kind": wish.kind.value},
        )
        params = {"who": (by.unit_name or by.name)[:60], "what": wish.why[:60]}
        event = Event(Kind.GRANT_ASKED, About("grant_ask", added.id), now, params)
        port.announce(session, event, {Whom.OWNER: [To.owners(household)]})
        return added

    async def refuse(self, caller: PersonCaller, ask: AskRow) -> None:
        """No. Nobody but the household's own log hears of it."""
        await self._catalogue.write(self._refuse, caller.subject, ask)

    def _refuse(self, session: Session, by: Subject, ask: AskRow) -> None:
        if drafts.answer_ask(session, ask.id, "no", self._clock.utc_ms()):
            record.note(session, self._clock, "grant_ask_refused", Acted(ask.household, by))

    async def by_key(self, notice: NoticeRow, outcome: Outcome) -> None:
        """A phone key: no, and never yes (PRM-23)."""
        if outcome is Outcome.NO and notice.about_kind == "grant_ask":
            now = self._clock.utc_ms()
            await self._catalogue.write(drafts.answer_ask, notice.about_id, "no", now)
