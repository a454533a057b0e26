"""Help requests (PRM-9): something is lost, the committee looks and answers in words, or has the
households near asked. No picture comes of it (PRM-17)."""

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
from village_hub.cases import help as help_request
from village_hub.cases.help import Answer, AskNear, Help, Said, Take
from village_hub.cases.matter import Withdraw
from village_hub.cases.seeing import Eyes
from village_hub.cases.things import Close, ThingTerms

routes = web.RouteTableDef()
PATH = "/api/v1/help-requests"


class AnswerSaid(Shape):
    """In words, and which cameras of public places were looked at for it."""

    words: str = Field(min_length=2, max_length=600, pattern=PRINTABLE)
    cameras: list[str] = Field(default=[], max_length=12)


class HelpShown(Shown):
    """`steps`: what was done, and every answer; `asks`: for the village, the public asks that came
    of it."""

    terms: ThingTerms
    asked_by: PersonShown | None
    taken_by: PersonShown | None
    steps: list[Said]
    asks: list[str]


def _show(sight: Sight[Help]) -> HelpShown:
    matter = sight.kept.matter
    return HelpShown(
        **REQUESTS.common(sight),
        terms=matter.terms,
        asked_by=named(matter.asker),
        taken_by=named(matter.taken_by),
        steps=list(matter.steps),
        asks=list(matter.asks) if sight.eyes is Eyes.CUSTODIAN else [],
    )


REQUESTS = Resource(help_request.KIND, PATH, HelpShown, _show)


@routes.post(PATH, name="add_help_request")
@operation(body=ThingTerms, answer=HelpShown, status=201, errors=FAULTS, creates=True)
async def add(request: web.Request) -> web.Response:
    """Say what is lost, where and between when, and what happened. It goes to the committee; no
    person is named or described. Not on duty: for oneself."""
    await request.app[keys.GUARD].allow(by_hand(request), Column.P_RECORDINGS)
    by, terms = await at_home(request), await bodies.read(request, ThingTerms)
    check = not_too_many(request, by, help_request.KIND)
    return await REQUESTS.open(request, by, lambda now: help_request.begin(terms, by, now), check)


@routes.post(f"{PATH}/{{matter}}/answer", name="answer_help_request")
@operation(body=AnswerSaid, answer=HelpShown, errors=FAULTS)
async def answer(request: web.Request) -> web.Response:
    """By the village, in words. It names the cameras that were looked at, unless the households
    were asked. There can be several."""
    by, said = await acting(request), await bodies.read(request, AnswerSaid)
    place = (await REQUESTS.look(request, by)).kept.matter.place
    cameras = await of_public_places(request, said.cameras, place)
    return await REQUESTS.step(request, Answer(words=said.words, cameras=cameras))


routes.get(PATH, name="help_requests")(
    REQUESTS.listing("Mine, or for the village those in its place; newest first.")
)
routes.get(f"{PATH}/{{matter}}", name="help_request", allow_head=False)(
    REQUESTS.one("One of them.")
)
routes.post(f"{PATH}/{{matter}}/take", name="take_help_request")(
    REQUESTS.handler(Take, "By the village: I look after it.")
)
routes.post(f"{PATH}/{{matter}}/ask-near", name="ask_near_help_request")(
    REQUESTS.handler(
        AskNear, "By the village: have households asked. A second person reviews it first."
    )
)
routes.post(f"{PATH}/{{matter}}/close", name="close_help_request")(
    REQUESTS.handler(
        Close, "By the village: it is over, and this is how. Nobody is asked any more."
    )
)
routes.post(f"{PATH}/{{matter}}/withdraw", name="withdraw_help_request")(
    REQUESTS.handler(Withdraw, "I do not need it any more.")
)
