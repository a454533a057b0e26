"""Objections to a camera (PRM-19): filed by anyone, without an account, from the code on its sign;
answered by whoever runs the camera and by a mediator.

Filing and looking by receipt are public: who objects needs no account. Both are limited by source,
and answer the same whether the sign is a camera's or not.
"""

from typing import Any

from aiohttp import web
from pydantic import Field

from village_core.ids import new_id
from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub import keys
from village_hub.access.credentials import digest
from village_hub.access.guard import SOURCE
from village_hub.access.receipts import letters_of, new_receipt, receipt_digest
from village_hub.access.throttle import network_of
from village_hub.api import bodies, parties
from village_hub.api.contract import Page, Paging, Shape, operation, read_query, reply
from village_hub.cases import objection
from village_hub.cases.desk import Kept, kept_of
from village_hub.cases.effects import Receipt
from village_hub.cases.matter import Act, Person
from village_hub.cases.objection import Answer, ApproveView, Objection, ObjectionTerms, Withdraw
from village_hub.cases.signed import seen_at
from village_hub.catalogue import camera_records, matters, signs
from village_hub.catalogue.matters import MatterRow, Wanted
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, Forbidden, NotFound, Refused, TooMany, Unprocessable

routes = web.RouteTableDef()

PATH = "/api/v1/objections"
STEP_FAULTS = (Forbidden, NotFound, Conflict, Unprocessable)


class AtWindow(ObjectionTerms):
    """What a clerk writes down for somebody who came."""

    sign: str = Field(min_length=8, max_length=20, pattern=PRINTABLE)


class ReceiptSaid(Shape):
    receipt: str = Field(min_length=12, max_length=40, repr=False)


class Filed(Shape):
    """The receipt is shown only now. `answer_by` in UTC ms."""

    receipt: str = Field(repr=False)
    answer_by: int


class StateShown(Shape):
    """What the objector may read. Times in UTC ms; `closed` null while it is open."""

    state: str
    filed: int
    answer_by: int
    closed: int | None
    owner_words: str
    mediator_words: str


class ObjectionShown(StateShown):
    """What those who answer it read. `view`: SHA-256 of the still on record, which both approve;
    `contact` is for the mediator alone; `acts` is what the reader may do now."""

    id: str
    camera: str
    camera_name: str
    words: str
    contact: str
    view: str | None
    owner_view: str
    mediator_view: str
    acts: list[str]


@routes.post("/api/v1/signs/{sign}/objections", name="file_objection")
@operation(body=ObjectionTerms, answer=Filed, status=201, errors=(Conflict, TooMany))
async def file(request: web.Request) -> web.Response:
    """Object to the camera of this sign. Sharing it outside its household pauses at once. The same
    answer comes for a sign that is no camera's. 409 already_open: from here to this sign one is
    open."""
    network = network_of(request[SOURCE].address)
    request.app[keys.THROTTLES].objection.spend(network)
    terms = await bodies.read(request, ObjectionTerms)
    sign = letters_of(request.match_info["sign"])[:20]
    return await _file(request, terms, sign, digest(f"objection {sign} {network}"), None)


@routes.post(PATH, name="file_objection_at_window")
@operation(body=AtWindow, answer=Filed, status=201, errors=(Refused,))
async def file_at_window(request: web.Request) -> web.Response:
    """A clerk of the committee writes it down for somebody and hands out the receipt."""
    by = await parties.caller(request)
    if not by.holds(Role.COMMITTEE):
        raise Refused("this is for the committee's window")
    said = await bodies.read(request, AtWindow)
    terms = ObjectionTerms(words=said.words, contact=said.contact)
    return await _file(request, terms, letters_of(said.sign), None, by)


async def _file(
    request: web.Request, terms: ObjectionTerms, sign: str, source: str | None, clerk: Person | None
) -> web.Response:
    seen = await request.app[keys.CATALOGUE].read(seen_at, sign)
    receipt, now = new_receipt(), request.app[keys.CLOCK].utc_ms()
    began = objection.begin(
        new_id(),
        terms,
        seen,
        now,
        receipt=Receipt(digest(letters_of(receipt)), source),
        sign=sign,
        clerk=clerk,
    )
    await request.app[keys.DESK].open(began, clerk or began.matter.asker)
    return reply(Filed(receipt=receipt, answer_by=now + objection.ANSWERED_WITHIN), status=201)


@routes.post(f"{PATH}/state", name="objection_state")
@operation(body=ReceiptSaid, answer=StateShown, errors=(NotFound, TooMany))
async def state(request: web.Request) -> web.Response:
    """How my objection stands, by the receipt."""
    return reply(StateShown(**_state(await _by_receipt(request))))


@routes.post(f"{PATH}/withdrawal", name="withdraw_objection")
@operation(body=ReceiptSaid, answer=StateShown, errors=(NotFound, Conflict, TooMany))
async def withdraw(request: web.Request) -> web.Response:
    """I take it back, by the receipt."""
    found = await _by_receipt(request)
    kept = await request.app[keys.DESK].act(found.id, Withdraw(), found.asker)
    return reply(StateShown(**_state(kept.matter)))


async def _by_receipt(request: web.Request) -> Objection:
    """A wrong one costs the source a try."""
    throttle, network = request.app[keys.THROTTLES].receipt, network_of(request[SOURCE].address)
    throttle.spend(network)
    said = receipt_digest((await bodies.read(request, ReceiptSaid)).receipt)
    matter_id = await request.app[keys.CATALOGUE].read(signs.matter_of, said) if said else None
    if matter_id is None:
        raise NotFound("nothing has this receipt", code="no_such_receipt")
    throttle.give_back(network)
    return (await request.app[keys.DESK].find(Objection, matter_id)).matter


@routes.get(PATH, name="objections")
@operation(query=Paging, answer=Page[ObjectionShown])
async def listed(request: web.Request) -> web.Response:
    """Those about cameras of my household or unit, those that I mediate, for auditors all; newest
    first."""
    by, query = await parties.caller(request), read_query(request, Paging)
    now = request.app[keys.CLOCK].utc_ms()
    rows = await request.app[keys.CATALOGUE].read(_rows, by, query, now)
    found = [each for each in map(_kept, rows[: query.limit]) if _may_see(by, each.matter)]
    items = [await _shown(request, by, each) for each in found]
    after = rows[query.limit - 1].id if len(rows) > query.limit else None
    return reply(Page[ObjectionShown](items=items, next=after))


@routes.get(f"{PATH}/{{objection}}", name="objection")
@operation(answer=ObjectionShown, errors=(NotFound,))
async def one(request: web.Request) -> web.Response:
    """One of them."""
    by = await parties.caller(request)
    return reply(await _shown(request, by, await _known(request, by)))


@routes.post(f"{PATH}/{{objection}}/answer", name="answer_objection")
@operation(body=Answer, answer=ObjectionShown, errors=STEP_FAULTS)
async def answer(request: web.Request) -> web.Response:
    """What I say to it: as the one who runs the camera, or as the mediator."""
    return await _step(request, await bodies.read(request, Answer))


@routes.post(f"{PATH}/{{objection}}/approve-view", name="approve_objection_view")
@operation(body=ApproveView, answer=ObjectionShown, errors=STEP_FAULTS)
async def approve_view(request: web.Request) -> web.Response:
    """This view may be shared. Sharing goes on when the other has approved the same. 409
    other_view when it is not the view on record."""
    act = await bodies.read(request, ApproveView)
    by = await parties.caller(request)
    kept = await _known(request, by)
    if await _view(request, kept.matter) != act.picture_sha256:
        raise Conflict("another view is on record: look at it first", code="other_view")
    return await _step(request, act)


async def _step(request: web.Request, act: Act) -> web.Response:
    by = await parties.caller(request)
    kept = await _known(request, by)
    after = await request.app[keys.DESK].act(kept.matter.id, act, by)
    return reply(await _shown(request, by, after))


async def _known(request: web.Request, by: Person) -> Kept[Objection]:
    """Raises NotFound, also for one that is none of theirs."""
    kept = await request.app[keys.DESK].find(Objection, request.match_info["objection"])
    if not _may_see(by, kept.matter):
        raise NotFound("there is no such matter", code="no_such_matter")
    return kept


def _may_see(by: Person, found: Objection) -> bool:
    if found.camera is None:
        return False
    mine = objection.runs_it(by, found) or objection.mediates(by, found)
    return mine or by.holds(Role.AUDITOR)


def _rows(session: Session, by: Person, query: Paging, now: int) -> list[MatterRow]:
    wanted = Wanted(("objection",), query.limit + 1, query.after)
    if by.holds(Role.AUDITOR):
        return matters.everything(session, wanted)
    if by.roles:
        return matters.in_place(session, by.place, wanted) if by.place else []
    return matters.of_households(session, by.owns, now, wanted)


def _kept(row: MatterRow) -> Kept[Objection]:
    return kept_of(row)


async def _view(request: web.Request, found: Objection) -> str | None:
    read = request.app[keys.CATALOGUE].read
    record = await read(camera_records.find, found.camera or "")
    return record.picture_sha256 if record and record.approved is not None else None


def _state(found: Objection) -> dict[str, Any]:
    return {
        "state": found.state,
        "filed": found.opened,
        "answer_by": found.opened + objection.ANSWERED_WITHIN,
        "closed": found.closed,
        "owner_words": found.owner_words,
        "mediator_words": found.mediator_words,
    }


async def _shown(request: web.Request, by: Person, kept: Kept[Objection]) -> ObjectionShown:
    found = kept.matter
    said = {
        **_state(found),
        "id": found.id,
        "camera": found.camera,
        "camera_name": found.camera_name,
        "words": found.words,
        "contact": found.contact if objection.mediates(by, found) else "",
        "view": await _view(request, found),
        "owner_view": found.owner_view,
        "mediator_view": found.mediator_view,
        "acts": objection.KIND.may(found, by),
    }
    return ObjectionShown.model_validate(said)
