"""Family by invitation (PRM-5): a link, and a code of six digits that the owner tells by voice.

    owner: a wish with a name -> link (its secret in the fragment) and code
    the named one: opens the link, signed in or not yet known here, types the code
    owner: gets a draft with the real person in it, and confirms it like any other

Whoever finds the link lacks the code, and whoever hears the code lacks the link; with both they are
shown nothing before the owner confirms their name.
"""

import secrets
from dataclasses import dataclass, field

from village_core.clock import Clock
from village_core.grants import Recipient
from village_core.ids import new_id, new_secret
from village_hub.access.credentials import digest
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.catalogue import grants, invitations, people
from village_hub.catalogue.consent_models import Invitation
from village_hub.catalogue.consent_rows import InvitationRow
from village_hub.catalogue.models import OneTimeCode
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import record
from village_hub.consent.giving import new_draft
from village_hub.consent.homes import classes
from village_hub.consent.record import Acted
from village_hub.consent.wishes import Chosen, must_fit, terms_of
from village_hub.errors import Conflict, NotFound, TooMany
from village_hub.notices import port
from village_hub.notices.kinds import Kind, Whom
from village_hub.notices.port import About, Event, To

VALID = 72 * 3600 * 1000  # ms
TRIES = 5
MOST_OPEN = 10  # of one household
SIGN_IN_WITHIN = 60_000  # ms: the one-time code that follows is used at once


@dataclass(frozen=True, slots=True)
class Invited:
    row: InvitationRow
    link: str = field(repr=False)  # for the fragment
    code: str = field(repr=False)  # to be told by voice


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody has come; the owner is asked now."""

    household: str
    person: str
    sign_in_code: str = field(default="", repr=False)  # for one who was new


class Inviting:
    def __init__(self, hub: str, catalogue: Catalogue, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._clock = clock

    async def invite(
        self, caller: PersonCaller, household: str, name: str, wish: Chosen
    ) -> Invited:
        """Raises Unprocessable, TooMany, Conflict."""
        link, code = new_secret(), f"{secrets.randbelow(1_000_000):06d}"
        now = self._clock.utc_ms()
        row = Invitation(
            id=new_id(self._clock),
            household_id=household,
            made_by=caller.subject.id,
            name=name,
            wish=wish.model_dump_json(),
            digest=digest(link),
            voice=voice_digest(link, code),
            tries=TRIES,
            created=now,
            expires=now + VALID,
        )
        added = await self._catalogue.write(self._invite, caller.subject, row, wish)
        return Invited(added, link, code)

    def _invite(
        self, session: Session, by: Subject, row: Invitation, wish: Chosen
    ) -> InvitationRow:
        now, household = self._clock.utc_ms(), row.household_id
        if len(invitations.of_household(session, household, now)) >= MOST_OPEN:
            raise TooMany("too many invitations are open", code="too_many_drafts")
        somebody = Recipient(issuer=self._hub, person="-", name=row.name, contact=row.name)
        must_fit(terms_of(wish, [somebody], now), classes(session, household), now)
        record.note(session, self._clock, "invitation_made", Acted(household, by))
        return invitations.add(session, row)

    async def end(self, caller: PersonCaller, row: InvitationRow) -> None:
        await self._catalogue.write(self._end, caller.subject, row)

    def _end(self, session: Session, by: Subject, row: InvitationRow) -> None:
        if invitations.end(session, row.id, self._clock.utc_ms()):
            record.note(session, self._clock, "invitation_ended", Acted(row.household, by))

    async def join(self, link: str, code: str, person: str | None, name: str = "") -> Joined:
        """`person`: who is signed in; None: somebody new, of this name. Raises NotFound for a link
        or code that is wrong, used or too old, which are not told apart."""
        found = await self._catalogue.write(self._spend, link, code)
        if found is None:
            raise NotFound("this invitation is wrong, used or too old", code="bad_invitation")
        return await self._catalogue.write(self._join, found, person, name)

    def _spend(self, session: Session, link: str, code: str) -> InvitationRow | None:
        """In a transaction of its own: a wrong code has to cost a try."""
        now = self._clock.utc_ms()
        return invitations.spend(session, digest(link), voice_digest(link, code), now)

    def _join(self, session: Session, row: InvitationRow, person: str | None, name: str) -> Joined:
        now, secret = self._clock.utc_ms(), ""
        who = person or new_id(self._clock)
        if person is None:
            people.add_staff(session, who, name, now)
            secret = new_secret()
            code = OneTimeCode(
                id=new_id(self._clock),
                person_id=who,
                digest=digest(secret),
                tries=1,
                expires=now + SIGN_IN_WITHIN,
            )
            people.add_code(session, code, now)
        known = people.person(session, who)
        if known is None:
            raise NotFound("this invitation is wrong, used or too old", code="bad_invitation")
        self._draft(session, row, known.id, known.name)
        return Joined(row.household, who, secret)

    def _draft(self, session: Session, row: InvitationRow, person: str, name: str) -> None:
        """In the inviting owner's name: they confirm it, or not."""
        if row.made_by not in people.owners(session, row.household):
            raise Conflict("whoever invited you owns this home no more", code="draft_over")
        owner = people.person(session, row.made_by)
        by = Subject(self._hub, row.made_by, name=owner.name if owner else "")
        wish = Chosen.model_validate_json(row.wish)
        shown = name if name == row.name else f"{name} ({row.name})"
        somebody = Recipient(issuer=self._hub, person=person, name=shown[:120], contact=row.name)
        now = self._clock.utc_ms()
        draft = new_draft(session, self._clock, row.household, terms_of(wish, [somebody], now), by)
        invitations.used_by(session, row.id, person, draft.id)
        came = Subject(self._hub, person, name=name)
        record.note(session, self._clock, "invitation_used", Acted(row.household, came))
        home = grants.home(session, row.household)
        event = Event(
            Kind.INVITATION_USED,
            About("draft", draft.id),
            now,
            {"who": shown[:60], "home": home.name if home else ""},
        )
        port.announce(session, event, {Whom.OWNER: [To.owners(row.household)]})


def voice_digest(link: str, code: str) -> str:
    """Bound to the link: six digits alone could be tried one after another on a stolen database."""
    return digest(f"{link} {code}")
