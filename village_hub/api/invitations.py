"""Inviting somebody to the family: a link, a code told by voice, and whoever comes with both."""

from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from village_core.messages import NAMING
from village_hub import keys
from village_hub.access.credentials import SESSION_LIFE
from village_hub.access.guard import SOURCE, by_hand
from village_hub.access.origin import check_same_origin
from village_hub.access.throttle import network_of
from village_hub.api import bodies
from village_hub.api.coming_in import give_cookie
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.api.homes import owning
from village_hub.catalogue import invitations
from village_hub.catalogue.consent_rows import InvitationRow
from village_hub.consent.wishes import Chosen
from village_hub.errors import Conflict, NotFound, TooMany

routes = web.RouteTableDef()

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NAMING)
]
Link = Annotated[str, Field(min_length=43, max_length=43, repr=False)]
SpokenCode = Annotated[str, Field(pattern=r"^\d{6}$", repr=False)]


class InvitationWish(Shape):
    """`name`: whom the owner means; `wish`: what they are to see once the owner has confirmed."""

    name: Name
    wish: Chosen


class InvitationShown(Shape):
    id: str
    name: str
    tries: int
    created: int  # UTC ms
    expires: int


class InvitationMade(InvitationShown):
    """Shown once. `link` goes behind the hub's /invitation#link=, `code` is told by voice."""

    link: str = Field(repr=False)
    code: str = Field(repr=False)


class InvitationList(Shape):
    invitations: list[InvitationShown]


class Accepting(Shape):
    link: Link
    code: SpokenCode


class Joining(Accepting):
    name: Name


class Came(Shape):
    """The owner is asked now; nothing is shared before they confirm."""

    person: str


@routes.post("/api/v1/households/{household}/invitations", name="add_invitation")
@operation(body=InvitationWish, answer=InvitationMade, status=201, errors=(TooMany, Conflict))
async def add(request: web.Request) -> web.Response:
    """A link and a code for somebody of the family who is not known here yet, valid for 72 h."""
    household = request.match_info["household"]
    caller = await owning(request, household)
    body = await bodies.read(request, InvitationWish)
    inviting = request.app[keys.CONSENT].inviting
    made = await inviting.invite(caller, household, body.name, body.wish)
    shown = InvitationMade(**_shown(made.row).model_dump(), link=made.link, code=made.code)
    return reply(shown, status=201)


@routes.get("/api/v1/households/{household}/invitations", name="invitations")
@operation(answer=InvitationList)
async def list_open(request: web.Request) -> web.Response:
    """Those that may still be used."""
    household = request.match_info["household"]
    await owning(request, household)
    now = request.app[keys.CLOCK].utc_ms()
    rows = await request.app[keys.CATALOGUE].read(invitations.of_household, household, now)
    items = [_shown(row) for row in rows]
    return reply(InvitationList(invitations=items))


@routes.delete("/api/v1/invitations/{invitation}", name="end_invitation")
@operation()
async def end(request: web.Request) -> web.Response:
    """It can be used no more."""
    by_hand(request)
    row = await request.app[keys.CATALOGUE].read(invitations.find, request.match_info["invitation"])
    missing = NotFound("there is no such invitation", code="bad_invitation")
    if row is None:
        raise missing
    try:
        caller = await owning(request, row.household)
    except NotFound as error:
        raise missing from error
    await request.app[keys.CONSENT].inviting.end(caller, row)
    return done()


@routes.post("/api/v1/me/invitations", name="accept_invitation")
@operation(body=Accepting, answer=Came, errors=(TooMany, Conflict, NotFound))
async def accept(request: web.Request) -> web.Response:
    """I was invited, and am known here. 404 for a link or code that is wrong, used or too old."""
    caller = by_hand(request)
    _throttle(request)
    body = await bodies.read(request, Accepting)
    inviting = request.app[keys.CONSENT].inviting
    joined = await inviting.join(body.link, body.code, caller.subject.id)
    return reply(Came(person=joined.person))


@routes.post("/api/v1/invitations/join", name="join_by_invitation")
@operation(body=Joining, answer=Came, status=201, errors=(TooMany, Conflict, NotFound))
async def join(request: web.Request) -> web.Response:
    """I was invited, and nobody knows me here: my name, and I am signed in. Public, for who comes
    has no credentials yet; the link has 256 bits, the code costs one of five tries."""
    source = request[SOURCE]
    check_same_origin(request, source)
    _throttle(request)
    body = await bodies.read(request, Joining)
    joined = await request.app[keys.CONSENT].inviting.join(body.link, body.code, None, body.name)
    device = request.headers.get("User-Agent", "")
    signed_in = await request.app[keys.SIGN_INS].sign_in(joined.sign_in_code, device, source)
    response = reply(Came(person=joined.person), status=201)
    await give_cookie(request, response, signed_in.secret, SESSION_LIFE // 1000)
    return response


def _shown(row: InvitationRow) -> InvitationShown:
    return InvitationShown(
        id=row.id, name=row.name, tries=row.tries, created=row.created, expires=row.expires
    )


def _throttle(request: web.Request) -> None:
    request.app[keys.CONSENT].throttle.spend(network_of(request[SOURCE].address))
