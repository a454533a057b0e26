"""Consent on paper: two named clerks, never inside the home, after 24 hours, sampled (IDN-13,
PRM-21)."""

import io
import stat
from dataclasses import dataclass
from typing import Any

import pytest

from tests.hub.authenticator import SecurityKey
from tests.hub.consent.home import HOUR, SITE, Home, ask, assertion
from tests.hub.consent.test_giving import sees
from tests.hub.support import Hub, Viewer
from village_core.grant_tokens import AtWindow
from village_core.keys import encode
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue import notices, passkeys
from village_hub.catalogue.staff_models import Passkey

PDF = b"%PDF-1.7 a scanned paper"


@dataclass
class Clerks:
    unit: str
    one: Viewer
    two: Viewer
    keys: dict[str, SecurityKey]


async def a_key(hub: Hub, person: str) -> SecurityKey:
    """A passkey of somebody on duty; how they come to it is tested in test_passkeys.py."""
    key = SecurityKey(SITE)
    key.user, key.rp = person.encode(), "hub.village.test"
    row = Passkey(
        id=encode(key.id),
        person_id=person,
        public_key=encode(key.cose),
        sign_count=0,
        transports="",
        name="a test",
        created=hub.clock.utc_ms(),
        duty=True,
    )
    await hub.app[keys.CATALOGUE].write(passkeys.add, row, "", hub.clock.utc_ms())
    return key


@pytest.fixture
async def clerks(home: Home) -> Clerks:
    unit = await home.hub.unit("committee")
    both = [await home.hub.staff(Role.COMMITTEE, unit=unit, name=name) for name in ("Liu", "Sun")]
    found = {each.person: await a_key(home.hub, each.person) for each in both}
    return Clerks(unit, both[0], both[1], found)


async def scan(hub: Hub, who: Viewer, data: bytes = PDF, kind: str = "application/pdf") -> Any:
    headers = {**who.headers, "Content-Type": kind}
    return await hub.ask("POST", "/api/v1/window/scans", data=io.BytesIO(data), headers=headers)


async def enter(
    home: Home, clerks: Clerks, status: int = 201, digest: str = "", **more: Any
) -> Any:
    if not digest:
        digest = (await (await scan(home.hub, clerks.one)).json())["sha256"]
    form = {
        "household": home.household,
        "wish": home.watch(clerks.unit, **more),
        "witness": "Qian",
        "scan": digest,
    }
    return await ask(home.hub, "POST", "/api/v1/window/drafts", clerks.one, form, status)


async def sign(home: Home, clerks: Clerks, draft: Any, who: Viewer, status: int = 200) -> Any:
    body = assertion(clerks.keys[who.person], draft["challenge"])
    path = f"/api/v1/window/drafts/{draft['id']}/sign"
    return await ask(home.hub, "POST", path, who, body, status)


async def test_two_clerks_sign_and_the_home_gets_both_signatures(
    home: Home, clerks: Clerks
) -> None:
    hub, draft = home.hub, await enter(home, clerks)
    assert (await sign(home, clerks, draft, clerks.one))["state"] == "half"
    assert home.box.drafts == []
    after = await sign(home, clerks, draft, clerks.two)
    assert after["state"] == "given", after
    (note,) = home.box.drafts
    assert isinstance(note.confirmed, AtWindow)
    assert [each.name for each in note.confirmed.clerks] == ["Liu", "Sun"]
    assert {each.credential for each in note.clerk_keys} == {
        each.assertion.credential for each in note.confirmed.clerks
    }
    assert (await sees(hub, clerks.one, home.yard, purpose="guard_home"))[0] == 404
    told = await hub.app[keys.CATALOGUE].read(notices.about, "grant", after["grant"])
    owner = next(each for each in told if each.whom == "owner")
    assert owner.kind == "window_grant"
    assert {each.value for each in owner.progress.must} == {"voice", "slip"}
    hub.clock.turn(48 * 3600)
    one = await hub.on_duty(await hub.appointed(clerks.one.person, Role.COMMITTEE, clerks.unit))
    shown = await ask(hub, "GET", "/api/v1/me/grants", one)
    assert [(each["route"], each["holds"]) for each in shown["items"]] == [("window", True)]


async def test_one_person_is_not_two(home: Home, clerks: Clerks) -> None:
    """IDN-13: entered by one, confirmed by another of the same unit."""
    draft = await enter(home, clerks)
    assert (await sign(home, clerks, draft, clerks.two, 403))["code"] == "not_a_clerk"
    await sign(home, clerks, draft, clerks.one)
    assert (await sign(home, clerks, draft, clerks.one, 403))["code"] == "self_approval"
    outsider = await home.hub.staff(Role.COMMITTEE)
    clerks.keys[outsider.person] = await a_key(home.hub, outsider.person)
    assert (await sign(home, clerks, draft, outsider, 404))["code"] == "no_such_draft"
    clerks.keys[clerks.two.person] = clerks.keys[clerks.one.person]
    assert (await sign(home, clerks, draft, clerks.two, 403))["code"] == "not_asserted"
    assert home.box.drafts == []


async def test_never_inside_and_never_at_once(home: Home, clerks: Clerks) -> None:
    """PRM-21."""
    inside: dict[str, Any] = {"cameras": [home.room], "sensitive": True}
    assert (await enter(home, clerks, 422, **inside))["code"] == "unfit_class"
    soon: dict[str, Any] = {"not_before": home.hub.clock.utc_ms() + 23 * HOUR}
    assert (await enter(home, clerks, 422, **soon))["code"] == "too_soon"
    late = await enter(home, clerks, not_before=home.hub.clock.utc_ms() + 25 * HOUR)
    await sign(home, clerks, late, clerks.one)
    home.hub.clock.turn(2 * 3600)
    assert (await sign(home, clerks, late, clerks.two, 422))["code"] == "too_soon"


async def test_a_home_that_takes_no_paper_says_so(home: Home, clerks: Clerks) -> None:
    home.box.says, home.box.code = 403, "no_window"
    draft = await enter(home, clerks)
    await sign(home, clerks, draft, clerks.one)
    after = await sign(home, clerks, draft, clerks.two)
    assert (after["state"], after["refused"]) == ("refused", "no_window")


async def test_the_scan_is_kept_for_the_hubs_owner_alone(home: Home, clerks: Clerks) -> None:
    hub = home.hub
    digest = (await (await scan(hub, clerks.one)).json())["sha256"]
    kept = hub.app[keys.CONFIG].state / "scans" / digest
    assert kept.read_bytes() == PDF
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert (await scan(hub, clerks.one)).status == 201
    assert (await scan(hub, clerks.one, b"<html>", "text/html")).status == 415
    assert (await scan(hub, clerks.one, b"<html>", "application/pdf")).status == 415
    large = await scan(hub, clerks.one, PDF + bytes(5 * 1024 * 1024))
    assert large.status == 413
    assert (await enter(home, clerks, 422, digest="0" * 64))["code"] == "no_scan"


async def test_only_clerks_on_duty_work_at_the_window(home: Home, clerks: Clerks) -> None:
    hub = home.hub
    officer = await hub.staff(Role.STATION_OFFICER)
    for who in (home.owner, officer):
        assert (await scan(hub, who)).status == 403
        await ask(hub, "GET", "/api/v1/window/drafts", who, None, 403)
    await ask(hub, "GET", f"/api/v1/drafts/{(await enter(home, clerks))['id']}", officer, None, 404)


async def test_the_auditor_samples_the_papers(home: Home, clerks: Clerks) -> None:
    draft = await enter(home, clerks)
    auditor = await home.hub.staff(Role.AUDITOR)
    (paper,) = (await ask(home.hub, "GET", "/api/v1/window/samples", auditor))["items"]
    assert (paper["draft"], paper["witness"], paper["entered_by"]) == (draft["id"], "Qian", "Liu")
    await ask(home.hub, "GET", "/api/v1/window/samples", clerks.one, None, 403)
