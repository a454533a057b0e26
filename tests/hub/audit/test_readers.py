"""Who reads what: households their log, staff their own acts, the auditor all (AUD-4, AUD-5)."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.hub.audit.books import written
from tests.hub.people import Viewer
from tests.hub.support import Hub
from village_core.ids import new_id
from village_core.permits import Action, Quality, Role
from village_hub import keys
from village_hub.access.facts import Subject
from village_hub.access.identity import PersonCaller
from village_hub.audit.entry import Entry, EntryKind, Who
from village_hub.audit.signing import read
from village_hub.audit.summary import quarter_bounds, quarter_of
from village_hub.catalogue import audit, audit_counts, cameras, matters
from village_hub.catalogue.audit_keeping import Held
from village_hub.catalogue.matters import MatterRow
from village_hub.errors import Refused

LI = Who(issuer="township", id="li", name="Li", unit="x", unit_name="Xicun station")


async def get(hub: Hub, path: str, viewer: Viewer, status: int = 200) -> Any:
    response = await hub.ask("GET", path, headers=viewer.headers)
    assert response.status == status, await response.text()
    return await response.json()


async def add(hub: Hub, **more: Any) -> Entry:
    entry = Entry.model_validate(
        {
            "id": new_id(hub.clock),
            "utc_ms": hub.clock.utc_ms(),
            "kind": EntryKind.VIEW_START,
            "action": "live",
            "result": "allowed",
            "who": LI,
            "camera": "c",
            "camera_name": "Gate",
            "purpose": "public_security",
            "basis": "C",
            **more,
        }
    )
    await hub.app[keys.CATALOGUE].write(audit.append, entry)
    return entry


async def test_a_household_reads_who_looked_at_once(hub: Hub) -> None:
    """AUD-4: name, unit, camera, from when to when, case, why."""
    household, viewer = await hub.owner()
    start = await add(hub, household=household, permit="p", case="2026-1", reason="a bike")
    hub.clock.turn(420)
    await add(
        hub,
        household=household,
        permit="p",
        kind=EntryKind.VIEW_END,
        seconds=420,
        bytes=9000,
        about={"why": "left"},
    )
    await add(hub, household="another")
    (line,) = (await get(hub, "/api/v1/me/log", viewer))["items"]
    assert line["id"] == start.id
    assert line["until"] - line["at"] == 420_000
    assert (line["seconds"], line["bytes"], line["ended"]) == (420, 9000, "left")
    assert line["who"]["name"] == "Li"
    assert "Xicun station" in line["text"]
    assert "2026-1" in line["text"]


async def test_a_view_is_one_line_a_still_and_a_refusal_are_lines_too(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household)
    url, token = await hub.watch(viewer, camera)
    await hub.ask("DELETE", url, headers=token)
    await hub.app[keys.VIEWS].settle()
    hub.clock.turn(1)
    await hub.ask("GET", f"/api/v1/cameras/{camera}/still", headers=viewer.headers)
    hub.clock.turn(1)
    row = await hub.app[keys.CATALOGUE].read(cameras.find, camera)
    assert row is not None
    stranger = PersonCaller(Subject(hub.id, "zhao", name="Zhao"), "s")
    with pytest.raises(Refused):
        await hub.app[keys.GUARD].permit(stranger, row, Quality.SUB, Action.LIVE)
    items = (await get(hub, "/api/v1/me/log", viewer))["items"]
    assert [(each["action"], each["result"], each["ended"]) for each in items] == [
        ("live", "no_basis", ""),
        ("still", "allowed", ""),
        ("live", "allowed", "left"),
    ]
    _, other = await hub.owner("Zhao")
    assert (await get(hub, "/api/v1/me/log", other))["items"] == []


async def test_what_may_not_be_known_yet_is_not_shown_before(hub: Hub) -> None:
    """PRM-10: a notice that was delayed; the log tells no more than the notice does."""
    household, viewer = await hub.owner()
    now = hub.clock.utc_ms()
    row = MatterRow(
        id="m1",
        kind="request",
        state="approved",
        issuer="township",
        asker="li",
        unit="x",
        household=None,
        place="",
        incident="",
        opened=now,
        due=None,
        closed=None,
        version=1,
        document="{}",
    )
    write = hub.app[keys.CATALOGUE].write
    await write(matters.add, row)
    await write(matters.set_households, "m1", {household: now + 60_000})
    await add(hub, household=household, kind=EntryKind.ACT, action="request_filed", grant="m1")
    await add(hub, household=household, kind=EntryKind.ACT, action="other", grant="m2")
    items = (await get(hub, "/api/v1/me/log", viewer))["items"]
    assert [each["action"] for each in items] == ["other"]
    hub.clock.turn(61)
    items = (await get(hub, "/api/v1/me/log", viewer))["items"]
    assert sorted(each["action"] for each in items) == ["other", "request_filed"]


async def test_the_request_behind_a_look_says_its_case_and_who_approved(hub: Hub) -> None:
    """AUD-4: "case ..., approved by ..."."""
    household, viewer = await hub.owner()
    approver = {"issuer": "township", "id": "zhao", "name": "Zhao", "unit_name": "Xicun station"}
    row = replace(
        request_row("m1", "answered", hub.clock.utc_ms(), approved_by=approver),
        incident="case 2026-7",
    )
    await hub.app[keys.CATALOGUE].write(matters.add, row)
    await add(hub, household=household, kind=EntryKind.DECISION, action="clip", grant="m1")
    english = {**viewer.headers, "Accept-Language": "en"}
    (line,) = (await get(hub, "/api/v1/me/log", replace(viewer, headers=english)))["items"]
    assert line["case"] == "case 2026-7"
    assert line["second"]["name"] == "Zhao"
    assert "approved by Zhao of Xicun station" in line["text"]


async def test_open_cases_keep_what_they_are_about(hub: Hub) -> None:
    """RET: longer while a case is open."""
    household, _ = await hub.owner()
    write, read_ = hub.app[keys.CATALOGUE].write, hub.app[keys.CATALOGUE].read
    row = replace(request_row("m1", "filed", hub.clock.utc_ms()), incident="2026-7")
    await write(matters.add, row)
    await write(matters.set_households, "m1", {household: 0})
    over = replace(row, id="m2", incident="2026-8", closed=hub.clock.utc_ms())
    await write(matters.add, over)
    held = await read_(audit_counts.open_cases)
    assert held == Held(frozenset({household}), frozenset({"2026-7"}))


async def test_a_long_log_comes_in_parts(hub: Hub) -> None:
    household, viewer = await hub.owner()
    made = []
    for number in range(7):
        hub.clock.turn(number % 2)  # some at the same moment
        made.append((await add(hub, household=household, permit=f"p{number}")).id)
    seen, after = [], ""
    while True:
        page = await get(hub, f"/api/v1/me/log?limit=3{after}", viewer)
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == 7
    assert set(seen) == set(made)
    times = [made.index(each) for each in seen]
    assert times[0] in (5, 6)
    assert (await get(hub, "/api/v1/me/log?after=x", viewer, 400))["code"] == "bad_query"


async def test_the_log_can_be_kept(hub: Hub) -> None:
    """AUD-4: downloadable; that it was is an entry."""
    household, viewer = await hub.owner()
    await add(hub, household=household, camera_name="=HYPERLINK(1)", permit="p")
    response = await hub.ask("GET", "/api/v1/me/log/file", headers=viewer.headers)
    assert response.status == 200
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO((await response.text()).removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert "'=HYPERLINK(1)" in rows[1]
    english = {**viewer.headers, "Accept-Language": "en"}
    response = await hub.ask("GET", "/api/v1/me/log/file?format=text", headers=english)
    text = await response.text()
    assert text.count("\n") == 1
    assert "Li of Xicun station watched =HYPERLINK(1) since" in text
    exports = [each for each in await written(hub, "act") if each.action == "log.export"]
    assert len(exports) == 2


async def test_staff_read_what_they_did_themselves(hub: Hub) -> None:
    officer = await hub.staff(Role.STATION_OFFICER)
    mine = await add(hub, who=Who(issuer=hub.id, id=officer.person, unit=officer.unit), permit="a")
    await add(hub, who=Who(issuer=hub.id, id="another", unit=officer.unit), permit="b")
    items = (await get(hub, "/api/v1/me/log", officer))["items"]
    assert [each["id"] for each in items] == [mine.id]


async def test_the_bureau_reads_its_unit(hub: Hub) -> None:
    officer = await hub.staff(Role.BUREAU_OFFICER)
    ours = await add(hub, who=Who(issuer=hub.id, id="another", unit=officer.unit), permit="b")
    await add(hub, who=Who(issuer=hub.id, id="x", unit="other"), permit="c")
    items = (await get(hub, "/api/v1/me/log", officer))["items"]
    assert [each["id"] for each in items] == [ours.id]


async def test_the_auditor_reads_all_and_that_is_an_entry(hub: Hub) -> None:
    """AUD-5."""
    auditor = await hub.staff(Role.AUDITOR)
    wanted = await add(hub, household="h", camera="c1", permit="a")
    await add(hub, household="h2", camera="c2", permit="b")
    page = await get(hub, "/api/v1/audit/entries?camera=c1", auditor)
    assert [each["id"] for each in page["items"]] == [wanted.id]
    assert page["items"][0]["who"]["name"] == "Li"
    (reading,) = await written(hub, "act")
    assert (reading.action, reading.about) == ("audit.read", {"camera": "c1"})
    assert reading.who is not None
    assert reading.who.id == auditor.person
    whole = await get(hub, "/api/v1/audit/entries?limit=1", auditor)
    assert whole["next"] is not None


AUDITED = ["entries", "anomalies", "checkpoints", "summary?quarter=2026-Q4"]


@pytest.mark.parametrize("path", AUDITED)
async def test_nobody_else_reads_the_whole_log(hub: Hub, path: str) -> None:
    """Not an owner, not an admin, not the police (matrix: whole audit log)."""
    _, owner = await hub.owner()
    for viewer in (owner, *[await hub.staff(role) for role in Role if role is not Role.AUDITOR]):
        await get(hub, f"/api/v1/audit/{path}", viewer, 403)
    refused = [each for each in await written(hub, "act") if each.action == "try.audit"]
    assert len(refused) == len(Role)


async def test_an_auditor_sees_no_picture(hub: Hub) -> None:
    """PRM-11: also not where they own a camera."""
    auditor = await hub.staff(Role.AUDITOR)
    camera, _ = await hub.push_camera(await hub.household())
    response = await hub.ask("GET", f"/api/v1/cameras/{camera}/still", headers=auditor.headers)
    assert response.status in (403, 404)


async def test_anomalies_are_shown(hub: Hub) -> None:
    auditor = await hub.staff(Role.AUDITOR)
    police = LI.model_copy(update={"roles": ("station_officer",)})
    odd = await add(hub, who=police, permit="a")
    old = hub.clock.utc_ms() - 8 * 24 * 3600 * 1000
    await add(hub, who=police, permit="b", utc_ms=old)
    items = (await get(hub, "/api/v1/audit/anomalies", auditor))["items"]
    assert [(each["kind"], each["refs"]) for each in items if each["kind"] != "night_view"] == [
        ("view_without_case", [odd.id])
    ]
    more = (await get(hub, "/api/v1/audit/anomalies?days=30", auditor))["items"]
    assert len(more) > len(items)


def request_row(name: str, state: str, opened: int, **document: Any) -> MatterRow:
    return MatterRow(
        id=name,
        kind="request",
        state=state,
        issuer="township",
        asker="li",
        unit="x",
        household=None,
        place="",
        incident="",
        opened=opened,
        due=None,
        closed=None,
        version=1,
        document=json.dumps(document),
    )


async def test_footage_that_did_not_come_back_is_shown(hub: Hub) -> None:
    auditor, now = await hub.staff(Role.AUDITOR), hub.clock.utc_ms()
    late, later = {"return_by": now - 1}, {"return_by": now + 1}
    rows = [
        request_row("late", "expired", now - 9, approved=1, terms=late),
        request_row("out", "answered", now - 9, approved=1, terms=later),
        request_row("back", "returned", now - 9, approved=1, terms=late),
        request_row("never", "expired", now - 9, approved=None, terms=late),
    ]
    for row in rows:
        await hub.app[keys.CATALOGUE].write(matters.add, row)
    items = (await get(hub, "/api/v1/audit/anomalies", auditor))["items"]
    assert [(each["kind"], each["refs"]) for each in items] == [("export_not_returned", ["late"])]


async def test_checkpoints_can_be_kept_elsewhere(hub: Hub) -> None:
    auditor = await hub.staff(Role.AUDITOR)
    await hub.app[keys.CHECKPOINTS].make()
    await hub.app[keys.CHECKPOINTS].make()
    first = await get(hub, "/api/v1/audit/checkpoints?limit=1", auditor)
    rest = await get(hub, f"/api/v1/audit/checkpoints?after={first['next']}", auditor)
    texts = [each["checkpoint"] for each in (*first["items"], *rest["items"])]
    key = hub.app[keys.NODE].key.public
    assert [read(text, key).number for text in texts] == list(range(len(texts)))
    assert len(texts) >= 2


async def test_the_summary_of_a_quarter_is_everybodys_once_it_is_over(hub: Hub) -> None:
    """AUD-6."""
    auditor = await hub.staff(Role.AUDITOR)
    now = hub.clock.utc_ms()
    for _ in range(6):
        await add(hub, who=LI.model_copy(update={"roles": ("committee",)}), household="secret")
    quarter = quarter_of(now)
    assert (await hub.ask("GET", f"/api/v1/summary/{quarter}")).status == 404
    own = await get(hub, f"/api/v1/audit/summary?quarter={quarter}", auditor)
    assert own["views"] == {"committee": {"public_security": "6"}}
    hub.clock.turn((quarter_bounds(quarter)[1] - now) / 1000 + 1)
    response = await hub.ask("GET", f"/api/v1/summary/{quarter}")
    assert response.status == 200
    text = await response.text()
    assert json.loads(text)["views"] == {"committee": {"public_security": "6"}}
    assert "secret" not in text
    for other in ("2020-Q1", "2099-Q1", "x", quarter_of(hub.clock.utc_ms())):
        assert (await hub.ask("GET", f"/api/v1/summary/{other}")).status == 404
