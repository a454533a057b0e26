"""Is it alive, can it serve; public, and says nothing else."""

from typing import Literal

from aiohttp import web

from village_hub import keys
from village_hub.api.contract import Shape, operation, reply
from village_hub.catalogue import people
from village_hub.errors import Overloaded

routes = web.RouteTableDef()


class Health(Shape):
    status: Literal["ok", "ready"]


@routes.get("/healthz", name="healthz")
@operation(answer=Health)
async def healthz(_request: web.Request) -> web.Response:
    """200 while the process answers."""
    return reply(Health(status="ok"))


@routes.get("/readyz", name="readyz")
@operation(answer=Health, errors=(Overloaded,))
async def readyz(request: web.Request) -> web.Response:
    """200 when people can be served: the database answers and no background job has failed."""
    await request.app[keys.CATALOGUE].read(people.household, "")  # strangers ask: cheap
    failing = [job.name for job in request.app[keys.SUPERVISOR].states if job.state == "waiting"]
    if failing:
        raise Overloaded("a part of the hub is starting again", code="not_ready", retry_after=5)
    return reply(Health(status="ready"))
