"""Which operations of the API cross hubs: what staff above do about matters of a village, which its
own hub keeps and decides."""

import json
from typing import Any

from aiohttp import web

MATTERS = {  # kind of matter -> the last part of its path
    "request": "requests",
    "preserve": "preserves",
    "public_ask": "public-asks",
    "emergency": "emergencies",
    "sos": "sos",
}
PATHS = tuple(f"/api/v1/{path}" for path in MATTERS.values())
PLACE_OF = {  # route names -> where the body says which place it is about
    "add_request": ("place",),
    "add_preserve": ("area", "place"),
    "add_public_ask": ("area", "place"),
    "open_emergency": ("place",),
}


def crosses(request: web.Request) -> bool:
    """Whether another hub may call this for its people: one matter, or the beginning of one."""
    route = request.match_info.route
    if route.name in PLACE_OF:
        return True
    canonical = route.resource.canonical if route.resource else ""
    return "matter" in request.match_info and canonical.startswith(PATHS)


def place_of(request: web.Request, body: bytes) -> str:
    """The administrative code that the body names; "" when it names none: its handler says so."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in PLACE_OF[request.match_info.route.name or ""]:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
