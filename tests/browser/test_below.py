"""An officer of the county finds a lane of a village on their own hub's page, and watches it: three
real hubs, the box at home, and the picture in Chromium (PRM-2, MED-13)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import DESK, PHONE, WALL, Visit, browser_fixture, in_browser, until
from tests.hub.support import Hub, Viewer
from tests.support.live_tree import Tree, live, live_tree
from village_core.permits import Role

pytestmark = [*in_browser, pytest.mark.timeout(120)]


@browser_fixture
async def tree(tmp_path: Path) -> AsyncIterator[Tree]:
    async with live_tree(tmp_path, ()) as found:
        yield found


@pytest.fixture
def site(tree: Tree) -> str:
    """The pages are visited on the county's hub."""
    return tree.county.origin


async def signed_in(visit: Visit, hub: Hub, who: Viewer, path: str, **how: object) -> Page:
    page = await visit("/sign-in", **how)
    name, _, value = who.headers["Cookie"].partition("=")
    await page.context.add_cookies([{"name": name, "value": value, "url": hub.origin}])
    await page.goto(hub.origin + path)
    return page


async def test_a_lane_three_hubs_down_is_found_and_played(visit: Visit, tree: Tree) -> None:
    zhao = await tree.officer(tree.county, Role.BUREAU_OFFICER)
    page = await signed_in(visit, tree.county, zhao, "/", size=PHONE)
    await page.fill("#below-name", "\u5927")
    await page.press("#below-name", "Enter")
    await page.click("#below a")
    assert await page.inner_text("h1") == "\u5927\u95e8"
    await page.fill("#reason", "\u5df7\u53e3\u6709\u4eba\u6253\u67b6")
    await page.click("#why button")
    await until(page, "() => villagePlayer.state === 'playing'")
    await until(page, "() => document.getElementById('video').videoWidth === 320")
    (session,) = live(tree.west).above.sessions()
    assert session.permit is not None
    assert session.permit.subject.id == zhao.person
    await live(tree.west).end(session, "objection")
    await until(page, "() => villagePlayer.state !== 'playing'")


@pytest.mark.parametrize("size", [PHONE, DESK, WALL], ids=["phone", "desk", "wall"])
async def test_the_list_of_cameras_below(visit: Visit, tree: Tree, size: tuple[int, int]) -> None:
    zhao = await tree.officer(tree.county, Role.BUREAU_OFFICER)
    page = await signed_in(visit, tree.county, zhao, "/", size=size)
    assert await page.inner_text("#below .name") == "\u5927\u95e8"
    assert "110101001001" in await page.inner_text("#below")
    wide = "() => document.documentElement.scrollWidth <= window.innerWidth"
    assert await page.evaluate(wide)
    await page.fill("#below-name", "\u6ca1\u6709")
    await page.press("#below-name", "Enter")
    await page.wait_for_selector("text=\u6ca1\u6709\u60a8\u53ef\u4ee5\u770b\u5230")


async def test_who_has_nothing_below_sees_no_search(visit: Visit, tree: Tree) -> None:
    engineer = await tree.officer(tree.west, Role.ENGINEER)
    page = await signed_in(visit, tree.west, engineer, "/", size=PHONE)
    assert await page.query_selector("#below-name") is None
