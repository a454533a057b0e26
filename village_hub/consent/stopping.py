"""Stopping: one tap, at once, by anybody whom a grant touches (PRM-4, PRM-13).

The table gives consent to owners alone; taking it back is wider on purpose, for it can only make
fewer people see. It holds here when the database has it, cuts what runs within seconds (MED-17) and
is told to the home, which keeps its own list.
"""

from dataclasses import dataclass
from enum import StrEnum

from village_core.clock import Clock
from village_core.grant_tokens import Grant
from village_core.grants import GrantStatus
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.catalogue import drafts, grants, invitations, people
from village_hub.catalogue.consent_rows import GrantRow, HomeRow
from village_hub.catalogue.notices import NoticeRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.consent import record
from village_hub.consent.homes import Ties, classes, ties
from village_hub.consent.post import Post
from village_hub.consent.record import Acted
from village_hub.consent.signed import read_signed
from village_hub.consent.standing import standing
from village_hub.consent.states import Act
from village_hub.errors import Forbidden, NotFound
from village_hub.notices.kinds import Kind, Outcome, Whom

BY_PHONE = "phone key"


class As(StrEnum):
    """As what somebody stops a grant."""

    OWNER = "owner"
    MEMBER = "member"
    FILMED = "filmed"
    RECIPIENT = "recipient"


def may_stop(held: Ties, *, looks_at: bool, is_recipient: bool) -> As | None:
    """Pure. `looks_at`: the grant has a camera inside in whose view they live."""
    if held.owner:
        return As.OWNER
    if held.films and looks_at:
        return As.FILMED
    if held.member and held.adult:
        return As.MEMBER
    return As.RECIPIENT if is_recipient else None


@dataclass(frozen=True, slots=True)
class Touched:
    """A grant and what the caller is to it. `grant` None: its household's key of now did not sign
    it, so it gives nobody anything."""

    row: GrantRow
    home: HomeRow
    grant: Grant | None
    held: Ties
    role: As | None
    knows: bool  # may know that there is such a grant


class Stopping:
    def __init__(self, hub: str, catalogue: Catalogue, post: Post, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._post = post
        self._clock = clock

    async def find(self, subject: Subject, name: str) -> Touched:
        """Raises NotFound also when the caller may not know of it."""
        found = await self._catalogue.read(self._touched, subject, name)
        if found is None or not found.knows:
            raise NotFound("there is no such grant", code="no_such_grant")
        return found

    def _touched(self, session: Session, subject: Subject, name: str) -> Touched | None:
        row = grants.find(session, name)
        home = grants.home(session, row.household) if row else None
        if row is None or home is None:
            return None
        now = self._clock.utc_ms()
        grant = read_signed(row.text, row.household, home.key, self._hub, now) if home.key else None
        held = ties(session, self._hub, subject, row.household)
        role = may_stop(
            held,
            looks_at=grant is not None and bool(held.films & grant.terms.cameras),
            is_recipient=grant is not None and _is_for(grant, subject),
        )
        return Touched(row, home, grant, held, role, knows=role is not None or held.member)

    async def stop(self, caller: PersonCaller, name: str, why: str) -> GrantRow:
        """One tap; a second changes nothing. Raises NotFound, Forbidden for a child of the
        household."""
        found = await self.find(caller.subject, name)
        if found.role is None:
            raise Forbidden("an adult of the household can stop this", code="not_adult")
        await self._catalogue.write(self._stop, caller.subject, found, why)
        self._post.ended()
        self._post.tell_soon(found.row.node)
        row = await self._catalogue.read(grants.find, name)
        return row or found.row

    def _stop(self, session: Session, by: Subject, found: Touched, why: str) -> None:
        now, row, home = self._clock.utc_ms(), found.row, found.home
        if not grants.stop(session, row.id, by.id, why, now, told_home=False):
            return
        role = found.role or As.OWNER
        record.note(
            session,
            self._clock,
            "grant_stopped",
            Acted(row.household, by),
            grant=row.id,
            about={"role_of": role},
        )
        if found.grant is None:
            return
        kind = Kind.FILMED_STOPPED if role is As.FILMED else Kind.GRANT_STOPPED
        record.tell(session, kind, (home.household, home.name), (row.id, found.grant.terms), now)

    async def by_key(self, notice: NoticeRow, outcome: Outcome) -> None:
        """A phone key on a notice about a grant: stop it, never anything else (PRM-23)."""
        if outcome is not Outcome.STOP:
            return
        if notice.about_kind == "draft":  # of an invitation: not given yet
            await self._catalogue.write(self._withdraw, notice.about_id)
            return
        node = await self._catalogue.write(self._by_key, notice)
        self._post.ended()
        if node is not None:
            self._post.tell_soon(node)

    def _withdraw(self, session: Session, draft: str) -> None:
        drafts.move(session, draft, Act.WITHDRAW)

    def _by_key(self, session: Session, notice: NoticeRow) -> str | None:
        row = grants.find(session, notice.about_id)
        home = grants.home(session, row.household) if row else None
        if row is None or home is None or notice.whom is not Whom.OWNER:
            return None
        now, by = self._clock.utc_ms(), notice.person or ""
        if not grants.stop(session, row.id, by, BY_PHONE, now, told_home=False):
            return row.node
        who = people.person(session, by) if by else None
        subject = Subject(self._hub, by, name=who.name if who else "")
        record.note(
            session,
            self._clock,
            "grant_stopped",
            Acted(row.household, subject),
            grant=row.id,
            about={"where": "phone"},
        )
        grant = read_signed(row.text, row.household, home.key, self._hub, now) if home.key else None
        if grant is not None:
            about = (home.household, home.name)
            record.tell(session, Kind.GRANT_STOPPED, about, (row.id, grant.terms), now)
        return row.node

    async def object_to(self, caller: PersonCaller, camera: str, *, on: bool) -> None:
        """The person filmed says no to others seeing this camera, or takes that back. Every grant
        that has it stops. Raises NotFound."""
        stopped = await self._catalogue.write(self._object, caller.subject, camera, on)
        if stopped:
            self._post.ended()
        for node in stopped:
            self._post.tell_soon(node)

    def _object(self, session: Session, by: Subject, camera: str, on: bool) -> frozenset[str]:  # noqa: FBT001
        now = self._clock.utc_ms()
        row = next((each for each in _filmed_in(session, by.id, camera)), None)
        known = by.issuer == self._hub and invitations.set_objection(
            session, camera, by.id, now if on else None
        )
        if row is None or not known:
            raise NotFound("there is no such camera", code="no_such_camera")
        record.note(
            session, self._clock, "filmed_objects" if on else "filmed_agrees", Acted(row, by)
        )
        home = grants.home(session, row)
        if not on or home is None:
            return frozenset()
        nodes = set()
        for each, grant in standing(session, self._hub, row, now):
            if camera in grant.terms.cameras and each.status is not GrantStatus.STOPPED:
                held = ties(session, self._hub, by, row)
                touched = Touched(each, home, grant, held, As.FILMED, knows=True)
                self._stop(session, by, touched, "")
                nodes.add(each.node)
        return frozenset(nodes)


def _filmed_in(session: Session, person: str, camera: str) -> list[str]:
    """The camera's household when this person lives in its view."""
    found = invitations.filmed(session, frozenset({camera}))
    if not any(each.person == person for each in found):
        return []
    return [
        each
        for each in invitations.households_filming(session, person)
        if camera in classes(session, each)
    ]


def _is_for(grant: Grant, subject: Subject) -> bool:
    return grant.terms.names(
        issuer=subject.issuer, person=subject.id, unit=subject.unit, roles=subject.roles
    )
