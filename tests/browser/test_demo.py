"""The links that `make demo` prints, followed: the county's officer adds a key, opens a shift and
watches the lane three hubs down; a villager opens the yard; everybody else gets in."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import DESK, Visit, browser_fixture, in_browser, until
from tests.browser.test_passkeys import Key

pytestmark = [*in_browser, pytest.mark.slow, pytest.mark.timeout(300)]
LINK = re.compile(r"^  (?P<who>.+?), (?P<of>.+?):  (?P<url>http://\S+)$")


@dataclass
class Running:
    program: Process
    links: dict[str, str]  # by what the person is of


@browser_fixture
async def demo(tmp_path: Path) -> AsyncIterator[Running]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "village_hub", "demo"),
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        stdout=PIPE,
    )
    links: dict[str, str] = {}
    assert program.stdout is not None
    async with asyncio.timeout(120):
        async for line in program.stdout:
            if found := LINK.match(line.decode().rstrip()):
                links[found["of"]] = found["url"]
            if line.startswith(b"Ctrl-C"):
                break
    yield Running(program, links)
    if program.returncode is None:
        program.terminate()
    await program.wait()


@pytest.fixture
def site() -> str:
    return ""


async def on_duty(visit: Visit, link: str) -> Page:
    page = await visit(link, size=DESK, locale="en-GB")
    await Key.plug_in(page)
    await page.fill("#name", "Red USB")
    await page.click("button[type=submit]")
    await page.wait_for_url("**/sign-in")
    await page.click("#with-key")
    await page.wait_for_url(re.compile(r":\d+/$"))
    return page


async def test_each_link_of_the_demo_gets_in(visit: Visit, demo: Running) -> None:
    assert len(demo.links) == 7
    county = await on_duty(visit, demo.links["平安县公安局"])
    await county.click('a[href="/account"]')
    await county.click("text=Start")
    await county.wait_for_selector("text=On duty until")
    await county.goto(county.url.replace("/account", "/"))
    await county.click("#below a")
    await county.fill("#reason", "a van in the lane")
    await county.click("#why button")
    await until(county, "() => villagePlayer.state === 'playing'", seconds=30)
    await until(county, "() => document.getElementById('video').videoWidth > 0")
    home = await visit(demo.links["owner in 张家"], locale="en-GB")
    await home.click("a.camera >> nth=0")
    await until(home, "() => villagePlayer.state === 'playing'", seconds=30)
    for of in ("西村村委会", "engineer", "青山派出所", "县监督委员会"):
        await on_duty(visit, demo.links[of])
    demo.program.terminate()
    async with asyncio.timeout(30):
        assert await demo.program.wait() == 0
