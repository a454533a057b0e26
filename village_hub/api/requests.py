"""Police requests for stored footage (PRM-8) and the delay of their notice (PRM-10)."""

from aiohttp import web
from pydantic import Field

from village_core.calls import DIGEST, content_digest
from village_hub import keys
from village_hub.api import bodies
from village_hub.api.case_steps import (
    FAULTS,
    Resource,
    Sight,
    acting,
    asking,
    reading,
)
from village_hub.api.contract import NO_STORE, Shape, operation
from village_hub.api.request_shown import RequestShown, may_read_scan, shown
from village_hub.cases import request as requests
from village_hub.cases import request_acts as acts
from village_hub.cases.matter import Withdraw
from village_hub.cases.places import found_in
from village_hub.cases.request import Request
from village_hub.cases.request_table import KIND
from village_hub.cases.request_terms import MOST_CAMERAS, Footage, RequestTerms
from village_hub.cases.scans import BEGINS, LARGEST
from village_hub.errors import (
    BadRequest,
    Conflict,
    NotFound,
    TooLarge,
    TooSlow,
    Unprocessable,
    UnsupportedMedia,
)

routes = web.RouteTableDef()
PATH = "/api/v1/requests"
ONE = f"{PATH}/{{matter}}"
WITHIN = 60.0  # seconds for all of a scan: a slow uplink


class Cameras(Shape):
    """Those of the area that was asked for; none when there are none."""

    cameras: tuple[Footage, ...] = Field(default=(), max_length=MOST_CAMERAS)


def _show(sight: Sight[Request]) -> RequestShown:
    return RequestShown(**REQUESTS.common(sight), **shown(sight))


REQUESTS = Resource(KIND, PATH, RequestShown, _show)


@routes.post(PATH, name="add_request")
@operation(body=RequestTerms, answer=RequestShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """A draft. What is missing or wrong is said when it is filed."""
    by, terms = await asking(request), await bodies.read(request, RequestTerms)
    return await REQUESTS.open(request, by, lambda now: requests.begin(terms, by, now))


@routes.put(f"{ONE}/terms", name="amend_request")
@operation(body=RequestTerms, answer=RequestShown, errors=FAULTS)
async def amend(request: web.Request) -> web.Response:
    """Change a draft, whole."""
    terms = await bodies.read(request, RequestTerms)
    return await REQUESTS.step(request, acts.Amend(terms=terms))


@routes.put(f"{ONE}/scan", name="put_request_scan")
@operation(answer=RequestShown, errors=(*FAULTS, TooLarge, TooSlow, UnsupportedMedia))
async def attach(request: web.Request) -> web.Response:
    """The scanned notice: PDF, JPEG or PNG, at most 5 MB, as the body."""
    by = await acting(request)
    sight = await REQUESTS.look(request, by)
    if acts.Attach.name not in KIND.may(sight.kept.matter, by):
        raise Conflict("only who drafts it attaches its scan", code="out_of_turn")
    if request.content_type not in BEGINS:
        raise UnsupportedMedia("the scan is to be a PDF, JPEG or PNG file", code="bad_scan")
    data = await bodies.read_large(request, LARGEST, "a scan", WITHIN)
    said = request.headers.get(DIGEST)
    if said is not None and said != content_digest(data):
        raise BadRequest("the scan is another one than was sent", code="bad_digest")
    scan = await request.app[keys.SCANS].keep(data, request.content_type)
    return await REQUESTS.step(request, acts.Attach(scan=scan))


@routes.get(f"{ONE}/scan", name="request_scan", allow_head=False)
@operation(content=("application/octet-stream",), errors=(NotFound,))
async def scan_of(request: web.Request) -> web.Response:
    """The scanned notice, for everybody with a part in it; auditors have its hash."""
    sight = await REQUESTS.look(request, await reading(request))
    scan = sight.kept.matter.scan
    if scan is None or not may_read_scan(sight.eyes):
        raise NotFound("there is no scan", code="no_scan")
    data = await request.app[keys.SCANS].read(scan)
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="notice"'}
    return web.Response(body=data, content_type=scan.kind, headers=headers)


@routes.post(f"{ONE}/file", name="file_request")
@operation(answer=RequestShown, errors=FAULTS)
async def file(request: web.Request) -> web.Response:
    """The draft is whole: its approver is told. 422 with a code says what is missing."""
    by = await asking(request)
    seen = (await REQUESTS.look(request, by)).kept
    terms, read = seen.matter.terms, request.app[keys.CATALOGUE].read
    parts = await read(found_in, terms.cameras, terms.place)
    return await REQUESTS.step(request, acts.File(parts=parts), seen)


@routes.post(f"{ONE}/resolve", name="resolve_request")
@operation(body=Cameras, answer=RequestShown, errors=FAULTS)
async def resolve(request: web.Request) -> web.Response:
    """By the village: the cameras of the area; their owners are told. 422 for one that is not
    there, or beyond the window."""
    by, said = await acting(request), await bodies.read(request, Cameras)
    matter = (await REQUESTS.look(request, by)).kept.matter
    read = request.app[keys.CATALOGUE].read
    parts = await read(found_in, said.cameras, matter.place)
    sought = matter.terms.sought
    inside = sought is not None and all(
        sought.begin <= part.begin < part.end <= sought.end for part in parts
    )
    names = {part.camera for part in parts}
    if not inside or not len(names) == len(parts) == len(said.cameras):
        raise Unprocessable("cameras of the place, each once, in the window", code="bad_place")
    return await REQUESTS.step(request, acts.Resolve(parts=parts))


routes.get(PATH, name="requests")(
    REQUESTS.listing(
        "My unit's, those about my household, the village's once approved, or for auditors all; "
        "newest first."
    )
)
routes.get(ONE, name="request", allow_head=False)(
    REQUESTS.one("One of them; each reader is shown their part.")
)
for _path, _act, _sentence in (
    ("withdraw", Withdraw, "By who asked: before it is decided."),
    ("approve", acts.Approve, "By the approver it names, of the same unit or above."),
    ("refuse", acts.Refuse, "By the approver, with the reason."),
    ("delay", acts.GrantDelay, "By one rank up: households are told later, as was asked for."),
    ("delay-renewal", acts.RenewDelay, "By the county's legal affairs, to 30 days at most."),
    ("delay-end", acts.EndDelay, "The ground is gone: households are told now."),
    ("countersign", acts.Countersign, "By the owner, or the village where no owner answers."),
    ("refusal", acts.NoteRefusal, "The holder does not sign: noted, and it stops nothing."),
    ("returned", acts.Returned, "What was taken is returned or destroyed."),
):
    routes.post(f"{ONE}/{_path}", name=f"{_path.replace('-', '_')}_of_request")(
        REQUESTS.handler(_act, _sentence)
    )
