"""The real pages on the real hub, and a browser that publishes by WHIP (MED-1 to MED-6, MED-13)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.conftest import PHONE, Visit, browser_fixture, hide, in_browser, seen, until
from tests.browser.real import PUBLISH, RealHub, real_hub
from village_hub import keys

pytestmark = [*in_browser]

PLAYING = "() => villagePlayer.state === 'playing'"


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path) as running:
        yield running


@pytest.fixture
def site(village: RealHub) -> str:
    """The pages are visited on the real hub."""
    return village.url


@browser_fixture
async def camera(village: RealHub, chromium: Browser) -> str:
    """A camera that a browser publishes."""
    name, token = await village.push_camera("院门 <b>")
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(village.url + "/sign-in")
    assert await page.evaluate(PUBLISH, [name, token, None]) == "connected"
    return name


async def signed_in(visit: Visit, village: RealHub, **how: object) -> Page:
    page = await visit(await village.sign_in_link(), **how)
    await page.wait_for_url(village.url + "/")
    return page


async def test_a_link_signs_in_once(visit: Visit, village: RealHub) -> None:
    link = await village.sign_in_link()
    first = await visit(link)
    await first.wait_for_url(village.url + "/")
    again = await visit(link, locale="en-GB")
    await until(again, "() => document.getElementById('error').textContent")
    assert "used up" in await again.inner_text("#error")


async def test_a_typed_code_signs_in(visit: Visit, village: RealHub) -> None:
    page = await visit("/")
    assert page.url.endswith("/sign-in")
    await page.fill("#code", (await village.typed_code()).lower())
    await page.click("button[type=submit]")
    await page.wait_for_url(village.url + "/")


async def test_signing_out_and_the_language_switch_pass_the_hubs_own_checks(
    visit: Visit, village: RealHub
) -> None:
    page = await signed_in(visit, village)
    await page.click("text=English")
    assert await page.inner_text("h1") == "My cameras"
    await page.click("[data-sign-out]")
    await page.wait_for_url(village.url + "/sign-in")
    await page.goto(village.url + "/")
    assert page.url == village.url + "/sign-in"


async def test_a_browser_publishes_by_whip_and_the_page_plays_it(
    visit: Visit, village: RealHub, camera: str
) -> None:
    page = await signed_in(visit, village, size=PHONE)
    await page.wait_for_selector("text=院门 <b>")
    await page.click(f"[data-camera='{camera}']")
    await page.wait_for_url("**/cameras/*")
    await until(page, PLAYING)
    await until(page, "async () => (await villagePlayer.stats()).framesDecoded > 20")
    numbers = await page.evaluate("() => villagePlayer.stats()")
    assert (numbers["frameWidth"], numbers["frameHeight"]) == (640, 360)
    assert await moves(page)


async def moves(page: Page) -> bool:
    """Two looks at the painted picture, half a second apart, differ."""
    look = """() => {
      const canvas = document.createElement("canvas");
      canvas.width = 64; canvas.height = 36;
      const pen = canvas.getContext("2d");
      pen.drawImage(document.getElementById("video"), 0, 0, 64, 36);
      return Array.from(pen.getImageData(0, 0, 64, 36).data).join();
    }"""
    first = await page.evaluate(look)
    await page.wait_for_timeout(500)
    return bool(first != await page.evaluate(look))


async def test_hiding_the_page_ends_the_hubs_session(
    visit: Visit, village: RealHub, camera: str
) -> None:
    page = await signed_in(visit, village)
    await page.goto(f"{village.url}/cameras/{camera}")
    await until(page, PLAYING)
    assert village.sessions == 2  # the one that publishes and the one that watches
    await hide(page, hidden=True)
    await seen(lambda: village.sessions == 1)
    await hide(page, hidden=False)
    await until(page, PLAYING)
    assert village.sessions == 2
    await page.goto(village.url + "/")
    await seen(lambda: village.sessions == 1)


async def test_ice_is_restarted_within_the_hubs_session(
    visit: Visit, village: RealHub, camera: str
) -> None:
    """MED-7: the hub answers 200 with new credentials, and frames go on."""
    page = await signed_in(visit, village)
    await page.goto(f"{village.url}/cameras/{camera}")
    await until(page, PLAYING)
    before = await page.evaluate("() => villagePlayer.location")
    restarted = await page.evaluate("() => villagePlayer._session.restart()")
    assert restarted
    decoded = (await page.evaluate("() => villagePlayer.stats()"))["framesDecoded"]
    more = f"async () => (await villagePlayer.stats()).framesDecoded > {decoded + 30}"
    await until(page, more)
    assert await page.evaluate("() => villagePlayer.location") == before


async def test_a_session_that_the_hub_ends_is_noticed_at_once(
    visit: Visit, village: RealHub, camera: str
) -> None:
    """The hub's close_notify is heard: no three seconds of a frozen picture."""
    page = await signed_in(visit, village)
    await page.goto(f"{village.url}/cameras/{camera}")
    await until(page, PLAYING)
    await until(page, "() => performance.now() - villagePlayer.timing.firstFrame > 3100")
    before = await page.evaluate("() => villagePlayer.location")
    live = village.app[keys.LIVE]
    viewing = next(session for session in live.sessions() if session.permit)
    await live.end(viewing, "a test")
    again = f"() => villagePlayer.location && villagePlayer.location !== {before!r}"
    await until(page, again, seconds=2)
    await until(page, PLAYING)
    assert await page.evaluate("() => villagePlayer.counts.stalls") == 0


async def test_a_pin_is_taken_from_the_page(visit: Visit, village: RealHub, camera: str) -> None:
    page = await signed_in(visit, village, locale="en-GB")
    await page.goto(f"{village.url}/cameras/{camera}")
    await until(page, PLAYING)
    async with page.expect_response("**/quality") as waiting:
        await page.click("#quality")
        await page.check("input[value=main]")
    assert (await waiting.value).status == 204


async def test_a_camera_that_sends_nothing_is_told_in_words(visit: Visit, village: RealHub) -> None:
    name, _ = await village.push_camera("Gate")
    page = await signed_in(visit, village, locale="en-GB")
    await page.goto(f"{village.url}/cameras/{name}")
    await until(page, "() => villagePlayer.state === 'waiting'")
    assert "offline" in await page.inner_text("#state")


async def test_another_persons_camera_is_not_there(visit: Visit, village: RealHub) -> None:
    page = await signed_in(visit, village, locale="en-GB")
    response = await page.goto(f"{village.url}/cameras/0190c000-0000-7000-8000-000000000000")
    assert response is not None
    assert response.status == 404
    assert "no such camera" in await page.inner_text("main")
