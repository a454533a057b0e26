"""The API's description is made from its routes, and says what they do."""

import re
from typing import Any

import pytest

from tests.hub.support import Hub
from village_hub.access.guard import PUBLIC
from village_hub.api.contract import operation_of
from village_hub.api.openapi import DESCRIBED


@pytest.fixture
async def described(hub: Hub) -> dict[str, Any]:
    response = await hub.ask("GET", "/api/openapi.json")
    assert response.status == 200
    found: dict[str, Any] = await response.json()
    return found


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, each)
        for path, methods in described["paths"].items()
        for method, each in methods.items()
    ]


async def test_every_operation_says_what_it_does_and_who_may(described: dict[str, Any]) -> None:
    for path, method, each in operations(described):
        assert each["summary"], (path, method)
        name = each["operationId"].removesuffix(f"_{method}")
        assert bool(each["security"]) is (name not in PUBLIC), (path, method)
        for way in each["security"]:
            assert set(way) <= set(described["components"]["securitySchemes"])
        for status, response in each["responses"].items():
            if int(status) >= 400:
                assert response["content"].keys() == {"application/problem+json"}


def test_every_route_that_is_described_says_what_it_takes_and_gives(hub: Hub) -> None:
    silent = {
        route.name
        for route in hub.app.router.routes()
        if route.resource
        and route.resource.canonical.startswith(DESCRIBED)
        and not operation_of(route.handler)
    }
    assert silent == set()


async def test_operation_ids_are_unique(described: dict[str, Any]) -> None:
    names = [each["operationId"] for _, _, each in operations(described)]
    assert len(names) == len(set(names))


async def test_every_model_that_is_named_exists(hub: Hub, described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    said = [operation_of(route.handler) for route in hub.app.router.routes()]
    models = {each.body for each in said if each} | {each.answer for each in said if each}
    names = {re.sub(r"\W+", "_", model.__name__).strip("_") for model in models if model}
    assert names <= set(schemas)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [ref for inner in value.values() for ref in references(inner)]
        return (
            [ref for each in value for ref in references(each)] if isinstance(value, list) else []
        )

    for reference in references(described):
        assert reference.removeprefix("#/components/schemas/") in schemas


async def test_whep_takes_sdp_from_holders_of_a_media_token(described: dict[str, Any]) -> None:
    post = described["paths"]["/whep/{camera}"]["post"]
    assert list(post["requestBody"]["content"]) == ["application/sdp"]
    assert post["security"] == [{"media": []}]
    assert post["parameters"][0]["name"] == "camera"
