"""What every answer says to a browser, pages or not; and the cookies (ASVS V3)."""

import ssl
from pathlib import Path

import aiohttp
import aiohttp.web
import pytest
from aiohttp.test_utils import make_mocked_request

from tests.hub.conftest import open_fake
from tests.hub.support import OFFER, SDP, Hub, sealed_config
from village_hub import headers
from village_hub.access.origin import SECURE
from village_hub.pages.views import HEADERS, language_cookie
from village_hub.serving import started

FORM = {"language": "zh", "back": "/"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/api/openapi.json", 200),
        ("GET", "/api/v1/cameras", 401),
        ("GET", "/nothing", 404),
        ("PUT", "/healthz", 405),
        ("GET", "/sign-in", 200),
        ("POST", "/language", 415),
        ("GET", "/static/page.js", 200),
        ("OPTIONS", "/whep/x", 200),
        ("GET", "/.well-known/jwks.json", 200),
    ],
)
async def test_every_answer_says_what_browsers_may_do_with_it(
    hub: Hub, method: str, path: str, status: int
) -> None:
    """Found wherever it comes from: nothing is sniffed, framed, embedded elsewhere or run."""
    response = await hub.ask(method, path)
    assert response.status == status
    policy = response.headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "object-src 'none'", "base-uri 'none'"):
        assert directive in policy
    assert "frame-ancestors 'none'" in policy
    assert ("sandbox" in policy) is (path != "/sign-in")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Server"] == "security-village"


async def test_nothing_about_anybody_is_kept_by_a_browser(hub: Hub) -> None:
    _, viewer = await hub.owner()
    paths = ("/api/v1/me", "/api/v1/cameras", "/api/v1/me/sign-ins", "/", "/sharing")
    for path in paths:
        response = await hub.ask("GET", path, headers=viewer.headers)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"


async def test_a_picture_is_kept_by_nobody(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, secret = await hub.push_camera(household)
    publisher = {"Authorization": f"Bearer {secret}", "Content-Type": SDP}
    assert (await hub.ask("POST", f"/whip/{camera}", data=OFFER, headers=publisher)).status == 201
    path = f"/api/v1/cameras/{camera}/still"
    response = await hub.ask("GET", path, headers=viewer.headers)
    assert (response.status, response.content_type) == (200, "image/jpeg")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        *("/api/v1/me", "/healthz", "/sign-in", "/nothing", "/api/openapi.json"),
        *("/static/page.js", "/static/style.css", "/static/icon.svg"),
    ],
)
async def test_text_says_its_charset(hub: Hub, path: str) -> None:
    response = await hub.ask("GET", path)
    assert response.charset == "utf-8"


async def test_a_request_of_two_lengths_is_refused(hub: Hub) -> None:
    """Else a proxy and the hub may disagree where the next one begins."""
    answer = await hub.raw(
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b" 200 " not in answer


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO"])
async def test_methods_that_nothing_here_has_are_refused(hub: Hub, method: str) -> None:
    """Another would give its headers back to whoever asks."""
    request = f"{method} /sign-in HTTP/1.1\r\nHost: x\r\nCookie: village=abc\r\n\r\n"
    answer = await hub.raw(request.encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"404", b"405")
    assert b"village=abc" not in answer


async def test_over_tls_a_browser_is_told_to_stay_with_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    """A year, with what lies below the name; errors say so as well."""
    monkeypatch.setattr("village_hub.serving.open_live", open_fake)
    config = sealed_config(tmp_path, "hub.test", unused_tcp_port)
    runner = await started(config)
    try:
        context = ssl.create_default_context(cafile=config.state / "tls" / "ca.pem")
        base = f"https://127.0.0.1:{unused_tcp_port}"
        named = {"Host": f"hub.test:{unused_tcp_port}"}
        async with aiohttp.ClientSession() as browser:
            for path in ("/healthz", "/sign-in", "/nothing"):
                async with browser.get(base + path, ssl=context, headers=named) as answer:
                    said = answer.headers["Strict-Transport-Security"]
                    assert said == "max-age=31536000; includeSubDomains"
            form = {**named, "Origin": config.url}
            async with browser.post(
                f"{base}/language", data=FORM, ssl=context, headers=form, allow_redirects=False
            ) as answer:
                cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-language=zh")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    finally:
        await runner.cleanup()


async def test_on_plain_http_nothing_is_said_of_tls(hub: Hub) -> None:
    """RFC 6797 section 7.2. A demo on this machine must not spoil the name for others, either."""
    assert "Strict-Transport-Security" not in (await hub.ask("GET", "/healthz")).headers
    request = make_mocked_request("GET", "/", headers={"Host": "localhost:8443"})
    request[SECURE] = True
    answer = aiohttp.web.Response()
    await headers.complete(request, answer)
    assert "Strict-Transport-Security" not in answer.headers


def test_behind_a_proxy_the_language_cookie_is_the_hosts_alone_too() -> None:
    request = make_mocked_request("GET", "/")
    assert language_cookie(request) == "language"
    request[SECURE] = True
    assert language_cookie(request) == "__Host-language"


def test_a_page_may_use_no_sensor_and_share_no_window() -> None:
    assert HEADERS["Permissions-Policy"] == "camera=(), microphone=(), geolocation=()"
    assert HEADERS["Cross-Origin-Opener-Policy"] == "same-origin"
