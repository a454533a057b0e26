"""The page routes without a browser: headers, escaping, languages, static files."""

import gzip
import html
import re
from dataclasses import fields

import jinja2
import jinja2.meta
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from jinja2.nodes import Assign, Name

from tests.browser.stand_in import Camera, ScriptedHub
from village_core.troubles import Trouble
from village_hub.pages.folder import TEMPLATES
from village_hub.pages.render import (
    AccountPage,
    CameraPage,
    CamerasPage,
    DevicePage,
    EnrolPage,
    ErrorPage,
    Page,
    SignInPage,
)
from village_hub.pages.static import FOREVER, Statics
from village_hub.pages.views import PUBLIC, routes
from village_hub.pages.words import read_words

EVIL = """"><script>alert(1)</script>' onerror=x </script><!-- {{ 7*7 }} 院"""
AS_PAGE = {"Accept": "text/html", "Accept-Language": "en"}
Client = TestClient[web.Request, web.Application]
PAGES: tuple[type[Page], ...] = (
    *(SignInPage, CamerasPage, CameraPage, ErrorPage),
    *(EnrolPage, AccountPage, DevicePage),
)


@pytest.fixture
async def client(hub: ScriptedHub, aiohttp_client: object) -> Client:
    made: Client = await aiohttp_client(hub.app())  # type: ignore[operator]
    return made


async def body(client: Client, path: str, status: int = 200, language: str = "en") -> str:
    headers = {**AS_PAGE, "Accept-Language": language}
    response = await client.get(path, headers=headers, allow_redirects=False)
    assert response.status == status
    return await response.text()


@pytest.mark.parametrize("path", ["/", "/cameras/gate", "/sign-in", "/cameras/none"])
async def test_every_page_forbids_what_it_does_not_need(
    client: Client, hub: ScriptedHub, path: str
) -> None:
    hub.add(Camera("gate", "Gate"))
    response = await client.get(path, headers=AS_PAGE)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Language"] == "en"
    assert response.content_type == "text/html"


@pytest.mark.parametrize("path", ["/", "/cameras/gate"])
async def test_a_name_from_a_home_is_only_ever_text(
    client: Client, hub: ScriptedHub, path: str
) -> None:
    hub.add(Camera("gate", EVIL))
    text = await body(client, path)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert (
        html.escape(EVIL, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text
    )


async def test_words_for_scripts_cannot_end_their_element(client: Client) -> None:
    data = re.search(r'id="words">(.*?)</script>', await body(client, "/sign-in"), re.DOTALL)
    assert data is not None
    assert "<" not in data[1]


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_the_list_says_each_trouble_in_words(
    client: Client, hub: ScriptedHub, trouble: Trouble
) -> None:
    hub.add(Camera("gate", "Gate", online=False, trouble=trouble))
    for language, words in read_words().items():
        text = await body(client, "/", language=language)
        assert words(f"trouble.{trouble}.what").replace("'", "&#39;") in text


async def test_a_stranger_is_sent_to_sign_in(client: Client, hub: ScriptedHub) -> None:
    hub.signed_in = False
    for path in ("/", "/cameras/gate"):
        response = await client.get(path, headers=AS_PAGE, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/sign-in")


def test_every_route_has_a_name_and_the_public_ones_exist() -> None:
    names = {route.kwargs.get("name") for route in routes if isinstance(route, web.RouteDef)}
    assert None not in names
    assert names >= PUBLIC


async def test_what_is_not_there_is_told_in_words(client: Client) -> None:
    assert "There is no such page or camera" in await body(client, "/cameras/none", 404)
    assert "没有这个页面或摄像头" in await body(client, "/cameras/none", 404, "zh")


async def test_the_language_switch_is_remembered_and_goes_back(client: Client) -> None:
    form = {"language": "zh", "back": "/sign-in"}
    response = await client.post("/language", data=form, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/sign-in")
    cookie = response.cookies["language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("zh", True, "Lax")
    assert 'lang="zh-CN"' in await body(client, "/sign-in")


@pytest.mark.parametrize(
    "back",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "",
        "x",
        "/\n",
        "/é",
    ],
)
async def test_the_language_switch_leads_nowhere_else(client: Client, back: str) -> None:
    form = {"language": "en", "back": back}
    response = await client.post("/language", data=form, allow_redirects=False)
    assert response.headers["Location"] == "/"


async def test_an_unknown_language_is_refused(client: Client) -> None:
    response = await client.post("/language", data={"language": "xx", "back": "/"})
    assert response.status == 400


async def test_a_static_file_is_kept_for_ever_under_its_hashed_name(client: Client) -> None:
    page = await body(client, "/sign-in")
    urls = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(urls) >= 4
    for url in urls:
        response = await client.get(url)
        assert response.status == 200
        assert response.headers["Cache-Control"] == FOREVER
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_static_file_under_its_plain_name_is_asked_for_again(client: Client) -> None:
    response = await client.get("/static/player.js")
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.content_type == "text/javascript"
    etag = {"If-None-Match": response.headers["ETag"]}
    again = await client.get("/static/player.js", headers=etag)
    assert (again.status, await again.read()) == (304, b"")


async def test_a_static_file_travels_compressed(hub: ScriptedHub) -> None:
    async with (
        TestServer(hub.app()) as server,
        ClientSession(auto_decompress=False) as session,
        session.get(server.make_url("/static/player.js")) as response,
    ):
        packed = await response.read()
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == (TEMPLATES / "static/player.js").read_bytes()
    assert len(packed) < 10_000


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2fbase.html", "..%2F..%2Fpyproject.toml", "player..js"]
)
async def test_only_static_files_are_served(client: Client, name: str) -> None:
    response = await client.get(f"/static/{name}")
    assert response.status == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_context_holds_what_its_template_uses_and_no_more(page: type[Page]) -> None:
    used = variables(page.template) - {"words", "static"}
    assert used == {field.name for field in fields(page)}


def variables(template: str) -> set[str]:
    """Names that a template and those it extends or includes take from their context: what one
    sets itself, those it extends are given by it."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    tree = jinja2.Environment(autoescape=True).parse(text)
    found = jinja2.meta.find_undeclared_variables(tree)
    for other in jinja2.meta.find_referenced_templates(tree):
        assert other is not None
        found |= variables(other)
    targets = [line.target for line in tree.find_all(Assign)]
    return found - {target.name for target in targets if isinstance(target, Name)}


def test_a_statics_name_changes_with_its_bytes() -> None:
    assert re.fullmatch(r"/static/player\.[0-9a-f]{12}\.js", Statics().url("player.js"))
