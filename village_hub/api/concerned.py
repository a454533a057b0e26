"""A person concerned asks to view footage of a public place, at the village's window (PRM-12)."""

from aiohttp import web

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
    of_public_places,
)
from village_hub.api.contract import operation
from village_hub.cases import concerned
from village_hub.cases.concerned import (
    Approve,
    Concerned,
    ConcernedTerms,
    Refuse,
    Viewed,
)
from village_hub.cases.matter import Withdraw
from village_hub.cases.seeing import Eyes

routes = web.RouteTableDef()
PATH = "/api/v1/concerned"


class ConcernedShown(Shown):
    """`cameras`: for the village, which manages them."""

    terms: ConcernedTerms
    asked_by: PersonShown | None
    decided_by: PersonShown | None
    words: str
    cameras: list[str]


def _show(sight: Sight[Concerned]) -> ConcernedShown:
    matter = sight.kept.matter
    return ConcernedShown(
        **CONCERNED.common(sight),
        terms=matter.terms,
        asked_by=named(matter.asker),
        decided_by=named(matter.decided_by),
        words=matter.words,
        cameras=[] if sight.eyes is Eyes.ASKER else list(matter.cameras),
    )


CONCERNED = Resource(concerned.KIND, PATH, ConcernedShown, _show)


@routes.post(PATH, name="add_concerned")
@operation(body=ConcernedTerms, answer=ConcernedShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Say where and when, what happened and what you are to it. Not on duty: for oneself."""
    await request.app[keys.GUARD].allow(by_hand(request), Column.P_RECORDINGS)
    by, terms = await at_home(request), await bodies.read(request, ConcernedTerms)
    return await CONCERNED.open(request, by, lambda now: concerned.begin(terms, by, now))


@routes.post(f"{PATH}/{{matter}}/approve", name="approve_concerned")
@operation(body=Approve, answer=ConcernedShown, errors=FAULTS)
async def approve(request: web.Request) -> web.Response:
    """By the village: it may be viewed, of these cameras of public places, at the window."""
    by, act = await acting(request), await bodies.read(request, Approve)
    place = (await CONCERNED.look(request, by)).kept.matter.place
    await of_public_places(request, act.cameras, place)
    return await CONCERNED.step(request, act)


routes.get(PATH, name="concerned_asks")(
    CONCERNED.listing("Mine, or for the village those in its place; newest first.")
)
routes.get(f"{PATH}/{{matter}}", name="concerned_ask", allow_head=False)(
    CONCERNED.one("One of them.")
)
routes.post(f"{PATH}/{{matter}}/refuse", name="refuse_concerned")(
    CONCERNED.handler(Refuse, "By the village: not viewed, and this is why.")
)
routes.post(f"{PATH}/{{matter}}/viewed", name="viewed_concerned")(
    CONCERNED.handler(Viewed, "By the village: it was viewed at the window, others blurred.")
)
routes.post(f"{PATH}/{{matter}}/withdraw", name="withdraw_concerned")(
    CONCERNED.handler(Withdraw, "I do not need it any more.")
)
