"""SOS and documented emergency through the API, on what the household agreed to (PRM-6, PRM-7)."""

import asyncio
from typing import Any

from tests.hub.consent.home import DAY, Home, ask
from tests.hub.consent.test_giving import sees
from tests.hub.support import OFFER, SDP, Viewer, bearer, until
from village_core.messages import SosRaised
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue.models import Household

PLACE = "110101001201"
MINUTE = 60


async def placed(home: Home) -> None:
    def write(session: Any) -> None:
        session.get_one(Household, home.household).place = PLACE + "007"

    await home.hub.app[keys.CATALOGUE].write(write)


async def station(home: Home) -> tuple[Viewer, Viewer, Viewer]:
    """Three officers of the station that answers for the village."""
    hub = home.hub
    first = await hub.staff(Role.STATION_OFFICER, place=PLACE[:9], name="Li")
    others = [
        await hub.staff(Role.STATION_OFFICER, unit=first.unit, name=name)
        for name in ("Chen", "Zhao")
    ]
    return first, others[0], others[1]


def agreed(home: Home, unit: str) -> dict[str, Any]:
    """A standing wish: in an SOS the station sees the yard."""
    return {
        "kind": "sos",
        "purpose": "sos",
        "actions": ["live", "still"],
        "cameras": [home.yard],
        "recipient": {"unit": unit, "role": "station_officer", "contact": "110"},
        "until": home.hub.clock.utc_ms() + 300 * DAY,
        "why": "出事时请看",
    }


async def raised(home: Home, by: Viewer | None = None) -> Any:
    path = f"/api/v1/households/{home.household}/sos"
    return await ask(home.hub, "POST", path, by or home.owner, None, 201)


async def watches(home: Home, who: Viewer, purpose: str) -> int:
    path = f"/api/v1/cameras/{home.yard}/media-token"
    said = {"purpose": purpose, "reason": "called"}
    token = await home.hub.ask("POST", path, json=said, headers=who.headers)
    if token.status != 200:
        return token.status
    headers = {**bearer((await token.json())["token"]), "Content-Type": SDP}
    answer = await home.hub.ask("POST", f"/whep/{home.yard}", data=OFFER, headers=headers)
    return answer.status


async def test_an_sos_opens_what_the_household_chose_to_whom_it_chose_and_no_longer(
    home: Home,
) -> None:
    await placed(home)
    li, *_ = await station(home)
    stranger = await home.hub.staff(Role.STATION_OFFICER, place="110101005", name="Far")
    await home.give(agreed(home, li.unit))
    assert (await sees(home.hub, li, home.yard, purpose="sos"))[0] == 404
    sos = await raised(home)
    assert (sos["cameras"], sos["state"]) == ([home.yard], "open")
    assert (await sees(home.hub, li, home.yard, purpose="sos"))[0] == 200
    assert (await sees(home.hub, li, home.room, purpose="sos"))[0] == 404
    assert (await sees(home.hub, stranger, home.yard, purpose="sos"))[0] == 404
    home.hub.clock.turn(15 * MINUTE + 1)
    assert (await sees(home.hub, li, home.yard, purpose="sos"))[0] in (403, 404)


async def test_ending_it_cuts_what_was_watched_and_the_household_was_told_of_the_look(
    home: Home,
) -> None:
    """MED-17, MED-18."""
    await placed(home)
    li, *_ = await station(home)
    await home.give(agreed(home, li.unit))
    sos = await raised(home)
    assert await watches(home, li, "sos") == 201
    assert len(home.hub.live.sessions()) == 1
    path = f"/api/v1/sos/{sos['id']}"
    assert (await ask(home.hub, "GET", path, home.owner))["viewed"] is True
    assert (await ask(home.hub, "POST", f"{path}/stop", home.owner))["state"] == "over"
    await home.hub.app[keys.RENEWAL].look()
    assert home.hub.live.sessions() == []
    reason = {"reason": "摔倒了"}
    shown = await ask(home.hub, "POST", f"{path}/give_reason", home.owner, reason)
    assert shown["state"] == "closed"


async def test_without_a_standing_grant_people_are_told_and_nothing_opens(home: Home) -> None:
    await placed(home)
    li, *_ = await station(home)
    sos = await raised(home)
    assert sos["cameras"] == []
    assert (await sees(home.hub, li, home.yard, purpose="sos"))[0] == 404
    listed = await ask(home.hub, "GET", "/api/v1/sos", li)
    assert [each["id"] for each in listed["items"]] == [sos["id"]]
    answer = await home.hub.ask(
        "POST", f"/api/v1/sos/{sos['id']}/coming", headers=li.headers, json={}
    )
    assert answer.status == 204


async def test_pressing_twice_is_one_sos_and_a_stranger_presses_none(home: Home) -> None:
    first, again = await raised(home), await raised(home)
    assert first["id"] == again["id"]
    _, stranger = await home.hub.owner("Li")
    path = f"/api/v1/households/{home.household}/sos"
    await ask(home.hub, "POST", path, stranger, None, 404)
    await ask(home.hub, "GET", f"/api/v1/sos/{first['id']}", stranger, None, 404)


async def test_of_many_who_press_at_once_one_sos_comes(home: Home) -> None:
    """PRM-6: people are called once, and 15 minutes are not opened again beside themselves."""
    every = await asyncio.gather(*(raised(home) for _ in range(6)))
    assert len({each["id"] for each in every}) == 1
    listed = await ask(home.hub, "GET", "/api/v1/sos", home.owner)
    assert len(listed["items"]) == 1


async def test_a_box_tells_of_an_sos_that_is_over_and_of_none_that_is_another_homes(
    home: Home,
) -> None:
    """It tells again until it is answered, and an id is its own choice."""
    hub = home.hub
    first = await raised(home)
    await ask(hub, "POST", f"/api/v1/sos/{first['id']}/stop", home.owner, None, 200)
    other = await hub.enrolled(await hub.household("Li"))
    answers = []
    for agent in (home.agent, other):
        said = SosRaised(id=first["id"], raised_ms=hub.clock.utc_ms(), by="button")
        headers = {**hub.node_token(agent), "Content-Type": "application/json"}
        answer = await hub.ask(
            "POST", "/api/v1/node/sos", data=said.model_dump_json(), headers=headers
        )
        answers.append(answer.status)
    assert answers == [200, 404]


async def test_the_box_s_button_raises_one_and_is_answered_alike_when_it_asks_again(
    home: Home,
) -> None:
    said = SosRaised(id="sos-of-the-box", raised_ms=home.hub.clock.utc_ms(), by="button")
    headers = {**home.hub.node_token(home.agent), "Content-Type": "application/json"}
    answers = []
    for _ in range(2):
        answer = await home.hub.ask(
            "POST", "/api/v1/node/sos", data=said.model_dump_json(), headers=headers
        )
        assert answer.status == 200, await answer.text()
        answers.append(await answer.json())
    assert answers[0] == answers[1]
    assert answers[0]["id"] == "sos-of-the-box"
    listed = await ask(home.hub, "GET", "/api/v1/sos", home.owner)
    assert [each["raised_by"] for each in listed["items"]] == ["button"]


def fire(**more: Any) -> dict[str, Any]:
    words = {"words": "smoke over the roof", "what": "fire", "incident": "110-2026-0042"}
    return {**words, "place": PLACE + "007", **more}


async def test_an_emergency_opens_the_yard_alone_and_is_accounted_for_by_three(
    home: Home,
) -> None:
    await placed(home)
    li, chen, zhao = await station(home)
    hub = home.hub
    opened = await ask(hub, "POST", "/api/v1/emergencies", li, fire(), 201)
    assert opened["cameras"] == 1
    assert (await sees(hub, li, home.yard, purpose="emergency"))[0] == 200
    assert (await sees(hub, li, home.room, purpose="emergency"))[0] == 404
    path = f"/api/v1/emergencies/{opened['id']}"
    refused = await ask(hub, "POST", f"{path}/confirm", li, None, 403)
    assert refused["code"] == "self_approval"
    assert (await ask(hub, "POST", f"{path}/confirm", chen))["state"] == "confirmed"
    assert (await ask(hub, "POST", f"{path}/approve", chen, None, 403))["code"] == "self_approval"
    assert (await ask(hub, "POST", f"{path}/approve", zhao))["state"] == "approved"
    hub.clock.turn(15 * MINUTE + 1)
    assert (await sees(hub, li, home.yard, purpose="emergency"))[0] in (403, 404)
    told = await ask(hub, "GET", "/api/v1/me/notices", home.owner)
    assert "emergency_opened" in {each["kind"] for each in told["items"]}


async def test_who_may_not_open_an_emergency(home: Home) -> None:
    await placed(home)
    li, *_ = await station(home)
    hub = home.hub
    far = await hub.staff(Role.STATION_OFFICER, place="330101001", name="Far")
    clerk = await hub.staff(Role.COMMITTEE, place=PLACE, name="Clerk")
    path = "/api/v1/emergencies"
    assert (await ask(hub, "POST", path, far, fire(), 403))["code"] == "scope"
    assert (await ask(hub, "POST", path, clerk, fire(), 403))["code"] == "not_yours"
    await ask(hub, "POST", path, home.owner, fire(), 403)
    nowhere = fire(place="110101001999")
    assert (await ask(hub, "POST", path, li, nowhere, 422))["code"] == "no_yards"
    await ask(hub, "POST", path, li, fire(incident=""), 422)
    await ask(hub, "POST", path, li, fire(place="110101"), 422)


async def test_the_home_learns_what_is_open_when_it_connects_again(home: Home) -> None:
    await placed(home)
    li, *_ = await station(home)
    asked: list[str] = []
    answer = home.box._answer

    def listening(request: Any) -> Any:
        asked.append(f"{request.method} {request.path}")
        return answer(request)

    home.box._answer = listening  # type: ignore[method-assign]
    await home.give(agreed(home, li.unit))
    sos = await raised(home)
    await until(lambda: f"PUT /openings/{sos['id']}" in asked)
    await ask(home.hub, "POST", f"/api/v1/sos/{sos['id']}/stop", home.owner)
    await until(lambda: f"DELETE /openings/{sos['id']}" in asked)
