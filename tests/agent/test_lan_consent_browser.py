"""Consent on the LAN page in a real browser, as a phone shows it (390x844), in both languages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from home_agent.agent import Agent
from home_agent.config import LanConfig
from tests.agent.asking import draft, family, given, on_duty, opening, push, standing
from tests.agent.home import Home, home, until
from tests.agent.test_lan_browser import browser, holds, page, sign_in
from village_core.ids import new_id
from village_core.permits import CameraClass
from village_core.transport.addresses import local_addresses

__all__ = ["browser", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    host = local_addresses()[0]
    lan = LanConfig(host=host, port=0, media_port=0, media_addresses=[host])
    async with home(tmp_path, lan=lan, class_=CameraClass.H_OUT) as made:
        agent = made.agent
        await until(lambda: bool(agent.lan and agent.lan.port) and agent.link.connected)
        await until(lambda: agent.cameras[made.camera].online)
        yield made


@pytest.fixture
def agent(at_home: Home) -> Agent:
    """Whose page it is."""
    return at_home.agent


async def count(page: Page, selector: str) -> int:
    found: int = await page.evaluate(f"document.querySelectorAll('{selector}').length")
    return found


async def test_a_draft_is_read_and_given_and_stopped_with_one_tap(
    page: Page, at_home: Home
) -> None:
    """PRM-3, PRM-4."""
    said = draft(family(at_home.camera), asked_name="李强")
    await at_home.hub.ask("POST", "/grants", said)
    await sign_in(page, at_home.agent)
    await holds(page, "document.querySelectorAll('#drafts li').length === 1")
    text = await page.inner_text("#drafts li")
    for words in (
        "李明",
        "家人，随时",
        "大门: 实时画面, 静态画面",
        "直到你停止",
        "提出的人： 李强",
    ):
        assert words in text
    await page.click("#drafts .primary")
    await holds(page, "document.querySelectorAll('#grants li').length === 1")
    assert await count(page, "#drafts li") == 0
    (grant,) = at_home.agent.consent.grants.standing()
    await page.click("#grants .primary")
    await holds(page, "document.querySelectorAll('#grants li').length === 0")
    assert grant in at_home.agent.consent.grants.stopped
    assert await page.inner_text("#no-grants") == "家庭以外没有人可以看。"


async def test_sos_is_held_for_three_seconds_and_says_what_became_of_it(
    page: Page, at_home: Home
) -> None:
    """PRM-6: a touch in passing calls nobody."""
    await given(at_home, standing(at_home.camera))
    at_home.hub.refuse_calls = 503
    await sign_in(page, at_home.agent)
    await page.click("#sos-button", delay=300)
    assert at_home.agent.sos.last is None
    await page.click("#sos-button", delay=3300)
    await holds(page, "document.querySelector('#sos-state').textContent.includes('还没有发出')")
    assert await page.is_visible("#sos-state.bad")
    at_home.hub.refuse_calls = 0
    await holds(page, "document.querySelector('#sos-state').textContent.includes('已发出')")
    await holds(page, "document.querySelectorAll('#openings li').length === 1")
    await page.click("#openings button")
    await holds(page, "document.querySelectorAll('#openings li').length === 0")
    assert at_home.agent.consent.openings.running() == []


async def test_it_fits_a_phone_in_both_languages_and_every_button_a_thumb(
    page: Page, at_home: Home, tmp_path: Path
) -> None:
    await given(at_home, family(at_home.camera))
    await given(at_home, standing(at_home.camera))
    await at_home.hub.ask("POST", "/grants", draft(family(at_home.camera, why="再看一次")))
    wife = {"id": new_id(), "person": "wife", "name": "王芳"}
    await at_home.hub.ask("POST", "/owners", wife)
    call = opening(at_home, by="李明", unit="西村")
    await at_home.hub.ask("PUT", f"/openings/{call['id']}", call)
    duty = on_duty(at_home, call["id"], name="张干部", reason="来看看")
    assert await push(at_home, duty) == "yes"
    await sign_in(page, at_home.agent)
    smallest = (
        "Math.min(...[...document.querySelectorAll('button')].filter(b => b.offsetParent)"
        ".map(b => Math.min(b.offsetHeight, b.offsetWidth)))"
    )
    for language in ("zh", "en"):
        await holds(page, "document.querySelectorAll('#looked li').length === 1")
        await holds(page, "document.querySelectorAll('#drafts li').length === 2")
        await holds(page, "document.querySelector('#watched').textContent.includes('张干部')")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert await page.evaluate(smallest) >= 44
        await page.screenshot(path=str(tmp_path / f"{language}.png"), full_page=True)
        if language == "zh":
            assert "undefined" not in await page.inner_text("main")
            await page.click("header form button")
            await page.wait_for_selector("html[lang=en]")
    text = await page.inner_text("main")
    assert "undefined" not in text
    for words in ("Hold for 3 s to call", "a call for help", "来看看", "Yes, I know this person"):
        assert words in text
