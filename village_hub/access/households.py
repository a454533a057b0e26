"""A household's own people: what its owner does with them, and any adult for one who lost a phone.
Each act is in the audit log, in its own transaction."""

from village_core.clock import Clock
from village_core.ids import new_id
from village_hub.access import codes
from village_hub.access.acts import Outcome
from village_hub.access.facts import Subject
from village_hub.audit import making
from village_hub.catalogue import audit, people
from village_hub.catalogue.models import Membership
from village_hub.catalogue.rows import MemberRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Conflict, NotFound, Refused

MOST_MEMBERS = 100  # of one household, owners too


class Households:
    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    async def add_member(
        self, owner: Subject, household: str, name: str, *, adult: bool
    ) -> Outcome:
        """A new person, and the code that they sign in with once. Raises Conflict."""

        def act(session: Session) -> Outcome:
            if len(people.members(session, household)) >= MOST_MEMBERS:
                raise Conflict("a household has 100 people at most", code="too_many_members")
            made = new_id(self._clock)
            people.add_staff(session, made, name, self._clock.utc_ms())
            row = Membership(
                household_id=household, person_id=made, role=people.MEMBER, adult=adult
            )
            people.add_member(session, row)
            self._log(session, "member.add", owner, household, made)
            return Outcome(made, codes.link(session, self._clock, made))

        return await self._catalogue.write(act)

    async def change_member(
        self, owner: Subject, household: str, person: str, *, adult: bool, delegated: bool
    ) -> None:
        """Raises NotFound, Conflict."""

        def act(session: Session) -> None:
            if _member(session, household, person).owner:
                raise Conflict("an owner may everything already", code="is_owner")
            people.change_member(session, household, person, adult=adult, delegated=delegated)
            self._log(session, "member.change", owner, household, person)

        await self._catalogue.write(act)

    async def remove_member(self, owner: Subject, household: str, person: str) -> None:
        """Raises NotFound, Conflict."""

        def act(session: Session) -> None:
            if _member(session, household, person).owner:
                raise Conflict("an owner is not removed by another", code="is_owner")
            people.remove_member(session, household, person)
            self._log(session, "member.remove", owner, household, person)

        await self._catalogue.write(act)

    async def sign_out_member(self, by: Subject, household: str, person: str) -> None:
        """By another adult of the household. Raises NotFound, Refused."""

        def act(session: Session) -> None:
            if not _member(session, household, by.id).adult:
                raise Refused("an adult of the household does this", code="not_adult")
            _member(session, household, person)
            people.end_sign_ins(session, person, self._clock.utc_ms(), at_home=True)
            self._log(session, "member.sign_out", by, household, person)

        await self._catalogue.write(act)

    def _log(
        self, session: Session, action: str, who: Subject, household: str, person: str
    ) -> None:
        about = {"person": person}
        audit.append(
            session, making.act(self._clock, who, action, household=household, about=about)
        )


def _member(session: Session, household: str, person: str) -> MemberRow:
    for row in people.members(session, household):
        if row.person == person:
            return row
    raise NotFound("there is no such member", code="no_such_member")
