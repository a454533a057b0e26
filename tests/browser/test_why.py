"""Whoever is not of the household or its family says first why they look."""

import pytest

from tests.browser.conftest import PHONE, WALL, Visit, in_browser, until
from tests.browser.peer import Peer
from tests.browser.stand_in import Camera, ScriptedHub, picture

pytestmark = [*in_browser]

DUTY = {"public_security": True, "lost": True}


async def test_nothing_is_asked_for_before_the_words_are_there(
    visit: Visit, hub: ScriptedHub, peer: Peer
) -> None:
    hub.add(Camera("lane", "村口", still=picture(), opens=DUTY))
    page = await visit("/cameras/lane", size=WALL)
    assert await page.inner_text("#state") == "请先说明为什么要看。"
    await page.click("#why button")
    assert "几个字" in await page.inner_text("#why-error")
    assert (hub.said, hub.count("GET", "/api/v1/cameras/lane/still")) == ([], 0)
    await page.check("input[value=lost]")
    await page.fill("#reason", "找牛")
    await page.press("#reason", "Enter")
    await until(page, "() => villagePlayer.state === 'playing'")
    assert hub.said[-1] == {"purpose": "lost", "reason": "找牛"}
    assert not await page.is_visible("#why")
    assert all("找牛" not in path for _, path in hub.asked)  # words belong in no address


async def test_family_and_household_are_not_asked(
    visit: Visit, hub: ScriptedHub, peer: Peer
) -> None:
    hub.add(Camera("yard", "院子", still=picture(), opens={"family": False, "lost": False}))
    page = await visit("/cameras/yard", size=PHONE)
    await until(page, "() => villagePlayer.state === 'playing'")
    assert hub.said[-1]["purpose"] == "family"
    assert await page.query_selector("#why") is None


@pytest.mark.parametrize(("opens", "stills"), [(DUTY, 0), ({"family": False}, 1)])
async def test_the_list_takes_stills_only_where_no_words_are_needed(
    visit: Visit, hub: ScriptedHub, opens: dict[str, bool], stills: int
) -> None:
    hub.add(Camera("lane", "村口", still=picture(), opens=opens))
    page = await visit("/", size=PHONE)
    await page.wait_for_timeout(600)
    assert hub.count("GET", "/api/v1/cameras/lane/still") == stills
