"""Signing in with the real page: from the link's fragment and typed."""

import pytest

from tests.browser.conftest import Visit, in_browser, until
from tests.browser.stand_in import CODE, Camera, ScriptedHub

pytestmark = [*in_browser]


@pytest.fixture(autouse=True)
def strangers(hub: ScriptedHub) -> None:
    hub.signed_in = False
    hub.add(Camera("gate", "院门"))


async def test_a_link_signs_in_by_itself_and_its_code_leaves_no_trace(
    visit: Visit, hub: ScriptedHub, site: str
) -> None:
    page = await visit(f"/sign-in#code={CODE}")
    await page.wait_for_url(site + "/")
    await page.wait_for_selector("text=院门")
    assert not [path for _, path in hub.asked if CODE in path]
    await page.go_back()  # the entry with the code was replaced
    assert CODE not in page.url


async def test_a_typed_code_signs_in(visit: Visit, site: str) -> None:
    page = await visit("/")
    assert page.url == site + "/sign-in"
    await page.fill("#code", f" {CODE} ")
    await page.keyboard.press("Enter")
    await page.wait_for_url(site + "/")


async def test_a_wrong_code_is_told_in_words_and_can_be_corrected(visit: Visit, site: str) -> None:
    page = await visit("/sign-in#code=wrong", locale="en-GB")
    await until(page, "() => document.getElementById('error').textContent")
    assert "used up or too old" in await page.inner_text("#error")
    assert await page.evaluate("() => document.activeElement.id") == "code"
    assert "wrong" not in page.url
    await page.fill("#code", CODE)
    await page.click("button[type=submit]")
    await page.wait_for_url(site + "/")


async def test_a_spent_link_leads_somebody_signed_in_to_the_cameras(
    visit: Visit, hub: ScriptedHub, site: str
) -> None:
    page = await visit(f"/sign-in#code={CODE}")
    await page.wait_for_url(site + "/")
    await page.goto(f"{site}/sign-in#code=spent")
    await page.wait_for_url(site + "/")
    await page.wait_for_selector("text=院门")
    assert hub.count("POST", "/api/v1/sign-in") == 2


async def test_a_malformed_fragment_is_only_a_wrong_code(visit: Visit) -> None:
    page = await visit("/sign-in#code=%E0%A4%A", locale="en-GB")
    await until(page, "() => document.getElementById('error').textContent")


async def test_an_empty_code_is_not_sent(visit: Visit, hub: ScriptedHub) -> None:
    page = await visit("/sign-in")
    await page.click("button[type=submit]")
    assert await page.evaluate("() => document.activeElement.id") == "code"
    assert hub.count("POST", "/api/v1/sign-in") == 0


async def test_signing_out_ends_it(visit: Visit, site: str) -> None:
    page = await visit(f"/sign-in#code={CODE}")
    await page.wait_for_url(site + "/")
    await page.click("[data-sign-out]")
    await page.wait_for_url(site + "/sign-in")
    await page.goto(site + "/")
    assert page.url == site + "/sign-in"


async def test_the_language_switch_turns_the_page(visit: Visit, site: str) -> None:
    page = await visit("/sign-in")
    assert await page.inner_text("h1") == "登录"
    await page.click(".languages button")
    assert await page.inner_text("h1") == "Sign in"
    assert page.url == site + "/sign-in"
    await page.click("text=中文")
    assert await page.inner_text("h1") == "登录"
