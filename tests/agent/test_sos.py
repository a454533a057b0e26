"""SOS raised at home (PRM-6): opens the chosen cameras, is told until it is taken, says which."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from home_agent.config import Config, SosConfig, SwitchConfig
from home_agent.panel import EV_KEY, EVENT, start_sos_panel
from home_agent.sos import Sos
from home_agent.state import StateError
from tests.agent import asking
from tests.agent.asking import given, on_duty, opening, push, standing
from tests.agent.home import Home, home, until
from village_core.permits import CameraClass


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path, class_=CameraClass.H_OUT) as made:
        await until(lambda: made.agent.link.connected)
        await until(lambda: made.agent.cameras[made.camera].online)
        yield made


async def test_a_press_opens_the_chosen_cameras_and_tells_the_hub(at_home: Home) -> None:
    grant, _ = await given(at_home, standing(at_home.camera))
    raised = await at_home.agent.sos.press("button")
    await until(lambda: at_home.hub.calls != [])
    (call,) = at_home.hub.calls
    assert (call["id"], call["cameras"], call["grant"]) == (raised.id, [at_home.camera], grant)
    await until(lambda: at_home.agent.sos.pending is None)
    assert await push(at_home, on_duty(at_home, raised.id)) == "yes"
    answer = await at_home.hub.ask("DELETE", f"/openings/{raised.id}")
    assert answer["status"] == 200
    assert asking.pushes(at_home.agent) == 0
    assert await push(at_home, on_duty(at_home, raised.id)) == "sos_closed"


async def test_without_a_standing_grant_people_are_called_and_nothing_opens(at_home: Home) -> None:
    raised = await at_home.agent.sos.press("command")
    await until(lambda: at_home.hub.calls != [])
    assert (at_home.hub.calls[0]["cameras"], at_home.hub.calls[0]["grant"]) == ([], "")
    assert await push(at_home, on_duty(at_home, raised.id)) == "no_basis"
    answer = await at_home.hub.ask("PUT", "/openings/x", opening(at_home, id="x"))
    assert (answer["status"], answer["body"]["code"]) == (403, "no_grant")


async def test_a_call_is_told_until_it_is_taken_and_says_that_it_is_not(at_home: Home) -> None:
    """Nobody is to wait for help that was never called."""
    at_home.hub.refuse_calls = 503
    raised = await at_home.agent.sos.press("lan")
    await until(lambda: bool(at_home.agent.sos.trouble))
    assert at_home.agent.sos.pending == raised
    assert (await at_home.agent.sos.press("lan")).id == raised.id  # the same call
    at_home.hub.refuse_calls = 0
    await until(lambda: at_home.agent.sos.pending is None)
    assert [call["id"] for call in at_home.hub.calls] == [raised.id]
    assert at_home.agent.sos.last is not None
    assert at_home.agent.sos.last.sent


async def test_a_call_that_was_not_sent_outlives_a_restart(at_home: Home) -> None:
    at_home.hub.refuse_calls = 503
    raised = await at_home.agent.sos.press("button")
    agent = at_home.agent
    again = Sos(
        agent.state, agent.clock, agent.consent, agent.journal, agent.link.parent, lambda: None
    )
    assert again.pending == raised


async def test_a_full_disk_does_not_keep_a_call_from_being_made(
    at_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_name: str, _document: object) -> None:
        raise StateError("the disk is full")

    monkeypatch.setattr(at_home.agent.state, "write", full)
    await at_home.agent.sos.press("button")
    await until(lambda: at_home.hub.calls != [])


async def test_a_helper_s_call_at_the_hub_opens_the_same_cameras(at_home: Home) -> None:
    """PUT /openings: only with the household's standing grant, and only what it names."""
    await given(at_home, standing(at_home.camera))
    said = opening(at_home, cameras=[at_home.camera, "another"])
    assert (await at_home.hub.ask("PUT", f"/openings/{said['id']}", said))["status"] == 200
    assert (await at_home.hub.ask("PUT", "/openings/other", said))["status"] == 400
    (known,) = at_home.agent.consent.openings.running()
    assert known.cameras == {at_home.camera}
    assert await push(at_home, on_duty(at_home, said["id"])) == "yes"
    assert await push(at_home, on_duty(at_home, said["id"], unit="other")) == "not_responder"


async def test_an_emergency_opens_the_yard_and_is_seen_at_home_at_once(at_home: Home) -> None:
    """PRM-7: without any grant."""
    said = opening(at_home, kind="emergency", by="王警官", unit="派出所", incident="110-7")
    assert (await at_home.hub.ask("PUT", f"/openings/{said['id']}", said))["status"] == 200
    officer = on_duty(
        at_home, said["id"], purpose="emergency", unit="station", roles=["station_officer"]
    )
    assert await push(at_home, officer) == "yes"
    (shown,) = at_home.agent.consent.openings.running()
    assert (shown.by, shown.incident) == ("王警官", "110-7")


async def test_an_emergency_never_opens_a_room(tmp_path: Path) -> None:
    async with home(tmp_path) as at_home:  # H-IN: nothing was said of the camera
        await until(lambda: at_home.agent.link.connected)
        said = opening(at_home, kind="emergency")
        answer = await at_home.hub.ask("PUT", f"/openings/{said['id']}", said)
        assert (answer["status"], answer["body"]["code"]) == (403, "class")


async def test_the_privacy_switch_goes_before_an_sos(at_home: Home) -> None:
    await given(at_home, standing(at_home.camera))
    raised = await at_home.agent.sos.press("button")
    await at_home.agent.switch.turn_off("test")
    assert await push(at_home, on_duty(at_home, raised.id)) == "privacy_off"


# Button and lamp


async def test_the_button_calls_and_the_lamp_blinks_until_it_is_sent(
    at_home: Home, tmp_path: Path
) -> None:
    device, light = tmp_path / "event1", tmp_path / "led"
    os.mkfifo(device)
    handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    light.mkdir()
    agent = at_home.agent
    at_home.hub.refuse_calls = 503
    config = SosConfig(button=str(device), button_key=30, lamp=str(light))
    start_sos_panel(config, agent.sos, agent.supervisor, agent.clock)
    os.write(handle, EVENT.pack(0, 0, EV_KEY, 31, 1))
    await asyncio.sleep(0.05)
    assert agent.sos.last is None
    os.write(handle, EVENT.pack(1, 0, EV_KEY, 30, 1))
    await until(lambda: agent.sos.pending is not None)
    shows = light / "brightness"
    await until(lambda: shows.exists() and shows.read_text() == "1")
    await until(lambda: shows.read_text() == "0")
    await until(lambda: shows.read_text() == "1")
    at_home.hub.refuse_calls = 0
    await until(lambda: agent.sos.pending is None, 15.0)
    await until(lambda: shows.read_text() == "1")
    os.close(handle)


def test_one_device_for_two_buttons_needs_to_know_them_apart() -> None:
    device = "/dev/input/event0"
    switch = SwitchConfig(button=device, button_key=30)
    with pytest.raises(ValueError, match="button_key for each"):
        Config(switch=switch, sos=SosConfig(button=device))
    Config(switch=switch, sos=SosConfig(button=device, button_key=31))
