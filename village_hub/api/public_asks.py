"""Voluntary asks to the households of a place (PRM-9). Who asks sees offers and nothing else
(PRM-20)."""

from aiohttp import web

from village_core.permits import Purpose
from village_hub import keys
from village_hub.api import bodies
from village_hub.api.case_steps import (
    FAULTS,
    PersonShown,
    Resource,
    Shown,
    Sight,
    asking,
    named,
)
from village_hub.api.contract import Shape, operation
from village_hub.cases import public_ask
from village_hub.cases.effects import Area
from village_hub.cases.places import households_in
from village_hub.cases.public_ask import AskTerms, Close, PublicAsk, Publish, Reject
from village_hub.cases.seeing import Eyes

routes = web.RouteTableDef()
PATH = "/api/v1/public-asks"


class OfferShown(Shape):
    """What a household offers of its own will."""

    household: str
    camera: str
    begin: int
    end: int
    words: str
    at: int


class PublicAskShown(Shown):
    """`offers`: for the unit that asked."""

    incident: str
    contact: str
    what: str
    purpose: Purpose
    area: Area
    begin: int
    end: int
    asked_by: PersonShown | None
    reviewed_by: PersonShown | None
    reason: str
    offers: list[OfferShown]


def _show(sight: Sight[PublicAsk]) -> PublicAskShown:
    matter, terms = sight.kept.matter, sight.kept.matter.terms
    offers = matter.offers if sight.eyes is Eyes.UNIT else ()
    return PublicAskShown(
        **ASKS.common(sight),
        incident=matter.incident,
        contact=terms.contact,
        what=terms.what,
        purpose=terms.purpose,
        area=terms.area,
        begin=terms.begin,
        end=terms.end,
        asked_by=named(matter.asker),
        reviewed_by=named(matter.reviewed_by),
        reason=matter.reason,
        offers=[OfferShown(**offer.model_dump()) for offer in offers],
    )


ASKS = Resource(public_ask.KIND, PATH, PublicAskShown, _show)


@routes.post(PATH, name="add_public_ask")
@operation(body=AskTerms, answer=PublicAskShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Say what happened, where and when. Nobody is asked before a second person has reviewed it."""
    by, terms = await asking(request), await bodies.read(request, AskTerms)
    return await ASKS.open(request, by, lambda now: public_ask.begin(terms, by, now))


@routes.post(f"{PATH}/{{matter}}/publish", name="publish_public_ask")
@operation(answer=PublicAskShown, errors=FAULTS)
async def publish(request: web.Request) -> web.Response:
    """As the second person: it is fit to be asked; the households of the place are."""
    by = await asking(request)
    place = (await ASKS.look(request, by)).kept.matter.place
    read = request.app[keys.CATALOGUE].read
    households = await read(households_in, place, homes_only=True)
    return await ASKS.step(request, Publish(households=households))


routes.get(PATH, name="public_asks")(ASKS.listing("My unit's, or for auditors all; newest first."))
routes.get(f"{PATH}/{{matter}}", name="public_ask", allow_head=False)(ASKS.one("One of them."))
routes.post(f"{PATH}/{{matter}}/reject", name="reject_public_ask")(
    ASKS.handler(Reject, "As the second person: nobody is asked, and this is why.")
)
routes.post(f"{PATH}/{{matter}}/close", name="close_public_ask")(
    ASKS.handler(Close, "It is over: nobody is asked any more.")
)
