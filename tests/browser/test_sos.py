"""Calling for help from a phone, and answering at the station: two real browsers, a real hub
(PRM-6)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route

from tests.browser.conftest import DESK, PHONE, Visit, browser_fixture, in_browser, until
from tests.browser.real import RealHub, real_hub
from tests.browser.test_sharing import Behind, signed_in
from village_core.permits import Role
from village_hub import keys
from village_hub.catalogue.models import Household
from village_hub.catalogue.store import Session

pytestmark = [*in_browser]

PLACE = "110101001201"


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path, named=True) as running:

        def placed(session: Session) -> None:
            session.get_one(Household, running.household).place = PLACE + "007"

        await running.app[keys.CATALOGUE].write(placed)
        yield running


@pytest.fixture
def site(village: RealHub) -> str:
    return village.url


async def officer(visit: Visit, village: RealHub) -> Page:
    """Li of the station, at a desk, on the page of calls."""
    viewer = await Behind(village).staff(Role.STATION_OFFICER, place=PLACE[:9], name="Li")
    name, _, secret = viewer.headers["Cookie"].partition("=")
    page = await visit("/sign-in", size=DESK, locale="en-GB")
    await page.context.add_cookies([{"name": name, "value": secret, "url": village.url}])
    await page.goto(village.url + "/sos")
    await page.wait_for_selector("#none")
    return page


async def hold(page: Page) -> None:
    await page.wait_for_selector("#press")
    box = await page.locator("#press").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 20)
    await page.mouse.down()
    await page.wait_for_timeout(2200)
    await page.mouse.up()


async def test_somebody_calls_somebody_comes_and_says_what_it_was(
    visit: Visit, village: RealHub
) -> None:
    station = await officer(visit, village)
    assert not await station.is_visible("#press")  # who is on duty has no home here
    phone = await signed_in(visit, village, "zh-CN")
    await phone.click("a.sos")
    await hold(phone)
    await until(phone, "() => document.getElementById('sending').textContent.includes('已发出')")
    await phone.wait_for_selector("text=正在呼叫")

    await station.wait_for_selector("text=called for help")
    await station.click("text=I am coming")
    await phone.wait_for_selector("text=正在赶来")
    await phone.click("text=可以结束了")
    await phone.wait_for_selector("text=请在二十四小时内说明原因")
    await station.wait_for_selector("text=Say what it was")
    await phone.fill(".reason input[type=text]", "摔了一跤")
    await phone.check(".reason input[type=checkbox]")
    await phone.click(".reason button")
    await phone.wait_for_selector("text=正在复核：摔了一跤")


async def test_a_short_touch_calls_nobody(visit: Visit, village: RealHub) -> None:
    phone = await signed_in(visit, village, "zh-CN")
    await phone.goto(village.url + "/sos")
    await phone.click("#press")
    await phone.wait_for_timeout(2500)
    assert await phone.inner_text("#sending") == ""
    await phone.wait_for_selector("#none:not([hidden])")


async def test_what_is_not_sent_is_said_and_sent_as_soon_as_it_can_be(
    visit: Visit, village: RealHub
) -> None:
    """PRM-6: nobody is to wait for help that was never called."""
    phone = await signed_in(visit, village, "en-GB")
    await phone.goto(village.url + "/sos")
    await phone.wait_for_selector("#press")

    async def lost(route: Route) -> None:
        await route.abort()

    await phone.route("**/api/v1/households/*/sos", lost)
    await hold(phone)
    await phone.wait_for_selector("text=NOT SENT YET! Call 110 now.")
    await phone.unroute("**/api/v1/households/*/sos")
    await phone.wait_for_selector("text=Sent: the village's hub has taken the call.")
    await phone.wait_for_selector("text=called for help at")


async def test_whoever_looks_at_the_list_of_cameras_learns_of_it(
    visit: Visit, village: RealHub
) -> None:
    station = await officer(visit, village)
    await station.goto(village.url + "/")
    assert not await station.is_visible("#alarm")
    phone = await signed_in(visit, village, "zh-CN")
    await phone.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await phone.goto(village.url + "/sos")
    await hold(phone)
    await station.click("#alarm a", timeout=15_000)
    await station.wait_for_selector("text=called for help")
