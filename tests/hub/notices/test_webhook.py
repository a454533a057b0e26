"""A unit's own system, over real HTTP: signed, only where configured, and forgotten by nobody."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.hub.notices.told import SAID
from tests.hub.support import Hub, TurnedClock, small_config, until
from tests.support.gateway import signature
from village_core.settings import Secret, SettingsError, parse
from village_hub import keys
from village_hub.catalogue import notices
from village_hub.config import Config, NoticesConfig, WebhookConfig
from village_hub.notices import port
from village_hub.notices.due import RULES
from village_hub.notices.kinds import Channel, Kind, State, Whom
from village_hub.notices.port import About, Event, Notice, To

SECRET = "the station's"


@dataclass
class Station:
    """Takes what its hub sends; `answers` come first."""

    got: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    answers: list[int] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.asked += 1
        body, sent = await request.read(), request.headers
        wanted = signature(sent["webhook-id"], sent["webhook-timestamp"], body, SECRET)
        assert sent["webhook-signature"] == wanted
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        self.got.append(json.loads(body))
        return web.Response(status=204)


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    found, app = Station(), web.Application()
    app.router.add_post("/hook", found.take)
    server = TestServer(app)
    await server.start_server()
    found.url = str(server.make_url("/hook"))
    yield found
    await server.close()


@pytest.fixture
def config(tmp_path: Path, station: Station) -> Config:
    hook = WebhookConfig(unit="station-1", url=station.url, secret=Secret(SECRET))
    return small_config(tmp_path, notices=NoticesConfig(webhooks=[hook]))


async def raised(hub: Hub, unit: str) -> str:
    event = Event(Kind.SOS_RAISED, About("sos", "s1"), hub.clock.utc_ms(), SAID)
    notice = Notice(event, Whom.RESPONDER, To.duty(unit))
    [found] = await hub.app[keys.CATALOGUE].write(port.tell, notice)
    return found


async def state(hub: Hub, name: str) -> tuple[State, bool]:
    row = await hub.app[keys.CATALOGUE].read(notices.find, name)
    assert row is not None
    return row.progress.state, row.progress.given_up


async def test_a_unit_is_told_over_its_own_system(hub: Hub, station: Station) -> None:
    name = await raised(hub, "station-1")
    await until(lambda: len(station.got) == 1)
    [message] = station.got
    assert message["type"] == "sos_raised"
    assert message["timestamp"].endswith("+00:00")
    assert message["data"]["notice"] == name
    assert message["data"]["about"] == {"kind": "sos", "id": "s1"}
    assert message["data"]["text"].startswith("王家发出了求救")

    async def delivered() -> bool:
        return await state(hub, name) == (State.DELIVERED, True)

    await until(delivered)


async def test_a_system_that_fails_is_asked_again(hub: Hub, station: Station) -> None:
    station.answers = [500, 404]
    name = await raised(hub, "station-1")
    for tries, pause in ((1, 30), (2, 120)):

        async def over(tries: int = tries) -> bool:
            row = await hub.app[keys.CATALOGUE].read(notices.find, name)
            return row is not None and row.progress.round == tries

        await until(over)
        hub.clock.turn(pause)
    await until(lambda: len(station.got) == 1)
    assert station.asked == 3


async def test_another_unit_is_not_told_at_this_address(hub: Hub, station: Station) -> None:
    name = await raised(hub, "station-2")

    async def over() -> bool:
        return (await state(hub, name))[1]

    await until(over)
    assert station.asked == 0


def test_only_what_goes_to_units_goes_by_webhook() -> None:
    persons = {Whom.OWNER, Whom.KIN, Whom.FILMED, Whom.PARTY, Whom.SECOND, Whom.ASKER}
    for kind, rule in RULES.items():
        for duty in rule.duties:
            assert duty.whom not in persons or Channel.WEBHOOK not in duty.channels, kind


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.org/x", "plain HTTP is for loopback only"),
        ("file:///etc/passwd", "https://host"),
        ("https://user:pw@example.org/", "https://host"),
        ("https:///x", "https://host"),
    ],
)
@pytest.mark.parametrize("where", ["gateway", "webhook"])
def test_an_address_that_gives_names_away_is_refused(url: str, sentence: str, where: str) -> None:
    given: dict[str, Any] = {"gateway": {"url": url, "secret_env": "S"}}
    if where == "webhook":
        given = {"webhooks": [{"unit": "u", "url": url, "secret_env": "S"}]}
    with pytest.raises(SettingsError, match=sentence):
        parse(NoticesConfig, given, environ={"S": "x"}, prefix="X")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"gateway": {"url": "https://g.example/"}}, "secret_file or secret_env"),
        ({"gateway": {"url": "https://g.example/", "secret_env": "BAD"}}, "base64"),
        ({"gateway": {"sender": "西" * 11}}, "at most 10"),
        ({"ring_seconds": 5}, "outside 10 to 120"),
        ({"ring_at_once": 0}, "outside 1 to 10"),
        ({"webhooks": [{"unit": "u", "url": "https://g.example/"}]}, "secret_file or _env"),
    ],
)
def test_settings_that_make_no_sense_are_said(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        parse(NoticesConfig, given, environ={"BAD": "whsec_***"}, prefix="X")


async def test_without_settings_nobody_is_called_at_all(clock: TurnedClock) -> None:
    settings = parse(NoticesConfig, {}, environ={}, prefix="X")
    assert (settings.gateway.url, settings.webhooks) == ("", [])
