"""`/api/openapi.json`: the API described from its own routes, so that it cannot lag behind.

A route says its words in its docstring, whom it is for by `admits`, its body by BODIES here.
"""

import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from village_core.enrolment import Begin, Claim, Reveal
from village_core.messages import AgentStatus
from village_core.transport import signalling
from village_hub.access.guard import PUBLIC
from village_hub.access.identity import (
    MediaCaller,
    NodeCaller,
    PersonCaller,
    PublishCaller,
    TicketCaller,
    admission_of,
)
from village_hub.api.sessions import QualityBody
from village_hub.api.sign_in import SignInBody

routes = web.RouteTableDef()

VERSION = metadata.version("security-village")
DESCRIBED = ("/api/v1/", "/whip/", "/whep/", "/uplink", "/.well-known/", "/healthz", "/readyz")
BODIES: dict[str, type[BaseModel]] = {
    "sign_in": SignInBody,
    "pin_quality": QualityBody,
    "enrolment_begin": Begin,
    "enrolment_claim": Claim,
    "enrolment_reveal": Reveal,
    "node_status": AgentStatus,
}
TEXTS = {
    "whip": signalling.SDP,
    "whep": signalling.SDP,
    "whip_session_patch": signalling.SDPFRAG,
    "whep_session_patch": signalling.SDPFRAG,
    "upload": "image/jpeg",
}
WAYS_IN = {
    PersonCaller: ["session", "access"],
    MediaCaller: ["media"],
    NodeCaller: ["node"],
    TicketCaller: ["ticket"],
    PublishCaller: ["publish"],
}
SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-village"},
    **{
        name: {"type": "http", "scheme": "bearer", "description": what}
        for name, what in {
            "access": "at+jwt, from POST /api/v1/me/access-token",
            "media": "media+jwt, from POST /api/v1/cameras/{camera}/media-token",
            "node": "node+jwt, made by an enrolled agent",
            "ticket": "ticket+jwt, given to an agent with what it is asked for",
            "publish": "a push camera's publish token",
        }.items()
    },
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "for programs; stays the same between versions"},
    },
}


@routes.get("/api/openapi.json", name="openapi")
async def openapi(request: web.Request) -> web.Response:
    """This description (OpenAPI 3.1). Public: it is in the source anyway."""
    return web.json_response(describe(request.app))


def describe(app: web.Application) -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Problem": PROBLEM}
    for route in _described(app):
        method = route.method.lower()
        path = route.resource.canonical if route.resource else ""
        paths.setdefault(path, {})[method] = _operation(route, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "security-village hub", "version": VERSION},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": SCHEMES},
    }


def _described(app: web.Application) -> Iterator[web.AbstractRoute]:
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if path.startswith(DESCRIBED):
            yield route


def _operation(route: web.AbstractRoute, path: str, schemas: dict[str, Any]) -> dict[str, Any]:
    name = route.name or ""
    words = " ".join((route.handler.__doc__ or "").split())
    found: dict[str, Any] = {
        "operationId": f"{name}_{route.method.lower()}",
        "summary": words.partition(". ")[0].rstrip("."),
        "description": words,
        "parameters": [
            {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
            for part in re.findall(r"{(\w+)}", path)
        ],
        "security": [] if name in PUBLIC else _security(route),
        "responses": {
            "2XX": {"description": "done"},
            "default": {
                "description": "why not (RFC 9457)",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            },
        },
    }
    if content := _body(name, schemas):
        found["requestBody"] = {"required": True, "content": content}
    return found


def _security(route: web.AbstractRoute) -> list[dict[str, list[str]]]:
    kinds = admission_of(route.handler).kinds
    return [{way: []} for kind in kinds for way in WAYS_IN[kind]]


def _body(name: str, schemas: dict[str, Any]) -> dict[str, Any] | None:
    if name in TEXTS:
        return {TEXTS[name]: {"schema": {"type": "string"}}}
    model = BODIES.get(name)
    if model is None:
        return None
    place = "#/components/schemas/"
    schema = model.model_json_schema(ref_template=place + "{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return {"application/json": {"schema": {"$ref": place + model.__name__}}}
