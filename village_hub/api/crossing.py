"""What staff do about matters of a village further down goes there, in their own name; and which
matters those are."""

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from village_core.ids import new_id
from village_hub import keys
from village_hub.access.crossing import PATHS, PLACE_OF, crosses, place_of
from village_hub.access.guard import CALLER, by_hand, person
from village_hub.access.identity import PersonCaller
from village_hub.api import bodies
from village_hub.api.contract import Page, Paging, Shape, first_page, operation, read_query, reply
from village_hub.cases.scans import LARGEST
from village_hub.catalogue import far, matters
from village_hub.catalogue.far import Far
from village_hub.catalogue.store import Session
from village_hub.errors import Forbidden
from village_hub.tiers.calling import Heard, Owner, Said

routes = web.RouteTableDef()
PASSED_ON = ("If-Match", "Idempotency-Key", "Content-Type")
WITHIN = 60.0  # seconds for a scan: a slow uplink
SAFE = frozenset({"GET", "HEAD"})


class FarShown(Shape):
    """`kind`: the last part of the path under which it is read and acted on here. `opened` in UTC
    ms."""

    id: str
    kind: str
    hub: str
    place: str
    opened: int


class FarPage(Page[FarShown]):
    """The newest first."""


@routes.get("/api/v1/matters-below", name="matters_below")
@operation(query=Paging, answer=FarPage, errors=(Forbidden,))
async def matters_below(request: web.Request) -> web.Response:
    """Matters that hubs below keep: my unit's, and those that I was told of. What each says and
    what I may do with it, its own hub answers, at `/api/v1/KIND/ID`."""
    caller = person(request)
    if not caller.subject.roles:
        raise Forbidden("sign in on duty", code="not_yours")
    query = read_query(request, Paging)
    unit, who = caller.subject.unit or "", caller.subject.id
    read = request.app[keys.CATALOGUE].read
    rows = await read(far.of, unit, who, query.after, query.limit + 1)
    items, after = first_page(rows, query.limit)
    shown = [
        FarShown(id=row.id, kind=row.kind, hub=row.owner, place=row.place, opened=row.opened)
        for row in items
    ]
    return reply(FarPage(items=shown, next=after))


@web.middleware
async def cross(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Inside `identify`: who calls is known. A matter of this hub goes on to its handler."""
    caller = request.get(CALLER)
    if not isinstance(caller, PersonCaller) or request.match_info.http_exception is not None:
        return await handler(request)
    here = caller.subject.issuer == request.app[keys.NODE].id
    if not here or not caller.subject.roles or not crosses(request):
        return await handler(request)
    owner = await _owner(request)
    if owner is None:
        return await handler(request)
    if request.method not in SAFE:
        by_hand(request)
    heard = await request.app[keys.CALLING].call(caller.subject, owner, await _said(request))
    if heard.status == 201 and request.match_info.route.name in PLACE_OF:
        await _remember(request, caller, owner, heard)
    return _response(heard)


async def _owner(request: web.Request) -> Owner | None:
    """None: a matter of this hub, or none that it knows of."""
    calling, read = request.app[keys.CALLING], request.app[keys.CATALOGUE].read
    if request.match_info.route.name in PLACE_OF:
        text = await bodies.read_text(request)
        return calling.owner_of(place_of(request, text.encode()))
    found = await read(_far, request.match_info["matter"])
    return Owner(found.owner, found.place) if found else None


def _far(session: Session, matter: str) -> Far | None:
    return far.find(session, matter) if matters.find(session, matter) is None else None


async def _said(request: web.Request) -> Said:
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    if request.match_info.route.name in PLACE_OF:  # told twice on the way, it is done once
        headers.setdefault("Idempotency-Key", new_id(request.app[keys.CLOCK]))
    return Said(request.method, request.path_qs, headers, await _body(request))


async def _body(request: web.Request) -> bytes:
    """Raises TooLarge, TooSlow."""
    if not request.body_exists:
        return b""
    if request.match_info.route.name != "put_request_scan":
        return (await bodies.read_text(request)).encode()
    return await bodies.read_large(request, LARGEST, "a scan", WITHIN)


async def _remember(request: web.Request, caller: PersonCaller, owner: Owner, heard: Heard) -> None:
    path = heard.headers.get("Location", "")
    kind, matter = path.split("/")[-2:] if path.startswith(PATHS) else ("", "")
    if not matter:
        return
    now = request.app[keys.CLOCK].utc_ms()
    found = Far(id=matter, kind=kind, owner=owner.hub, place=owner.place, opened=now)
    subject = caller.subject
    await request.app[keys.CATALOGUE].write(far.keep, found, subject.unit or subject.id)


def _response(heard: Heard) -> web.Response:
    headers: Mapping[str, str] = {
        name: value for name, value in heard.headers.items() if name != "Content-Type"
    }
    response = web.Response(status=heard.status, body=heard.body or None, headers=headers)
    response.headers["Cache-Control"] = "no-store"
    kind = heard.headers.get("Content-Type", "").split(";")[0].strip()
    if heard.body and kind:
        response.content_type = kind
    return response
