"""People: the books, for admins and auditors; a household's own members, for its owner; codes and
keys anew, by two persons."""

from aiohttp import web

from village_hub import keys
from village_hub.access.acts import Id, Name
from village_hub.access.guard import by_hand
from village_hub.access.household_acts import AddOwner, SignInCode, VillagerCode
from village_hub.access.identity import PersonCaller
from village_hub.access.matrix import Column, Row
from village_hub.access.staff_acts import AddPerson, RemovePerson, StaffCode
from village_hub.api import bodies
from village_hub.api.acts import FAULTS, Asked, ask
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
from village_hub.catalogue import people
from village_hub.catalogue.rows import Capacity
from village_hub.errors import Conflict, NotFound, Refused

routes = web.RouteTableDef()


class PersonListed(Shape):
    id: str
    name: str


class MemberShown(Shape):
    """`delegated`: may what the owner may."""

    person: str
    name: str
    owner: bool
    adult: bool
    delegated: bool


class MembersShown(Shape):
    items: list[MemberShown]


class NewMember(Shape):
    name: Name
    adult: bool = True


class NewOwner(Shape):
    name: Name


class CodeWish(Shape):
    """`typed`: eight letters for 10 minutes instead of a link."""

    typed: bool = False


class ChangedMember(Shape):
    adult: bool
    delegated: bool


class Invited(Shape):
    """The new member signs in by `code`, once, within 72 hours; it is shown only now."""

    person: str
    code: str


@routes.get("/api/v1/people", name="people")
@operation(query=Paging, answer=Page[PersonListed], errors=(Refused,))
async def listed(request: web.Request) -> web.Response:
    """Everybody, by name only; for admins and auditors."""
    query = read_query(request, Paging)
    await request.app[keys.GUARD].allow(by_hand(request), Column.PEOPLE)
    rows = await request.app[keys.CATALOGUE].read(people.page, query.after or "", query.limit + 1)
    page, after = first_page(rows, query.limit)
    items = [PersonListed(id=row.id, name=row.name) for row in page]
    return reply(Page[PersonListed](items=items, next=after))


@routes.post("/api/v1/people", name="ask_person")
@operation(body=AddPerson, answer=Asked, status=202, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Ask for a person of no household, as an admin, so that they can be appointed."""
    return await ask(request, await bodies.read(request, AddPerson), Column.PEOPLE)


@routes.delete("/api/v1/people/{person}", name="ask_person_removal")
@operation(answer=Asked, status=202, errors=FAULTS)
async def remove(request: web.Request) -> web.Response:
    """Ask to remove somebody, as an admin; confirmed, they may nothing from then on."""
    return await ask(request, RemovePerson(person=_named(request)), Column.PEOPLE)


@routes.post("/api/v1/people/{person}/new-code", name="ask_new_code")
@operation(answer=Asked, status=202, errors=FAULTS)
async def new_code(request: web.Request) -> web.Response:
    """At the window, for a villager who lost their phone: two of the committee."""
    return await ask(request, VillagerCode(person=_named(request)), Column.LOST)


@routes.post("/api/v1/people/{person}/sign-in-code", name="ask_sign_in_code")
@operation(body=CodeWish, answer=Asked, status=202, errors=FAULTS)
async def sign_in_code(request: web.Request) -> web.Response:
    """At the window, for a villager's further way in: two of the committee. Nothing of theirs
    ends, and their household is told when it is used."""
    wish = await bodies.read(request, CodeWish)
    return await ask(request, SignInCode(person=_named(request), typed=wish.typed), Column.LOST)


@routes.post("/api/v1/people/{person}/new-key", name="ask_new_key")
@operation(answer=Asked, status=202, errors=FAULTS)
async def new_key(request: web.Request) -> web.Response:
    """A first or a new key for staff: two of the unit above, else two admins."""
    return await ask(request, StaffCode(person=_named(request)), Column.STAFF_KEYS)


@routes.post("/api/v1/households/{household}/owners", name="ask_owner")
@operation(body=NewOwner, answer=Asked, status=202, errors=FAULTS, creates=True)
async def add_owner(request: web.Request) -> web.Response:
    """Ask for a new owner of a household, as an admin; confirmed, its other owners are told."""
    body = await bodies.read(request, NewOwner)
    household = request.match_info["household"][:80]
    return await ask(request, AddOwner(name=body.name, household=household), Column.PEOPLE)


@routes.get("/api/v1/households/{household}/members", name="members")
@operation(answer=MembersShown, errors=(NotFound, Refused))
async def members(request: web.Request) -> web.Response:
    """Who belongs to my household."""
    _, household, _ = await _at_home(request)
    rows = await request.app[keys.CATALOGUE].read(people.members, household)
    return reply(
        MembersShown(
            items=[
                MemberShown(
                    person=row.person,
                    name=row.name,
                    owner=row.owner,
                    adult=row.adult,
                    delegated=row.delegated,
                )
                for row in rows
            ]
        )
    )


@routes.post("/api/v1/households/{household}/members", name="add_member")
@operation(body=NewMember, answer=Invited, status=201, errors=(NotFound, Refused, Conflict))
async def add_member(request: web.Request) -> web.Response:
    """A new person in my household, as its owner, and their code to sign in with."""
    caller, household = await _owner(request)
    body = await bodies.read(request, NewMember)
    made = await request.app[keys.HOUSEHOLDS].add_member(
        caller.subject, household, body.name, adult=body.adult
    )
    return reply(Invited(person=made.made, code=made.code), status=201)


@routes.patch("/api/v1/households/{household}/members/{person}", name="change_member")
@operation(body=ChangedMember, errors=(NotFound, Refused, Conflict))
async def change_member(request: web.Request) -> web.Response:
    """Grown up; may what the owner may. By an owner."""
    caller, household = await _owner(request)
    body = await bodies.read(request, ChangedMember)
    await request.app[keys.HOUSEHOLDS].change_member(
        caller.subject,
        household,
        _named(request),
        adult=body.adult,
        delegated=body.delegated,
    )
    request.app[keys.RENEWAL].look_soon()
    return done()


@routes.delete("/api/v1/households/{household}/members/{person}", name="remove_member")
@operation(errors=(NotFound, Refused, Conflict))
async def remove_member(request: web.Request) -> web.Response:
    """Not of my household any more; what they watch of it ends within seconds. By an owner."""
    caller, household = await _owner(request)
    await request.app[keys.HOUSEHOLDS].remove_member(caller.subject, household, _named(request))
    request.app[keys.RENEWAL].look_soon()
    return done()


@routes.post("/api/v1/households/{household}/members/{person}/sign-out", name="sign_out_member")
@operation(errors=(NotFound, Refused))
async def sign_out_member(request: web.Request) -> web.Response:
    """A lost phone: any adult of the household ends another member's sessions at home."""
    caller, household, relations = await _at_home(request)
    await request.app[keys.GUARD].allow(caller, Column.LOST, relations)
    await request.app[keys.HOUSEHOLDS].sign_out_member(caller.subject, household, _named(request))
    request.app[keys.RENEWAL].look_soon()
    return done()


async def _owner(request: web.Request) -> tuple[PersonCaller, str]:
    caller, household, relations = await _at_home(request)
    await request.app[keys.GUARD].allow(caller, Column.PEOPLE, relations)
    return caller, household


async def _at_home(request: web.Request) -> tuple[PersonCaller, str, frozenset[Row]]:
    """The caller, the household in the path, and what they are to it: NotFound when they are
    nothing to it, or are here on duty."""
    caller, household = by_hand(request), request.match_info["household"]
    rows = await request.app[keys.CATALOGUE].read(people.members, household)
    mine = next((row for row in rows if row.person == caller.subject.id), None)
    if mine is None or caller.capacity is Capacity.DUTY:
        raise NotFound("there is no such household of yours", code="no_such_household")
    return caller, household, frozenset({Row.OWNER if mine.owner else Row.MEMBER})


def _named(request: web.Request) -> Id:
    return request.match_info["person"][:80]
