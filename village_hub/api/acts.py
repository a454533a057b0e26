"""Acts that need two named persons: what waits, confirming it, taking it back.

They are asked for where they belong (appointments, units, people); the answer there is 202 with
what is said here.
"""

from aiohttp import web

from village_hub import keys
from village_hub.access.acts import Act
from village_hub.access.guard import by_hand
from village_hub.access.matrix import Column, Row
from village_hub.api.contract import Shape, done, operation, reply
from village_hub.errors import Conflict, NotFound, Refused, Unprocessable

routes = web.RouteTableDef()

FAULTS = (NotFound, Refused, Conflict, Unprocessable)


class Asked(Shape):
    """It waits for a second person until `expires` (UTC ms)."""

    id: str
    kind: str
    expires: int


class WaitingShown(Shape):
    """`about` is what was asked for; `mine`: by the one who reads this."""

    id: str
    kind: str
    asked_by: str
    asked_by_name: str
    unit_name: str
    created: int
    expires: int
    mine: bool
    about: dict[str, str | int | bool | None]


class ActsShown(Shape):
    items: list[WaitingShown]


class OutcomeShown(Shape):
    """`made`: the id of what there is now. `code` is shown this once."""

    made: str
    code: str | None


async def ask(request: web.Request, act: Act, column: Column) -> web.Response:
    """202: written down, and waiting. Raises one of FAULTS."""
    caller = by_hand(request)
    await request.app[keys.GUARD].allow(caller, column, frozenset[Row]())
    row = await request.app[keys.SECONDS].ask(caller.subject, act)
    return reply(Asked(id=row.id, kind=row.kind, expires=row.expires), status=202)


@routes.get("/api/v1/acts", name="acts_waiting")
@operation(answer=ActsShown, errors=(Refused,))
async def waiting(request: web.Request) -> web.Response:
    """What I asked for, and what I may confirm."""
    caller = by_hand(request)
    found = await request.app[keys.SECONDS].waiting_for(caller.subject)
    items = [
        WaitingShown(
            id=each.row.id,
            kind=each.row.kind,
            asked_by=each.asker.id,
            asked_by_name=each.asker.name,
            unit_name=each.asker.unit_name,
            created=each.row.created,
            expires=each.row.expires,
            mine=each.asker.id == caller.subject.id,
            about=each.act.model_dump(mode="json", exclude={"kind"}),
        )
        for each in found
    ]
    return reply(ActsShown(items=items))


@routes.post("/api/v1/acts/{act}/confirm", name="confirm_act")
@operation(answer=OutcomeShown, errors=FAULTS)
async def confirm(request: web.Request) -> web.Response:
    """As the second person: it is done now. Not by whoever asked, nor whom it concerns."""
    caller = by_hand(request)
    outcome = await request.app[keys.SECONDS].confirm(caller.subject, request.match_info["act"])
    request.app[keys.RENEWAL].look_soon()
    return reply(OutcomeShown(made=outcome.made, code=outcome.code or None))


@routes.delete("/api/v1/acts/{act}", name="withdraw_act")
@operation(errors=(NotFound, Refused))
async def withdraw(request: web.Request) -> web.Response:
    """By whoever asked for it."""
    caller = by_hand(request)
    await request.app[keys.SECONDS].withdraw(caller.subject, request.match_info["act"])
    return done()
