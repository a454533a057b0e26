"""Who somebody is to a household, at the door of every operation about its consent: a stranger
hears of no household at all (404), a member hears that it takes an owner (403)."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import by_hand, person
from village_hub.access.identity import PersonCaller
from village_hub.access.matrix import Column
from village_hub.consent.homes import Ties, ties
from village_hub.errors import NotFound


async def belonging(request: web.Request, household: str) -> tuple[PersonCaller, Ties]:
    """Somebody of the household, or in view of its cameras. Raises NotFound."""
    caller = person(request)
    hub = request.app[keys.NODE].id
    held = await request.app[keys.CATALOGUE].read(ties, hub, caller.subject, household)
    if not held.any:
        raise NotFound("there is no such household", code="no_such_household")
    if not held.films:  # those in the picture read what concerns them without being members
        await request.app[keys.GUARD].allow(caller, Column.OWN_LOG, held.relations)
    return caller, held


async def owning(request: web.Request, household: str) -> PersonCaller:
    """An owner, at no screen that others stand before too. Raises NotFound, Refused."""
    _, held = await belonging(request, household)
    caller = by_hand(request)
    await request.app[keys.GUARD].allow(caller, Column.CONSENT, held.relations)
    return caller
