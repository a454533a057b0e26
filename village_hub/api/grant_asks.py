"""Asking a household to share. What the asker reads does not depend on the answer (PRM-20)."""

from typing import Literal

from aiohttp import web

from village_core.permits import Role
from village_hub import keys
from village_hub.access.guard import by_hand, person
from village_hub.access.matrix import Column
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
from village_hub.api.homes import owning
from village_hub.catalogue import drafts
from village_hub.catalogue.consent_rows import AskRow
from village_hub.consent.wishes import Intent
from village_hub.errors import Conflict, NotFound

routes = web.RouteTableDef()


class AskMade(Shape):
    """`state` is `asked` until `expires`, then `over`, whether the household said no, yes or
    nothing. A yes is a grant, found among one's grants."""

    id: str
    household: str
    wish: Intent
    created: int  # UTC ms
    expires: int
    state: Literal["asked", "over"]


class AskShown(Shape):
    """For the household: who asks for what. To agree, an owner makes a draft that names it."""

    id: str
    person: str
    name: str
    unit: str
    unit_name: str
    roles: list[Role]
    wish: Intent
    created: int
    expires: int


class AskList(Shape):
    asks: list[AskShown]


@routes.post("/api/v1/households/{household}/grant-asks", name="ask_for_grant")
@operation(body=Intent, answer=AskMade, status=201, errors=(Conflict,), creates=True)
async def ask(request: web.Request) -> web.Response:
    """Ask a household to share something. It is voluntary: a no and no answer look the same. One
    ask a household at a time."""
    caller = by_hand(request)
    await request.app[keys.GUARD].allow(caller, Column.ASK)
    wish = await bodies.read(request, Intent)
    household = request.match_info["household"]
    row = await request.app[keys.CONSENT].asking.ask(caller, household, wish)
    return reply(_made(request, row), status=201)


@routes.get("/api/v1/grant-asks/{ask}", name="grant_ask")
@operation(answer=AskMade)
async def show(request: web.Request) -> web.Response:
    """One that I made."""
    subject = person(request).subject
    row = await request.app[keys.CATALOGUE].read(drafts.find_ask, request.match_info["ask"])
    if row is None or (row.issuer, row.asker) != subject.key:
        raise NotFound("there is no such ask", code="no_such_ask")
    return reply(_made(request, row))


@routes.get("/api/v1/me/grant-asks", name="my_grant_asks")
@operation(query=Paging, answer=Page[AskMade])
async def mine(request: web.Request) -> web.Response:
    """Those that I made."""
    subject = person(request).subject
    paging = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        drafts.asks_by, subject.issuer, subject.id, paging.after or "", paging.limit + 1
    )
    page, more = first_page(rows, paging.limit)
    return reply(Page[AskMade](items=[_made(request, row) for row in page], next=more))


@routes.get("/api/v1/households/{household}/grant-asks", name="grant_asks")
@operation(answer=AskList)
async def of_household(request: web.Request) -> web.Response:
    """What others ask of this household, unanswered; for its owners."""
    household = request.match_info["household"]
    await owning(request, household)
    now = request.app[keys.CLOCK].utc_ms()
    rows = await request.app[keys.CATALOGUE].read(drafts.asks_of_household, household, now)
    return reply(AskList(asks=[_shown(row) for row in rows]))


@routes.post("/api/v1/grant-asks/{ask}/no", name="refuse_grant_ask")
@operation()
async def refuse(request: web.Request) -> web.Response:
    """No. Whoever asked does not hear of it."""
    person(request)
    row = await request.app[keys.CATALOGUE].read(drafts.find_ask, request.match_info["ask"])
    missing = NotFound("there is no such ask", code="no_such_ask")
    if row is None:
        raise missing
    try:
        caller = await owning(request, row.household)
    except NotFound as error:
        raise missing from error
    await request.app[keys.CONSENT].asking.refuse(caller, row)
    return done()


def _made(request: web.Request, row: AskRow) -> AskMade:
    """Nothing of the answer is in it."""
    over = row.expires <= request.app[keys.CLOCK].utc_ms()
    return AskMade(
        id=row.id,
        household=row.household,
        wish=Intent.model_validate_json(row.wish),
        created=row.created,
        expires=row.expires,
        state="over" if over else "asked",
    )


def _shown(row: AskRow) -> AskShown:
    return AskShown(
        id=row.id,
        person=row.asker,
        name=row.asker_name,
        unit=row.unit,
        unit_name=row.unit_name,
        roles=[Role(each) for each in row.role.split(",") if each],
        wish=Intent.model_validate_json(row.wish),
        created=row.created,
        expires=row.expires,
    )
