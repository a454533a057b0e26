"""Every failure has one shape (RFC 9457), a page for people, and tells no secrets."""

import json
import logging

import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.test_utils import make_mocked_request

from tests.hub.support import Hub
from village_core.log_lines import TextLines
from village_hub import errors, logs, problems
from village_hub.catalogue.versions import Stale
from village_hub.errors import HubError, TooMany, Unauthorized


def every_error(kind: type[HubError] = HubError) -> list[type[HubError]]:
    return [kind, *(found for each in kind.__subclasses__() for found in every_error(each))]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    doc = errors.__doc__ or ""
    for kind in every_error():
        assert kind.__name__ in doc
        assert str(kind.status) in doc


async def answer(
    error: Exception, accept: str = "application/json", **headers: str
) -> web.Response:
    request = make_mocked_request("GET", "/api/x", headers={"Accept": accept, **headers})

    async def fail(_: web.Request) -> web.StreamResponse:
        raise error

    response = await problems.render(request, fail)
    assert isinstance(response, web.Response)
    return response


@pytest.mark.parametrize("kind", every_error())
async def test_every_error_has_the_same_shape(kind: type[HubError]) -> None:
    response = await answer(kind("a sentence", code="a_code"))
    assert response.status == kind.status
    assert response.content_type == "application/problem+json"
    body = json.loads(response.text or "")
    assert set(body) == {"type", "title", "status", "detail", "code"}
    assert (body["status"], body["detail"], body["code"]) == (kind.status, "a sentence", "a_code")
    assert response.headers["Cache-Control"] == "no-store"


async def test_the_headers_that_a_status_asks_for_are_there() -> None:
    assert (await answer(TooMany("x", retry_after=7))).headers["Retry-After"] == "7"
    assert (await answer(Unauthorized("x"))).headers["WWW-Authenticate"].startswith("Bearer")
    refused = await answer(web.HTTPMethodNotAllowed("PUT", ["GET"]))
    assert (refused.status, refused.headers["Allow"]) == (405, "GET")
    assert json.loads(refused.text or "")["code"] == "method_not_allowed"


@pytest.mark.parametrize(("headers", "status"), [({"If-Match": '"1"'}, 412), ({}, 409)])
async def test_who_edits_what_changed_meanwhile_is_told_its_version(
    headers: dict[str, str], status: int
) -> None:
    response = await answer(Stale(3), **headers)
    assert (response.status, response.headers["ETag"]) == (status, '"3"')
    assert json.loads(response.text or "")["code"] == "changed"


async def test_what_nobody_expected_is_logged_and_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await answer(RuntimeError("password is 1234"))
    assert response.status == 500
    assert "1234" not in (response.text or "")
    assert "1234" in caplog.text


async def test_a_refusal_is_in_the_log_with_its_code_and_without_its_values(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """Who tries doors is to be seen, from where and at which; a value may be a secret."""
    caplog.set_level(logging.INFO, "village_hub")
    body = {"code": "hunter2", "more": "hunter3"}
    assert (await hub.ask("POST", "/api/v1/sign-in", json=body)).status == 422
    assert (await hub.ask("GET", "/api/v1/cameras/secret-id")).status == 401
    assert (await hub.ask("DELETE", "/whep/sessions/s3cret")).status == 401
    for line in (
        "POST /api/v1/sign-in from 127.0.0.1: refused, 422 bad_body",
        "GET /api/v1/cameras/{camera} from 127.0.0.1: refused, 401 unauthorized",
        "DELETE /whep/sessions/{session} from 127.0.0.1: refused, 401 unauthorized",
    ):
        assert line in caplog.text
    for value in ("hunter2", "hunter3", "secret-id", "s3cret"):
        assert value not in caplog.text


@pytest.mark.parametrize("error", [ConnectionResetError("lost"), web.RequestPayloadError("bad")])
async def test_a_body_that_did_not_arrive_is_no_failure_of_the_hub(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await answer(error)).status == 400
    assert "Traceback" not in caplog.text


async def test_a_redirect_is_no_failure() -> None:
    with pytest.raises(web.HTTPFound):
        await answer(web.HTTPFound("/"))


async def test_a_browser_gets_a_page_and_a_stranger_the_way_in(hub: Hub) -> None:
    page = {"Accept": "text/html,*/*"}
    stranger = await hub.ask("GET", "/", headers=page)
    assert (stranger.status, stranger.headers["Location"]) == (303, "/sign-in")
    missing = await hub.ask("GET", "/nothing", headers=page)
    assert (missing.status, missing.content_type) == (404, "text/html")
    api = await hub.ask("GET", "/api/v1/cameras", headers=page)
    assert (api.status, api.content_type) == (401, "application/problem+json")


async def test_the_pages_show_the_callers_cameras(hub: Hub) -> None:
    household, viewer = await hub.owner()
    camera, _ = await hub.push_camera(household, "Gate <b>")
    home = await hub.ask("GET", "/", headers=viewer.headers)
    assert home.status == 200
    assert "Gate &lt;b&gt;" in await home.text()
    assert (await hub.ask("GET", f"/cameras/{camera}", headers=viewer.headers)).status == 200
    _, other = await hub.owner("Li")
    headers = {**other.headers, "Accept": "text/html"}
    foreign = await hub.ask("GET", f"/cameras/{camera}", headers=headers)
    assert (foreign.status, foreign.content_type) == (404, "text/html")


async def test_health_says_little_and_readiness_means_something(hub: Hub) -> None:
    assert (await hub.ask("GET", "/healthz")).status == 200
    assert (await (await hub.ask("GET", "/readyz")).json()) == {"status": "ready"}


def record(message: str, **extra: str) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"name": "village_hub.x", "levelname": "INFO", "msg": message, "created": 1_795_000_000.5}
    )
    made.__dict__.update(extra)
    return made


def test_a_json_line_has_fields_for_camera_and_session() -> None:
    said = json.loads(logs.JsonLines().format(record("it ends", camera="gate", session="s1")))
    assert said["time"] == "2026-11-18T11:06:40.500Z"
    assert (said["message"], said["camera"], said["session"]) == ("it ends", "gate", "s1")
    text = TextLines().format(record("it ends", camera="gate"))
    assert text.endswith("village_hub.x camera=gate it ends")


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln",
        "rtsp://admin:hunter2@192.0.2.1/stream1",
        "Authorization: Bearer abcdef",
    ],
)
def test_a_credential_in_a_line_is_masked(secret: str) -> None:
    """AUD-9."""
    for form in (logs.JsonLines(), TextLines()):
        line = form.format(record(f"saw {secret} there"))
        assert "****" in line
        assert not any(part in line for part in ("hunter2", "abcdef", "c2ln"))


def test_a_traceback_stays_within_its_line_of_json() -> None:
    made = record("it failed")
    with pytest.raises(KeyError) as failed:
        {"gate": 1}["camera"]
    made.exc_info = (failed.type, failed.value, failed.tb)
    assert "KeyError" in " ".join(json.loads(logs.JsonLines().format(made))["trace"])
    assert "\n    " in TextLines().format(made)


def test_what_a_port_scan_brings_is_not_worth_a_traceback() -> None:
    made = record("Error handling request")
    error = BadHttpMessage("no HTTP")
    made.exc_info = (BadHttpMessage, error, None)
    assert not logs.not_strangers_noise(made)
    made.exc_info = (KeyError, KeyError("x"), None)
    assert logs.not_strangers_noise(made)
    assert logs.not_strangers_noise(record("anything else"))
