"""Consent on the LAN page and at the console: who may see, who asks, who looked (PRM-3, PRM-4)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from home_agent import consent_words
from home_agent.control import Command, ControlError, ask
from tests.agent import asking
from tests.agent.asking import draft, family, given, on_duty, opening, outside, push, standing
from tests.agent.home import Home, home, until
from tests.agent.test_lan import LAN, Browser, browsing
from village_core.grants import GrantKind
from village_core.ids import new_id
from village_core.permits import Action, CameraClass, Purpose


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path, lan=LAN, class_=CameraClass.H_OUT) as made:
        agent = made.agent
        await until(lambda: bool(agent.lan and agent.lan.port) and agent.link.connected)
        await until(lambda: agent.cameras[made.camera].online)
        yield made


@pytest.fixture
async def stranger(at_home: Home) -> AsyncIterator[Browser]:
    assert at_home.agent.lan is not None
    async with browsing(at_home.agent.lan.port) as browser:
        yield browser


@pytest.fixture
async def browser(at_home: Home, stranger: Browser) -> Browser:
    assert await stranger.sign_in(at_home.agent.household.new_code()) == 204
    return stranger


async def shown(browser: Browser) -> dict[str, Any]:
    async with browser.http.get(browser.base + "/api/consent") as response:
        assert response.status == 200
        said: dict[str, Any] = await response.json()
        return said


@pytest.mark.parametrize(
    "path",
    [
        "/api/grants/x/stop",
        "/api/drafts/x",
        "/api/owners/x",
        "/api/owners/x/remove",
        "/api/openings/x/end",
        "/api/window",
        "/api/sos",
    ],
)
async def test_all_of_it_needs_the_household_s_code(stranger: Browser, path: str) -> None:
    assert (await stranger.post(path, {"yes": True}))[0] == 401
    assert (await stranger.get("/api/consent"))[0] == 401


async def test_a_draft_is_shown_whole_and_given_or_refused(at_home: Home, browser: Browser) -> None:
    """PRM-3: who, how to reach them, what, why, until when; unticked."""
    one, two = draft(family(at_home.camera), asked_name="李强"), draft(family(at_home.camera))
    for each in (one, two):
        await at_home.hub.ask("POST", "/grants", each)
    first = (await shown(browser))["drafts"][0]
    assert (first["who"], first["contact"], first["asked_by"]) == ("李明", "138 0000 0000", "李强")
    assert (first["cameras"], first["actions"], first["kind"]) == (
        ["大门"],
        ["live", "still"],
        "family",
    )
    assert (await browser.post(f"/api/drafts/{one['id']}", {"yes": True}))[0] == 204
    assert (await browser.post(f"/api/drafts/{two['id']}", {"yes": False}))[0] == 204
    assert (await browser.post(f"/api/drafts/{two['id']}", {"yes": True}))[0] == 404
    assert (await browser.post(f"/api/drafts/{two['id']}", {"no": True}))[0] == 400
    said = await shown(browser)
    assert ([each["who"] for each in said["grants"]], said["drafts"]) == (["李明"], [])
    assert said["grants"][0]["how"] == "home"


async def test_one_tap_stops_a_grant_and_what_it_shows(at_home: Home, browser: Browser) -> None:
    """PRM-4, MED-17."""
    name, text = await given(at_home, family(at_home.camera))
    assert await push(at_home, outside(at_home, text)) == "yes"
    (looked,) = (await shown(browser))["looked"]
    assert (looked["name"], looked["camera"], looked["ended"]) == ("李明", "大门", None)
    assert (await browser.post(f"/api/grants/{name}/stop"))[0] == 204
    assert asking.pushes(at_home.agent) == 0
    assert (await browser.post("/api/grants/another/stop"))[0] == 404
    said = await shown(browser)
    (grant,) = said["grants"]
    assert (grant["over"], grant["stopped_by"]) == (True, "lan")
    while said["looked"][0]["ended"] is None:  # its end is written down in the background
        said = await shown(browser)


async def test_a_draft_that_has_lapsed_says_why_it_cannot_be_given(
    at_home: Home, browser: Browser
) -> None:
    said = draft(family(at_home.camera, until=asking.now() + 700))
    await at_home.hub.ask("POST", "/grants", said)
    await asyncio.sleep(0.8)
    status, body = await browser.post(f"/api/drafts/{said['id']}", {"yes": True})
    assert (status, body["code"]) == (403, "over")


async def test_an_owner_is_confirmed_or_refused_or_removed(at_home: Home, browser: Browser) -> None:
    wife, operator = (
        {"id": new_id(), "person": name, "name": name} for name in ("wife", "operator")
    )
    for each in (wife, operator):
        await at_home.hub.ask("POST", "/owners", each)
    assert [each["name"] for each in (await shown(browser))["proposals"]] == ["wife", "operator"]
    assert (await browser.post(f"/api/owners/{wife['id']}", {"yes": True}))[0] == 204
    assert (await browser.post(f"/api/owners/{operator['id']}", {"yes": False}))[0] == 204
    assert (await browser.post(f"/api/owners/{operator['id']}", {"yes": True}))[0] == 404
    assert [each["id"] for each in (await shown(browser))["owners"]] == ["person-1", "wife"]
    assert (await browser.post("/api/owners/wife/remove"))[0] == 204
    assert [each["id"] for each in (await shown(browser))["owners"]] == ["person-1"]


async def test_the_page_says_whether_a_call_was_sent_and_can_close_its_cameras(
    at_home: Home, browser: Browser
) -> None:
    await given(at_home, standing(at_home.camera))
    at_home.hub.refuse_calls = 503
    assert (await browser.post("/api/sos"))[0] == 204
    said = await shown(browser)
    assert (said["sos"]["sent"], said["sos"]["open"], said["sos"]["cameras"]) == (False, True, 1)
    at_home.hub.refuse_calls = 0
    await until(lambda: at_home.agent.sos.pending is None)
    said = await shown(browser)
    assert said["sos"]["sent"]
    (call,) = said["openings"]
    assert await push(at_home, on_duty(at_home, call["id"])) == "yes"
    assert (await browser.post(f"/api/openings/{call['id']}/end"))[0] == 204
    assert asking.pushes(at_home.agent) == 0
    assert (await shown(browser))["openings"] == []


async def test_an_emergency_is_shown_at_once_and_ends_by_its_clock(
    at_home: Home, browser: Browser
) -> None:
    """PRM-7: the owner is told at once."""
    fire = opening(at_home, kind="emergency", by="王警官", unit="派出所", incident="110-7")
    await at_home.hub.ask("PUT", f"/openings/{fire['id']}", fire)
    (said,) = (await shown(browser))["openings"]
    assert (said["kind"], said["by"], said["incident"]) == ("emergency", "王警官", "110-7")
    assert 890 < said["seconds"] <= 900
    assert (await browser.post(f"/api/openings/{fire['id']}/end"))[0] == 404


async def test_paper_is_switched_on_the_page(at_home: Home, browser: Browser) -> None:
    assert not (await shown(browser))["window"]
    assert (await browser.post("/api/window", {"yes": True}))[0] == 204
    assert at_home.agent.consent.window
    await until(lambda: any(each["window"] for each in at_home.hub.grant_lists))


def test_every_word_of_the_page_is_there_in_both_languages() -> None:
    assert set(consent_words.ZH) == set(consent_words.EN)
    for kind, words in (("kind", GrantKind), ("purpose", Purpose)):
        assert [each for each in words if f"{kind}_{each}" not in consent_words.EN] == []
    silent = {Action.HEALTH, Action.CONFIG, Action.PUBLISH}  # nothing that a household grants
    assert [each for each in Action if f"action_{each}" not in consent_words.EN] == sorted(
        silent, key=list(Action).index
    )
    assert all(len(words["days"].split(",")) == 7 for words in (consent_words.ZH, consent_words.EN))


# At the console


async def test_the_console_lists_stops_gives_and_refuses(at_home: Home) -> None:
    folder, code = at_home.agent.state.folder, at_home.agent.household.new_code()
    one, two = draft(family(at_home.camera)), draft(family(at_home.camera, why="again"))
    for each in (one, two):
        await at_home.hub.ask("POST", "/grants", each)
    with pytest.raises(ControlError, match="code"):
        await ask(folder, Command(do="give", id=one["id"], code="BBBBBBBB"))
    said = await ask(folder, Command(do="give", id=one["id"], code=code))
    await ask(folder, Command(do="refuse", id=two["id"]))
    with pytest.raises(ControlError, match="there is none"):
        await ask(folder, Command(do="refuse", id=two["id"]))
    said = await ask(folder, Command(do="stop", id=said["grants"][0]["id"]))
    assert (said["grants"][0]["stopped_by"], said["drafts"]) == ("command", [])


async def test_owners_at_the_console_need_the_household_s_code(at_home: Home) -> None:
    """Who holds the box for a visit is not the household."""
    folder, code = at_home.agent.state.folder, at_home.agent.household.new_code()
    wife = {"id": new_id(), "person": "wife", "name": "王芳"}
    await at_home.hub.ask("POST", "/owners", wife)
    with pytest.raises(ControlError, match="code"):
        await ask(folder, Command(do="owner_give", id=wife["id"]))
    said = await ask(folder, Command(do="owner_give", id=wife["id"], code=code))
    assert [each["id"] for each in said["owners"]] == ["person-1", "wife"]
    said = await ask(folder, Command(do="owner_remove", id="wife", code=code))
    assert [each["id"] for each in said["owners"]] == ["person-1"]


async def test_what_was_let_out_is_told_to_the_hub_in_order(at_home: Home) -> None:
    """AUD-2: merged later into the household's log; the grant's text is not in it."""
    _, text = await given(at_home, family(at_home.camera))
    permit = outside(at_home, text)
    assert await push(at_home, permit) == "yes"
    await at_home.hub.ask("DELETE", f"/permits/{permit['id']}")
    await until(lambda: len(at_home.hub.lines) == 2)
    one, two = at_home.hub.lines
    assert (one["number"], one["event"], two["number"], two["event"]) == (1, "push", 2, "ended")
    assert (one["permit"]["name"], two["ref"]) == ("李明", one["permit"]["id"])
    assert one["permit"]["grant"] == []
    assert at_home.agent.journal.verify() == ""


async def test_nobody_outside_sees_what_cannot_be_written_down(at_home: Home) -> None:
    """AUD-2: closed for everyone outside; the household's own view goes on."""
    _, text = await given(at_home, family(at_home.camera))
    at_home.agent.state.path("permits.jsonl").symlink_to("/dev/full")
    assert await push(at_home, outside(at_home, text)) == "no_log"
    assert await push(at_home, at_home.permit()) == "yes"
