"""The household's own page: DEV-8 (view without Internet), Host and Origin, MED-1 to MED-7."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from home_agent.agent import Agent, running
from home_agent.config import LanConfig
from home_agent.lan_network import OwnNetwork
from home_agent.lan_words import EN, ZH, choose
from home_agent.state import State
from tests.agent.home import home, settings, until
from tests.support.peers import Pull
from village_core.jobs import Supervisor
from village_core.troubles import Trouble

LAN = LanConfig(host="127.0.0.1", port=0, media_port=0, media_addresses=["127.0.0.1"])


class Browser:
    """One browser at home: keeps cookies, says Origin."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http = http
        self.base = base

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(self.base + path, headers=headers) as response:
            return response.status, await response.text(errors="replace")

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        said = {"Origin": self.base, **headers}
        async with self.http.post(
            self.base + path, json={} if body is None else body, headers=said
        ) as response:
            kind = response.content_type
            return response.status, await response.json() if "json" in kind else None

    async def sign_in(self, code: str) -> int:
        return (await self.post("/sign-in", {"code": code}))[0]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    config = await asyncio.to_thread(settings, tmp_path, LAN)
    async with running(config) as agent:
        camera = next(iter(agent.cameras.values()))
        await until(lambda: bool(agent.lan and agent.lan.port) and camera.online)
        yield agent


@pytest.fixture
async def browser(agent: Agent) -> AsyncIterator[Browser]:
    assert agent.lan is not None
    async with browsing(agent.lan.port) as browser:
        yield browser


class browsing:  # noqa: N801 - a context manager
    def __init__(self, port: int) -> None:
        self._base = f"https://127.0.0.1:{port}"

    async def __aenter__(self) -> Browser:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address, as browsers keep them
        connector = aiohttp.TCPConnector(ssl=False)
        self._http = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
        return Browser(self._http, self._base)

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()


@pytest.fixture
def code(agent: Agent) -> str:
    return agent.household.new_code()


def camera_of(agent: Agent) -> str:
    return next(iter(agent.cameras))


async def test_the_page_is_there_in_both_languages_and_asks_for_the_code(browser: Browser) -> None:
    status, english = await browser.get("/", **{"Accept-Language": "en"})
    assert status == 200
    assert "The household" in english
    assert 'id="sign-in"' in english
    _, chinese = await browser.get("/", **{"Accept-Language": "zh-CN"})
    assert "家庭密码" in chinese
    assert "$" not in english + chinese


async def test_the_language_can_be_chosen(browser: Browser) -> None:
    async with browser.http.post(
        f"{browser.base}/language", data={"lang": "en"}, headers={"Origin": browser.base}
    ) as response:
        assert response.status == 200
        assert 'lang="en"' in await response.text()
        cookie = response.history[0].headers["Set-Cookie"]
    assert cookie.startswith("__Host-lang=en")
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("name", ["player.js", "lan.js", "lan.css", "style.css", "icon.svg"])
async def test_its_files_are_served(browser: Browser, name: str) -> None:
    assert (await browser.get(f"/static/{name}"))[0] == 200


@pytest.mark.parametrize("path", ["/api/state", "/still/x", "/nothing"])
async def test_a_stranger_sees_nothing(browser: Browser, path: str) -> None:
    """DEV-12, logical access."""
    status, text = await browser.get(path)
    assert status == 401
    assert '"code": "sign_in"' in text


@pytest.mark.parametrize("name", ["..%2f..%2fagent.toml", "lan.py", "page.js"])
async def test_only_listed_files_are_served(browser: Browser, name: str) -> None:
    assert (await browser.get(f"/static/{name}"))[0] == 404


async def test_the_code_signs_in_and_the_page_shows_the_cameras(
    browser: Browser, agent: Agent, code: str
) -> None:
    assert await browser.sign_in("BBBB-BBBB") == 403
    assert await browser.sign_in(code) == 204
    assert 'id="cameras"' in (await browser.get("/"))[1]
    async with browser.http.get(f"{browser.base}/api/state") as response:
        state = await response.json()
    assert [camera["name"] for camera in state["cameras"]] == ["大门"]
    assert (state["privacy_off"], state["connected"], state["pushes"]) == (False, False, [])
    status, _ = await browser.post("/sign-out")
    assert status == 204
    assert (await browser.get("/api/state"))[0] == 401


async def test_a_new_code_signs_everyone_out(browser: Browser, agent: Agent, code: str) -> None:
    await browser.sign_in(code)
    agent.household.new_code()
    assert (await browser.get("/api/state"))[0] == 401


async def test_guessing_is_slowed_down(browser: Browser, code: str) -> None:
    assert [await browser.sign_in("BBBB-BBBB") for _ in range(6)] == [403] * 5 + [429]
    assert await browser.sign_in(code) == 429


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::", "192.0.2.77"]
)
async def test_a_foreign_host_name_is_refused(browser: Browser, host: str) -> None:
    """DNS rebinding."""
    status, text = await browser.get("/", Host=host)
    assert (status, '"code": "wrong_host"' in text) == (403, True)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1"])
async def test_another_page_cannot_press_the_switch(
    browser: Browser, agent: Agent, origin: str
) -> None:
    status, body = await browser.post("/api/switch", {"off": True}, Origin=origin)
    assert (status, body["code"]) == (403, "other_origin")
    assert not agent.switch.off


async def test_off_needs_nothing_and_on_needs_the_code(
    browser: Browser, agent: Agent, code: str
) -> None:
    assert await browser.post("/api/switch", {"off": True}) == (200, {"privacy_off": True})
    status, body = await browser.post("/api/switch", {"off": False, "code": "BBBB-BBBB"})
    assert (status, body["code"]) == (403, "wrong_code")
    assert agent.switch.off
    status, _ = await browser.post("/api/switch", {"off": False, "code": code})
    assert status == 200
    assert not agent.switch.off


@pytest.mark.parametrize("body", [[], {}, {"off": "maybe"}, {"off": False, "more": 1}, "off"])
async def test_nonsense_at_the_switch_changes_nothing(
    browser: Browser, agent: Agent, body: Any
) -> None:
    status, said = await browser.post("/api/switch", body)
    assert (status, said["code"]) == (400, "bad_body")
    assert not agent.switch.off


async def test_a_large_body_is_refused(browser: Browser) -> None:
    status, _ = await browser.post("/sign-in", {"code": "x" * 100_000})
    assert status in (400, 413)


async def test_live_plays_on_the_lan_without_a_hub_also_while_the_switch_is_off(
    browser: Browser, agent: Agent, code: str
) -> None:
    """DEV-8; the switch is about what leaves the home."""
    await browser.sign_in(code)
    await agent.switch.turn_off("test")
    supervisor = Supervisor()
    endpoint = f"{browser.base}/whep/{camera_of(agent)}?quality=main"
    browser.http.headers["Origin"] = browser.base
    pull = await Pull.start(endpoint, None, http=browser.http, supervisor=supervisor)
    await until(lambda: len(pull.peer.rtp) > 20)
    assert len(agent.pace.viewers) == 1
    for status in (200, 404):
        async with browser.http.delete(pull.location) as response:
            assert response.status == status
    assert not agent.pace.viewers
    pull.peer.close()
    await supervisor.stop()


async def test_a_session_belongs_to_the_browser_that_opened_it(
    browser: Browser, agent: Agent, code: str
) -> None:
    """MED-2, MED-6."""
    await browser.sign_in(code)
    supervisor = Supervisor()
    browser.http.headers["Origin"] = browser.base
    endpoint = f"{browser.base}/whep/{camera_of(agent)}"
    pull = await Pull.start(endpoint, None, http=browser.http, supervisor=supervisor)
    assert agent.lan is not None
    async with browsing(agent.lan.port) as other:
        await other.sign_in(code)
        async with other.http.delete(pull.location, headers={"Origin": other.base}) as response:
            assert response.status == 404
    assert len(agent.pace.viewers) == 1
    await browser.post("/sign-out")
    await asyncio.wait_for(pull.peer.left.wait(), 5)
    assert not agent.pace.viewers
    pull.peer.close()
    await supervisor.stop()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (("/whep/{camera}", "application/sdp", "nonsense"), 400),
        (("/whep/{camera}", "text/plain", "v=0"), 415),
        (("/whep/{camera}?quality=best", "application/sdp", "v=0"), 400),
        (("/whep/other", "application/sdp", "v=0"), 404),
        (("/whep/{camera}", "application/sdp", b"\xff\xfe"), 400),
    ],
)
async def test_a_wrong_offer_gets_a_clear_answer(
    browser: Browser, agent: Agent, code: str, request_: tuple[str, str, Any], status: int
) -> None:
    """MED-1."""
    path, kind, body = request_
    await browser.sign_in(code)
    headers = {"Content-Type": kind, "Origin": browser.base}
    address = browser.base + path.format(camera=camera_of(agent))
    async with browser.http.post(address, data=body, headers=headers) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"
    assert not agent.pace.viewers


async def test_a_still_shows_on_the_page(browser: Browser, agent: Agent, code: str) -> None:
    await browser.sign_in(code)
    async with browser.http.get(f"{browser.base}/still/{camera_of(agent)}") as response:
        assert response.status == 200
        assert (await response.read()).startswith(b"\xff\xd8\xff")
    assert (await browser.get("/still/other"))[0] == 404


async def test_the_page_says_who_is_watching_from_outside(tmp_path: Path) -> None:
    """MED-18."""
    async with home(tmp_path, lan=LAN) as made:
        agent = made.agent
        await until(lambda: bool(agent.lan and agent.lan.port) and agent.link.connected)
        await until(lambda: agent.cameras[made.camera].online)
        await made.hub.ask("POST", "/pushes", made.push())
        assert agent.lan is not None
        async with browsing(agent.lan.port) as browser:
            await browser.sign_in(agent.household.new_code())
            async with browser.http.get(f"{browser.base}/api/state") as response:
                state = await response.json()
    assert (state["hub"], state["connected"]) == ("李家村", True)
    (viewer,) = state["pushes"][0]["viewers"]
    assert (viewer["subject"], viewer["purpose"]) == ("person-1", "own_view")
    assert (viewer["outside"], viewer["until"] > 0) == (False, True)


@pytest.mark.parametrize("path", ["/", "/api/state", "/nothing", "/static/lan.js"])
async def test_the_headers_keep_foreign_script_out(browser: Browser, path: str) -> None:
    async with browser.http.get(browser.base + path) as response:
        policy = response.headers["Content-Security-Policy"]
        for directive in ("script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
            assert directive in policy
        assert response.headers["Cache-Control"] == ("no-cache" if "static" in path else "no-store")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Permissions-Policy"].startswith("camera=()")
        assert response.headers["Server"] == "home-agent"


async def test_the_cookie_is_for_this_page_only(browser: Browser, code: str) -> None:
    async with browser.http.post(
        f"{browser.base}/sign-in", json={"code": code}, headers={"Origin": browser.base}
    ) as response:
        cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-home=")
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
        assert part in cookie


async def test_its_certificate_is_kept(agent: Agent, browser: Browser) -> None:
    assert agent.lan is not None
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", agent.lan.port))
    state = State(agent.config.state)
    assert (
        pem.encode().split()
        == (state.read_bytes("lan.pem") or b"").split(b"\n-----BEGIN P")[0].split()
    )


async def test_plain_http_is_for_loopback(tmp_path: Path) -> None:
    lan = LanConfig(host="127.0.0.1", port=0, media_port=0, tls=False)
    config = await asyncio.to_thread(settings, tmp_path, lan)
    async with running(config) as agent:
        await until(lambda: bool(agent.lan and agent.lan.port))
        assert agent.lan is not None
        base = f"http://127.0.0.1:{agent.lan.port}"
        async with aiohttp.ClientSession() as http, http.get(base) as response:
            assert response.status == 200


def test_only_the_home_s_own_networks_are_at_home() -> None:
    network = OwnNetwork(["Tor.example"], ["198.51.100.0/24"])
    network._networks = []
    network._addresses = []
    assert network.includes("127.0.0.1")
    assert network.includes("::ffff:127.0.0.1")
    assert network.includes("198.51.100.7")
    assert not network.includes("203.0.113.9")
    assert not network.includes("nonsense")
    assert network.is_us("tor.example.")
    assert not network.is_us("198.51.100.7")


def test_both_languages_say_the_same_things() -> None:
    assert set(ZH) == set(EN)
    assert all(ZH.values())
    assert all(EN.values())
    known = set(EN) | {Trouble.PRIVACY_OFF, Trouble.AGENT_OFFLINE}  # these two are the hub's
    assert {str(trouble) for trouble in Trouble} <= known


@pytest.mark.parametrize(
    ("cookie", "accept", "expected"),
    [(None, "", "zh"), (None, "fr", "en"), ("en", "zh", "en"), ("xx", "zh-TW,en", "zh")],
)
def test_the_browser_s_language_decides(cookie: str | None, accept: str, expected: str) -> None:
    assert choose(cookie, accept) == expected


async def test_guesses_all_at_once_are_counted_too(browser: Browser, code: str) -> None:
    """DEV-1: the limit holds for requests in parallel."""
    guesses = [browser.sign_in("BCDF-BCDF") for _ in range(20)]
    statuses = await asyncio.gather(*guesses)
    assert (statuses.count(403), statuses.count(429)) == (5, 15)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"garbage"),
        ("application/x-www-form-urlencoded", b"lang=\xff"),
    ],
)
async def test_a_form_that_is_none_is_refused_in_words(
    browser: Browser, kind: str, body: bytes
) -> None:
    """DEV-11."""
    headers = {"Origin": browser.base, "Content-Type": kind}
    address = f"{browser.base}/language"
    async with browser.http.post(address, data=body, headers=headers) as response:
        assert response.status in (400, 415)


async def test_what_is_no_http_leaves_no_traceback(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    """AUD-9: it may hold a token."""
    assert agent.lan is not None
    trust = ssl._create_unverified_context()
    reader, writer = await asyncio.open_connection("127.0.0.1", agent.lan.port, ssl=trust)
    writer.write(b"NO HTTP\r\nAuthorization: secret\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    assert not [each for each in caplog.records if each.exc_info]
