"""A live view that is open: which of the two encodings it shows."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from village_core.permits import Quality
from village_hub import keys
from village_hub.access.guard import CALLER
from village_hub.access.identity import MediaCaller, PersonCaller, admits
from village_hub.api import bodies
from village_hub.api.contract import done, operation
from village_hub.errors import Unauthorized

routes = web.RouteTableDef()


class QualityBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    quality: Literal["auto", "main", "sub"]


@routes.post("/api/v1/sessions/{session}/quality", name="pin_quality")
@operation(body=QualityBody)
@admits(PersonCaller, MediaCaller)
async def pin_quality(request: web.Request) -> web.Response:
    """{quality}: `auto` lets the hub choose again. 404 when the session is not the caller's."""
    caller = request[CALLER]
    if not isinstance(caller, PersonCaller | MediaCaller):
        raise Unauthorized("sign in first")
    body = await bodies.read(request, QualityBody)
    live = request.app[keys.LIVE]
    session = live.session(request.match_info["session"], caller.credential)
    await live.pin(session, None if body.quality == "auto" else Quality(body.quality))
    return done()
