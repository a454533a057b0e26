"""What my household is asked for, of its own will (PRM-9). "No" and silence look the same to
everybody else (PRM-20)."""

from aiohttp import web

from village_core.permits import Purpose
from village_hub import keys
from village_hub.api import bodies
from village_hub.api.case_steps import FAULTS, Resource, Shown, Sight, acting
from village_hub.api.contract import operation
from village_hub.cases import public_answer
from village_hub.cases.effects import Area
from village_hub.cases.public_answer import Offering, PublicAnswer, PutAway, TakeBack
from village_hub.catalogue import cameras
from village_hub.errors import Unprocessable

routes = web.RouteTableDef()
PATH = "/api/v1/public-answers"


class QuestionShown(Shown):
    """What is asked, by whom, and what I offered."""

    household: str
    who: str
    contact: str
    incident: str
    what: str
    purpose: Purpose
    area: Area
    begin: int
    end: int
    closes: int
    offered: bool


def _show(sight: Sight[PublicAnswer]) -> QuestionShown:
    matter, question = sight.kept.matter, sight.kept.matter.question
    return QuestionShown(
        **ANSWERS.common(sight),
        household=matter.household,
        offered=matter.offer is not None,
        **question.model_dump(exclude={"ask", "area"}),
        area=question.area,
    )


ANSWERS = Resource(public_answer.KIND, PATH, QuestionShown, _show)


@routes.post(f"{PATH}/{{matter}}/offer", name="offer_to_public_ask")
@operation(body=Offering, answer=QuestionShown, errors=FAULTS)
async def offer(request: web.Request) -> web.Response:
    """Yes: who asked is told what I offer. Nothing is sent by this; I can take it back."""
    by, act = await acting(request), await bodies.read(request, Offering)
    household = (await ANSWERS.look(request, by)).kept.matter.household
    mine = await request.app[keys.CATALOGUE].read(cameras.of_households, (household,))
    if act.camera and act.camera not in {camera.id for camera in mine}:
        raise Unprocessable("this is no camera of yours", code="no_such_camera")
    return await ANSWERS.step(request, act)


routes.get(PATH, name="public_answers")(
    ANSWERS.listing("What my household is asked for; newest first.")
)
routes.get(f"{PATH}/{{matter}}", name="public_answer", allow_head=False)(
    ANSWERS.one("One of them.")
)
routes.post(f"{PATH}/{{matter}}/no", name="put_public_ask_away")(
    ANSWERS.handler(PutAway, "No. It only leaves my list: nobody sees that I said so.")
)
routes.post(f"{PATH}/{{matter}}/take-back", name="take_offer_back")(
    ANSWERS.handler(TakeBack, "I offer nothing any more.")
)
