"""What two named persons do together: appointing, units, keys anew (PRM-11, IDN-16, matrix ✎)."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.hub.support import Hub, Viewer
from village_core.permits import Role
from village_hub import keys
from village_hub.access.credentials import digest
from village_hub.audit.entry import Entry
from village_hub.catalogue import appointments, people
from village_hub.catalogue.audit import SERVE, Chain
from village_hub.catalogue.models import Household

YEAR = 365 * 24 * 3600 * 1000


async def ask(hub: Hub, viewer: Viewer, method: str, path: str, body: Any = None) -> ClientResponse:
    more = {} if body is None else {"json": body}
    return await hub.ask(method, path, headers=viewer.headers, **more)


async def refusal(response: ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["code"]


def wish(hub: Hub, person: str, unit: str, role: Role, **more: Any) -> dict[str, Any]:
    now = hub.clock.utc_ms()
    return {
        "person": person,
        "unit": unit,
        "role": role.value,
        "begins": now,
        "until": now + YEAR,
        **more,
    }


async def asked(hub: Hub, viewer: Viewer, method: str, path: str, body: Any = None) -> str:
    response = await ask(hub, viewer, method, path, body)
    assert response.status == 202, await response.text()
    found: str = (await response.json())["id"]
    return found


async def confirm(hub: Hub, viewer: Viewer, act: str) -> ClientResponse:
    return await ask(hub, viewer, "POST", f"/api/v1/acts/{act}/confirm")


async def log(hub: Hub) -> list[Entry]:
    found = await hub.app[keys.CATALOGUE].read(lambda session: list(Chain(session, SERVE)))
    return [kept.entry for kept in found]


async def test_an_admin_asks_another_confirms_and_the_role_is_held(hub: Hub) -> None:
    """✎: a second named person within 30 minutes; both are in the audit log."""
    admin, second = await hub.staff(Role.ADMIN), await hub.staff(Role.COMMITTEE, name="Sun")
    person, unit = await hub.named("Chen"), await hub.unit("station")
    body = wish(hub, person, unit, Role.STATION_OFFICER)
    act = await asked(hub, admin, "POST", "/api/v1/appointments", body)
    read = hub.app[keys.CATALOGUE].read
    assert await read(appointments.of_person, person, hub.clock.utc_ms()) == []  # not yet
    done = await confirm(hub, second, act)
    assert done.status == 200
    rows = await read(appointments.of_person, person, hub.clock.utc_ms())
    assert [(row.id, row.role, row.appointed_by, row.confirmed_by) for row in rows] == [
        ((await done.json())["made"], Role.STATION_OFFICER, admin.person, second.person)
    ]
    assert await refusal(await confirm(hub, second, act)) == (404, "no_such_act")  # once
    said = [entry for entry in await log(hub) if entry.action.endswith("appoint")]
    assert [entry.action for entry in said] == ["ask.appoint", "appoint"]
    last = said[-1]
    assert last.who is not None
    assert last.second is not None
    assert (last.who.id, last.second.id) == (admin.person, second.person)
    assert last.about["role"] == "station_officer"


async def test_nobody_confirms_their_own_wish_or_their_own_role(hub: Hub) -> None:
    """PRM-11: self-approval impossible."""
    admin = await hub.staff(Role.ADMIN)
    committee = await hub.staff(Role.COMMITTEE, name="Sun")
    clinic = await hub.unit("clinic")
    body = wish(hub, committee.person, clinic, Role.CARER)
    act = await asked(hub, admin, "POST", "/api/v1/appointments", body)
    assert await refusal(await confirm(hub, admin, act)) == (403, "self_approval")
    assert await refusal(await confirm(hub, committee, act)) == (403, "self_approval")
    third = await hub.staff(Role.TOWNSHIP, name="Qian")
    assert (await confirm(hub, third, act)).status == 200


async def test_an_admin_cannot_ask_for_themselves(hub: Hub) -> None:
    """PRM-11: admin cannot grant self media."""
    admin = await hub.staff(Role.ADMIN)
    body = wish(hub, admin.person, await hub.unit("committee"), Role.COMMITTEE)
    response = await ask(hub, admin, "POST", "/api/v1/appointments", body)
    assert await refusal(response) == (403, "self_approval")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_admins_ask(hub: Hub, role: Role) -> None:
    """An auditor may review, so may read; nobody else may even that."""
    viewer = await hub.staff(role)
    body = wish(hub, await hub.named("Wu"), await hub.unit("committee"), Role.COMMITTEE)
    response = await ask(hub, viewer, "POST", "/api/v1/appointments", body)
    assert response.status == 403
    for path in ("/api/v1/appointments", "/api/v1/people"):
        read = await ask(hub, viewer, "GET", path)
        assert read.status == (200 if role is Role.AUDITOR else 403), path


async def test_a_villager_reads_and_asks_nothing_of_it(hub: Hub) -> None:
    _, owner = await hub.owner()
    for path in ("/api/v1/appointments", "/api/v1/people", "/api/v1/units"):
        assert (await ask(hub, owner, "GET", path)).status == 403, path
    body = wish(hub, await hub.named("Wu"), await hub.unit("committee"), Role.COMMITTEE)
    assert (await ask(hub, owner, "POST", "/api/v1/appointments", body)).status == 403


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ENGINEER, Role.CARER])
async def test_not_everybody_can_be_the_second(hub: Hub, role: Role) -> None:
    admin, other = await hub.staff(Role.ADMIN), await hub.staff(role, name="Sun")
    act = await asked(hub, admin, "POST", "/api/v1/people", {"name": "Wu"})
    assert await refusal(await confirm(hub, other, act)) == (403, "second")


async def test_after_30_minutes_it_is_too_late(hub: Hub) -> None:
    admin, second = await hub.staff(Role.ADMIN), await hub.staff(Role.COMMITTEE, name="Sun")
    act = await asked(hub, admin, "POST", "/api/v1/people", {"name": "Wu"})
    hub.clock.turn(30 * 60 + 1)
    assert await refusal(await confirm(hub, second, act)) == (404, "no_such_act")


async def test_what_was_right_when_asked_is_looked_at_again_when_confirmed(hub: Hub) -> None:
    """Two wishes that exclude each other, and an admin who went meanwhile."""
    admin, second = await hub.staff(Role.ADMIN), await hub.staff(Role.TOWNSHIP, name="Sun")
    person = await hub.named("Chen")
    police = wish(hub, person, await hub.unit("station"), Role.STATION_OFFICER)
    village = wish(hub, person, await hub.unit("committee"), Role.COMMITTEE)
    first = await asked(hub, admin, "POST", "/api/v1/appointments", police)
    other = await asked(hub, admin, "POST", "/api/v1/appointments", village)
    assert (await confirm(hub, second, first)).status == 200
    assert await refusal(await confirm(hub, second, other)) == (422, "role_combination")
    third = await asked(hub, admin, "POST", "/api/v1/people", {"name": "Wu"})
    write, now = hub.app[keys.CATALOGUE].write, hub.clock.utc_ms()
    await write(appointments.end, admin.appointment, "x", now)
    assert await refusal(await confirm(hub, second, third)) == (403, "asker_gone")


async def test_an_auditor_is_of_another_home_than_the_committee(hub: Hub) -> None:
    """VCL 32, by declaration and by the books."""
    admin = await hub.staff(Role.ADMIN)
    household = await hub.household()
    member = await hub.person(household, "Wang")
    await hub.appointed(member, Role.COMMITTEE, await hub.unit("committee"))
    cousin, stranger = await hub.member(household, "Cousin"), await hub.named("Zhao")
    unit = await hub.unit("oversight")
    for person, declared, code in (
        (cousin, True, (422, "related")),
        (stranger, False, (422, "not_declared")),
        (member, True, (422, "role_combination")),
    ):
        body = wish(hub, person, unit, Role.AUDITOR, declared_unrelated=declared)
        response = await ask(hub, admin, "POST", "/api/v1/appointments", body)
        assert await refusal(response) == code
    body = wish(hub, stranger, unit, Role.AUDITOR, declared_unrelated=True)
    assert (await ask(hub, admin, "POST", "/api/v1/appointments", body)).status == 202


async def test_ending_an_appointment_waits_for_nobody(hub: Hub) -> None:
    """What takes rights away is done at once; what rests on it ends (MED-17)."""
    admin, officer = await hub.staff(Role.ADMIN), await hub.staff(Role.COMMITTEE, name="Sun")
    other = await hub.staff(Role.COMMITTEE, name="Zhou")
    path = f"/api/v1/appointments/{officer.appointment}"
    assert await refusal(await ask(hub, other, "DELETE", path)) == (404, "no_such_appointment")
    assert (await ask(hub, admin, "DELETE", path)).status == 204
    assert (await ask(hub, officer, "GET", "/api/v1/me")).status == 401
    assert await refusal(await ask(hub, admin, "DELETE", path)) == (404, "no_such_appointment")
    mine = f"/api/v1/appointments/{other.appointment}"
    assert (await ask(hub, other, "DELETE", mine)).status == 204  # one may resign
    assert [entry.action for entry in await log(hub)] == ["end_appointment"] * 2


async def test_a_unit_is_made_by_two_and_lies_in_the_place_of_the_one_above(hub: Hub) -> None:
    admin, second = await hub.staff(Role.ADMIN), await hub.staff(Role.TOWNSHIP, name="Sun")
    above = await hub.unit("township", "110101001")
    new = {"name": "西村村委会", "unit_kind": "committee", "parent": above}
    outside = {**new, "place": "110101002001"}
    response = await ask(hub, admin, "POST", "/api/v1/units", outside)
    assert await refusal(response) == (422, "place_outside")
    inside = {**new, "place": "110101001001"}
    act = await asked(hub, admin, "POST", "/api/v1/units", inside)
    made = (await (await confirm(hub, second, act)).json())["made"]
    listed = (await (await ask(hub, second, "GET", "/api/v1/units?limit=50")).json())["items"]
    assert made in [unit["id"] for unit in listed]
    act = await asked(hub, admin, "DELETE", f"/api/v1/units/{second.unit}")
    third = await hub.staff(Role.COMMITTEE, name="Zhou")
    assert (await confirm(hub, third, act)).status == 200
    assert (await ask(hub, second, "GET", "/api/v1/me")).status == 401


async def test_what_waits_is_listed_for_whoever_may_confirm_it(hub: Hub) -> None:
    admin, second = await hub.staff(Role.ADMIN), await hub.staff(Role.COMMITTEE, name="Sun")
    engineer, (_, owner) = await hub.staff(Role.ENGINEER, name="Wu"), await hub.owner()
    act = await asked(hub, admin, "POST", "/api/v1/people", {"name": "Wu"})
    seen = {}
    for name, viewer in {"a": admin, "s": second, "e": engineer, "o": owner}.items():
        items = (await (await ask(hub, viewer, "GET", "/api/v1/acts")).json())["items"]
        seen[name] = [(each["id"], each["mine"]) for each in items]
    assert seen == {"a": [(act, True)], "s": [(act, False)], "e": [], "o": []}
    assert (await ask(hub, second, "DELETE", f"/api/v1/acts/{act}")).status == 404
    assert (await ask(hub, admin, "DELETE", f"/api/v1/acts/{act}")).status == 204
    assert (await confirm(hub, second, act)).status == 404


async def test_a_lost_phone_at_the_window_takes_two_of_the_committee(hub: Hub) -> None:
    household, villager = await hub.owner()
    await set_place(hub, household, "110101001001")
    unit = await hub.unit("committee", "110101001001")
    one, two = (
        await hub.staff(Role.COMMITTEE, unit=unit),
        await hub.staff(Role.COMMITTEE, unit=unit, name="Sun"),
    )
    elsewhere = await hub.staff(Role.COMMITTEE, place="110101001002", name="Far")
    admin = await hub.staff(Role.ADMIN, name="Wu")
    path = f"/api/v1/people/{villager.person}/new-code"
    assert (await ask(hub, admin, "POST", path)).status == 403
    assert await refusal(await ask(hub, elsewhere, "POST", path)) == (403, "scope")
    act = await asked(hub, one, "POST", path)
    assert await refusal(await confirm(hub, one, act)) == (403, "self_approval")
    assert await refusal(await confirm(hub, elsewhere, act)) == (403, "scope")
    assert (await ask(hub, villager, "GET", "/api/v1/me")).status == 200
    code = (await (await confirm(hub, two, act)).json())["code"]
    assert (await ask(hub, villager, "GET", "/api/v1/me")).status == 401
    entered = await hub.ask("POST", "/api/v1/sign-in", json={"code": code})
    assert (await entered.json())["person"]["id"] == villager.person


async def set_place(hub: Hub, household: str, place: str) -> None:
    def place_it(session: Any) -> None:
        session.get(Household, household).place = place

    await hub.app[keys.CATALOGUE].write(place_it)


async def test_staff_get_a_key_before_two_of_the_tier_above(hub: Hub) -> None:
    """Where nobody of the tier above is here, before two admins."""
    above = await hub.unit("township", "110101001")
    unit = await hub.unit("committee", "110101001001", parent=above)
    officer = await hub.staff(Role.COMMITTEE, unit=unit)
    peer = await hub.staff(Role.COMMITTEE, unit=unit, name="Sun")
    admins = [await hub.staff(Role.ADMIN, name=name) for name in ("Wu", "Lin")]
    path = f"/api/v1/people/{officer.person}/new-key"
    assert await refusal(await ask(hub, peer, "POST", path)) == (403, "scope")
    act = await asked(hub, admins[0], "POST", path)
    assert await refusal(await confirm(hub, peer, act)) == (403, "scope")
    code = (await (await confirm(hub, admins[1], act)).json())["code"]
    assert (await ask(hub, officer, "GET", "/api/v1/me")).status == 401  # what was lost is over
    now = hub.clock.utc_ms()
    read = hub.app[keys.CATALOGUE].read
    assert await read(people.whose_code, digest(code), people.PASSKEY, now) == officer.person
    heads = [await hub.staff(Role.TOWNSHIP, unit=above, name=name) for name in ("Qian", "Li")]
    assert await refusal(await ask(hub, admins[0], "POST", path)) == (403, "scope")
    act = await asked(hub, heads[0], "POST", path)
    assert (await confirm(hub, heads[1], act)).status == 200
    own = f"/api/v1/people/{heads[0].person}/new-key"
    assert await refusal(await ask(hub, heads[0], "POST", own)) == (403, "self_approval")


async def test_a_second_unit_gives_nobody_else_the_key_of_an_officer(hub: Hub) -> None:
    """IDN-16: two who may make appointments put themselves above somebody, to sign in as them."""
    bureau, township = await hub.unit("bureau", "110101"), await hub.unit("township", "110101001")
    office = await hub.unit("committee", "110101001001", parent=bureau)
    made_up = await hub.unit("clinic", "110101001001", parent=township)
    officer = await hub.staff(Role.COMMITTEE, unit=office)
    boss = await hub.staff(Role.BUREAU_OFFICER, unit=bureau, name="Qian")
    two = [await hub.staff(Role.TOWNSHIP, unit=township, name=name) for name in ("Wu", "Lin")]
    await hub.appointed(officer.person, Role.CARER, made_up)
    act = await asked(hub, two[0], "POST", f"/api/v1/people/{officer.person}/new-key")
    assert await refusal(await confirm(hub, two[1], act)) == (403, "scope")
    assert (await ask(hub, officer, "GET", "/api/v1/me")).status == 200
    assert (await confirm(hub, boss, act)).status == 200


async def test_a_key_for_duty_is_for_the_appointed(hub: Hub) -> None:
    admin, villager = await hub.staff(Role.ADMIN), (await hub.owner())[1]
    path = f"/api/v1/people/{villager.person}/new-key"
    assert await refusal(await ask(hub, admin, "POST", path)) == (409, "not_staff")


async def test_the_log_of_acts_holds_no_code(hub: Hub) -> None:
    """AUD-9."""
    officer = await hub.staff(Role.COMMITTEE)
    admins = [await hub.staff(Role.ADMIN, name=name) for name in ("Wu", "Lin")]
    path = f"/api/v1/people/{officer.person}/new-key"
    act = await asked(hub, admins[0], "POST", path)
    code = (await (await confirm(hub, admins[1], act)).json())["code"]

    said = "".join(entry.model_dump_json() for entry in await log(hub))
    assert officer.person in said
    assert code not in said
