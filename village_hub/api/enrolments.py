"""Agents enrolling (village_core/enrolment.py has the protocol). Public: a box has no credentials
yet; what it proves is in the bodies."""

from aiohttp import web

from village_core.enrolment import Begin, Begun, Claim, Enrolled, Reveal
from village_hub import keys
from village_hub.access.guard import SOURCE
from village_hub.access.throttle import network_of
from village_hub.api import bodies
from village_hub.api.contract import operation
from village_hub.errors import Conflict, NotFound, TooMany

routes = web.RouteTableDef()


@routes.post("/api/v1/enrolments/begin", name="enrolment_begin")
@operation(body=Begin, answer=Begun, errors=(NotFound, Conflict, TooMany))
async def begin(request: web.Request) -> web.Response:
    """B 1: a typed code."""
    _throttle(request)
    begun = await request.app[keys.ENROLMENTS].begin(await bodies.read(request, Begin))
    return web.json_response(text=begun.model_dump_json())


@routes.post("/api/v1/enrolments/{enrolment}/claim", name="enrolment_claim")
@operation(body=Claim, answer=Enrolled, errors=(TooMany,))
async def claim(request: web.Request) -> web.Response:
    """A: by QR."""
    _throttle(request)
    body = await bodies.read(request, Claim)
    enrolled = await request.app[keys.ENROLMENTS].claim(request.match_info["enrolment"], body)
    return web.json_response(text=enrolled.model_dump_json())


@routes.post("/api/v1/enrolments/{enrolment}/reveal", name="enrolment_reveal")
@operation(body=Reveal, status=202, errors=(TooMany,))
async def reveal(request: web.Request) -> web.Response:
    """B 2."""
    _throttle(request)
    body = await bodies.read(request, Reveal)
    await request.app[keys.ENROLMENTS].reveal(request.match_info["enrolment"], body)
    return web.Response(status=202)


@routes.get("/api/v1/enrolments/{enrolment}/result", name="enrolment_result")
@operation(answer=Enrolled, also=(202,))
async def result(request: web.Request) -> web.Response:
    """B 4: 202 while nobody has entered the digits."""
    name = request.match_info["enrolment"]
    enrolled = await request.app[keys.ENROLMENTS].result(name, _token(request))
    if enrolled is None:
        return web.Response(status=202)
    return web.json_response(text=enrolled.model_dump_json())


@routes.delete("/api/v1/enrolments/{enrolment}", name="enrolment_refuse")
@operation()
async def refuse(request: web.Request) -> web.Response:
    """B 4: the digits differ at the home."""
    await request.app[keys.ENROLMENTS].refuse(request.match_info["enrolment"], _token(request))
    return web.Response(status=204)


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotFound("there is no such enrolment", code="no_such_enrolment")
    return token.strip()


def _throttle(request: web.Request) -> None:
    request.app[keys.THROTTLES].enrolment.spend(network_of(request[SOURCE].address))
