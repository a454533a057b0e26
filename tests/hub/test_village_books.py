"""Where households are, whose sites, and the phones of those without one (CAM-9, PRM-23, AUD-1)."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.hub.support import Hub, Viewer
from tests.hub.test_acts import log, refusal
from tests.hub.test_commands import Shell
from tests.hub.test_staff_commands import with_clerks
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import camera_records, notices

VILLAGE = "110101001001"


async def ask(
    hub: Hub, viewer: Viewer, method: str, path: str, body: Any = None, version: str | None = None
) -> ClientResponse:
    headers = {**viewer.headers, **({"If-Match": version} if version else {})}
    return await hub.ask(method, path, headers=headers, json=body)


async def test_a_clerk_puts_a_household_in_its_place(hub: Hub) -> None:
    """With the version that was read; its own log says so."""
    household, owner = await hub.owner()
    clerk = await hub.staff(Role.COMMITTEE, place=VILLAGE)
    listed = await (await ask(hub, clerk, "GET", "/api/v1/households")).json()
    assert [(row["id"], row["place"], row["version"]) for row in listed["items"]] == [
        (household, "", 1)
    ]
    path, body = f"/api/v1/households/{household}/place", {"place": VILLAGE + "07"}
    assert await refusal(await ask(hub, clerk, "PUT", path, body)) == (428, "precondition_required")
    written = await ask(hub, clerk, "PUT", path, body, '"1"')
    assert (written.status, written.headers["ETag"]) == (200, '"2"')
    assert await refusal(await ask(hub, clerk, "PUT", path, body, '"1"')) == (412, "changed")
    shown = await (await ask(hub, clerk, "GET", path)).json()
    assert (shown["place"], shown["unit"], shown["version"]) == (VILLAGE + "07", None, 2)
    assert await refusal(await ask(hub, owner, "PUT", path, body, '"2"')) == (403, "not_a_clerk")
    (entry,) = [each for each in await log(hub) if each.action == "household.place"]
    assert (entry.household, entry.about["place"]) == (household, VILLAGE + "07")
    lines = await (await ask(hub, owner, "GET", "/api/v1/me/log")).json()
    assert [item["action"] for item in lines["items"]] == ["household.place"]


async def test_a_clerk_keeps_their_own_place_only(hub: Hub) -> None:
    household, _ = await hub.owner()
    clerk = await hub.staff(Role.COMMITTEE, place=VILLAGE)
    other = await hub.staff(Role.COMMITTEE, place="110101001002", name="Sun")
    path = f"/api/v1/households/{household}/place"
    outside = await ask(hub, clerk, "PUT", path, {"place": "110101001002"}, '"1"')
    assert await refusal(outside) == (403, "scope")
    for wrong in ("110101", "11010100100x", "1" * 21):
        said = await ask(hub, clerk, "PUT", path, {"place": wrong}, '"1"')
        assert said.status == 422, wrong
    assert (await ask(hub, clerk, "PUT", path, {"place": VILLAGE}, '"1"')).status == 200
    theirs = await ask(hub, other, "PUT", path, {"place": "110101001002"}, '"2"')
    assert await refusal(theirs) == (404, "no_such_household")
    assert (await (await ask(hub, other, "GET", "/api/v1/households")).json())["items"] == []


async def test_a_home_never_becomes_a_units_site_nor_a_site_a_home(hub: Hub) -> None:
    """Its pictures would be the unit's: a site is a household to which nobody belongs."""
    home, _ = await hub.owner()
    site = await hub.household("Square")
    clerk = await hub.staff(Role.COMMITTEE, place=VILLAGE)
    body = {"place": VILLAGE, "unit": clerk.unit}
    lived = await ask(hub, clerk, "PUT", f"/api/v1/households/{home}/place", body, '"1"')
    assert await refusal(lived) == (409, "lived_in")
    path = f"/api/v1/households/{site}/place"
    nowhere = await ask(hub, clerk, "PUT", path, {**body, "unit": "x"}, '"1"')
    assert await refusal(nowhere) == (404, "no_such_unit")
    station = await hub.unit("station", "110101001002")
    apart = await ask(hub, clerk, "PUT", path, {**body, "unit": station}, '"1"')
    assert await refusal(apart) == (422, "place_outside")
    assert (await ask(hub, clerk, "PUT", path, body, '"1"')).status == 200
    camera, _ = await hub.push_camera(site)
    standing = await hub.app[keys.CATALOGUE].read(camera_records.standing, camera)
    assert (standing.unit, standing.place) == (clerk.unit, VILLAGE)
    admin = await hub.staff(Role.ADMIN)
    owner = await ask(hub, admin, "POST", f"/api/v1/households/{site}/owners", {"name": "Li"})
    assert await refusal(owner) == (409, "unit_site")


async def test_a_clerk_gives_a_phone_to_who_has_none_and_takes_none_away(hub: Hub) -> None:
    """A number that stands is its holder's: notices warn of clerks, too."""
    household, owner = await hub.owner()
    clerk = await hub.staff(Role.COMMITTEE, place=VILLAGE)
    path, body = f"/api/v1/window/people/{owner.person}/contact", {"phone": "138 0013 8000"}
    assert (await ask(hub, clerk, "PUT", path, body)).status == 204
    shown = await (await ask(hub, owner, "GET", "/api/v1/me/contact")).json()
    assert shown["phone"] == "+8613800138000"
    again = await ask(hub, clerk, "PUT", path, {"phone": "13900139000"})
    assert await refusal(again) == (409, "has_contact")
    entries = [each for each in await log(hub) if each.action == "contact.set"]
    assert [each.household for each in entries] == [household]
    assert "13800138000" not in entries[0].model_dump_json()
    stranger = await hub.named("Nobody")
    none = await ask(hub, clerk, "PUT", f"/api/v1/window/people/{stranger}/contact", body)
    assert await refusal(none) == (404, "no_such_person")
    assert (await ask(hub, owner, "PUT", path, body)).status == 403


async def test_an_admin_sets_the_number_that_an_sos_rings(hub: Hub) -> None:
    """PRM-23: of their own unit or of one in their place."""
    admin = await hub.staff(Role.ADMIN, place="110101")
    clinic = await hub.unit("clinic", VILLAGE)
    far = await hub.unit("clinic", "220101001001")
    path, body = f"/api/v1/units/{clinic}/contact", {"phone": "010-62345678"}
    assert (await ask(hub, admin, "GET", path)).status == 404
    assert (await ask(hub, admin, "PUT", path, body)).status == 204
    contact = await hub.app[keys.CATALOGUE].read(notices.contact, clinic)
    assert contact is not None
    assert contact.phone == "+861062345678"
    assert (await (await ask(hub, admin, "GET", path)).json())["phone"] == "+861062345678"
    clerk = await hub.staff(Role.COMMITTEE, place=VILLAGE)
    for viewer, unit in ((admin, far), (clerk, clinic), ((await hub.owner())[1], clinic)):
        refused = await ask(hub, viewer, "PUT", f"/api/v1/units/{unit}/contact", body)
        assert await refusal(refused) == (404, "no_such_unit")
    assert (await ask(hub, admin, "DELETE", path)).status == 204
    assert await hub.app[keys.CATALOGUE].read(notices.contact, clinic) is None
    said = [each.action for each in await log(hub) if "contact" in each.action]
    assert said == ["unit_contact.set", "unit_contact.end"]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    file = tmp_path / "hub.toml"
    file.write_text('name = "West"\nstate = "state"\n[log]\nlevel = "error"\n')
    return Shell(file, capsys)


def test_the_same_by_the_command_line(shell: Shell) -> None:
    shell("units", "add", "Telecom", "--kind", "operator", "--place", "110101")
    shell("units", "add", "Committee", "--kind", "committee", "--place", VILLAGE)
    shell("people", "first-admin", "Wu", "--unit", "Telecom")
    shell("people", "first-admin", "Lin", "--unit", "Telecom")
    with_clerks(shell)
    assert VILLAGE in shell("households", "place", "Wang", "--place", VILLAGE, "--by", "Chen")
    shell("households", "place", "Wang", "--place", "110101001002", "--by", "Chen", status=1)
    shell("households", "place", "Wang", "--place", VILLAGE, "--unit", "Committee", status=1)
    assert "nobody's home" in shell.error
    shell("households", "place", "Wang", "--place", "12", status=1)
    assert "+8613800138000" in shell("people", "phone", "Fang", "13800138000", "--by", "Chen")
    shell("people", "phone", "Fang", "13900139000", "--by", "Chen", status=1)
    shell("units", "phone", "Committee", "13800138000", "--by", "Chen", status=1)
    shell("units", "phone", "Committee", "13800138000", "--by", "Wu")
    shell("cameras", "add-push", "Gate", "--household", "Wang")
    listed = shell("cameras", "records")
    assert f"Gate  Wang ({VILLAGE})" in listed
    assert "nothing on record; not shared" in listed
    shell("audit", "verify")
