"""Wishes to share, before the home has signed them: made, shown in plain words, confirmed by one
tap with a passkey or at home, withdrawn (PRM-3, PRM-21)."""

from aiohttp import web

from village_core.grant_tokens import Assertion
from village_core.grants import GrantKind, GrantTerms, digest, plain
from village_core.keys import encode
from village_hub import keys
from village_hub.access.guard import person
from village_hub.access.identity import PersonCaller
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
from village_hub.catalogue import drafts, grants, passkeys
from village_hub.catalogue.consent_rows import DraftRow
from village_hub.catalogue.store import Session
from village_hub.consent.homes import camera_names
from village_hub.consent.states import DraftState
from village_hub.consent.wishes import Wish
from village_hub.consent.words import in_both
from village_hub.errors import BadChild, Conflict, Forbidden, NotFound, TooMany

routes = web.RouteTableDef()


class DraftShown(Shape):
    """`sentences` say the terms in plain words, by language. To confirm: navigator.credentials.get
    with `challenge`, `rp` and `passkeys` (base64url), the person verified."""

    id: str
    household: str
    kind: GrantKind
    state: DraftState
    refused: str  # why the home said no: a code
    grant: str | None
    created: int  # UTC ms
    expires: int
    online: bool  # the home's box is connected
    terms: dict[str, object]
    sentences: dict[str, list[str]]
    challenge: str
    rp: str
    passkeys: list[str]
    version: int


@routes.post("/api/v1/households/{household}/drafts", name="add_draft")
@operation(
    body=Wish,
    answer=DraftShown,
    status=201,
    errors=(Conflict, TooMany, Forbidden),
    creates=True,
)
async def add(request: web.Request) -> web.Response:
    """A wish of an owner's, as a draft that says in plain words what would be agreed to. Nothing is
    shared by it. 422 says what this household cannot agree to."""
    household = request.match_info["household"]
    caller = await owning(request, household)
    wish = await bodies.read(request, Wish)
    row = await request.app[keys.CONSENT].giving.draft(caller, household, wish)
    return reply(await shown(request, caller, row), status=201, Location=f"/api/v1/drafts/{row.id}")


@routes.get("/api/v1/households/{household}/drafts", name="drafts")
@operation(query=Paging, answer=Page[DraftShown])
async def list_drafts(request: web.Request) -> web.Response:
    """The household's, the oldest first, whatever became of them."""
    household = request.match_info["household"]
    caller = await owning(request, household)
    paging = read_query(request, Paging)
    rows = await request.app[keys.CATALOGUE].read(
        drafts.of_household, household, paging.after or "", paging.limit + 1
    )
    page, more = first_page(rows, paging.limit)
    items = [await shown(request, caller, row) for row in page]
    return reply(Page[DraftShown](items=items, next=more))


@routes.get("/api/v1/drafts/{draft}", name="draft")
@operation(answer=DraftShown)
async def show(request: web.Request) -> web.Response:
    """One of them, and how far it is."""
    caller, row = await _mine(request)
    return reply(await shown(request, caller, row))


@routes.post("/api/v1/drafts/{draft}/confirm", name="confirm_draft")
@operation(body=Assertion, answer=DraftShown, errors=(Conflict, BadChild, Forbidden))
async def confirm(request: web.Request) -> web.Response:
    """The one tap: a passkey's assertion over `challenge`. The answer's state: `given`, `refused`
    by the home (with its code), `waiting` for somebody there, or `sending` while it is offline."""
    caller, row = await _mine(request)
    said = await bodies.read(request, Assertion)
    after = await request.app[keys.CONSENT].giving.confirm(caller, row, said)
    return reply(await shown(request, caller, after))


@routes.post("/api/v1/drafts/{draft}/at-home", name="confirm_draft_at_home")
@operation(answer=DraftShown, errors=(Conflict, BadChild, Forbidden))
async def at_home(request: web.Request) -> web.Response:
    """The yes will be said on the box's own page at home; until then it waits there."""
    caller, row = await _mine(request)
    after = await request.app[keys.CONSENT].giving.at_home(caller, row)
    return reply(await shown(request, caller, after))


@routes.delete("/api/v1/drafts/{draft}", name="withdraw_draft")
@operation(errors=(Conflict,))
async def withdraw(request: web.Request) -> web.Response:
    """No after all. 409 when it is given or at home already: stop the grant, or say no there."""
    caller, row = await _mine(request)
    await request.app[keys.CONSENT].giving.withdraw(caller, row)
    return done()


async def _mine(request: web.Request) -> tuple[PersonCaller, DraftRow]:
    """A draft of a household that the caller owns. Raises NotFound, Refused."""
    row = await request.app[keys.CATALOGUE].read(drafts.find, request.match_info["draft"])
    missing = NotFound("there is no such draft", code="no_such_draft")
    if row is None:
        person(request)
        raise missing
    try:
        return await owning(request, row.household), row
    except NotFound as error:
        raise missing from error


async def shown(request: web.Request, caller: PersonCaller, row: DraftRow) -> DraftShown:
    app = request.app
    mine, names, node = await app[keys.CATALOGUE].read(_around, caller.subject.id, row)
    return DraftShown(
        id=row.id,
        household=row.household,
        kind=row.terms.kind,
        state=row.state,
        refused=row.refused,
        grant=row.grant,
        created=row.created,
        expires=row.expires,
        online=app[keys.CHILDREN].online(node),
        terms=plain(row.terms),
        sentences=in_both(row.terms, names),
        challenge=challenge_of(row.terms),
        rp=app[keys.CONSENT].site.host,
        passkeys=mine,
        version=row.version,
    )


def challenge_of(terms: GrantTerms) -> str:
    return encode(digest(terms))


def _around(
    session: Session, person_id: str, row: DraftRow
) -> tuple[list[str], dict[str, str], str | None]:
    home = grants.home(session, row.household)
    mine = [each.id for each in passkeys.of_person(session, person_id)]
    return mine, dict(camera_names(session, row.household)), home.node if home else None
