"""Another project's fuzzer over the API's own description, with every role's session: no 5xx, no
status and no answer that is not described (schemathesis); and a second person's ids everywhere."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.hub.support import Hub, small_config
from tests.hub.test_matrix_end_to_end import World, world
from village_hub.api.openapi import describe
from village_hub.config import Config, DatabaseConfig, LimitsConfig

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Not plain requests: a WebSocket, and what ends the session that the test goes on with.
LEFT_OUT = {"uplink_get", "sign_out_post", "end_my_sign_in_delete"}
IN_EVERY_RUN = ("owner", "committee", "auditor")
ALL: tuple[str, ...] = (
    "owner",
    "member",
    "neighbour",
    "committee",
    "carer",
    "township",
    "station_officer",
)
ALL += ("bureau_officer", "engineer", "auditor", "admin")


def fuzz(schema: Any, url: str, headers: Mapping[str, str], examples: int) -> list[str]:
    """What went wrong, a line each. Runs in a thread."""
    wrong: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        bodies = set(operation.get_request_payload_content_types())
        if operation.definition.raw["operationId"] in LEFT_OUT or bodies - {"application/json"}:
            continue  # SDP, fragments and pictures are fuzzed in tests of their own

        @given(case=operation.as_strategy())
        @settings(
            max_examples=examples,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def attempt(case: Any) -> None:
            try:
                case.call_and_validate(base_url=url, headers=dict(headers), checks=CHECKS)
            except FailureGroup as failures:
                why = "; ".join(str(each) for each in failures.exceptions)
                wrong.append(f"{case.method} {case.path}: {why}"[:600])

        attempt()
        if len(wrong) > 5:
            break
    return wrong


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Config:
    """Whoever fuzzes calls more often than people do."""
    limits, database = LimitsConfig(calls_per_minute=1_000_000), DatabaseConfig(url=database_url)
    return small_config(tmp_path, limits=limits, database=database)


@pytest.mark.parametrize(
    ("role", "examples"),
    [
        *((role, 2) for role in IN_EVERY_RUN),
        *(pytest.param(role, 12, marks=pytest.mark.slow) for role in ALL),
    ],
)
@pytest.mark.timeout(600)
async def test_whatever_is_sent_is_answered_as_described(
    hub: Hub, role: str, examples: int
) -> None:
    there = await world(hub)
    schema = from_dict(describe(hub.app))
    url = str(hub.client.make_url("/")).rstrip("/")
    headers = there.people[role].headers
    wrong = await asyncio.to_thread(fuzz, schema, url, headers, examples)
    assert not wrong, "\n".join(wrong)


def belongings(there: World) -> dict[str, str]:
    """Ids of the first household's things, by the name that paths give them."""
    camera = next(iter(there.cameras.values()))
    owner = there.people["owner"]
    return {"camera": camera, "person": owner.person, "sign_in": owner.sign_in}


async def test_a_second_persons_ids_open_nothing(hub: Hub) -> None:
    """IDOR: the owner's ids, in every address that takes one, by everybody whose they are not."""
    there = await world(hub)
    theirs = belongings(there)
    opened = []
    for route in list(hub.app.router.routes()):
        path = route.resource.canonical if route.resource else ""
        names = re.findall(r"{(\w+)}", path)
        if not set(names) & set(theirs) or not path.startswith("/api/v1/"):
            continue
        filled = re.sub(r"{(\w+)}", lambda found: theirs.get(found[1], "x"), path)
        for name in ("neighbour", "carer", "station_officer", "bureau_officer", "auditor"):
            headers = there.people[name].headers
            answer = await hub.ask(route.method, filled, json={}, headers=headers)
            if answer.status < 400:
                opened.append((route.method, path, name, answer.status))
    assert opened == []
