"""A network that lets no UDP through: the page plays through TURN over TCP (MED-11)."""

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser.conftest import ARGS, CHROMIUM, browser_fixture, in_browser, until
from tests.browser.coturn import coturn
from tests.browser.real import PUBLISH, RealHub, real_hub
from village_core.settings import Secret
from village_core.transport.addresses import local_addresses
from village_hub.config import TurnConfig

pytestmark = [*in_browser]

SECRET = "a secret of the tests"
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"


@browser_fixture
async def village(tmp_path: Path) -> AsyncIterator[RealHub]:
    own = next(address for address in local_addresses() if ":" not in address)
    async with (
        coturn(SECRET, own) as url,
        real_hub(tmp_path, TurnConfig(urls=[url], secret=Secret(SECRET))) as running,
    ):
        yield running


@browser_fixture
async def hemmed_in() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        arguments = [*ARGS, NO_UDP]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


async def test_it_plays_through_turn_over_tcp(
    village: RealHub, chromium: Browser, hemmed_in: Browser
) -> None:
    name, token = await village.push_camera("院门")
    publisher = await (await chromium.new_context()).new_page()
    await publisher.goto(village.url + "/sign-in")
    assert await publisher.evaluate(PUBLISH, [name, token, None]) == "connected"
    page = await (await hemmed_in.new_context()).new_page()
    await page.goto(village.url + await village.sign_in_link())
    await page.wait_for_url(village.url + "/")
    await page.goto(f"{village.url}/cameras/{name}")
    await until(page, "async () => (await villagePlayer.stats()).framesDecoded > 20")
    numbers = await page.evaluate("() => villagePlayer.stats()")
    assert (numbers["candidateType"], numbers["relayProtocol"]) == ("relay", "tcp")
    assert numbers["joins"] == 1


async def test_servers_learned_only_from_the_answer_serve_as_well(
    village: RealHub, chromium: Browser, hemmed_in: Browser
) -> None:
    """MED-11: Link in the 201 is enough; ICE is restarted with what it names."""
    name, token = await village.push_camera("院门")
    publisher = await (await chromium.new_context()).new_page()
    await publisher.goto(village.url + "/sign-in")
    assert await publisher.evaluate(PUBLISH, [name, token, None]) == "connected"
    page = await (await hemmed_in.new_context()).new_page()
    await page.goto(village.url + await village.sign_in_link())
    await page.wait_for_url(village.url + "/")
    await page.add_init_script(FORGET_SERVERS)
    await page.goto(f"{village.url}/cameras/{name}")
    await until(page, "async () => (await villagePlayer.stats()).framesDecoded > 20")
    numbers = await page.evaluate("() => villagePlayer.stats()")
    assert numbers["candidateType"] == "relay"
    assert (numbers["joins"], numbers["restarts"]) == (1, 1)


FORGET_SERVERS = """
const given = Response.prototype.json;
Response.prototype.json = async function () {
  const body = await given.call(this);
  delete body.ice_servers;
  return body;
};
"""
