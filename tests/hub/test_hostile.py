"""What strangers and enrolled but hostile boxes send to a hub: refused in words, nothing breaks."""

import asyncio
import logging
from collections import Counter

import pytest

from tests.hub.support import Hub
from village_hub import logs

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


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
async def test_credentials_that_are_no_text_are_refused_as_any_other(hub: Hub, name: str) -> None:
    """MED-3, DEV-11."""
    value = {"Authorization": "Bearer \udce9", "Cookie": "village=\udce9"}[name]
    response = await hub.ask("GET", "/api/v1/me", headers={name: value})
    assert response.status == 401


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
        assert await hub.sign_in(person)


def test_a_name_cannot_forge_a_line_of_the_log() -> None:
    """AUD-1: what a box calls its camera is one word of one line."""
    made = logging.makeLogRecord({"msg": "camera %s", "args": ("a\n2026 \x1b[2Jb\u202e",)})
    made.__dict__["camera"] = "x\ny"
    line = logs.TextLines().format(made)
    assert line.endswith(" camera=x\\u000ay camera a\\u000a2026 \\u001b[2Jb\\u202e")
