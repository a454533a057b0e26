"""From a home's camera to the page: real agent, real hub, real browser."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page

from home_agent.agent import Agent
from home_agent.camera import Camera
from home_agent.sources.pattern import COLUMNS, ROW_SHARE, Reading, read_blocks
from tests.browser.conftest import Visit, browser_fixture, hide, in_browser, seen, until
from tests.browser.home import enrol, home
from tests.browser.real import RealHub, real_hub
from village_core.clock import SYSTEM_CLOCK

pytestmark = [*in_browser]

PLAYING = "() => villagePlayer.state === 'playing'"
WIDTH = "() => document.getElementById('video').videoWidth"


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path / "hub") as running:
        await enrol(running, tmp_path / "home")
        yield running


@pytest.fixture
def site(village: RealHub) -> str:
    return village.url


@browser_fixture
async def agent(village: RealHub, tmp_path: Path) -> AsyncIterator[Agent]:
    async with home(village, tmp_path / "home") as running:
        await seen(lambda: running.link.connected and gate(running).online, seconds=30)
        yield running


def gate(agent: Agent) -> Camera:
    return next(iter(agent.cameras.values()))


async def watching(visit: Visit, village: RealHub, agent: Agent) -> Page:
    """The page of the home's camera, as its owner sees it."""
    page = await visit(await village.sign_in_link(), locale="en-GB")
    await page.wait_for_url(village.url + "/")
    await until(page, "() => document.querySelector('.state').dataset.kind === 'good'")
    await page.click(".camera")
    await page.wait_for_url("**/cameras/*")
    return page


async def test_the_homes_picture_moves_on_the_page(
    visit: Visit, village: RealHub, agent: Agent
) -> None:
    page = await watching(visit, village, agent)
    await until(page, PLAYING)
    await until(page, "async () => (await villagePlayer.stats()).framesDecoded > 30")
    numbers = await page.evaluate("() => villagePlayer.stats()")
    assert (numbers["frameWidth"], numbers["frameHeight"]) == (1280, 720)
    assert numbers["joins"] == 1
    first = await clock_on(page)
    await page.wait_for_timeout(1_000)
    second = await clock_on(page)
    assert 500 < second.utc_ms - first.utc_ms < 3_000
    assert second.number > first.number
    assert SYSTEM_CLOCK.utc_ms() - second.utc_ms < 1_000  # it is live, not late
    assert await page.inner_text("#state") == "You are watching live (sharp)"


def block(luma: list[int], x: float, y: float) -> int:
    return luma[int(y * ROW_SHARE) * COLUMNS + int(x * COLUMNS)]


async def clock_on(page: Page) -> Reading:
    """The clock that the camera painted, read from the picture on the page."""
    for _ in range(20):  # a picture may be torn by the encoder's noise
        luma = await page.evaluate(LUMA)
        if found := read_blocks(partial(block, luma)):
            return found
    raise AssertionError("no readable clock in the picture")


LUMA = f"""() => {{
  const canvas = document.createElement("canvas");
  const video = document.getElementById("video");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0);
  const found = [];
  for (let row = 0; row < 3; row++) {{
    const y = Math.floor((row + 0.5) / {ROW_SHARE} * canvas.height);
    const line = pen.getImageData(0, y, canvas.width, 1).data;
    for (let column = 0; column < {COLUMNS}; column++) {{
      found.push(line[Math.floor((column + 0.5) / {COLUMNS} * canvas.width) * 4 + 1]);
    }}
  }}
  return found;
}}"""


async def test_the_list_shows_a_still_from_the_home(
    visit: Visit, village: RealHub, agent: Agent
) -> None:
    page = await visit(await village.sign_in_link())
    await page.wait_for_url(village.url + "/")
    await until(page, "() => document.querySelector('.still').naturalWidth > 300")


async def test_a_pin_changes_the_picture_and_back(
    visit: Visit, village: RealHub, agent: Agent
) -> None:
    page = await watching(visit, village, agent)
    await until(page, PLAYING)
    await until(page, f"() => ({WIDTH})() === 1280")
    await page.click("#quality")
    await page.check("input[value=sub]")
    await until(page, f"() => ({WIDTH})() === 640")
    assert await page.inner_text("#state") == "You are watching live (light)"
    await page.click("#quality")
    await page.check("input[value=main]")
    await until(page, f"() => ({WIDTH})() === 1280")
    assert await page.evaluate("() => villagePlayer.counts.joins") == 1


async def test_the_privacy_switch_is_told_in_words_and_heard(
    visit: Visit, village: RealHub, agent: Agent
) -> None:
    page = await watching(visit, village, agent)
    await until(page, PLAYING)
    await agent.switch.turn_off("test")
    told = "() => document.getElementById('state').textContent.includes('for privacy')"
    await until(page, told, seconds=20)
    await agent.switch.turn_on(agent.household.new_code(), "here", "test")
    await until(page, PLAYING, seconds=20)


async def test_a_home_that_goes_and_comes_back_is_told_and_played_again(
    visit: Visit, village: RealHub, tmp_path: Path
) -> None:
    async with home(village, tmp_path / "home") as first:
        await seen(lambda: first.link.connected and gate(first).online, seconds=30)
        page = await watching(visit, village, first)
        await until(page, PLAYING)
    told = "() => document.getElementById('state').textContent.includes('box in the home')"
    await until(page, told, seconds=30)
    async with home(village, tmp_path / "home"):
        await until(page, PLAYING, seconds=40)


async def test_hiding_the_page_lets_the_home_stop_sending(
    visit: Visit, village: RealHub, agent: Agent
) -> None:
    page = await watching(visit, village, agent)
    await until(page, PLAYING)
    assert len(agent.watched()) == 1
    await hide(page, hidden=True)
    await seen(lambda: agent.watched() == [], seconds=20)
    await hide(page, hidden=False)
    await until(page, PLAYING)
