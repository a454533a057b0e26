"""My own log (AUD-4): at home, who looked at the household's cameras; on duty, what I did myself
(or, for the bureau, what my unit did)."""

import csv
import io
from collections.abc import Iterable
from functools import partial
from typing import Literal

from aiohttp import web

from village_hub import keys
from village_hub.access.guard import person
from village_hub.access.identity import PersonCaller
from village_hub.access.matrix import Column, Only, Row
from village_hub.api.contract import NO_STORE, Page, Paging, Shape, operation, read_query, reply
from village_hub.api.hub_names import hub_name
from village_hub.audit import making
from village_hub.audit.entry import EntryKind, Who
from village_hub.audit.sentences import HubName, sentence
from village_hub.catalogue import audit_reading, people
from village_hub.catalogue.audit_reading import Looked, Part, Place
from village_hub.catalogue.store import Session
from village_hub.errors import BadRequest, Refused
from village_hub.pages import views
from village_hub.pages.words import Words

routes = web.RouteTableDef()

MOST_LINES = 10_000  # of a download


class WhoShown(Shape):
    issuer: str
    id: str
    name: str
    unit: str
    unit_name: str
    roles: tuple[str, ...]

    @classmethod
    def of(cls, who: Who | None) -> "WhoShown | None":
        return cls.model_validate(who.model_dump()) if who else None


class Line(Shape):
    """One view, look, refusal or act. `id` is what a dispute names. Times in UTC ms; `until` is
    null while a view goes on, `seconds` and `bytes` when they are not known."""

    id: str
    at: int
    until: int | None
    kind: EntryKind
    action: str
    result: str
    who: WhoShown | None
    second: WhoShown | None
    household: str
    camera: str
    camera_name: str
    purpose: str
    case: str
    basis: str
    grant: str
    reason: str
    seconds: int | None
    bytes: int | None
    ended: str
    late: bool
    text: str  # the same in plain words, in the reader's language


@routes.get("/api/v1/me/log", name="my_log")
@operation(query=Paging, answer=Page[Line], errors=(Refused, BadRequest))
async def mine(request: web.Request) -> web.Response:
    """Who looked at my household's cameras, newest first; on duty, what I did."""
    query = read_query(request, Paging)
    part = Part(query.limit + 1, read_place(query.after))
    words, hubs = views.words_for(request), partial(hub_name, request.app)
    found = await _read(request, part)
    items = [line(each, words, hubs) for each in found[: query.limit]]
    more = items[-1] if len(found) > query.limit else None
    return reply(Page[Line](items=items, next=place_of(more.at, more.id) if more else None))


class Form(Shape):
    format: Literal["csv", "text"] = "csv"


@routes.get("/api/v1/me/log/file", name="my_log_file")
@operation(query=Form, content=("text/csv", "text/plain"), errors=(Refused,))
async def file(request: web.Request) -> web.Response:
    """The same to keep: a table, or one sentence a line; the newest 10,000 lines."""
    form = read_query(request, Form).format
    words, hubs = views.words_for(request), partial(hub_name, request.app)
    found = await _read(request, Part(MOST_LINES))
    text = _csv(found, words, hubs) if form == "csv" else _text(found, words, hubs)
    entry = making.act(request.app[keys.CLOCK], person(request).subject, "log.export")
    await request.app[keys.AUDIT].put(entry)
    name = f'attachment; filename="log.{"csv" if form == "csv" else "txt"}"'
    return web.Response(
        text=text,
        content_type="text/csv" if form == "csv" else "text/plain",
        charset="utf-8",
        headers={**NO_STORE, "Content-Disposition": name},
    )


async def _read(request: web.Request, part: Part) -> list[Looked]:
    """Raises Refused."""
    caller, now = person(request), request.app[keys.CLOCK].utc_ms()
    catalogue, guard = request.app[keys.CATALOGUE], request.app[keys.GUARD]
    if caller.subject.roles:
        allowed = await guard.allow(caller, Column.OWN_LOG)
        if any(cell.only is Only.OWN_UNIT for cell in allowed.cells) and caller.subject.unit:
            return await catalogue.read(audit_reading.of_unit, caller.subject.unit, part)
        return await catalogue.read(audit_reading.of_person, caller.subject.key, part)
    households = await catalogue.read(_households, caller)
    relations = frozenset({Row.MEMBER}) if households else frozenset[Row]()
    await guard.allow(caller, Column.OWN_LOG, relations)
    return await catalogue.read(audit_reading.of_households, households, now, part)


def _households(session: Session, caller: PersonCaller) -> frozenset[str]:
    return people.households_of(session, caller.subject.id)


def line(looked: Looked, words: Words, hubs: HubName) -> Line:
    entry, end = looked.entry, looked.end
    ended = str(end.about.get("why", "")) if end else ""
    begun = entry.kind is EntryKind.VIEW_START
    return Line(
        id=entry.id,
        at=entry.utc_ms,
        until=end.utc_ms if end else None if begun else entry.utc_ms,
        kind=entry.kind,
        action=entry.action,
        result=entry.result,
        who=WhoShown.of(entry.who),
        second=WhoShown.of(entry.second),
        household=entry.household,
        camera=entry.camera,
        camera_name=entry.camera_name,
        purpose=entry.purpose,
        case=entry.case,
        basis=entry.basis,
        grant=entry.grant,
        reason=entry.reason,
        seconds=end.seconds if end else None,
        bytes=end.bytes if end else None,
        ended=ended,
        late=entry.late,
        text=sentence(looked, words, hubs),
    )


def place_of(utc_ms: int, name: str) -> str:
    """As `next` gives it."""
    return f"{utc_ms}.{name}"


def read_place(after: str | None) -> Place | None:
    """Raises BadRequest."""
    if after is None:
        return None
    utc_ms, _, name = after.partition(".")
    if not utc_ms.isascii() or not utc_ms.isdigit() or len(utc_ms) > 16 or not name:
        raise BadRequest("`after` is what `next` said", code="bad_query")
    return int(utc_ms), name


FORMULA = "=+-@＝＋－＠"
COLUMNS = ("at", "until", "who", "unit", "action", "result", "camera", "purpose", "case", "text")


def _csv(found: Iterable[Looked], words: Words, hubs: HubName) -> str:
    """With a byte order mark: spreadsheet programs then read it as UTF-8."""
    out = io.StringIO()
    out.write("\ufeff")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for each in found:
        shown = line(each, words, hubs)
        who = shown.who
        row = (shown.at, shown.until or "", who.name if who else "", who.unit_name if who else "")
        rest = (shown.action, shown.result, shown.camera_name, shown.purpose, shown.case)
        table.writerow([_harmless(str(cell)) for cell in (*row, *rest, shown.text)])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A name that begins like a formula is text to a spreadsheet all the same."""
    return f"'{cell}" if cell.lstrip()[:1] in FORMULA and cell.strip() else cell


def _text(found: Iterable[Looked], words: Words, hubs: HubName) -> str:
    return "".join(f"{sentence(each, words, hubs)}\n" for each in found)
