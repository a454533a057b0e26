"""What a household is to those who deal with its consent: who belongs to it, its cameras."""

from collections.abc import Mapping
from dataclasses import dataclass

from village_core.permits import CameraClass
from village_hub.access import basis
from village_hub.access.facts import Subject
from village_hub.access.matrix import Row
from village_hub.catalogue import cameras, invitations, people
from village_hub.catalogue.store import Session


@dataclass(frozen=True, slots=True)
class Ties:
    """What somebody is to a household; being on duty is no tie."""

    owner: bool = False
    member: bool = False
    adult: bool = False
    films: frozenset[str] = frozenset()  # cameras in whose view they live

    @property
    def relations(self) -> frozenset[Row]:
        """The rows of the table that the guard may add."""
        rows = {Row.OWNER: self.owner, Row.MEMBER: self.member}
        return frozenset(row for row, held in rows.items() if held)

    @property
    def any(self) -> bool:
        return self.owner or self.member or bool(self.films)


NONE = Ties()


def ties(session: Session, hub: str, subject: Subject, household: str) -> Ties:
    if subject.issuer != hub or subject.roles:
        return NONE
    owner = subject.id in people.owners(session, household)
    found = [each for each in people.members(session, household) if each.person == subject.id]
    its = frozenset(row.id for row in cameras.of_households(session, (household,)))
    films = {each.camera for each in invitations.filmed(session, its) if each.person == subject.id}
    return Ties(
        owner=owner,
        member=bool(found),
        adult=owner or any(each.adult for each in found),
        films=frozenset(films),
    )


def households_of(session: Session, person: str) -> list[str]:
    """Those that somebody belongs to, or is filmed in."""
    here = people.households_of(session, person)
    return sorted(here | invitations.households_filming(session, person))


def classes(session: Session, household: str) -> Mapping[str, CameraClass]:
    """Of the household's own cameras."""
    rows = cameras.of_households(session, (household,))
    facts = basis.camera_facts(session, rows)
    return {name: each.camera_class for name, each in facts.items()}


def camera_names(session: Session, household: str) -> Mapping[str, str]:
    return {row.id: row.name for row in cameras.of_households(session, (household,))}
