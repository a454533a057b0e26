"""What time does to consent. No decision waits for it: an end holds by itself. Here it is written
down and told, and people are asked again (PRM-5)."""

from village_core.clock import Clock
from village_core.grant_limits import DAY, LIMITS, YEAR
from village_core.grants import GrantKind
from village_hub.catalogue import drafts, grants
from village_hub.catalogue.consent_rows import GrantRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import record
from village_hub.consent.record import Acted
from village_hub.consent.signed import read_signed
from village_hub.notices.kinds import Kind

LOOKS_EVERY = 600.0  # seconds
ASKED_AGAIN = 3 * DAY  # before the end
LONG = frozenset({GrantKind.CARER, GrantKind.AWAY_WATCH})  # of kinds that people may want on
YEARLY = frozenset(kind for kind, limits in LIMITS.items() if limits.reminder is not None)


class Housekeeping:
    def __init__(self, hub: str, catalogue: Catalogue, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._clock = clock

    async def run(self) -> None:
        """A job."""
        while True:
            await self.look()
            await self._clock.sleep(LOOKS_EVERY)

    async def look(self) -> None:
        await self._catalogue.write(self._drafts)
        await self._catalogue.write(self._ended)
        await self._catalogue.write(self._ending_soon)
        await self._catalogue.write(self._yearly)

    def _drafts(self, session: Session) -> None:
        for row in drafts.expire(session, self._clock.utc_ms()):
            record.note(
                session,
                self._clock,
                "grant_draft_expired",
                Acted(row.household),
                about={"draft": row.id},
            )

    def _ended(self, session: Session) -> None:
        for row in grants.ran_out(session, self._clock.utc_ms()):
            grants.told_of_end(session, row.id)
            record.note(session, self._clock, "grant_ended", Acted(row.household), grant=row.id)
            self._tell(session, Kind.GRANT_EXPIRED, row)

    def _ending_soon(self, session: Session) -> None:
        """A carer's, or a watch's: whoever wants it on agrees again, with a new draft."""
        now = self._clock.utc_ms()
        self._remind(
            session, Kind.GRANT_ENDS_SOON, LONG, before=now - 4 * DAY, ends=now + ASKED_AGAIN
        )

    def _yearly(self, session: Session) -> None:
        now = self._clock.utc_ms()
        ever = now + 100 * YEAR
        self._remind(session, Kind.FAMILY_YEARLY, YEARLY, before=now - YEAR, ends=ever)

    def _remind(
        self, session: Session, kind: Kind, of: frozenset[GrantKind], *, before: int, ends: int
    ) -> None:
        now = self._clock.utc_ms()
        kinds = [each.value for each in of]
        for row in grants.to_remind(session, kinds, given_before=before, ends_before=ends, now=now):
            grants.reminded(session, row.id, now)
            self._tell(session, kind, row)

    def _tell(self, session: Session, kind: Kind, row: GrantRow) -> None:
        now = self._clock.utc_ms()
        home = grants.home(session, row.household)
        if home is None or home.key is None:
            return
        grant = read_signed(row.text, row.household, home.key, self._hub, now)
        if grant is not None:
            record.tell(session, kind, (home.household, home.name), (row.id, grant.terms), now)
