"""Disputes between villagers (PRM-22): both are told what was looked at, both see the same at the
window, and both read the same here."""

from aiohttp import web
from pydantic import Field

from village_core.messages import PRINTABLE
from village_hub import keys
from village_hub.access.guard import by_hand
from village_hub.access.matrix import Column
from village_hub.api import bodies
from village_hub.api.case_steps import (
    FAULTS,
    PersonShown,
    Resource,
    Shown,
    Sight,
    acting,
    at_home,
    named,
    not_too_many,
    of_public_places,
)
from village_hub.api.contract import Shape, operation
from village_hub.cases import dispute
from village_hub.cases.dispute import Dispute, Join, Look, Looked, Party, Seen
from village_hub.cases.matter import Person, Withdraw
from village_hub.cases.seeing import Eyes
from village_hub.cases.things import Close, PublicCamera, ThingTerms
from village_hub.catalogue import openings, people
from village_hub.catalogue.store import Session
from village_hub.errors import Unprocessable

routes = web.RouteTableDef()
PATH = "/api/v1/disputes"


class JoinSaid(Shape):
    """The home of the other one, whom the clerk knows from the window."""

    household: str = Field(min_length=1, max_length=80)


class LookSaid(Shape):
    """What was looked at: these cameras of public places, from when to when, and what is on it."""

    cameras: list[str] = Field(min_length=1, max_length=12)
    begin: int
    end: int
    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)


class LookedShown(Shape):
    at: int
    by: PersonShown | None
    cameras: list[PublicCamera]
    begin: int
    end: int
    words: str


class DisputeShown(Shown):
    """`seen`: who has seen at the window what was looked at last. `asked_by` and `other` (a
    household): for the village and auditors."""

    terms: ThingTerms
    looks: list[LookedShown]
    seen: list[Party]
    words: str
    asked_by: PersonShown | None
    other: str | None


def _show(sight: Sight[Dispute]) -> DisputeShown:
    matter = sight.kept.matter
    between = sight.eyes in (Eyes.CUSTODIAN, Eyes.AUDITOR)
    return DisputeShown(
        **DISPUTES.common(sight),
        terms=matter.terms,
        looks=[_look(each) for each in matter.looks],
        seen=list(matter.seen),
        words=matter.words,
        asked_by=named(matter.asker) if between else None,
        other=matter.other if between else None,
    )


def _look(look: Look) -> LookedShown:
    return LookedShown(
        at=look.at,
        by=named(look.by),
        cameras=list(look.cameras),
        begin=look.begin,
        end=look.end,
        words=look.words,
    )


DISPUTES = Resource(dispute.KIND, PATH, DisputeShown, _show)


@routes.post(PATH, name="add_dispute")
@operation(body=ThingTerms, answer=DisputeShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Say where and when, what thing it is about and what happened; not who. The committee asks
    both to its window. Not on duty: for oneself."""
    await request.app[keys.GUARD].allow(by_hand(request), Column.P_RECORDINGS)
    by, terms = await at_home(request), await bodies.read(request, ThingTerms)
    check = not_too_many(request, by, dispute.KIND)
    return await DISPUTES.open(request, by, lambda now: dispute.begin(terms, by, now), check)


@routes.post(f"{PATH}/{{matter}}/join", name="join_dispute")
@operation(body=JoinSaid, answer=DisputeShown, errors=FAULTS)
async def join(request: web.Request) -> web.Response:
    """By the village: the other one is of this home. Both are told; from now on both read it."""
    by, said = await acting(request), await bodies.read(request, JoinSaid)
    await DISPUTES.look(request, by)
    hub = request.app[keys.NODE].id
    found = await request.app[keys.CATALOGUE].read(_home, said.household, by)
    if found is None:
        raise Unprocessable("there is no such household in your place", code="not_of_here")
    act = Join(household=said.household, people=tuple((hub, each) for each in found))
    return await DISPUTES.step(request, act)


def _home(session: Session, household: str, by: Person) -> list[str] | None:
    """Its people, if it is in the place that the clerk's unit is of."""
    if not by.place or household not in openings.households_in(session, by.place):
        return None
    return [each.person for each in people.members(session, household)]


@routes.post(f"{PATH}/{{matter}}/look", name="look_dispute")
@operation(body=LookSaid, answer=DisputeShown, errors=FAULTS)
async def looked(request: web.Request) -> web.Response:
    """By the village: what was looked at. Both are told, and what one saw before does not count
    any more."""
    by, said = await acting(request), await bodies.read(request, LookSaid)
    place = (await DISPUTES.look(request, by)).kept.matter.place
    cameras = await of_public_places(request, said.cameras, place)
    act = Looked(cameras=cameras, begin=said.begin, end=said.end, words=said.words)
    return await DISPUTES.step(request, act)


routes.get(PATH, name="disputes")(
    DISPUTES.listing("Those that I am in, or for the village those in its place; newest first.")
)
routes.get(f"{PATH}/{{matter}}", name="dispute", allow_head=False)(DISPUTES.one("One of them."))
routes.post(f"{PATH}/{{matter}}/seen", name="seen_dispute")(
    DISPUTES.handler(Seen, "By the village: this one saw at the window what was looked at.")
)
routes.post(f"{PATH}/{{matter}}/close", name="close_dispute")(
    DISPUTES.handler(Close, "By the village: it is over, and this is how.")
)
routes.post(f"{PATH}/{{matter}}/withdraw", name="withdraw_dispute")(
    DISPUTES.handler(Withdraw, "By whoever filed it: I take it back.")
)
