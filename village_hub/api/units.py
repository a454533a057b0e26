"""Units: committees, stations, operators. Their names are no secret among staff."""

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import by_hand
from village_hub.access.matrix import Column
from village_hub.access.staff_acts import AddUnit, RemoveUnit
from village_hub.api import bodies
from village_hub.api.acts import FAULTS, Asked, ask
from village_hub.api.contract import Page, Paging, Shape, first_page, operation, read_query, reply
from village_hub.catalogue import units
from village_hub.catalogue.rows import Capacity
from village_hub.catalogue.staff_rows import UnitKind
from village_hub.errors import Refused

routes = web.RouteTableDef()


class UnitShown(Shape):
    """`place` is a prefix of administrative codes, `parent` the unit above."""

    id: str
    kind: UnitKind
    name: str
    place: str
    parent: str | None


@routes.get("/api/v1/units", name="units")
@operation(query=Paging, answer=Page[UnitShown], errors=(Refused,))
async def listed(request: web.Request) -> web.Response:
    """All units, for anybody on duty."""
    caller = by_hand(request)
    if caller.capacity is not Capacity.DUTY:
        raise Refused("units are listed for staff on duty")
    query = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        units.everything, query.after or "", query.limit + 1
    )
    page, after = first_page(rows, query.limit)
    items = [
        UnitShown(id=row.id, kind=row.kind, name=row.name, place=row.place, parent=row.parent)
        for row in page
    ]
    return reply(Page[UnitShown](items=items, next=after))


@routes.post("/api/v1/units", name="ask_unit")
@operation(body=AddUnit, answer=Asked, status=202, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Ask for a new one, as an admin; a second person confirms it."""
    return await ask(request, await bodies.read(request, AddUnit), Column.PEOPLE)


@routes.delete("/api/v1/units/{unit}", name="ask_unit_removal")
@operation(answer=Asked, status=202, errors=FAULTS)
async def remove(request: web.Request) -> web.Response:
    """Ask to remove it, as an admin; confirmed, its appointments rest on nothing."""
    act = RemoveUnit(unit=request.match_info["unit"][:80] or "-")
    return await ask(request, act, Column.PEOPLE)
