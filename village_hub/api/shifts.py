"""Turns of duty: my own, and those of my unit."""

from aiohttp import web
from pydantic import Field

from village_core.permits import Role
from village_hub import keys
from village_hub.access.guard import by_hand
from village_hub.access.shifts import LONGEST
from village_hub.api import bodies
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
from village_hub.catalogue import shifts
from village_hub.catalogue.rows import Capacity
from village_hub.catalogue.staff_rows import ShiftRow
from village_hub.errors import Conflict, NotFound, Refused

routes = web.RouteTableDef()


class ShiftShown(Shape):
    """Times in UTC ms; `ends` is when it is over by itself, `ended` when it was closed."""

    id: str
    person: str
    person_name: str
    unit: str
    started: int
    ends: int
    ended: int | None


class Hours(Shape):
    hours: int = Field(default=8, ge=1, le=LONGEST)


@routes.get("/api/v1/me/shift", name="my_shift")
@operation(answer=ShiftShown, errors=(NotFound,))
async def mine(request: web.Request) -> web.Response:
    """My open shift. 404 no_shift."""
    caller, now = by_hand(request), request.app[keys.CLOCK].utc_ms()
    row = await request.app[keys.CATALOGUE].read(shifts.open_of, caller.subject.id, now)
    if row is None:
        raise NotFound("you have no open shift", code="no_shift")
    return reply(_shown(row))


@routes.post("/api/v1/me/shift", name="start_shift")
@operation(body=Hours, answer=ShiftShown, status=201, errors=(Refused, Conflict))
async def start(request: web.Request) -> web.Response:
    """Open it, for at most 12 hours; it is over by itself. 409 shift_open."""
    caller = by_hand(request)
    body = await bodies.read(request, Hours)
    row = await request.app[keys.SHIFTS].start(caller, body.hours)
    return reply(_shown(row), status=201)


@routes.delete("/api/v1/me/shift", name="end_shift")
@operation(errors=(NotFound, Refused))
async def end(request: web.Request) -> web.Response:
    """Close it; screens that it opened are blank within seconds."""
    await request.app[keys.SHIFTS].close(by_hand(request))
    request.app[keys.RENEWAL].look_soon()
    return done()


@routes.get("/api/v1/shifts", name="shifts")
@operation(query=Paging, answer=Page[ShiftShown], errors=(Refused,))
async def listed(request: web.Request) -> web.Response:
    """Those of my unit, open and over; for an auditor those of all."""
    caller, query = by_hand(request), read_query(request, Paging)
    if caller.capacity is not Capacity.DUTY:
        raise Refused("shifts are listed for staff on duty")
    unit = None if Role.AUDITOR in caller.subject.roles else caller.subject.unit
    rows = await request.app[keys.CATALOGUE].read(
        shifts.page, query.after or "", query.limit + 1, unit=unit
    )
    page, after = first_page(rows, query.limit)
    items = [_shown(row) for row in page]
    return reply(Page[ShiftShown](items=items, next=after))


def _shown(row: ShiftRow) -> ShiftShown:
    return ShiftShown(
        id=row.id,
        person=row.person,
        person_name=row.person_name,
        unit=row.unit,
        started=row.started,
        ends=row.ends,
        ended=row.ended,
    )
