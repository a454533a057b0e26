"""Owners and their ways in: nobody makes one alone, and none of it is silent (IDN-13, IDN-16)."""

from tests.hub.support import Hub, Viewer
from tests.hub.test_acts import ask, asked, confirm, log, refusal
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import people


async def told(hub: Hub, viewer: Viewer) -> list[tuple[str, str]]:
    found = await (await ask(hub, viewer, "GET", "/api/v1/me/notices?language=en")).json()
    return [(item["kind"], item["text"]) for item in found["items"]]


async def lines(hub: Hub, viewer: Viewer) -> list[str]:
    """Of the household's log, in English."""
    headers = {**viewer.headers, "Accept-Language": "en"}
    found = await (await hub.ask("GET", "/api/v1/me/log", headers=headers)).json()
    return [item["text"] for item in found["items"]]


async def enter(hub: Hub, code: str) -> Viewer:
    response = await hub.ask("POST", "/api/v1/sign-in", json={"code": code})
    assert response.status == 200, await response.text()
    secret = response.cookies["village"].value
    hub.client.session.cookie_jar.clear()
    person = (await response.json())["person"]["id"]
    return Viewer(person, {"Cookie": f"village={secret}", "Origin": hub.origin})


async def test_an_owner_takes_an_admin_and_a_second_person(hub: Hub) -> None:
    """Who is there already hears of it at once, and reads it in the household's log."""
    household, owner = await hub.owner()
    admin, clerk = await hub.staff(Role.ADMIN, name="Wu"), await hub.staff(Role.COMMITTEE)
    path = f"/api/v1/households/{household}/owners"
    assert (await ask(hub, clerk, "POST", path, {"name": "Li"})).status == 403
    assert (await ask(hub, owner, "POST", path, {"name": "Li"})).status == 403
    act = await asked(hub, admin, "POST", path, {"name": "Li"})
    assert await refusal(await confirm(hub, admin, act)) == (403, "self_approval")
    auditor = await hub.staff(Role.AUDITOR, name="An")
    assert await refusal(await confirm(hub, auditor, act)) == (403, "second")
    owners = await hub.app[keys.CATALOGUE].read(people.owners, household)
    assert owners == {owner.person}
    made = (await (await confirm(hub, clerk, act)).json())["made"]
    owners = await hub.app[keys.CATALOGUE].read(people.owners, household)
    assert owners == {owner.person, made}
    ((kind, text),) = await told(hub, owner)
    assert kind == "owner_added"
    assert text.startswith("Li was made an owner of Wang by Wu/Chen. If this is wrong, tell")
    said = await lines(hub, owner)
    assert any("an owner of the household was added" in line for line in said), said
    nowhere = await ask(hub, admin, "POST", "/api/v1/households/x/owners", {"name": "Li"})
    assert await refusal(nowhere) == (404, "no_such_household")


async def test_a_code_takes_two_clerks(hub: Hub) -> None:
    """The window's way; what the person has open stays open."""
    _, owner = await hub.owner()
    admin = await hub.staff(Role.ADMIN)
    clerk, other = await hub.staff(Role.COMMITTEE), await hub.staff(Role.COMMITTEE, name="Sun")
    path = f"/api/v1/people/{owner.person}/sign-in-code"
    assert (await ask(hub, admin, "POST", path, {})).status == 403
    act = await asked(hub, clerk, "POST", path, {})
    assert (await confirm(hub, clerk, act)).status == 403
    assert (await confirm(hub, admin, act)).status == 403
    code = (await (await confirm(hub, other, act)).json())["code"]
    entered = await enter(hub, code)
    assert (await ask(hub, owner, "GET", "/api/v1/me")).status == 200
    assert (await ask(hub, entered, "GET", "/api/v1/me")).status == 200
    act = await asked(hub, clerk, "POST", path, {"typed": True})
    typed = (await (await confirm(hub, other, act)).json())["code"]
    assert len(typed.replace("-", "")) == 8
    hub.clock.turn(601)
    late = await hub.ask("POST", "/api/v1/sign-in", json={"code": typed})
    assert late.status == 404


async def test_coming_in_by_a_code_is_told_to_the_household(hub: Hub) -> None:
    """So that nobody comes in as somebody silently: on the page, by text, and in its log."""
    household, owner = await hub.owner("Fang")
    assert await told(hub, owner) == []  # their own first time: whom else to tell?
    again = await hub.sign_in(owner.person)
    sentence = (
        "Fang signed in to Wang with a code. If it was not them, sign them out on the page and "
        "tell the committee."
    )
    assert await told(hub, again) == [("code_used", sentence)]
    new = await hub.sign_in(await hub.person(household, "Li"))
    assert [kind for kind, _ in await told(hub, owner)] == ["code_used", "code_used"]
    assert (await told(hub, owner))[0][1].startswith("Li signed in to Wang")
    said = await lines(hub, new)
    assert sum("signed in with a code" in line for line in said) == 2, said


async def test_signing_in_and_out_is_in_the_log(hub: Hub) -> None:
    _, owner = await hub.owner()
    second = await hub.sign_in(owner.person)
    assert (await ask(hub, second, "POST", "/api/v1/sign-out")).status == 204
    listed = await (await ask(hub, owner, "GET", "/api/v1/me/sign-ins")).json()
    (mine,) = listed["sign_ins"]
    path = f"/api/v1/me/sign-ins/{mine['id']}"
    assert (await ask(hub, owner, "DELETE", path)).status == 204
    found = [entry for entry in await log(hub) if entry.action.startswith("sign_")]
    assert [entry.action for entry in found] == [
        *("sign_in.code", "sign_in.code", "sign_out", "sign_out")
    ]
    assert all(entry.who and entry.who.id == owner.person for entry in found)
    assert all(entry.source == "127.0.0.1" and entry.device for entry in found)
    assert found[3].about["session_id"] == mine["id"]


async def test_sessions_that_end_with_others_are_in_the_log(hub: Hub) -> None:
    """Signing the others out, and a browser that is given another session."""
    _, owner = await hub.owner()
    second = await hub.sign_in(owner.person)
    third = await hub.sign_in(owner.person)
    listed = await (await ask(hub, third, "GET", "/api/v1/me/sign-ins")).json()
    here = [each["id"] for each in listed["sign_ins"] if each["this"]]
    others = [each["id"] for each in listed["sign_ins"] if not each["this"]]
    assert (await ask(hub, third, "DELETE", "/api/v1/me/sign-ins")).status == 204
    assert (await ask(hub, second, "GET", "/api/v1/me")).status == 401
    code = await hub.code(owner.person)
    again = {"json": {"code": code}, "headers": third.headers}
    assert (await hub.ask("POST", "/api/v1/sign-in", **again)).status == 200
    found = [entry for entry in await log(hub) if entry.action == "sign_out"]
    ended = [entry.about["session_id"] for entry in found]
    assert sorted(ended[:2]) == sorted(others)
    assert ended[2:] == here
    assert all(entry.source == "127.0.0.1" and entry.device for entry in found)


async def test_failed_sign_ins_are_counted_in_the_log(hub: Hub) -> None:
    """By network and minute, so that a flood of them fills no disk."""
    for _ in range(3):
        assert (await hub.ask("POST", "/api/v1/sign-in", json={"code": "x" * 43})).status == 404
    hub.clock.turn(61)
    await hub.app[keys.AUDIT].look()
    (entry,) = [entry for entry in await log(hub) if entry.action == "refuse_sign_in"]
    assert (entry.about["count"], entry.source) == (3, "127.0.0.1")


async def test_an_appointment_that_ends_is_told_to_its_holder_and_the_oversight(hub: Hub) -> None:
    """By one, at once: but not silently."""
    admin, clerk = await hub.staff(Role.ADMIN, name="Wu"), await hub.staff(Role.COMMITTEE)
    auditor = await hub.staff(Role.AUDITOR, name="An")
    home = await hub.sign_in(clerk.person)
    path = f"/api/v1/appointments/{clerk.appointment}"
    assert (await ask(hub, admin, "DELETE", path)).status == 204
    assert (await ask(hub, clerk, "GET", "/api/v1/me")).status == 401
    assert ("appointment_ended", "Wu has ended your appointment at The committee.") in await told(
        hub, home
    )
    said = "Wu has ended the appointment of Chen at The committee."
    assert ("appointment_ended", said) in await told(hub, auditor)
    assert [entry.action for entry in await log(hub)][-1:] == ["end_appointment"]
