"""Objections to a camera (PRM-19): filed by anyone, without an account, from the code on its sign;
answered by whoever runs the camera and by a mediator.

Filing and looking by receipt are public: who objects needs no account. Both are limited by source,
and answer the same whether the sign is a camera's or not.
"""

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
from village_hub.api import bodies
from village_hub.api.case_steps import FAULTS, Resource, Shown, Sight, acting
from village_hub.api.contract import Shape, operation, reply
from village_hub.cases import objection
from village_hub.cases.desk import Check
from village_hub.cases.effects import Receipt
from village_hub.cases.matter import Person, Withdraw
from village_hub.cases.objection import Answer, ApproveView, Objection, ObjectionTerms, Seen
from village_hub.cases.seeing import Eyes
from village_hub.cases.signed import seen_at
from village_hub.catalogue import camera_records, matters, signs
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, NotFound, Refused, TooMany

routes = web.RouteTableDef()

PATH = "/api/v1/objections"
MOST_OPEN = 20  # about one camera: its sharing pauses from the first
MOST_NOWHERE = 1000  # to signs that are no camera's; each is over after a week


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


class ObjectionShown(Shown):
    """What those who answer it read. `view`: SHA-256 of the still on record, which both approve;
    `contact` is for the mediator alone."""

    camera: str
    camera_name: str
    words: str
    contact: str
    owner_words: str
    mediator_words: str
    view: str | None
    owner_view: str
    mediator_view: str


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
    by = await acting(request)
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
    check = None if clerk else _not_too_many(seen)
    await request.app[keys.DESK].open(began, clerk or began.matter.asker, check)
    return reply(Filed(receipt=receipt, answer_by=now + objection.ANSWERED_WITHIN), status=201)


def _not_too_many(seen: Seen | None) -> Check:
    """Strangers from many networks bury neither those who answer nor the disk. Raises TooMany."""

    def check(session: Session) -> None:
        kind = objection.KIND.name
        if seen is None:
            many = matters.count_nowhere(session, kind, "filed") >= MOST_NOWHERE
        else:
            many = len(matters.about_camera(session, seen.camera, kind)) >= MOST_OPEN
        if many:
            raise TooMany("many objections wait already: come to the window", retry_after=3600)

    return check


@routes.post(f"{PATH}/state", name="objection_state")
@operation(body=ReceiptSaid, answer=StateShown, errors=(NotFound, TooMany))
async def state(request: web.Request) -> web.Response:
    """How my objection stands, by the receipt."""
    return reply(_state(await _by_receipt(request)))


@routes.post(f"{PATH}/withdrawal", name="withdraw_objection")
@operation(body=ReceiptSaid, answer=StateShown, errors=(NotFound, Conflict, TooMany))
async def withdraw(request: web.Request) -> web.Response:
    """I take it back, by the receipt."""
    found = await _by_receipt(request)
    kept = await request.app[keys.DESK].act(found.id, Withdraw(), found.asker)
    return reply(_state(kept.matter))


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


@routes.post(f"{PATH}/{{matter}}/approve-view", name="approve_objection_view")
@operation(body=ApproveView, answer=ObjectionShown, errors=FAULTS)
async def approve_view(request: web.Request) -> web.Response:
    """This view may be shared. Sharing goes on when the other has approved the same. 409
    other_view when it is not the view on record."""
    by, act = await acting(request), await bodies.read(request, ApproveView)
    if (await OBJECTIONS.look(request, by)).beside != act.picture_sha256:
        raise Conflict("another view is on record: look at it first", code="other_view")
    return await OBJECTIONS.step(request, act)


async def _view(request: web.Request, found: Objection) -> str | None:
    """On record for its camera."""
    read = request.app[keys.CATALOGUE].read
    record = await read(camera_records.find, found.camera or "")
    return record.picture_sha256 if record and record.approved is not None else None


def _state(found: Objection) -> StateShown:
    return StateShown(
        state=found.state,
        filed=found.opened,
        answer_by=found.opened + objection.ANSWERED_WITHIN,
        closed=found.closed,
        owner_words=found.owner_words,
        mediator_words=found.mediator_words,
    )


def _show(sight: Sight[Objection]) -> ObjectionShown:
    found = sight.kept.matter
    return ObjectionShown(
        **OBJECTIONS.common(sight),
        camera=found.camera or "",
        camera_name=found.camera_name,
        words=found.words,
        contact=found.contact if sight.eyes is Eyes.MEDIATOR else "",
        owner_words=found.owner_words,
        mediator_words=found.mediator_words,
        view=sight.beside,
        owner_view=found.owner_view,
        mediator_view=found.mediator_view,
    )


OBJECTIONS = Resource(objection.KIND, PATH, ObjectionShown, _show, _view)

routes.get(PATH, name="objections")(
    OBJECTIONS.listing(
        "Those about cameras of my household or unit, those that I mediate, for auditors all; "
        "newest first."
    )
)
routes.get(f"{PATH}/{{matter}}", name="objection", allow_head=False)(OBJECTIONS.one("One of them."))
routes.post(f"{PATH}/{{matter}}/answer", name="answer_objection")(
    OBJECTIONS.handler(
        Answer, "What I say to it: as the one who runs the camera, or as the mediator."
    )
)
