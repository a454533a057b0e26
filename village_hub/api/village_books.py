"""Where a household is and whose site it is, by the committee; phones of people without one, by a
clerk; a unit's duty number, by an admin."""

from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from village_hub import keys
from village_hub.access.acts import Id
from village_hub.access.guard import by_hand
from village_hub.access.village_books import PLACE, By
from village_hub.api import bodies
from village_hub.api.case_steps import version_of
from village_hub.api.contract import (
    Page,
    Paging,
    Shape,
    done,
    first_page,
    operation,
    read_query,
    reply,
)
from village_hub.api.notices import ContactShown, contact_of, contact_shown
from village_hub.catalogue import household_places
from village_hub.catalogue.household_places import HouseholdPlaceRow
from village_hub.consent.window import clerk
from village_hub.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Refused,
    Unprocessable,
)

routes = web.RouteTableDef()

FAULTS = (NotFound, Forbidden, Refused)


class HouseholdShown(Shape):
    """`place` is an administrative code, "" while none is on record; `unit`: it is no home, but
    that unit's own site."""

    id: str
    name: str
    place: str
    unit: str | None
    version: int


class HouseholdPlace(Shape):
    """A village's code of 12 digits, and up to 8 more for the household in it."""

    place: Annotated[str, StringConstraints(pattern=PLACE)]
    unit: Id | None = Field(default=None)


@routes.get("/api/v1/households", name="households")
@operation(query=Paging, answer=Page[HouseholdShown], errors=(Forbidden, Refused))
async def listed(request: web.Request) -> web.Response:
    """Those in the committee's place, and those that are on record nowhere yet; for its clerks."""
    by, query = _clerk(request), read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        household_places.within, by.place or "-", query.after or "", query.limit + 1
    )
    page, after = first_page(rows, query.limit)
    items = [_shown(row) for row in page]
    return reply(Page[HouseholdShown](items=items, next=after))


@routes.get("/api/v1/households/{household}/place", name="household_place")
@operation(answer=HouseholdShown, errors=FAULTS)
async def show(request: web.Request) -> web.Response:
    """Where it is on record; the ETag is for changing that."""
    by, household = _clerk(request), request.match_info["household"][:80]
    return _answered(await request.app[keys.VILLAGE_BOOKS].household(by, household))


@routes.put("/api/v1/households/{household}/place", name="set_household_place")
@operation(
    body=HouseholdPlace,
    answer=HouseholdShown,
    errors=(
        *FAULTS,
        BadRequest,
        Conflict,
        PreconditionFailed,
        PreconditionRequired,
        Unprocessable,
    ),
)
async def put(request: web.Request) -> web.Response:
    """By a clerk of the committee, with the version that was read as If-Match. A household that
    somebody belongs to is no unit's site (409 lived_in)."""
    by, household = _clerk(request), request.match_info["household"][:80]
    version = version_of(request)
    if version is None:
        raise PreconditionRequired("say which version you read: If-Match")
    wish = await bodies.read(request, HouseholdPlace)
    wanted = HouseholdPlaceRow(household, "", wish.place, wish.unit, version)
    written = await request.app[keys.VILLAGE_BOOKS].put_place(by, wanted)
    request.app[keys.RENEWAL].look_soon()
    return _answered(written)


@routes.put("/api/v1/window/people/{person}/contact", name="set_contact_at_window")
@operation(body=ContactShown, errors=(*FAULTS, Conflict, Unprocessable))
async def set_contact(request: web.Request) -> web.Response:
    """The first phone of a villager who set none, such as a neighbour's. 409 has_contact."""
    by = _clerk(request)
    said = await bodies.read(request, ContactShown)
    contact = contact_of(request.match_info["person"][:80], said)
    await request.app[keys.VILLAGE_BOOKS].put_contact(by, contact)
    return done()


@routes.get("/api/v1/units/{unit}/contact", name="unit_contact")
@operation(answer=ContactShown, errors=(NotFound, Refused))
async def unit_contact(request: web.Request) -> web.Response:
    """The number of whoever is on duty there, for an admin."""
    found = await request.app[keys.VILLAGE_BOOKS].unit_contact(_by(request), _unit(request))
    if found is None:
        raise NotFound("there is no phone number")
    return reply(contact_shown(found))


@routes.put("/api/v1/units/{unit}/contact", name="set_unit_contact")
@operation(body=ContactShown, errors=(NotFound, Refused, Unprocessable))
async def set_unit_contact(request: web.Request) -> web.Response:
    """Notices to the unit and SOS calls go there; by an admin of the unit or of its place."""
    said = await bodies.read(request, ContactShown)
    contact = contact_of(_unit(request), said)
    await request.app[keys.VILLAGE_BOOKS].put_unit_contact(_by(request), contact.holder, contact)
    return done()


@routes.delete("/api/v1/units/{unit}/contact", name="forget_unit_contact")
@operation(errors=(NotFound, Refused))
async def forget_unit_contact(request: web.Request) -> web.Response:
    """No number any more: notices wait on the page."""
    await request.app[keys.VILLAGE_BOOKS].put_unit_contact(_by(request), _unit(request), None)
    return done()


def _by(request: web.Request) -> By:
    return By(by_hand(request).subject)


def _clerk(request: web.Request) -> By:
    """Raises Forbidden, Refused."""
    caller = by_hand(request)
    clerk(caller)
    return By(caller.subject)


def _unit(request: web.Request) -> str:
    return request.match_info["unit"][:80]


def _answered(row: HouseholdPlaceRow) -> web.Response:
    return reply(_shown(row), ETag=f'"{row.version}"')


def _shown(row: HouseholdPlaceRow) -> HouseholdShown:
    return HouseholdShown(
        id=row.id, name=row.name, place=row.place, unit=row.unit, version=row.version
    )
