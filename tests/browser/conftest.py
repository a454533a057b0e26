"""A Chromium, the pages on a scripted hub, and a second page that answers WHEP offers."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.browser.peer import Peer
from tests.browser.stand_in import ScriptedHub

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Two pages of one browser play hub and phone: their candidates must be plain addresses.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
PHONE, DESK, WALL = (390, 844), (1280, 800), (1920, 1080)

Visit = Callable[..., Awaitable[Page]]

browser_fixture = pytest_asyncio.fixture(loop_scope="session")
in_browser = (pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_chromium() -> AsyncIterator[Browser]:
    """One browser for all: starting it costs more than most tests. All run in its event loop."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        await browser.close()


@browser_fixture
async def chromium(one_chromium: Browser) -> AsyncIterator[Browser]:
    """The browser, without anything of another test's."""
    yield one_chromium
    for context in one_chromium.contexts:
        await context.close()


@pytest.fixture
def hub() -> ScriptedHub:
    return ScriptedHub()


@browser_fixture
async def site(hub: ScriptedHub) -> AsyncIterator[str]:
    """The address of the scripted hub."""
    server = TestServer(hub.app())
    await server.start_server()
    yield f"http://127.0.0.1:{server.port}"
    await server.close()


@dataclass
class Complaints:
    """What a page's console said that no page should make it say."""

    lines: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        # A refused request is told by the page itself; the console repeats it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.lines.append(message.text)


@browser_fixture
async def visit(chromium: Browser, site: str) -> AsyncIterator[Visit]:
    """`await visit("/", size=PHONE)`; a page whose script fails, fails the test."""
    complaints = Complaints()

    async def go(
        path: str,
        *,
        size: tuple[int, int] = PHONE,
        locale: str = "zh-CN",
        clock: bool = False,
        script: str = "",
    ) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = await chromium.new_context(viewport=viewport, locale=locale)  # type: ignore[arg-type]
        page = await context.new_page()
        page.set_default_timeout(15_000)
        complaints.listen(page)
        if clock:
            await page.clock.install()
        if script:
            await page.add_init_script(script)
        await page.goto(site + path)
        return page

    yield go
    for context in chromium.contexts:
        await context.close()  # before the hub it talks to
    assert complaints.lines == []


async def until(page: Page, condition: str, *, seconds: float = 15.0) -> None:
    """Poll a JavaScript condition; Playwright's own wait needs `eval`, which the CSP forbids."""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(condition):  # noqa: ASYNC110 - it is in the browser
            await asyncio.sleep(0.05)


async def hide(page: Page, *, hidden: bool) -> None:
    """What a browser does to a page whose tab or app goes to the back, or comes to the front."""
    await page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def seen(condition: Callable[[], bool], *, seconds: float = 15.0) -> None:
    """Poll a condition of the test's own side."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any state of any part
            await asyncio.sleep(0.02)


@browser_fixture
async def peer(chromium: Browser, hub: ScriptedHub) -> Peer:
    """Answers every WHEP offer made to the hub with a moving canvas."""
    context = await chromium.new_context()
    answering = Peer(await context.new_page())
    await answering.prepare()

    async def whep(request: web.Request) -> web.Response:
        return await answering.whep(request)

    hub.whep, hub.session = whep, answering.session
    return answering
