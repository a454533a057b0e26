"""`/api/openapi.json`: the API described from its own routes, so that it cannot lag behind.

A route says its words in its docstring, whom it is for by `admits`, what it takes and gives by
`operation` (api/contract.py). Every status that it may answer with is here, each with its reason.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib import metadata
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from village_hub.access.guard import PUBLIC
from village_hub.access.identity import (
    HubCaller,
    MediaCaller,
    NodeCaller,
    PersonCaller,
    PublishCaller,
    TicketCaller,
    admission_of,
)
from village_hub.api.contract import Operation, operation, operation_of

routes = web.RouteTableDef()

VERSION = metadata.version("security-village")
DESCRIBED = ("/api/v1/", "/whip/", "/whep/", "/uplink", "/.well-known/", "/healthz", "/readyz")
JSON = "application/json"
PLACE = "#/components/schemas/"
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key again gives the first answer again and does nothing twice.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 120, "pattern": "^[!-~]+$"},
}
WAYS_IN = {
    PersonCaller: ["session", "access"],
    MediaCaller: ["media"],
    HubCaller: ["node"],
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
@operation(status=200)
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
    said = operation_of(route.handler) or Operation()
    found: dict[str, Any] = {
        "operationId": f"{name}_{route.method.lower()}",
        "summary": words.partition(". ")[0].rstrip("."),
        "description": words,
        "parameters": [*_path_parameters(path), *_parameters(said, schemas)],
        "security": [] if name in PUBLIC else _security(route),
        "responses": {
            **_answers(said, schemas),
            **{str(status): _problem(status) for status in sorted(_statuses(route, path, said))},
        },
    }
    if content := _body(said, schemas):
        found["requestBody"] = {"required": said.body_required, "content": content}
    return found


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
        for part in re.findall(r"{(\w+)}", path)
    ]


def _parameters(said: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if said.query is not None:
        schema = said.query.model_json_schema(ref_template=PLACE + "{model}")
        _keep(schemas, schema.pop("$defs", {}))
        needed = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in needed, "schema": each}
            for name, each in schema["properties"].items()
        ]
    if said.creates:
        found.append(IDEMPOTENCY_KEY)
    return found


def _answers(said: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(said.status).phrase}
    if said.answer is not None:
        answer["content"] = {"application/json": {"schema": _reference(said.answer, schemas)}}
    elif said.content != (JSON,):
        answer["content"] = {each: {} for each in said.content}
    others = {str(status): {"description": HTTPStatus(status).phrase} for status in said.also}
    return {str(said.status): answer, **others}


def _statuses(route: web.AbstractRoute, path: str, said: Operation) -> set[int]:
    """What may go wrong: with any operation, with its kind, and with this one."""
    found = {400, 403, 500, 503}  # a token in the URL; plain HTTP; the hub's own failures
    if route.name not in PUBLIC:
        found |= {401, 429} if PersonCaller in admission_of(route.handler).kinds else {401}
    if "{" in path:
        found.add(404)
    if said.body is not None or said.text:
        found |= {408, 413, 415, 422}
    if said.creates:
        found |= {409, 422}
    return found | {error.status for error in said.errors} - {said.status}


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": f"{HTTPStatus(status).phrase} (RFC 9457)",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


def _security(route: web.AbstractRoute) -> list[dict[str, list[str]]]:
    kinds = admission_of(route.handler).kinds
    return [{way: []} for kind in kinds for way in WAYS_IN[kind]]


def _body(said: Operation, schemas: dict[str, Any]) -> dict[str, Any] | None:
    if said.text:
        return {said.text: {"schema": {"type": "string"}}}
    if said.body is None:
        return None
    return {JSON: {"schema": _reference(said.body, schemas)}}


def _reference(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, str]:
    schema = model.model_json_schema(ref_template=PLACE + "{model}")
    name = re.sub(r"\W+", "_", model.__name__).strip("_")
    _keep(schemas, {**schema.pop("$defs", {}), name: schema})
    return {"$ref": PLACE + name}


def _keep(schemas: dict[str, Any], found: Mapping[str, Any]) -> None:
    """Raises ValueError for two models of one name: a reader would take one for the other."""
    for name, schema in found.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two models are called {name}")
