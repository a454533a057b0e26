"""What strangers and enrolled but hostile boxes send to a hub: refused in words, nothing breaks."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.hub.support import Agent, Hub, TurnedClock, camera_note
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.log_lines import TextLines
from village_core.media.stream import Stream
from village_core.messages import LARGEST_FRAME, Answer, PushRequest
from village_core.permits import Action, Purpose, Quality, Role
from village_hub.access.facts import Permit, Subject
from village_hub.media.feed import Feed
from village_hub.media.pull import Pulls

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"garbage", 415),
        ("multipart/form-data; boundary=x", b"--x\r\ngarbage", 415),
        (FORM, b"language=\xff", 400),
        (FORM, b"&".join(b"a=%d" % number for number in range(50)), 400),
        (f"{FORM}; charset=nonsense", b"language=zh", 303),
    ],
)
async def test_a_form_that_is_none_is_refused_in_words(
    hub: Hub, kind: str, body: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """DEV-11: no stranger brings a traceback into the log."""
    response = await hub.ask("POST", "/language", data=body, headers={"Content-Type": kind})
    assert response.status == status
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_a_body_that_never_ends_is_given_up(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's connections are not kept for ever."""
    monkeypatch.setattr("village_hub.api.bodies.WITHIN", 0.05)
    monkeypatch.setattr("village_hub.pages.views.FORM_WITHIN", 0.05)
    for path, kind in (("/api/v1/sign-in", "application/json"), ("/language", FORM)):
        response = await hub.ask("POST", path, data=endless(), headers={"Content-Type": kind})
        assert response.status == 408


async def endless() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.sleep(5)


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
async def test_credentials_that_are_no_text_are_refused_as_any_other(hub: Hub, name: str) -> None:
    """MED-3, DEV-11."""
    value = {"Authorization": "Bearer \udce9", "Cookie": "village=\udce9"}[name]
    response = await hub.ask("GET", "/api/v1/me", headers={name: value})
    assert response.status == 401


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/cameras/a%00b"), ("POST", "/api/v1/cameras/a%00b/media-token")],
)
async def test_what_no_database_holds_is_the_askers_mistake(
    hub: Hub, method: str, path: str
) -> None:
    """PostgreSQL's text has no NUL; SQLite's has."""
    _, viewer = await hub.owner()
    answer = await hub.ask(method, path, headers=viewer.headers)
    assert answer.status in (400, 404)
    assert (await answer.json())["detail"]


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**64, 10**40, "NaN"])
async def test_a_number_that_no_database_holds_is_refused_in_words(
    hub: Hub, number: int | str
) -> None:
    """RFC 7493 section 2.2: in a body, and in the times that an auditor asks for."""
    headers = {"Content-Type": "application/json"}
    sent = f'{{"code": {number}}}'
    response = await hub.ask("POST", "/api/v1/sign-in", data=sent, headers=headers)
    assert (response.status, (await response.json())["code"]) == (400, "bad_json")
    viewer = await hub.staff(Role.AUDITOR)
    path = f"/api/v1/audit/entries?since={number}"
    response = await hub.ask("GET", path, headers=viewer.headers)
    assert response.status == 400
    assert (await response.json())["detail"].startswith("since: ")


async def test_a_browser_with_a_strange_name_signs_in(hub: Hub) -> None:
    code = await hub.code(await hub.person(await hub.household()))
    headers = {"User-Agent": "phone \udce9"}
    response = await hub.ask("POST", "/api/v1/sign-in", json={"code": code}, headers=headers)
    assert response.status == 200


async def test_codes_guessed_all_at_once_are_counted_too(hub: Hub) -> None:
    """IDN-11: the limit holds for requests in parallel; who signs in uses up none of it."""
    guesses = [
        hub.ask("POST", "/api/v1/sign-in", json={"code": f"BCDF-BC{a}{b}"})
        for a in "BCDFG"
        for b in "BCDFG"
    ]
    statuses = Counter(answer.status for answer in await asyncio.gather(*guesses))
    assert statuses == {404: 10, 429: 15}
    hub.clock.turn(300)
    person = await hub.person(await hub.household())
    for _ in range(12):
        _ = await hub.sign_in(person)


def test_a_name_cannot_forge_a_line_of_the_log() -> None:
    """AUD-1: what a box calls its camera is one word of one line."""
    made = logging.makeLogRecord({"msg": "camera %s", "args": ("a\n2026 \x1b[2Jb\u202e",)})
    made.__dict__["camera"] = "x\ny"
    line = TextLines().format(made)
    assert line.endswith(" camera=x\\u000ay camera a\\u000a2026 \\u001b[2Jb\\u202e")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../x"},
        {"id": ""},
        {"id": "a\nb"},
        {"id": "x" * 65},
        {"name": "gate\x1b[2J"},
        {"name": "gate\n2026 forged"},
    ],
)
async def test_a_box_cannot_give_a_camera_any_id_or_name(hub: Hub, change: dict[str, str]) -> None:
    """DEV-11: ids become parts of addresses, names lines of a log or a terminal."""
    agent = await hub.enrolled(await hub.household())
    note = {**camera_note().model_dump(mode="json"), **change}
    assert await told(hub, agent, [note]) == 422


async def test_a_box_has_so_many_cameras_and_no_more(hub: Hub) -> None:
    agent = await hub.enrolled(await hub.household())
    notes = [camera_note().model_dump(mode="json") for _ in range(65)]
    assert await told(hub, agent, notes) == 422
    assert await told(hub, agent, notes[:64]) == 204


async def told(hub: Hub, agent: Agent, notes: list[dict[str, Any]]) -> int:
    headers = {**hub.node_token(agent)}
    body = {"version": "1", "privacy_off": False, "cameras": notes}
    response = await hub.ask("PUT", "/api/v1/node/status", json=body, headers=headers)
    return response.status


async def test_a_push_for_hundreds_of_viewers_fits_the_uplink() -> None:
    """After a link's return all viewers' permits wait at once: those that end last go along."""
    clock = TurnedClock()
    supervisor = Supervisor(clock)
    feed = Feed(new_id(), Quality.MAIN, clock, Stream("gate", Quality.MAIN, clock))
    for number in range(400):
        feed.want(str(number), permit(feed.camera, clock.utc_ms() + number).note())
    child = Child()
    pulls = Pulls("https://hub.test:8443", child, TicketsDouble(), supervisor, clock)  # type: ignore[arg-type]
    pulls.ensure(feed, "node")
    async with asyncio.timeout(5):
        request = await child.asked
    await supervisor.stop()
    assert len(request.model_dump_json().encode()) < LARGEST_FRAME - 1000
    assert max(note.until for note in request.permits) == clock.utc_ms() + 399


class Child:
    """Says no, and keeps the first thing it was asked."""

    def __init__(self) -> None:
        self.asked: asyncio.Future[PushRequest] = asyncio.get_running_loop().create_future()

    async def ask(self, _node: str, _method: str, _path: str, body: Any, **_: float) -> Answer:
        if not self.asked.done():
            self.asked.set_result(body)
        return Answer(id="1", status=404)


class TicketsDouble:
    def for_push(self, *_: object) -> str:
        return "t" * 800


def permit(camera: str, until: int) -> Permit:
    return Permit(
        id=new_id(),
        subject=Subject(new_id(), new_id()),
        via=new_id(),
        camera=camera,
        quality=Quality.MAIN,
        action=Action.LIVE,
        purpose=Purpose.OWN_VIEW,
        basis="O",
        until=until,
        outside=False,
    )
