"""Giving: an owner's wish becomes a draft, the draft a grant once the home has signed it (PRM-21).

    wish -> draft -> one tap with a passkey over the draft's digest -> POST /grants at the home
                  -> or "at home": the draft waits there for somebody's yes on the box's own page

A home that is offline gets it when it connects. The hub signs nothing.
"""

import logging
from dataclasses import dataclass

from village_core.assertion import NotAsserted, Passkey, Site, check_assertion
from village_core.clock import Clock
from village_core.grant_tokens import Assertion, ByPasskey
from village_core.grants import GrantTerms, Recipient, digest
from village_core.ids import new_id
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.catalogue import drafts, far, grants, notices, passkeys, people, units
from village_hub.catalogue.consent_models import GrantDraft
from village_hub.catalogue.consent_rows import DraftRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import record
from village_hub.consent.homes import classes
from village_hub.consent.objecting import must_not_object
from village_hub.consent.post import Post
from village_hub.consent.record import Acted
from village_hub.consent.states import ENDED, Act, DraftState
from village_hub.consent.wishes import Somebody, Wish, must_fit, terms_of, text_of
from village_hub.errors import Conflict, Forbidden, NotFound, TooMany, Unprocessable

log = logging.getLogger(__name__)

DRAFT_VALID = 24 * 3600 * 1000  # ms to confirm it
MOST_OPEN = 20  # drafts of one household at a time


class Giving:
    """Whether the caller is an owner, the guard has said before."""

    def __init__(
        self, hub: str, site: Site, catalogue: Catalogue, post: Post, clock: Clock
    ) -> None:
        self._hub = hub
        self._site = site
        self._catalogue = catalogue
        self._post = post
        self._clock = clock

    async def draft(self, caller: PersonCaller, household: str, wish: Wish) -> DraftRow:
        """Raises Unprocessable for what this household cannot agree to, Forbidden when a person
        filmed says no, TooMany."""
        row = await self._catalogue.write(self._draft, caller.subject, household, wish)
        self._post.propose_soon(household)  # a key that was added since
        return row

    def _draft(self, session: Session, by: Subject, household: str, wish: Wish) -> DraftRow:
        whom = [wish.recipient, *wish.responders]
        found = [recipient(session, self._hub, each) for each in whom]
        terms = terms_of(wish, found, self._clock.utc_ms())
        row = new_draft(session, self._clock, household, terms, by)
        if wish.ask:
            drafts.answers(session, row.id, wish.ask)
        record.note(
            session,
            self._clock,
            "grant_drafted",
            Acted(household, by),
            about={"kind": terms.kind.value},
        )
        return row

    async def confirm(self, caller: PersonCaller, draft: DraftRow, said: Assertion) -> DraftRow:
        """The one tap. Raises Forbidden when the owner's passkey did not sign these terms, Conflict
        when it is confirmed or over. Else the draft, given, refused or on its way."""
        moved = await self._catalogue.write(self._confirm, caller.subject, draft.id, said)
        return await self._post.send(moved)

    def _confirm(self, session: Session, by: Subject, name: str, said: Assertion) -> DraftRow:
        row = open_draft(session, name, self._clock.utc_ms())
        must_not_object(session, row.terms)
        check_passkey(session, self._site, by.id, said, row.terms)
        proof = ByPasskey(issuer=self._hub, person=by.id, name=by.name[:120], assertion=said)
        moved = _must_move(
            session, name, Act.CONFIRM, confirmed=proof.model_dump_json(), route="passkey"
        )
        self._answered(session, row)
        record.note(
            session, self._clock, "grant_confirmed", Acted(row.household, by), about={"draft": name}
        )
        return moved

    async def at_home(self, caller: PersonCaller, draft: DraftRow) -> DraftRow:
        """The yes is to be said at home, on the box's own page. Raises Conflict."""
        moved = await self._catalogue.write(self._to_home, caller.subject, draft.id)
        return await self._post.send(moved)

    def _to_home(self, session: Session, by: Subject, name: str) -> DraftRow:
        row = open_draft(session, name, self._clock.utc_ms())
        must_not_object(session, row.terms)
        moved = _must_move(session, name, Act.TO_HOME, route="home")
        self._answered(session, row)
        record.note(
            session, self._clock, "grant_sent_home", Acted(row.household, by), about={"draft": name}
        )
        return moved

    async def withdraw(self, caller: PersonCaller, draft: DraftRow) -> None:
        """Raises Conflict when it is too late: stop the grant then."""
        await self._catalogue.write(self._withdraw, caller.subject, draft)

    def _withdraw(self, session: Session, by: Subject, draft: DraftRow) -> None:
        _must_move(session, draft.id, Act.WITHDRAW)
        name, home = draft.id, draft.household
        record.note(session, self._clock, "grant_withdrawn", Acted(home, by), about={"draft": name})

    def _answered(self, session: Session, draft: DraftRow) -> None:
        if draft.ask:
            drafts.answer_ask(session, draft.ask, "yes", self._clock.utc_ms())


def recipient(session: Session, hub: str, said: Somebody) -> Recipient:
    """Somebody whom this hub knows, with the name it knows them by. Raises NotFound,
    Unprocessable."""
    if bool(said.person) is bool(said.unit) or bool(said.unit) is (said.role is None):
        raise Unprocessable("name a person, or a unit and a role", code="bad_recipient")
    if said.person:
        who = people.person(session, said.person)
        if who is None:
            raise NotFound("there is no such person", code="no_such_recipient")
        return Recipient(issuer=hub, person=who.id, name=who.name, contact=said.contact)
    unit = units.find(session, said.unit)
    above = far.unit(session, said.unit) if unit is None else None
    found = unit or above
    if found is None:
        raise NotFound("there is no such unit", code="no_such_recipient")
    office = notices.contact(session, found.id)
    return Recipient(
        issuer=above.hub if above else hub,
        unit=found.id,
        role=said.role,
        name=found.name,
        contact=said.contact or (office.phone if office else found.name),
    )


@dataclass(frozen=True, slots=True)
class Paper:
    """What a draft made at the window has besides."""

    unit: str = ""
    witness: str = ""
    scan: str = ""


NO_PAPER = Paper()


def new_draft(
    session: Session,
    clock: Clock,
    household: str,
    terms: GrantTerms,
    by: Subject,
    paper: Paper = NO_PAPER,
) -> DraftRow:
    """An open draft of terms that the household may agree to. Raises Conflict, Forbidden, TooMany,
    Unprocessable."""
    now = clock.utc_ms()
    home = grants.home(session, household)
    if home is None or home.node is None:
        raise Conflict("this home has no box yet that could sign it", code="no_agent")
    must_fit(terms, classes(session, household), now)
    must_not_object(session, terms)
    if drafts.open_count(session, household) >= MOST_OPEN:
        raise TooMany("too many drafts are open: answer or withdraw some", code="too_many_drafts")
    return drafts.add(
        session,
        GrantDraft(
            id=new_id(clock),
            household_id=household,
            route="",
            state=DraftState.OPEN.value,
            terms=text_of(terms),
            made_by=by.id,
            made_name=by.name,
            made_unit=paper.unit,
            created=now,
            expires=now + DRAFT_VALID,
            witness=paper.witness,
            scan=paper.scan,
        ),
    )


def open_draft(session: Session, name: str, now: int) -> DraftRow:
    """Raises NotFound, Conflict."""
    row = drafts.find(session, name)
    if row is None:
        raise NotFound("there is no such draft", code="no_such_draft")
    if row.expires <= now or row.state in ENDED:
        raise Conflict("this draft is over; make a new one", code="draft_over")
    return row


def check_passkey(
    session: Session, site: Site, person: str, said: Assertion, terms: GrantTerms
) -> None:
    """Raises Forbidden unless a passkey of this person signed these very terms."""
    key = passkeys.find(session, said.credential)
    if key is None or key.person != person:
        raise Forbidden("this passkey is not yours", code="not_asserted")
    try:
        check_assertion(said, digest(terms), Passkey(key.id, key.public_key), site)
    except NotAsserted as error:
        log.info("a confirmation of %s does not hold: %s", person, error)
        raise Forbidden("the passkey did not sign these terms", code="not_asserted") from error


def _must_move(session: Session, name: str, act: Act, **changes: str) -> DraftRow:
    moved = drafts.move(session, name, act, **changes)
    if moved is None:
        raise Conflict("this draft is confirmed already, or over", code="draft_over")
    return moved
