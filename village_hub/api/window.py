"""Consent on paper at the village window: the scan, the form, two clerks' signatures, the auditor's
samples (IDN-13, PRM-21)."""

import asyncio

from aiohttp import web
from pydantic import Field

from village_core.grant_tokens import Assertion
from village_core.messages import PRINTABLE
from village_hub import keys
from village_hub.access.guard import by_hand, person
from village_hub.access.matrix import Column
from village_hub.api import bodies
from village_hub.api.contract import Page, Paging, Shape, first_page, operation, read_query, reply
from village_hub.api.drafts import DraftShown, shown
from village_hub.catalogue import drafts
from village_hub.catalogue.consent_rows import DraftRow
from village_hub.consent.states import DraftState
from village_hub.consent.window import LARGEST_SCAN, clerk
from village_hub.consent.wishes import Wish
from village_hub.errors import (
    BadChild,
    Conflict,
    Forbidden,
    TooLarge,
    TooMany,
    TooSlow,
    Unprocessable,
    UnsupportedMedia,
)

routes = web.RouteTableDef()

SCAN_WITHIN = 60.0  # seconds


class ScanKept(Shape):
    sha256: str


class PaperForm(Shape):
    """What stands on the paper. `scan`: the SHA-256 of an uploaded one."""

    household: str = Field(min_length=1, max_length=80)
    wish: Wish
    witness: str = Field(min_length=1, max_length=80, pattern=PRINTABLE)
    scan: str = Field(pattern=r"^[0-9a-f]{64}$")


class Sample(Shape):
    """One paper, for the auditor: what was signed, by whom, and no picture."""

    draft: str
    household: str
    unit: str
    state: DraftState
    witness: str
    scan: str
    entered_by: str
    entered: int  # UTC ms
    grant: str | None


@routes.post("/api/v1/window/scans", name="add_scan")
@operation(answer=ScanKept, status=201, errors=(TooLarge, TooSlow, UnsupportedMedia, Forbidden))
async def add_scan(request: web.Request) -> web.Response:
    """The scanned paper as the body: application/pdf, image/jpeg or image/png, at most 5 MB."""
    clerk(by_hand(request))
    data = await _read_scan(request)
    scans = request.app[keys.CONSENT].scans
    name = await asyncio.to_thread(scans.keep, request.content_type, data)
    return reply(ScanKept(sha256=name), status=201)


@routes.post("/api/v1/window/drafts", name="add_window_draft")
@operation(
    body=PaperForm,
    answer=DraftShown,
    status=201,
    errors=(Conflict, Forbidden, TooMany),
    creates=True,
)
async def enter(request: web.Request) -> web.Response:
    """A clerk enters what stands on the paper: never a camera inside the home, and it begins after
    24 h at the earliest. Whoever entered it signs it first, with `sign`."""
    caller = by_hand(request)
    clerk(caller)
    form = await bodies.read(request, PaperForm)
    consent = request.app[keys.CONSENT]
    if not await asyncio.to_thread(consent.scans.has, form.scan):
        raise Unprocessable("upload the scan first", code="no_scan")
    row = await consent.window.enter(caller, form.household, form.wish, form.witness, form.scan)
    return reply(await shown(request, caller, row), status=201)


@routes.get("/api/v1/window/drafts", name="window_drafts")
@operation(query=Paging, answer=Page[DraftShown], errors=(Forbidden,))
async def list_drafts(request: web.Request) -> web.Response:
    """What came in at the caller's window, the oldest first."""
    caller = by_hand(request)
    unit = clerk(caller)
    paging = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        drafts.at_window, unit, paging.after or "", paging.limit + 1
    )
    page, more = first_page(rows, paging.limit)
    items = [await shown(request, caller, row) for row in page]
    return reply(Page[DraftShown](items=items, next=more))


@routes.post("/api/v1/window/drafts/{draft}/sign", name="sign_window_draft")
@operation(body=Assertion, answer=DraftShown, errors=(Conflict, Forbidden, BadChild))
async def sign(request: web.Request) -> web.Response:
    """A clerk's passkey over `challenge`: first whoever entered it, then another of the same unit.
    With the second it goes to the home, which takes it only if the household switched that on."""
    caller = by_hand(request)
    clerk(caller)
    said = await bodies.read(request, Assertion)
    name = request.match_info["draft"]
    row = await request.app[keys.CONSENT].window.sign(caller, name, said)
    return reply(await shown(request, caller, row))


@routes.get("/api/v1/window/samples", name="window_samples")
@operation(query=Paging, answer=Page[Sample])
async def samples(request: web.Request) -> web.Response:
    """Every paper of every window, for the auditor to sample."""
    caller = person(request)
    await request.app[keys.GUARD].allow(caller, Column.AUDIT)
    paging = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        drafts.from_windows, paging.after or "", paging.limit + 1
    )
    page, more = first_page(rows, paging.limit)
    return reply(Page[Sample](items=[_sample(row) for row in page], next=more))


async def _read_scan(request: web.Request) -> bytes:
    """Raises TooLarge, TooSlow."""
    data = bytearray()
    try:
        async with asyncio.timeout(SCAN_WITHIN):
            async for chunk in request.content.iter_chunked(64 * 1024):
                data += chunk
                if len(data) > LARGEST_SCAN:
                    raise TooLarge(f"a scan has at most {LARGEST_SCAN} bytes")
    except TimeoutError as error:
        raise TooSlow(f"the scan took over {SCAN_WITHIN:.0f} s") from error
    return bytes(data)


def _sample(row: DraftRow) -> Sample:
    return Sample(
        draft=row.id,
        household=row.household,
        unit=row.made_unit,
        state=row.state,
        witness=row.witness,
        scan=row.scan,
        entered_by=row.made_name,
        entered=row.created,
        grant=row.grant,
    )
