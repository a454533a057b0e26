"""A household's own people: its owner's to add and remove; any adult's to help (matrix: own
members)."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.hub.support import OFFER, SDP, Hub, Viewer
from village_core.permits import Role


async def ask(hub: Hub, viewer: Viewer, method: str, path: str, body: Any = None) -> ClientResponse:
    more = {} if body is None else {"json": body}
    return await hub.ask(method, path, headers=viewer.headers, **more)


async def refusal(response: ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["code"]


def of(household: str, person: str = "") -> str:
    path = f"/api/v1/households/{household}/members"
    return f"{path}/{person}" if person else path


async def test_an_owner_adds_a_member_who_signs_in_by_the_code(hub: Hub) -> None:
    household, owner = await hub.owner()
    response = await ask(hub, owner, "POST", of(household), {"name": "Son", "adult": False})
    assert response.status == 201
    made = await response.json()
    entered = await hub.ask("POST", "/api/v1/sign-in", json={"code": made["code"]})
    assert (await entered.json())["person"]["id"] == made["person"]
    hub.client.session.cookie_jar.clear()
    listed = await (await ask(hub, owner, "GET", of(household))).json()
    assert [(row["name"], row["owner"], row["adult"]) for row in listed["items"]] == [
        ("Fang", True, True),
        ("Son", False, False),
    ]


async def test_a_household_does_not_fill_the_books(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("village_hub.access.households.MOST_MEMBERS", 2)
    household, owner = await hub.owner()
    assert (await ask(hub, owner, "POST", of(household), {"name": "Son"})).status == 201
    more = await ask(hub, owner, "POST", of(household), {"name": "Sun"})
    assert await refusal(more) == (409, "too_many_members")


async def test_a_member_adds_and_removes_nobody(hub: Hub) -> None:
    household, owner = await hub.owner()
    member = await hub.sign_in(await hub.member(household))
    assert (await ask(hub, member, "POST", of(household), {"name": "X"})).status == 403
    assert (await ask(hub, member, "DELETE", of(household, owner.person))).status == 403
    wish = {"adult": True, "delegated": True}
    assert (await ask(hub, member, "PATCH", of(household, member.person), wish)).status == 403


async def test_another_household_and_staff_on_duty_learn_nothing(hub: Hub) -> None:
    household, owner = await hub.owner()
    _, other = await hub.owner("Li")
    unit = await hub.unit("committee")
    on_duty = await hub.on_duty(await hub.appointed(owner.person, Role.COMMITTEE, unit))
    for viewer in (other, on_duty, await hub.staff(Role.ADMIN)):
        for method, path in (
            ("GET", of(household)),
            ("DELETE", of(household, owner.person)),
            ("POST", of(household, owner.person) + "/sign-out"),
        ):
            response = await ask(hub, viewer, method, path)
            assert await refusal(response) == (404, "no_such_household")


async def test_an_adult_ends_another_members_sessions(hub: Hub) -> None:
    """A lost phone."""
    household, owner = await hub.owner()
    aunt = await hub.sign_in(await hub.member(household, "Aunt"))
    child = await hub.sign_in(await hub.member(household, "Son", adult=False))
    path = of(household, owner.person) + "/sign-out"
    assert await refusal(await ask(hub, child, "POST", path)) == (403, "not_adult")
    assert (await ask(hub, owner, "GET", "/api/v1/me")).status == 200
    assert (await ask(hub, aunt, "POST", path)).status == 204
    assert (await ask(hub, owner, "GET", "/api/v1/me")).status == 401


async def test_a_session_on_duty_is_no_household_members_to_end(hub: Hub) -> None:
    household, owner = await hub.owner()
    member = await hub.member(household, "Chen")
    unit = await hub.unit("committee")
    on_duty = await hub.on_duty(await hub.appointed(member, Role.COMMITTEE, unit))
    assert (await ask(hub, owner, "POST", of(household, member) + "/sign-out")).status == 204
    assert (await ask(hub, on_duty, "GET", "/api/v1/me")).status == 200


async def test_delegation_is_the_owners_to_give_and_take(hub: Hub) -> None:
    household, owner = await hub.owner()
    camera, _ = await hub.push_camera(household)
    member = await hub.sign_in(await hub.member(household))

    async def sees() -> bool:
        token = await hub.media_token(member, camera)
        headers = {**token, "Content-Type": SDP}
        response = await hub.ask("POST", f"/whep/{camera}", data=OFFER, headers=headers)
        return response.status == 201

    assert not await sees()
    for delegated in (True, False):
        wish = {"adult": True, "delegated": delegated}
        changed = await ask(hub, owner, "PATCH", of(household, member.person), wish)
        assert changed.status == 204
        assert await sees() is delegated
    none = await ask(hub, owner, "PATCH", of(household, "x"), {"adult": True, "delegated": True})
    assert await refusal(none) == (404, "no_such_member")


async def test_a_member_who_was_removed_is_nothing_to_the_household(hub: Hub) -> None:
    household, owner = await hub.owner()
    member = await hub.sign_in(await hub.member(household, delegated=True))
    own = await ask(hub, owner, "DELETE", of(household, owner.person))
    assert await refusal(own) == (409, "is_owner")
    assert (await ask(hub, owner, "DELETE", of(household, member.person))).status == 204
    assert (await ask(hub, member, "GET", of(household))).status == 404
