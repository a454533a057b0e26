"""Looks and reach: sizes, thumbs, keyboard, labels, contrast, on phone, desk and wall."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import DESK, PHONE, WALL, Visit, in_browser, until
from tests.browser.peer import Peer
from tests.browser.stand_in import Camera, ScriptedHub, picture
from village_core.troubles import Trouble

pytestmark = [*in_browser]

SIZES = [pytest.param(size, id=f"{size[0]}x{size[1]}") for size in (PHONE, DESK, WALL)]
PATHS = [
    "/",
    "/sign-in",
    "/cameras/gate",
    "/cameras/pond",
    "/cameras/lane",
    "/cameras/none",
    "/sos",
]
LONG = (
    "鱼塘边上新装的那个摄像头，名字很长很长，写了好几行也写不完 Long-name-without-any-space-at-all"
)
SOS = {
    "state": "open",
    "household_name": LONG,
    "opened": 1_790_000_000_000,
    "ends": 1_790_000_900_000,
    "cameras": ["gate"],
    "acts": ["renew", "stop"],
    "reason": "",
}
PICTURES = os.environ.get("SCREENSHOTS")  # a folder to look at them in

CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def cameras(hub: ScriptedHub) -> None:
    hub.add(
        Camera("gate", "院门", still=picture(), audio="PCMA"),
        Camera("yard", LONG, still=picture(), trouble=Trouble.DEFAULT_PASSWORD),
        Camera("pond", "鱼塘", online=False, trouble=Trouble.NO_ROUTE),
        Camera("lane", "村口", opens={"public_security": True, "lost": True, "emergency": True}),
    )
    hub.sos = [SOS | {"id": "s1"}, SOS | {"id": "s2", "state": "over", "acts": ["give_reason"]}]


async def look(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("size", SIZES)
async def test_nothing_sticks_out_and_every_target_has_a_thumbs_size(
    visit: Visit, size: tuple[int, int], locale: str
) -> None:
    page = await visit("/sign-in", size=size, locale=locale)
    for path in PATHS:
        await page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        await page.wait_for_timeout(400)
        await look(page, f"{path.strip('/').replace('/', '-') or 'list'}-{locale}-{size[0]}")
        width = await page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= size[0], path
        small = await page.evaluate(TARGETS)
        assert small == [], path


TARGETS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden])")]
  .filter((el) => !el.classList.contains("skip") && el.offsetParent)
  .map((el) => [el, (el.closest("label") || el).getBoundingClientRect()])
  .filter(([el, box]) => box.width < 48 || box.height < 48
    || (box.height > 70 && !el.matches(".cover, .camera")))
  .map(([el, box]) => el.outerHTML.slice(0, 80) + " " + box.width + "x" + box.height)"""


async def test_on_a_phone_the_actions_are_where_a_thumb_is(visit: Visit, peer: Peer) -> None:
    page = await visit("/cameras/gate")
    await until(page, "() => villagePlayer.state === 'playing'")
    await look(page, "playing-phone")
    boxes = await page.evaluate(
        "() => [...document.querySelectorAll('.actions > *')]"
        ".map((el) => el.getBoundingClientRect()).map((box) => [box.top, box.bottom])"
    )
    assert len(boxes) == 4
    assert all(top > 844 * 0.6 and bottom <= 844 for top, bottom in boxes)
    await page.click("#quality")
    await look(page, "choices-phone")
    for label in await page.locator(".choices label").all():
        box = await label.bounding_box()
        assert box is not None
        assert box["y"] > 844 / 2
        assert box["height"] >= 48
        assert box["y"] + box["height"] <= boxes[0][0]


async def test_a_phone_on_its_side_shows_a_large_picture_and_all_actions(
    visit: Visit, peer: Peer
) -> None:
    page = await visit("/cameras/gate", size=(844, 390))
    await until(page, "() => villagePlayer.state === 'playing'")
    await look(page, "playing-side")
    stage = await page.locator("#stage").bounding_box()
    assert stage is not None
    assert stage["height"] > 390 * 0.75
    assert stage["width"] / stage["height"] == pytest.approx(16 / 9, rel=0.02)
    for action in await page.locator(".actions > *").all():
        box = await action.bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert box["y"] + box["height"] <= 390
    await page.click("#quality")
    await look(page, "choices-side")
    last = await page.locator(".choices label").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 390


@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_picture_and_its_state_fit_on_the_screen(
    visit: Visit, peer: Peer, size: tuple[int, int]
) -> None:
    page = await visit("/cameras/gate", size=size)
    await until(page, "() => villagePlayer.state === 'playing'")
    await look(page, f"playing-{size[0]}")
    stage = await page.locator("#stage").bounding_box()
    state = await page.locator("#state").bounding_box()
    actions = await page.locator(".actions").bounding_box()
    assert stage is not None
    assert state is not None
    assert actions is not None
    assert stage["width"] / stage["height"] == pytest.approx(16 / 9, rel=0.02)
    assert stage["width"] > size[0] * 0.6
    assert state["y"] + state["height"] <= actions["y"]


@pytest.mark.parametrize("path", PATHS)
async def test_text_stands_out_from_its_ground(visit: Visit, path: str) -> None:
    """WCAG 2.2, 1.4.6 for text (7:1) and 1.4.11 for the edges of what can be pressed."""
    page = await visit(path)
    await page.wait_for_timeout(300)
    await page.emulate_media(color_scheme="light")
    assert await page.evaluate(CONTRAST) == []
    await page.emulate_media(color_scheme="dark")
    await look(page, f"{path.strip('/').replace('/', '-') or 'list'}-dark")
    assert await page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("path", PATHS)
async def test_everything_that_can_be_used_has_a_name(visit: Visit, path: str) -> None:
    page = await visit(path)
    await page.wait_for_timeout(200)
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), img, video")]
          .filter((el) => !(el.textContent.trim() || el.getAttribute("aria-label")
            || (el.labels && el.labels.length) || el.hasAttribute("alt")))
          .map((el) => el.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert await page.locator("h1").count() == 1
    assert await page.locator("main#main").count() == 1
    identical = "() => [...document.querySelectorAll('[id]')].map((el) => el.id)"
    ids = await page.evaluate(identical)
    assert len(ids) == len(set(ids))
    named = await page.evaluate(
        """() => [...document.querySelectorAll("*")]
          .flatMap((el) => ["aria-controls", "aria-labelledby", "aria-describedby"]
            .map((name) => el.getAttribute(name) || "").join(" ").split(" ").filter(Boolean))
          .filter((id) => !document.getElementById(id))"""
    )
    assert named == []


async def test_the_keyboard_reaches_all_in_order_and_sees_where_it_is(
    visit: Visit, peer: Peer
) -> None:
    page = await visit("/cameras/gate", size=DESK)
    await until(page, "() => villagePlayer.state === 'playing'")
    order = []
    for _ in range(5):
        await page.keyboard.press("Tab")
        order.append(await page.evaluate("() => document.activeElement.id || 'skip'"))
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert await page.evaluate(outline) == "solid"
    assert order == ["skip", "back", "quality", "sound", "full"]
    await page.focus("#quality")
    await page.keyboard.press("Enter")
    assert await page.evaluate("() => document.activeElement.value") == "auto"
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate("() => document.activeElement.value") == "main"
    assert await page.is_visible("#choices")
    await page.keyboard.press("Escape")
    assert await page.evaluate("() => document.activeElement.id") == "quality"


async def test_state_changes_are_announced_once(visit: Visit, peer: Peer) -> None:
    page = await visit("/cameras/gate")
    await until(page, "() => villagePlayer.state === 'playing'")
    assert await page.locator("[role=status][aria-live=polite] #state").count() == 1
    assert await page.locator("[role=status][aria-live=polite] #advice").count() == 1
    assert await page.locator("[aria-live]").count() == 1


async def test_nothing_moves_by_itself_for_whoever_asked_for_that(visit: Visit, peer: Peer) -> None:
    page = await visit("/cameras/gate")
    await page.emulate_media(reduced_motion="reduce")
    await until(page, "() => villagePlayer.state === 'playing'")
    assert await page.evaluate("() => document.getAnimations().length") == 0


async def test_the_text_may_be_twice_as_large(visit: Visit) -> None:
    """WCAG 2.2, 1.4.4: nothing is cut off at 200%."""
    page = await visit("/cameras/pond", size=(640, 800))
    await page.evaluate("() => { document.body.style.fontSize = '36px'; }")
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= 640
