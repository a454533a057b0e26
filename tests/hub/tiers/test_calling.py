"""Matters across hubs: a request of the county's police is kept and decided in the village, and
done by the county's own people from their own hub (PRM-8, PRM-18, IDN-7, IDN-8)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.cases.story import AREA, PDF
from tests.hub.support import Hub, bearer
from tests.hub.tiers.staffed import Tree, staffed
from tests.support.tree import COUNTY, WEST
from village_core.calls import PART, call_digest, content_digest, exchange_call
from village_core.permits import Role
from village_core.tokens import Issuer
from village_hub import keys
from village_hub.access.facts import Subject
from village_hub.access.identity import claims_of
from village_hub.catalogue import matters
from village_hub.catalogue.matters import Wanted
from village_hub.catalogue.store import Session


@pytest.fixture
async def tree(tmp_path: Path) -> AsyncIterator[Tree]:
    async with staffed(tmp_path) as found:
        yield found


async def test_a_request_of_the_county_reaches_the_household_and_its_answer_the_officer(
    tree: Tree,
) -> None:
    """PRM-8: kept in the village alone; each of the county acts in their own name."""
    path = await tree.filed(PDF + b"1" * (2 * PART + 7))
    assert await tree.code("li", f"{path}/approve") == "403 not_yours"
    assert (await tree.ask("zhao", "GET", f"{path}/scan"))[1] == PDF + b"1" * (2 * PART + 7)
    assert (await tree.do("zhao", f"{path}/approve"))["state"] == "approved"
    status, seen = await tree.ask("wang", "GET", path)
    assert (status, seen["asked_by"]["name"]) == (200, "li")
    await tree.do("wang", f"{path}/countersign", json={"household": tree.home, "words": "yes"})
    status, seen = await tree.ask("li", "GET", path)
    assert (status, seen["state"]) == (200, "answered")
    assert [part["answer"] for part in seen["parts"]] == ["countersigned"]
    entries = await tree.entries(tree.west)
    county = tree.county.id
    assert (county, "li", "request_filed") in entries
    assert (county, "zhao", "request_approved") in entries
    (row,) = (await tree.ask("chen", "GET", "matters-below"))[1]["items"]
    assert f"{row['kind']}/{row['id']}" == path
    assert (row["hub"], row["place"]) == (tree.west.id, WEST)
    for hub in (tree.county, tree.town):
        assert await hub.app[keys.CATALOGUE].read(_matters) == 0


def _matters(session: Session) -> int:
    return len(matters.everything(session, Wanted(("request",), 9)))


async def test_versions_keys_and_refusals_are_those_of_the_village(tree: Tree) -> None:
    path = await tree.filed()
    stale = {"If-Match": '"1"'}
    status, body = await tree.ask("zhao", "POST", f"{path}/approve", headers=stale)
    assert (status, body["code"]) == (412, "matter_moved")
    assert await tree.code("li", "requests", json=tree.terms(place="120000")) == "403 scope"
    assert (await tree.ask("li", "POST", "requests", json={"place": WEST}))[0] == 422
    key = {"Idempotency-Key": "the same key"}
    first = await tree.ask("li", "POST", "requests", json=tree.terms(), headers=key)
    assert await tree.ask("li", "POST", "requests", json=tree.terms(), headers=key) == first
    preserve = {"incident": "110-0042", "area": {**AREA, "place": WEST}, **tree.window()}
    made = await tree.do("li", "preserves", json=preserve)
    assert (await tree.ask("wang", "GET", f"preserves/{made['id']}"))[0] == 200
    assert (await tree.do("zhao", f"preserves/{made['id']}/confirm"))["state"] == "confirmed"


async def test_who_has_no_part_in_it_learns_nothing(tree: Tree) -> None:
    """PRM-2: also not from above."""
    path = await tree.filed()
    assert (await tree.ask("gu", "GET", path))[0] == 404
    assert await tree.code("gu", f"{path}/approve") == "404 no_such_matter"
    assert (await tree.ask("gu", "GET", "matters-below"))[1]["items"] == []
    assert (await tree.ask("clerk", "GET", "matters-below"))[1]["items"] == []
    assert (await tree.ask("wang", "GET", "matters-below"))[0] == 403
    assert (await tree.ask("li", "GET", "requests/no-such-matter"))[0] == 404


async def test_a_line_that_is_down_is_said(tree: Tree) -> None:
    path = await tree.filed()
    await tree.west.app[keys.SUPERVISOR].end("uplink")
    for _ in range(100):
        if not tree.town.app[keys.CHILDREN].online(tree.west.id):
            break
        await tree.west.clock.sleep(0.05)
    status, body = await tree.ask("zhao", "GET", path)
    assert (status, body["code"]) == (409, "hub_offline")


async def forged(tree: Tree, token: str, path: str = "/api/v1/requests/x") -> int:
    answer = await tree.west.ask("GET", path, headers=bearer(token))
    return answer.status


async def test_a_token_is_for_one_call_of_one_issuer_to_one_node(tree: Tree) -> None:
    """IDN-3, IDN-4, IDN-8."""
    path = "/api/v1/" + await tree.filed()
    _, li = tree.people["li"]
    subject = Subject(
        issuer=tree.county.id,
        id=li.person,
        unit=li.unit,
        roles=frozenset({Role.BUREAU_OFFICER}),
        place=COUNTY,
    )

    def token(hub: Hub, audience: str, where: str = path, **more: Any) -> str:
        issuer = Issuer(more.get("name", hub.id), hub.app[keys.NODE].key, hub.clock)
        digest = call_digest(more.get("method", "GET"), where, {}, "")
        said = {**claims_of(subject), **more.get("said", {})}
        return exchange_call(issuer, audience, subject.id, said, digest)

    west = tree.west.id
    assert await forged(tree, token(tree.county, west), path) == 200
    assert await forged(tree, token(tree.county, west), "/api/v1/me") == 401
    assert await forged(tree, token(tree.county, west), f"{path}/scan") == 401
    assert await forged(tree, token(tree.county, west), f"{path}?x=1") == 401
    assert await forged(tree, token(tree.county, west, method="POST"), path) == 401
    assert await forged(tree, token(tree.county, tree.town.id), path) == 401
    assert await forged(tree, token(tree.town, west, name=tree.county.id), path) == 401
    beyond = {"roles": ["bureau_officer"], "place": COUNTY}
    assert await forged(tree, token(tree.town, west, said=beyond), path) == 401
    no_roles: dict[str, Any] = {"roles": [], "unit": None, "place": None}
    assert await forged(tree, token(tree.county, west, said=no_roles), path) == 401
    late = token(tree.county, west)
    tree.west.clock.turn(200)
    assert await forged(tree, late, path) == 401


async def test_a_body_that_a_hub_on_the_way_changed_is_refused(tree: Tree) -> None:
    made = await tree.do("li", "requests", json=tree.terms())
    path = f"/api/v1/requests/{made['id']}/scan"
    _, li = tree.people["li"]
    subject = Subject(
        issuer=tree.county.id,
        id=li.person,
        unit=li.unit,
        roles=frozenset({Role.BUREAU_OFFICER}),
        place=COUNTY,
    )
    issuer = Issuer(tree.county.id, tree.county.app[keys.NODE].key, tree.county.clock)
    said = content_digest(PDF)
    token = exchange_call(
        issuer, tree.west.id, subject.id, claims_of(subject), call_digest("PUT", path, {}, said)
    )
    headers = {**bearer(token), "Content-Type": "application/pdf", "Content-Digest": said}
    answer = await tree.west.ask("PUT", path, data=PDF + b"x", headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (400, "bad_digest")
    assert (await tree.west.ask("PUT", path, data=PDF, headers=headers)).status == 200
