"""Preserve: freeze footage of a place for seven days without seeing any (PRM-18)."""

from aiohttp import web

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
from village_hub.api.contract import operation
from village_hub.cases import preserve
from village_hub.cases.effects import Area
from village_hub.cases.matter import Withdraw
from village_hub.cases.places import households_in
from village_hub.cases.preserve import Confirm, Preserve, PreserveTerms

routes = web.RouteTableDef()
PATH = "/api/v1/preserves"


class PreserveShown(Shown):
    """Who asked and what for; nothing of which cameras or households there are."""

    incident: str
    area: Area
    begin: int
    end: int
    until: int
    asked_by: PersonShown | None
    confirmed_by: PersonShown | None


def _show(sight: Sight[Preserve]) -> PreserveShown:
    matter = sight.kept.matter
    return PreserveShown(
        **PRESERVES.common(sight),
        incident=matter.incident,
        area=matter.area,
        begin=matter.begin,
        end=matter.end,
        until=matter.until,
        asked_by=named(matter.asker),
        confirmed_by=named(matter.confirmed_by),
    )


PRESERVES = Resource(preserve.KIND, PATH, PreserveShown, _show)


@routes.post(PATH, name="add_preserve")
@operation(body=PreserveTerms, answer=PreserveShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Freeze a place, radius and window now. It lapses after 24 h unless a second person confirms;
    the households there are told at once."""
    by, terms = await asking(request), await bodies.read(request, PreserveTerms)
    place = terms.area.place
    households = await request.app[keys.CATALOGUE].read(households_in, place)
    return await PRESERVES.open(request, by, lambda now: preserve.begin(terms, by, now, households))


routes.get(PATH, name="preserves")(
    PRESERVES.listing("My unit's, those about my household, or for auditors all; newest first.")
)
routes.get(f"{PATH}/{{matter}}", name="preserve", allow_head=False)(PRESERVES.one("One of them."))
routes.post(f"{PATH}/{{matter}}/confirm", name="confirm_preserve")(
    PRESERVES.handler(Confirm, "As the second person, of the same unit or above.")
)
routes.post(f"{PATH}/{{matter}}/withdraw", name="withdraw_preserve")(
    PRESERVES.handler(Withdraw, "It is not needed any more: what it held is free.")
)
