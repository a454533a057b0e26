"""My notices (at home, or on duty those of my unit and roles), and how I am reached.

Being listed is being delivered; "seen" is said by whoever read it (PRM-23). A notice that is held
back is not there before its release (PRM-10). Nobody sees here what another one answered (PRM-20).
"""

from typing import Literal

from aiohttp import web
from pydantic import Field

from village_core.permits import Role
from village_hub import keys
from village_hub.access.facts import Subject
from village_hub.access.guard import by_hand, person
from village_hub.api import bodies
from village_hub.api.contract import Page, Paging, Shape, done, operation, read_query, reply
from village_hub.audit import making
from village_hub.catalogue import audit, notices, people
from village_hub.catalogue.notices import NoticeRow, Reader
from village_hub.catalogue.store import Session
from village_hub.errors import BadRequest, NotFound, Unprocessable
from village_hub.notices import sentences
from village_hub.notices.contacts import Contact, normal_phone
from village_hub.notices.kinds import Channel, Kind, State, Whom

routes = web.RouteTableDef()


class AboutShown(Shape):
    kind: str
    id: str


class NoticeShown(Shape):
    """`at` is when it happened, `released` when it could first be read; times in UTC ms."""

    id: str
    kind: Kind
    whom: Whom
    about: AboutShown
    text: str
    at: int
    released: int
    delayed: bool
    state: State
    seen: int | None


class NoticePage(Page[NoticeShown]):
    """The newest first."""


class Listing(Paging):
    language: Literal["zh", "en"] = "zh"


class ContactShown(Shape):
    """`channels` in the order in which they are tried; none: as each matter asks for."""

    phone: str = Field(min_length=5, max_length=40, repr=False)
    channels: tuple[Literal["sms", "voice"], ...] = ()
    language: Literal["zh", "en"] = "zh"


@routes.get("/api/v1/me/notices", name="my_notices")
@operation(query=Listing, answer=NoticePage, errors=(BadRequest,))
async def mine(request: web.Request) -> web.Response:
    """What I am told, the newest first; being listed counts as delivered."""
    subject, asked = person(request).subject, read_query(request, Listing)
    now, after = request.app[keys.CLOCK].utc_ms(), _after(asked.after)
    rows = await request.app[keys.CATALOGUE].write(
        _shown, subject, request.app[keys.NODE].id, now, after, asked.limit
    )
    more = f"{rows[-1].progress.release_at}.{rows[-1].id}" if len(rows) == asked.limit else None
    return reply(NoticePage(items=[_notice(row, asked.language) for row in rows], next=more))


@routes.post("/api/v1/me/notices/{notice}/seen", name="notice_seen")
@operation(errors=(NotFound,))
async def seen(request: web.Request) -> web.Response:
    """I have read it. Phones stop trying to reach me about it, but for what must be called."""
    subject, name = person(request).subject, request.match_info["notice"]
    now = request.app[keys.CLOCK].utc_ms()
    catalogue = request.app[keys.CATALOGUE]
    if not await catalogue.write(_acknowledge, subject, request.app[keys.NODE].id, name, now):
        raise NotFound("there is no such notice")
    return done()


@routes.get("/api/v1/me/contact", name="my_contact")
@operation(answer=ContactShown, errors=(NotFound,))
async def contact(request: web.Request) -> web.Response:
    """The phone that I am reached by."""
    found = await request.app[keys.CATALOGUE].read(notices.contact, by_hand(request).subject.id)
    if found is None:
        raise NotFound("there is no phone number")
    return reply(contact_shown(found))


@routes.put("/api/v1/me/contact", name="set_my_contact")
@operation(body=ContactShown, errors=(Unprocessable,))
async def set_contact(request: web.Request) -> web.Response:
    """Be reached by this phone, in this order. It gives nobody a right (IDN-11)."""
    said = await bodies.read(request, ContactShown)
    subject, clock = by_hand(request).subject, request.app[keys.CLOCK]
    found = contact_of(subject.id, said)

    def act(session: Session) -> None:
        notices.set_contact(session, found, clock.utc_ms())
        audit.append(session, making.act(clock, subject, "contact.set"))

    await request.app[keys.CATALOGUE].write(act)
    return done()


@routes.delete("/api/v1/me/contact", name="forget_my_contact")
@operation()
async def forget_contact(request: web.Request) -> web.Response:
    """No phone any more: I read my notices on the page."""
    subject, clock = by_hand(request).subject, request.app[keys.CLOCK]

    def act(session: Session) -> None:
        notices.forget_contact(session, subject.id)
        audit.append(session, making.act(clock, subject, "contact.end"))

    await request.app[keys.CATALOGUE].write(act)
    return done()


def _reader(session: Session, subject: Subject, hub: str) -> Reader:
    """A person of another hub reads what their unit and roles are told, and no person's own."""
    ours = subject.issuer == hub
    row = people.person(session, subject.id) if ours else None
    return Reader(
        person=subject.id if ours else "",
        unit=subject.unit,
        roles=frozenset(Role(role) for role in subject.roles),
        households=frozenset(row.households) if row else frozenset(),
    )


def _shown(
    session: Session,
    subject: Subject,
    hub: str,
    now: int,
    after: tuple[int, str] | None,
    limit: int,
) -> list[NoticeRow]:
    return notices.shown_to(session, _reader(session, subject, hub), now, after, limit)


def _acknowledge(session: Session, subject: Subject, hub: str, notice: str, now: int) -> bool:
    return notices.acknowledge(session, _reader(session, subject, hub), notice, now)


def _after(cursor: str | None) -> tuple[int, str] | None:
    """Raises BadRequest."""
    if cursor is None:
        return None
    at, _, name = cursor.partition(".")
    if not at.isdecimal() or len(at) > 15 or not name:
        raise BadRequest("after is not one that a list gave", code="bad_query")
    return int(at), name


def _notice(row: NoticeRow, language: str) -> NoticeShown:
    return NoticeShown(
        id=row.id,
        kind=row.kind,
        whom=row.whom,
        about=AboutShown(kind=row.about_kind, id=row.about_id),
        text=sentences.full(language, row.kind, row.whom, row.params),
        at=row.created,
        released=row.progress.release_at,
        delayed=row.ground is not None,
        state=row.progress.state,
        seen=row.progress.seen,
    )


def contact_of(holder: str, said: ContactShown) -> Contact:
    """Raises Unprocessable."""
    wanted = tuple(Channel(name) for name in said.channels)
    if sorted(set(wanted)) != sorted(wanted):
        raise Unprocessable("each way once", code="bad_body")
    return Contact(holder, normal_phone(said.phone), wanted, said.language)


def contact_shown(found: Contact) -> ContactShown:
    channels = [str(one) for one in found.channels]
    return ContactShown.model_validate(
        {"phone": found.phone, "channels": channels, "language": found.language}
    )
