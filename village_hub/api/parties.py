"""Who stands before a matter of villagers: the caller as a Person, with the households that they
own as the hub's own books say."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import by_hand
from village_hub.cases.matter import Person
from village_hub.catalogue import people
from village_hub.catalogue.store import Session


async def caller(request: web.Request) -> Person:
    """On a device of their own. Raises Unauthorized, Refused."""
    subject = by_hand(request).subject
    if subject.roles:
        return Person.of(subject)
    return Person.of(subject, await request.app[keys.CATALOGUE].read(_owned, subject.id))


def _owned(session: Session, person: str) -> list[str]:
    households = people.households_of(session, person)
    return [each for each in households if person in people.owners(session, each)]
