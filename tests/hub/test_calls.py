"""How often one session may call: enough for a wall of screens, too little to copy a village."""

from pathlib import Path

import pytest

from tests.hub.support import Hub, small_config
from village_hub.access.guard import NEVER_TOO_MANY
from village_hub.config import Config, LimitsConfig


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small_config(tmp_path, limits=LimitsConfig(calls_per_minute=10))


async def test_a_session_that_calls_too_often_has_to_wait_and_no_other(hub: Hub) -> None:
    household, viewer = await hub.owner()
    other = await hub.sign_in(await hub.person(household, "Li"))
    for _ in range(10):
        assert (await hub.ask("GET", "/api/v1/me", headers=viewer.headers)).status == 200
    refused = await hub.ask("GET", "/api/v1/cameras", headers=viewer.headers)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "6")
    assert (await hub.ask("GET", "/api/v1/cameras", headers=other.headers)).status == 200
    hub.clock.turn(6)
    assert (await hub.ask("GET", "/api/v1/cameras", headers=viewer.headers)).status == 200


async def test_a_token_made_from_a_session_counts_as_the_session(hub: Hub) -> None:
    _, viewer = await hub.owner()
    answer = await hub.ask("POST", "/api/v1/me/access-token", headers=viewer.headers)
    token = {"Authorization": f"Bearer {(await answer.json())['token']}"}
    for number in range(9):
        headers = token if number % 2 else viewer.headers
        assert (await hub.ask("GET", "/api/v1/me", headers=headers)).status == 200
    for headers in (token, viewer.headers):
        assert (await hub.ask("GET", "/api/v1/me", headers=headers)).status == 429


async def test_calling_for_help_and_stopping_wait_for_nobody(hub: Hub) -> None:
    household, viewer = await hub.owner()
    for _ in range(11):
        await hub.ask("GET", "/api/v1/me", headers=viewer.headers)
    for method, path in (
        ("POST", f"/api/v1/households/{household}/sos"),
        ("POST", "/api/v1/grants/x/stop"),
        ("DELETE", "/api/v1/me/sign-ins/x"),
        ("POST", "/api/v1/sign-out"),
    ):
        answer = await hub.ask(method, path, json={}, headers=viewer.headers)
        assert answer.status != 429, path
    assert {route.name for route in hub.app.router.routes()} >= NEVER_TOO_MANY
