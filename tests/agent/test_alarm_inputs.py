"""A button wired to a camera calls for help (PRM-6), and what cannot be heard is said.

The real agent, a hub's double, and a camera made from the official descriptions.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from home_agent import alarm_inputs
from home_agent.__main__ import show_status
from home_agent.alarm_inputs import AlarmInputs
from home_agent.config import AlarmContact, CameraConfig
from home_agent.onvif_helper import listening
from home_agent.state import StateError
from tests.agent.asking import given, on_duty, push, standing
from tests.agent.home import Home, home, until
from tests.agent.listening import in_threads
from tests.cameras.onvif_device import OnvifDevice, onvif_device
from tests.cameras.onvif_events import RELAY, EventDialect, EventService, Message
from tests.cameras.onvif_shapes import Profile
from tests.cameras.rig import PASSWORD, USER
from village_core.permits import CameraClass
from village_core.settings import Secret

MAIN = [Profile(token="main", url="rtsp://127.0.0.1:9/main")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    in_threads(monkeypatch)
    monkeypatch.setattr(listening, "PACE", 0.02)
    monkeypatch.setattr(listening, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(alarm_inputs, "LONGEST_PAUSE", 0.5)


@dataclass
class Wired:
    """A home whose camera has a button."""

    home: Home
    device: OnvifDevice

    @property
    def events(self) -> EventService:
        return self.device.events

    @property
    def inputs(self) -> AlarmInputs:
        found = self.home.agent.alarms.of(self.home.agent.cameras[self.home.camera])
        assert found is not None
        return found

    @property
    def states(self) -> list[str]:
        return [each["state"] for each in self.inputs.shown()]

    @property
    def calls(self) -> list[dict[str, Any]]:
        return self.home.hub.calls

    async def become(self, *states: str) -> None:
        await until(lambda: self.states == list(states), 20.0)


@asynccontextmanager
async def wired(
    folder: Path, dialect: EventDialect | None = None, *, closed: bool = False, **settings: Any
) -> AsyncIterator[Wired]:
    events = EventService(button=closed, other=False)
    events.dialect = dialect or EventDialect()
    async with onvif_device(MAIN, events=events) as device:
        account = {"user": USER, "password": Secret(PASSWORD), "alarm_inputs": ["button"]}
        camera = {**account, "class_": CameraClass.H_OUT, "onvif": device.address, **settings}
        async with home(folder, **camera) as made:
            await until(lambda: made.agent.link.connected)
            yield Wired(made, device)


async def test_a_press_calls_the_hub_once_and_opens_the_chosen_cameras(tmp_path: Path) -> None:
    async with wired(tmp_path, EventDialect(twice=True)) as made:
        await given(made.home, standing(made.home.camera))
        await made.become("quiet")
        made.events.turn("button", True, False)
        await until(lambda: made.calls != [])
        (call,) = made.calls
        assert (call["by"], call["cameras"]) == ("alarm", [made.home.camera])
        assert await push(made.home, on_duty(made.home, call["id"])) == "yes"
        await until(lambda: made.home.agent.sos.pending is None)
        assert len(made.calls) == 1


async def test_nothing_else_calls(tmp_path: Path) -> None:
    """Not how it stood at the start, not a relay, not an input that was not named."""
    async with wired(tmp_path, closed=True) as made:
        await made.become("alarm")
        made.events.tell(Message(RELAY, "button", "true", "Changed"))
        made.events.turn("other", True)
        made.events.turn("button", True)
        made.events.turn("button", False)
        await made.become("quiet")
        assert made.home.agent.sos.last is None
        made.events.turn("button", True)
        await until(lambda: made.calls != [])


async def test_a_wire_that_is_cut_calls_where_the_contact_is_normally_closed(
    tmp_path: Path,
) -> None:
    async with wired(tmp_path, closed=True, alarm_contact=AlarmContact.NORMALLY_CLOSED) as made:
        await made.become("quiet")
        assert made.home.agent.sos.last is None
        made.events.turn("button", False)
        await until(lambda: made.calls != [])


@pytest.mark.parametrize(
    "dialect",
    [
        {"ends_after": 2},
        {"always_initial": True},
        {"late": 0.3},
        {"never_initial": True},
        {"operation": False},
        {"grants": 2.0, "renews": False},
        {"by_parameter": True},
    ],
    ids=str,
)
async def test_a_press_is_heard_in_every_dialect(
    dialect: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "WAIT", 0.5)
    async with wired(tmp_path, EventDialect(**dialect)) as made:
        await until(lambda: made.inputs.trouble is None, 20.0)
        await until(lambda: made.events.made > 0 and made.states != ["waiting"], 20.0)
        assert made.home.agent.sos.last is None
        made.events.turn("button", True)
        await until(lambda: made.calls != [])
        assert len(made.calls) == 1


async def test_what_was_pressed_while_the_camera_was_away_calls_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with wired(tmp_path) as made:
        await made.become("quiet")
        await made.device.stop()
        await made.become("deaf")
        made.events.inputs["button"] = True
        await made.device.start()
        await until(lambda: made.calls != [], 20.0)
        await made.become("alarm")


async def test_a_box_that_starts_again_knows_how_the_contact_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wired(tmp_path) as made:
        monkeypatch.setattr(alarm_inputs, "WRITE_EVERY", 0.0)
        await made.become("quiet")
        made.events.turn("button", True)
        await until(lambda: made.calls != [])
        kept = tmp_path / "state" / "alarms.json"
        await until(lambda: '"button":true' in kept.read_text())
        camera = made.home.agent.cameras[made.home.camera]
        again = AlarmInputs(
            camera,
            lambda: made.device.address,
            lambda: asyncio.sleep(0),
            alarm_inputs.Memory(made.home.agent.state, made.home.agent.clock),
            made.home.agent.clock,
        )
        assert [each.known for each in again.contacts.values()] == [True]


async def test_a_damaged_memory_or_a_full_disk_keeps_no_call_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "alarms.json").write_text("{")

    async with wired(tmp_path) as made:
        await made.become("quiet")

        def full(_name: str, _document: object) -> None:
            raise StateError("the disk is full")

        monkeypatch.setattr(made.home.agent.state, "write", full)
        made.events.turn("button", True)
        await until(lambda: made.calls != [])


async def test_the_command_says_whether_it_is_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with wired(tmp_path) as made:
        await made.become("quiet")
        await show_status(argparse.Namespace(), made.home.agent.config)
        await made.device.stop()
        await made.become("deaf")
        await show_status(argparse.Namespace(), made.home.agent.config)
        await made.device.start()
    heard, deaf = (
        line for line in capsys.readouterr().out.splitlines() if line.startswith("alarm")
    )
    assert heard == "alarm    大门: alarm input button: heard, nobody calls."
    assert "NOT HEARD: pressing it calls nobody now." in deaf
    assert made.device.address in deaf


# What cannot be heard is said


@pytest.mark.parametrize(
    ("dialect", "settings", "state", "words"),
    [
        ({"junk": b"<"}, {}, "deaf", "is no XML"),
        ({"room": 0}, {}, "deaf", "no room for more subscriptions"),
        ({}, {"password": Secret("not-the-one-9")}, "deaf", "password"),
        ({}, {"user": "admin", "password": Secret("admin")}, "deaf", "maker's password"),
        ({}, {"alarm_inputs": ["7"]}, "unknown", "is this its token?"),
        ({"never_initial": True}, {}, "unknown", "tells nothing of it"),
    ],
    ids=["junk", "no room", "wrong password", "maker's password", "no such input", "no word"],
)
async def test_an_input_that_is_not_heard_is_said(
    dialect: dict[str, Any],
    settings: dict[str, Any],
    state: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "WAIT", 0.1)
    async with wired(tmp_path, EventDialect(**dialect), **settings) as made:
        await until(lambda: words in str(made.home.agent.report()["alarms"]), 20.0)
        await made.become(state)
        (report,) = made.home.agent.report()["alarms"]
        assert "NOT HEARD" in report["inputs"][0]


async def test_a_state_that_makes_no_sense_is_said(tmp_path: Path) -> None:
    async with wired(tmp_path) as made:
        await made.become("quiet")
        made.events.tell(Message("Device/Trigger/DigitalInput", "button", "maybe", "Changed"))
        await made.become("unreadable")
        assert made.home.agent.sos.last is None


async def test_without_the_setting_nothing_listens(tmp_path: Path) -> None:
    async with wired(tmp_path, alarm_inputs=[]) as made:
        camera = made.home.agent.cameras[made.home.camera]
        assert made.home.agent.alarms.of(camera) is None
        await until(lambda: "GetProfiles" in made.device.calls)
        assert made.events.made == 0


@pytest.mark.parametrize(
    "inputs", [[""], ["x" * 65], ["a", "a"], ["\n"], [" 1"], [str(n) for n in range(17)]]
)
def test_tokens_that_cannot_be_are_refused(inputs: list[str]) -> None:
    with pytest.raises(ValueError, match="alarm_inputs"):
        CameraConfig(name="门", onvif="192.0.2.1", alarm_inputs=inputs)


def test_an_alarm_input_needs_an_onvif_address() -> None:
    with pytest.raises(ValueError, match="needs onvif"):
        CameraConfig(name="门", main="rtsp://192.0.2.1/a", alarm_inputs=["1"])
