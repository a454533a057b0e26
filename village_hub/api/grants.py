"""Grants: who may see a household, what I was given, and stopping any of it by one tap (PRM-4)."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import Field

from village_core.grants import GrantKind, GrantStatus, plain
from village_core.messages import PRINTABLE, GrantList, GrantListAnswer
from village_hub import keys
from village_hub.access.guard import CALLER, person
from village_hub.access.identity import NodeCaller, admits
from village_hub.api import bodies
from village_hub.api.contract import Page, Paging, Shape, first_page, operation, read_query, reply
from village_hub.api.homes import belonging
from village_hub.catalogue import grants
from village_hub.catalogue.consent_rows import GrantRow
from village_hub.catalogue.store import Session
from village_hub.consent.homes import camera_names
from village_hub.consent.signed import read_signed
from village_hub.consent.words import in_both
from village_hub.errors import Forbidden, Unauthorized

routes = web.RouteTableDef()


class GrantShown(Shape):
    """`holds`: begun, not over and not stopped. `sentences` say it in plain words, by language;
    empty for one of a box that was changed since."""

    id: str
    household: str
    household_name: str
    kind: GrantKind
    status: GrantStatus
    holds: bool
    not_before: int  # UTC ms
    until: int
    route: str  # passkey, home, window
    given: int
    stopped: int | None
    why: str
    terms: dict[str, object]
    sentences: dict[str, list[str]]
    version: int


class Why(Shape):
    why: str = Field(default="", max_length=200, pattern=PRINTABLE)


@routes.get("/api/v1/households/{household}/grants", name="grants")
@operation(query=Paging, answer=Page[GrantShown])
async def of_household(request: web.Request) -> web.Response:
    """All that the household ever gave, the oldest first; for its people."""
    household = request.match_info["household"]
    await belonging(request, household)
    paging = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        grants.of_household, household, paging.after or "", paging.limit + 1
    )
    return await _page(request, rows, paging.limit)


@routes.get("/api/v1/me/grants", name="my_grants")
@operation(query=Paging, answer=Page[GrantShown])
async def mine(request: web.Request) -> web.Response:
    """What I was given, or on duty my unit."""
    subject = person(request).subject
    paging = read_query(request, Paging)
    unit = subject.unit or ""
    rows = await request.app[keys.CATALOGUE].read(
        grants.given_to, subject.id, unit, paging.after or "", paging.limit + 1
    )
    return await _page(request, rows, paging.limit)


@routes.get("/api/v1/grants/{grant}", name="grant")
@operation(answer=GrantShown)
async def show(request: web.Request) -> web.Response:
    """One that concerns the caller."""
    stopping = request.app[keys.CONSENT].stopping
    found = await stopping.find(person(request).subject, request.match_info["grant"])
    return reply((await _shown(request, [found.row]))[0])


@routes.post("/api/v1/grants/{grant}/stop", name="stop_grant")
@operation(body=Why, body_required=False, answer=GrantShown, errors=(Forbidden,))
async def stop(request: web.Request) -> web.Response:
    """One tap: owners, adults of the household, the person filmed inside, and whoever it was given
    to. It holds at once; pictures end within 5 s. Doing it again changes nothing."""
    body = await bodies.read(request, Why) if request.can_read_body else Why()
    name = request.match_info["grant"]
    row = await request.app[keys.CONSENT].stopping.stop(person(request), name, body.why)
    return reply((await _shown(request, [row]))[0])


@routes.put("/api/v1/node/grants", name="node_grants")
@operation(body=GrantList, answer=GrantListAnswer)
@admits(NodeCaller)
async def hear(request: web.Request) -> web.Response:
    """A home's own list, on connect and on every change: what it gave is taken in when its key
    signed it, what either side stopped is stopped on both."""
    caller = request[CALLER]
    if not isinstance(caller, NodeCaller):
        raise Unauthorized("an agent's own token is needed here")
    said = await bodies.read(request, GrantList)
    return reply(await request.app[keys.CONSENT].post.hear(caller.node.id, said))


async def _page(request: web.Request, rows: Sequence[GrantRow], limit: int) -> web.Response:
    page, more = first_page(rows, limit)
    return reply(Page[GrantShown](items=await _shown(request, page), next=more))


async def _shown(request: web.Request, rows: Sequence[GrantRow]) -> list[GrantShown]:
    hub, now = request.app[keys.NODE].id, request.app[keys.CLOCK].utc_ms()
    return await request.app[keys.CATALOGUE].read(_described, hub, rows, now)


def _described(session: Session, hub: str, rows: Sequence[GrantRow], now: int) -> list[GrantShown]:
    return [_one(session, hub, row, now) for row in rows]


def _one(session: Session, hub: str, row: GrantRow, now: int) -> GrantShown:
    home = grants.home(session, row.household)
    key = home.key if home else None
    grant = read_signed(row.text, row.household, key, hub, now) if key else None
    running = row.status is GrantStatus.VALID and row.not_before <= now < row.until
    return GrantShown(
        id=row.id,
        household=row.household,
        household_name=home.name if home else "",
        kind=GrantKind(row.kind),
        status=row.status,
        holds=running and grant is not None,
        not_before=row.not_before,
        until=row.until,
        route=row.route,
        given=row.given,
        stopped=row.stopped,
        why=row.why,
        terms=plain(grant.terms) if grant else {},
        sentences=in_both(grant.terms, camera_names(session, row.household)) if grant else {},
        version=row.version,
    )
