"""No is safe: whoever asks reads the same bytes after a no, after silence, and after a yes
(PRM-20)."""

from typing import Any

from tests.hub.consent.home import Home, ask, new_home
from tests.hub.consent.test_giving import son
from tests.hub.support import Hub, Viewer
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import notices
from village_hub.notices.kinds import Outcome

WISH = {"kind": "away_watch", "purpose": "guard_home", "actions": ["live"], "why": "外出看家"}


async def asked(hub: Hub, household: str, who: Viewer, status: int = 201) -> Any:
    return await ask(hub, "POST", f"/api/v1/households/{household}/grant-asks", who, WISH, status)


async def read(hub: Hub, who: Viewer, made: Any) -> tuple[int, bytes, dict[str, str]]:
    """All that the asker can see of one ask; its own ids and times taken out."""
    answer = await hub.ask("GET", f"/api/v1/grant-asks/{made['id']}", headers=who.headers)
    body = await answer.read()
    for own in (made["id"], made["household"], str(made["created"]), str(made["expires"])):
        body = body.replace(own.encode(), b"-")
    headers = {name: text for name, text in answer.headers.items() if name != "Date"}
    return answer.status, body, headers


async def test_no_silence_and_yes_look_the_same_to_the_asker(home: Home) -> None:
    hub, silent, willing = home.hub, await new_home(home.hub), await new_home(home.hub)
    clerk = await hub.staff(Role.COMMITTEE, name="Chen")
    made = [await asked(hub, each.household, clerk) for each in (home, silent, willing)]
    listed = f"/api/v1/households/{home.household}/grant-asks"
    (shown,) = (await ask(hub, "GET", listed, home.owner))["asks"]
    assert (shown["name"], shown["wish"]["why"]) == ("Chen", "外出看家")
    await ask(hub, "POST", f"/api/v1/grant-asks/{made[0]['id']}/no", home.owner, {}, 204)
    wish = willing.watch(clerk.unit, ask=made[2]["id"])
    await willing.confirm(await willing.draft(wish))
    answers = [await read(hub, clerk, each) for each in made]
    assert answers[0] == answers[1] == answers[2]
    assert b'"state":"asked"' in answers[0][1]
    again = [await asked(hub, each["household"], clerk, 409) for each in made]
    assert [each["code"] for each in again] == ["asked_already"] * 3
    hub.clock.turn(7 * 24 * 3600 + 1)
    later = await hub.on_duty(await hub.appointed(clerk.person, Role.COMMITTEE, clerk.unit))
    over = [await read(hub, later, each) for each in made]
    assert over[0] == over[1] == over[2]
    assert b'"state":"over"' in over[0][1]


async def test_an_answered_ask_is_gone_from_the_households_list_only(home: Home) -> None:
    hub, neighbour = home.hub, await son(home.hub, "Zhao")
    made = await asked(hub, home.household, neighbour)
    await ask(hub, "POST", f"/api/v1/grant-asks/{made['id']}/no", home.owner, {}, 204)
    listed = f"/api/v1/households/{home.household}/grant-asks"
    assert (await ask(hub, "GET", listed, home.owner))["asks"] == []
    mine = await ask(hub, "GET", "/api/v1/me/grant-asks", neighbour)
    assert [each["id"] for each in mine["items"]] == [made["id"]]


async def test_others_hear_of_no_ask(home: Home) -> None:
    hub, neighbour, other = home.hub, await son(home.hub, "Zhao"), await son(home.hub, "Qian")
    made = await asked(hub, home.household, neighbour)
    for method, path in (("GET", ""), ("POST", "/no")):
        answer = await hub.ask(
            method, f"/api/v1/grant-asks/{made['id']}{path}", headers=other.headers
        )
        assert (answer.status, (await answer.json())["code"]) == (404, "no_such_ask")
    await ask(hub, "GET", f"/api/v1/households/{home.household}/grant-asks", neighbour, None, 404)


async def test_a_phone_key_says_no_and_nothing_else(home: Home) -> None:
    """PRM-23."""
    hub, neighbour = home.hub, await son(home.hub, "Zhao")
    made = await asked(hub, home.household, neighbour)
    catalogue, consent = hub.app[keys.CATALOGUE], hub.app[keys.CONSENT]
    (notice,) = await catalogue.read(notices.about, "grant_ask", made["id"])
    await consent.asking.by_key(notice, Outcome.STOP)
    listed = f"/api/v1/households/{home.household}/grant-asks"
    assert len((await ask(hub, "GET", listed, home.owner))["asks"]) == 1
    await consent.asking.by_key(notice, Outcome.NO)
    assert (await ask(hub, "GET", listed, home.owner))["asks"] == []


async def test_a_phone_key_stops_a_grant(home: Home) -> None:
    """PRM-23: on the owner's notice, not on the recipient's."""
    hub, ming = home.hub, await son(home.hub)
    grant = await home.give(home.family(ming.person))
    rows = await hub.app[keys.CATALOGUE].read(notices.about, "grant", grant)
    stopping = hub.app[keys.CONSENT].stopping
    for whom, status in (("recipient", "valid"), ("owner", "stopped")):
        (row,) = [each for each in rows if each.whom == whom]
        await stopping.by_key(row, Outcome.NO)
        await stopping.by_key(row, Outcome.STOP)
        shown = await ask(hub, "GET", f"/api/v1/grants/{grant}", home.owner)
        assert shown["status"] == status
