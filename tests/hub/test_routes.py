"""No route answers a stranger, and the few that do are listed (PRM-1)."""

import re
from pathlib import Path

from aiohttp import web

from tests.hub.conftest import open_fake
from tests.hub.support import Hub, small_config
from village_hub.access.guard import PUBLIC
from village_hub.app import make_app


def every_route() -> list[tuple[str, str, str | None]]:
    app = make_app(small_config(Path("nowhere")), open_fake)
    return sorted(
        {
            (route.method, route.resource.canonical, route.name)
            for route in app.router.routes()
            if route.resource is not None
        },
        key=str,
    )


ROUTES = every_route()


def sample(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "x", path)


async def test_a_stranger_is_turned_away(hub: Hub) -> None:
    """By every route, one after the other: a new one is covered the day that it is added."""
    let_in = []
    for method, path, name in ROUTES:
        response = await hub.ask(method, sample(path))
        turned_away = response.status == 401
        challenged = response.headers.get("WWW-Authenticate", "").startswith("Bearer")
        if turned_away is (name in PUBLIC) or (turned_away and not challenged):
            let_in.append((method, path, response.status))
    assert let_in == []


async def test_a_cookie_nobody_gave_opens_nothing(hub: Hub) -> None:
    opened = []
    for method, path, name in ROUTES:
        response = await hub.ask(method, sample(path), headers={"Cookie": "village=made-up"})
        if name not in PUBLIC and response.status != 401:
            opened.append((method, path, response.status))
    assert opened == []


def test_every_public_route_exists_and_every_route_has_a_name() -> None:
    names = {name for _, _, name in ROUTES}
    assert names >= PUBLIC
    assert None not in names


def test_what_is_public_never_changes_a_camera_or_shows_one() -> None:
    shown = {path for _, path, name in ROUTES if name in PUBLIC}
    opening = {path for path in shown if path.startswith(("/whip", "/whep"))}
    public_media = {route for route in ROUTES if route[1] in opening and route[2] in PUBLIC}
    assert {method for method, _, _ in public_media} == {"OPTIONS"}
    assert not any("/cameras" in path or "/node" in path for path in shown)


async def test_an_address_that_is_not_there_is_404_for_anybody(hub: Hub) -> None:
    response = await hub.ask("GET", "/api/v1/nothing")
    assert response.status == 404
    assert response.content_type == "application/problem+json"


async def test_a_token_in_the_url_is_refused_and_not_used(hub: Hub) -> None:
    """MED-3."""
    response = await hub.ask("POST", "/whep/x?access_token=abc")
    assert response.status == 400
    assert (await response.json())["code"] == "token_in_url"


def test_an_application_can_be_made_without_starting_it(tmp_path: Path) -> None:
    assert isinstance(make_app(small_config(tmp_path), open_fake), web.Application)
    assert list(tmp_path.iterdir()) == []
