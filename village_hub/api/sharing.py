"""Who can see me, who looks right now, who lives in view of a camera (MED-18, AUD-4, PRM-13)."""

from aiohttp import web

from village_core.grants import GrantKind, plain
from village_core.permits import Action, CameraClass, Purpose
from village_hub import keys
from village_hub.access import basis
from village_hub.access.guard import person
from village_hub.access.identity import PersonCaller
from village_hub.api import bodies
from village_hub.api.cameras import known
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.api.homes import belonging, owning
from village_hub.api.hub_names import hub_name
from village_hub.catalogue import grants, invitations, people
from village_hub.catalogue.consent_models import FilmedPerson
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Session
from village_hub.consent import record
from village_hub.consent.homes import households_of
from village_hub.consent.record import Acted
from village_hub.consent.watching import Look, Open, Share
from village_hub.consent.words import in_both
from village_hub.errors import NotFound, Unprocessable

routes = web.RouteTableDef()


class LookShown(Shape):
    """Being watched by `name` (`unit`), for `purpose`, until `until` (UTC ms) at the latest. They
    signed in at the hub `issuer`, which is called `hub_name` (IDN-6)."""

    permit: str
    camera: str
    camera_name: str
    name: str
    unit: str
    issuer: str
    hub_name: str
    action: Action
    purpose: Purpose
    basis: str
    ref: str
    reason: str
    until: int


class WatchingShown(Shape):
    watching: list[LookShown]


class ShareShown(Shape):
    """A grant that is neither over nor stopped."""

    grant: str
    kind: GrantKind
    name: str
    contact: str
    not_before: int
    until: int
    route: str
    terms: dict[str, object]
    sentences: dict[str, list[str]]


class OpenShown(Shape):
    """An SOS or emergency that is open."""

    id: str
    kind: str
    cameras: list[str]
    opened: int
    ends: int


class HomeSharing(Shape):
    household: str
    name: str
    shares: list[ShareShown]
    open: list[OpenShown]
    watching: list[LookShown]


class Sharing(Shape):
    households: list[HomeSharing]


class FilmedWish(Shape):
    person: str
    guardian: bool = False  # they speak for a child under 14, or for somebody who cannot


class FilmedShown(Shape):
    person: str
    name: str
    guardian: bool
    objects: bool  # they say no to anybody but the owners seeing this camera


class FilmedList(Shape):
    filmed: list[FilmedShown]


@routes.get("/api/v1/households/{household}/watching", name="watching")
@operation(answer=WatchingShown)
async def watching(request: web.Request) -> web.Response:
    """Everybody from outside who looks right now; for the people of the household. Pages ask every
    few seconds."""
    household = request.match_info["household"]
    await belonging(request, household)
    looks = await request.app[keys.CONSENT].watching.now(household)
    return reply(WatchingShown(watching=[_look(request.app, each) for each in looks]))


@routes.get("/api/v1/me/sharing", name="sharing")
@operation(answer=Sharing)
async def sharing(request: web.Request) -> web.Response:
    """Who can see me, in plain words, in one list: every grant of my households, what is open, and
    who looks right now."""
    caller = person(request)
    return reply(Sharing(households=await of_caller(request, caller)))


async def of_caller(request: web.Request, caller: PersonCaller) -> list[HomeSharing]:
    subject, app = caller.subject, request.app
    if subject.issuer != app[keys.NODE].id or subject.roles:
        return []  # somebody on duty is nobody's household
    names = await app[keys.CATALOGUE].read(_homes, subject.id)
    found = app[keys.CONSENT].watching
    return [
        HomeSharing(
            household=household,
            name=name,
            shares=[_share(each) for each in await found.shares(household)],
            open=[_open(each) for each in await found.openings(household)],
            watching=[_look(app, each) for each in await found.now(household)],
        )
        for household, name in names.items()
    ]


@routes.post("/api/v1/cameras/{camera}/filmed", name="add_filmed")
@operation(body=FilmedWish, status=204)
async def add_filmed(request: web.Request) -> web.Response:
    """An owner names somebody who lives in view of a camera inside the home. From then on they see
    who can see it, family too, and can stop that."""
    caller = person(request)
    camera = await known(request, caller, request.match_info["camera"])
    await owning(request, camera.household)
    wish = await bodies.read(request, FilmedWish)
    await request.app[keys.CATALOGUE].write(_add_filmed, request.app, caller, camera, wish)
    return done()


@routes.get("/api/v1/cameras/{camera}/filmed", name="filmed")
@operation(answer=FilmedList)
async def filmed(request: web.Request) -> web.Response:
    """Who lives in view of a camera inside the home."""
    camera = await known(request, person(request), request.match_info["camera"])
    await belonging(request, camera.household)
    rows = await request.app[keys.CATALOGUE].read(invitations.filmed, frozenset({camera.id}))
    return reply(
        FilmedList(
            filmed=[
                FilmedShown(
                    person=row.person,
                    name=row.name,
                    guardian=row.guardian,
                    objects=row.objects is not None,
                )
                for row in rows
            ]
        )
    )


@routes.put("/api/v1/cameras/{camera}/objection", name="filmed_objects")
@operation()
async def objects(request: web.Request) -> web.Response:
    """The person filmed says no: every grant that has this camera stops, and none can be given,
    whatever the owner wants (PRM-13)."""
    name = request.match_info["camera"]
    await request.app[keys.CONSENT].stopping.object_to(person(request), name, on=True)
    return done()


@routes.delete("/api/v1/cameras/{camera}/objection", name="filmed_agrees")
@operation()
async def agrees(request: web.Request) -> web.Response:
    """They take their no back; what was stopped stays so."""
    name = request.match_info["camera"]
    await request.app[keys.CONSENT].stopping.object_to(person(request), name, on=False)
    return done()


def _add_filmed(
    session: Session,
    app: web.Application,
    caller: PersonCaller,
    camera: CameraRow,
    wish: FilmedWish,
) -> None:
    if basis.camera_facts(session, [camera])[camera.id].camera_class is not CameraClass.H_IN:
        raise Unprocessable("only of cameras inside a home", code="not_inside")
    if people.person(session, wish.person) is None:
        raise NotFound("there is no such person", code="no_such_recipient")
    clock = app[keys.CLOCK]
    row = FilmedPerson(
        camera_id=camera.id,
        person_id=wish.person,
        guardian=wish.guardian,
        named_by=caller.subject.id,
        since=clock.utc_ms(),
    )
    invitations.add_filmed(session, row)
    about = {"person": wish.person, "camera": camera.id}
    record.note(
        session, clock, "filmed_named", Acted(camera.household, caller.subject), about=about
    )


def _homes(session: Session, person_id: str) -> dict[str, str]:
    found = [grants.home(session, each) for each in households_of(session, person_id)]
    return {each.household: each.name for each in found if each is not None}


def _look(app: web.Application, look: Look) -> LookShown:
    same = {name: getattr(look, name) for name in LookShown.model_fields if name != "hub_name"}
    return LookShown(**same, hub_name=hub_name(app, look.issuer))


def _share(share: Share) -> ShareShown:
    terms = share.grant.terms
    return ShareShown(
        grant=share.grant.id,
        kind=terms.kind,
        name=terms.recipient.name,
        contact=terms.recipient.contact,
        not_before=terms.not_before,
        until=terms.until,
        route=share.row.route,
        terms=plain(terms),
        sentences=in_both(terms, share.cameras),
    )


def _open(each: Open) -> OpenShown:
    return OpenShown(
        id=each.id,
        kind=each.kind,
        cameras=sorted(each.cameras),
        opened=each.opened,
        ends=each.ends,
    )
