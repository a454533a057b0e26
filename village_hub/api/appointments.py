"""Who is appointed to what: admins ask and a second person confirms; auditors review."""

from aiohttp import web
from pydantic import Field

from village_core.permits import Role
from village_hub import keys
from village_hub.access.guard import by_hand, person
from village_hub.access.matrix import Column
from village_hub.access.staff_acts import Appoint
from village_hub.api import bodies
from village_hub.api.acts import FAULTS, Asked, ask
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
from village_hub.catalogue import appointments
from village_hub.catalogue.staff_rows import AppointmentRow
from village_hub.errors import NotFound, Refused

routes = web.RouteTableDef()


class AppointmentShown(Shape):
    """Times in UTC ms; `until` is the end of the term, `ended` when somebody ended it before."""

    id: str
    person: str
    person_name: str
    unit: str
    unit_name: str
    role: Role
    begins: int
    until: int
    appointed_by: str
    confirmed_by: str | None
    ended: int | None
    version: int


class OfWhom(Paging):
    unit: str | None = Field(default=None, max_length=80)
    person: str | None = Field(default=None, max_length=80)


class Mine(Shape):
    items: list[AppointmentShown]


@routes.get("/api/v1/appointments", name="appointments")
@operation(query=OfWhom, answer=Page[AppointmentShown], errors=(Refused,))
async def listed(request: web.Request) -> web.Response:
    """All that ever were; for admins and auditors."""
    query = read_query(request, OfWhom)
    await request.app[keys.GUARD].allow(by_hand(request), Column.PEOPLE)
    rows = await request.app[keys.CATALOGUE].read(
        appointments.page, query.after or "", query.limit + 1, unit=query.unit, person=query.person
    )
    page, after = first_page(rows, query.limit)
    items = [shown(row) for row in page]
    return reply(Page[AppointmentShown](items=items, next=after))


@routes.get("/api/v1/me/appointments", name="my_appointments")
@operation(answer=Mine)
async def mine(request: web.Request) -> web.Response:
    """Those of mine that live, or will."""
    caller, now = person(request), request.app[keys.CLOCK].utc_ms()
    rows = await request.app[keys.CATALOGUE].read(appointments.to_come, caller.subject.id, now)
    return reply(Mine(items=[shown(row) for row in rows]))


@routes.post("/api/v1/appointments", name="ask_appointment")
@operation(body=Appoint, answer=Asked, status=202, errors=FAULTS, creates=True)
async def appoint(request: web.Request) -> web.Response:
    """Ask for it, as an admin; a second person confirms it within 30 minutes."""
    return await ask(request, await bodies.read(request, Appoint), Column.PEOPLE)


@routes.delete("/api/v1/appointments/{appointment}", name="end_appointment")
@operation(errors=(NotFound, Refused))
async def end(request: web.Request) -> web.Response:
    """At once, by one admin or by whoever holds it: what takes rights away waits for nobody. What
    rests on it ends within seconds."""
    caller, name = by_hand(request), request.match_info["appointment"]
    await request.app[keys.SECONDS].end_appointment(caller.subject, name)
    request.app[keys.RENEWAL].look_soon()
    return done()


def shown(row: AppointmentRow) -> AppointmentShown:
    return AppointmentShown(
        id=row.id,
        person=row.person,
        person_name=row.person_name,
        unit=row.unit,
        unit_name=row.unit_name,
        role=row.role,
        begins=row.begins,
        until=row.until,
        appointed_by=row.appointed_by,
        confirmed_by=row.confirmed_by,
        ended=row.ended,
        version=row.version,
    )
