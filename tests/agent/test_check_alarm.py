"""`home-agent check` says whether a camera's alarm inputs are heard, and calls nobody (PRM-6)."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from home_agent import check_alarm as checking
from home_agent.__main__ import check_cameras
from home_agent.check_alarm import check_alarm
from home_agent.config import AlarmContact, CameraConfig, Config
from home_agent.onvif_helper import listening
from home_agent.report import Report
from home_agent.rtsp.digest import Credentials
from tests.agent.listening import in_threads
from tests.cameras.onvif_device import onvif_device
from tests.cameras.onvif_events import EventDialect, EventService
from tests.cameras.onvif_shapes import Dialect, Profile
from tests.cameras.rig import PASSWORD, USER
from village_core.settings import Secret

ACCOUNT = Credentials(USER, PASSWORD)
MAIN = [Profile(token="main", url="rtsp://127.0.0.1:9/main")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    in_threads(monkeypatch)
    monkeypatch.setattr(listening, "PACE", 0.02)
    monkeypatch.setattr(listening, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(listening, "WAIT", 0.1)


async def checked(dialect: EventDialect | None = None, **settings: Any) -> Report:
    events = EventService(button=False, other=True)
    events.dialect = dialect or EventDialect()
    async with onvif_device(MAIN, events=events) as device:
        wanted = {"name": "大门", "onvif": device.address, "alarm_inputs": ["button"], **settings}
        report = await check_alarm(CameraConfig(**wanted), ACCOUNT)
        assert events.subscriptions == {}
    return report


async def test_an_input_that_is_heard_is_said_with_how_it_stands() -> None:
    report = await checked()
    assert report.exit_code == 0
    assert "alarm input button is heard and quiet (false is reported)" in "\n".join(report.lines())


@pytest.mark.parametrize(
    ("dialect", "settings", "words"),
    [
        ({}, {"alarm_inputs": ["7"]}, "no alarm input 7; it tells of: button, other."),
        ({}, {"alarm_contact": AlarmContact.NORMALLY_CLOSED}, 'belong to be "normally-open"?'),
        ({}, {"alarm_inputs": ["other"]}, 'belong to be "normally-closed"?'),
        ({"never_initial": True}, {}, "press it to try"),
        ({"junk": b"<"}, {}, "calls nobody"),
        ({"room": 0}, {}, "no room for more subscriptions"),
    ],
)
async def test_what_is_wrong_with_it_is_said_with_what_to_do(
    dialect: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    report = await checked(EventDialect(**dialect), **settings)
    assert report.exit_code == 1
    assert words in "\n".join(report.lines())


async def test_a_camera_without_events_or_without_an_answer_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with onvif_device(MAIN, dialect=Dialect(events=False)) as device:
        camera = CameraConfig(name="门", onvif=device.address, alarm_inputs=["1"])
        report = await check_alarm(camera, ACCOUNT)
        assert "tells no events by ONVIF. Pressed now, it calls nobody." in report.lines()[1]
        monkeypatch.setattr(checking, "LONGEST", 0.0)
        assert "no answer in time" in (await check_alarm(camera, ACCOUNT)).lines()[1]


async def test_the_command_checks_the_alarm_inputs_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with onvif_device(MAIN, events=EventService(button=False)) as device:
        camera = CameraConfig(
            name="大门",
            onvif=device.address,
            user=USER,
            password=Secret(PASSWORD),
            alarm_inputs=["button"],
        )
        config = Config(state=tmp_path, cameras={"gate": camera})
        assert await check_cameras(argparse.Namespace(address=[]), config) == 1  # no stream
    assert "大门: alarm inputs\n  ok alarm input button is heard" in capsys.readouterr().out
