"""The privacy switch, its code, its button and lamp, its command (issue 2; DEV-1, DEV-4)."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from home_agent.config import SwitchConfig
from home_agent.control import Command, ControlError, NotRunningError, ask, open_control
from home_agent.household import CodeError, Household, TooManyTriesError, Tries
from home_agent.panel import EV_KEY, EV_LED, EVENT, start_panel
from home_agent.state import State
from home_agent.switch import Switch
from village_core.jobs import Supervisor


class Turned:
    """A clock in the test's hand."""

    now = 0.0

    def utc_ms(self) -> int:
        return round(self.now * 1000)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.open(tmp_path / "state")


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def household(state: State, clock: Turned) -> Household:
    return Household(state, clock)


@pytest.fixture
def switch(state: State, household: Household) -> Switch:
    return Switch(state, household)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


async def test_only_the_code_is_the_code(household: Household) -> None:
    assert not household.has_code()
    with pytest.raises(CodeError):
        await household.check("", "here")
    code = household.new_code()
    await household.check(code, "here")
    await household.check(code.lower().replace("-", " "), "here")
    with pytest.raises(CodeError, match="not the household's code"):
        await household.check("BBBB-BBBB", "here")


async def test_a_new_code_ends_the_old_one(household: Household) -> None:
    old = household.new_code()
    new = household.new_code()
    assert household.serial() == 2
    await household.check(new, "here")
    with pytest.raises(CodeError):
        await household.check(old, "here")


def test_the_code_itself_is_not_kept(household: Household, state: State) -> None:
    code = household.new_code()
    kept = state.path("household.json").read_text()
    assert code not in kept
    assert code.replace("-", "") not in kept


async def test_five_wrong_codes_make_that_place_wait(household: Household, clock: Turned) -> None:
    code = household.new_code()
    for _ in range(5):
        with pytest.raises(CodeError):
            await household.check("BBBB-BBBB", "there")
    with pytest.raises(TooManyTriesError, match="wait 600 s"):
        await household.check(code, "there")
    await household.check(code, "here")
    clock.now = 601
    await household.check(code, "there")


def test_many_places_together_have_to_wait_too(clock: Turned) -> None:
    tries = Tries(clock)
    for place in range(30):
        tries.check(str(place))
        tries.wrong(str(place))
    with pytest.raises(TooManyTriesError):
        tries.check("another")
    clock.now = 600
    tries.check("another")


def test_places_are_not_remembered_without_end(clock: Turned) -> None:
    tries = Tries(clock)
    for place in range(5000):
        tries.wrong(str(place))
    assert len(tries._by_place) == 1000


async def test_off_needs_nothing_and_holds_after_a_restart(
    switch: Switch, state: State, household: Household
) -> None:
    seen: list[bool] = []
    switch.listen(lambda: seen.append(switch.off))
    await switch.turn_off("test")
    assert seen == [True]
    assert Switch(state, household).off


async def test_on_needs_the_code(switch: Switch, state: State, household: Household) -> None:
    await switch.turn_off("test")
    with pytest.raises(CodeError):
        await switch.turn_on("BBBB-BBBB", "here", "test")
    assert Switch(state, household).off
    await switch.turn_on(household.new_code(), "here", "test")
    assert not Switch(state, household).off


async def test_off_holds_when_it_cannot_be_written(switch: Switch, state: State) -> None:
    state.path("switch.json").mkdir()
    with pytest.raises(Exception, match="cannot be written"):
        await switch.turn_off("test")
    assert switch.off


def test_a_damaged_switch_is_off(state: State, household: Household) -> None:
    state.write_bytes("switch.json", b"{")
    assert Switch(state, household).off


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A pipe instead of /dev/input/event0: its path and the end that the hardware would write."""
    path = tmp_path / "event0"
    os.mkfifo(path)
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield path, handle
    os.close(handle)


async def until_off(switch: Switch) -> None:
    off = asyncio.Event()
    switch.listen(off.set)
    await asyncio.wait_for(off.wait(), 5)


async def test_a_button_press_turns_off_and_never_on(
    switch: Switch, device: tuple[Path, int], supervisor: Supervisor
) -> None:
    path, handle = device
    start_panel(SwitchConfig(button=str(path), button_key=30), switch, supervisor)
    os.write(handle, EVENT.pack(0, 0, EV_KEY, 30, 0) + EVENT.pack(0, 0, EV_KEY, 31, 1))
    await asyncio.sleep(0.05)
    assert not switch.off
    os.write(handle, EVENT.pack(1, 2, EV_KEY, 30, 1))
    await until_off(switch)
    os.write(handle, EVENT.pack(1, 2, EV_KEY, 30, 1))
    await asyncio.sleep(0.05)
    assert switch.off


async def test_a_button_that_is_not_there_is_tried_again(
    switch: Switch, tmp_path: Path, supervisor: Supervisor
) -> None:
    path = tmp_path / "later"
    start_panel(SwitchConfig(button=str(path)), switch, supervisor)
    await asyncio.sleep(0.05)
    os.mkfifo(path)
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(handle, EVENT.pack(0, 0, EV_KEY, 1, 1))
    await until_off(switch)
    os.close(handle)


async def test_the_lamp_of_an_input_device_shows_the_switch(
    switch: Switch, device: tuple[Path, int], supervisor: Supervisor
) -> None:
    path, handle = device
    start_panel(SwitchConfig(lamp=str(path), lamp_led=7), switch, supervisor)
    await switch.turn_off("test")
    lit = [0]
    async with asyncio.timeout(5):
        while lit[-1] != 1:
            await asyncio.sleep(0.01)
            lit += [event[4] for event in _events(handle) if event[2:4] == (EV_LED, 7)]


def _events(handle: int) -> list[tuple[int, ...]]:
    try:
        return list(EVENT.iter_unpack(os.read(handle, EVENT.size * 10)))
    except BlockingIOError:
        return []


async def test_a_led_of_the_board_shows_the_switch(
    switch: Switch, tmp_path: Path, supervisor: Supervisor
) -> None:
    led = tmp_path / "led"
    led.mkdir()
    (led / "trigger").write_text("none [heartbeat]")
    (led / "max_brightness").write_text("255\n")
    start_panel(SwitchConfig(lamp=str(led), lamp_when="on"), switch, supervisor)
    await _reads(led / "brightness", "255")
    await switch.turn_off("test")
    await _reads(led / "brightness", "0")
    assert (led / "trigger").read_text() == "none"


async def _reads(path: Path, text: str) -> None:
    def wrong() -> bool:
        return not path.exists() or path.read_text() != text

    async with asyncio.timeout(5):
        while wrong():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


async def test_the_command_reaches_the_running_agent(
    state: State, switch: Switch, household: Household
) -> None:
    code = household.new_code()
    async with open_control(state.folder, switch, lambda: {"privacy_off": switch.off}):
        assert stat.S_IMODE(state.path("control.sock").stat().st_mode) == 0o600
        assert await ask(state.folder, Command(do="off")) == {"ok": True, "privacy_off": True}
        with pytest.raises(ControlError, match="not the household's code"):
            await ask(state.folder, Command(do="on", code="BBBBBBBB"))
        await ask(state.folder, Command(do="on", code=code))
        assert (await ask(state.folder, Command(do="status")))["privacy_off"] is False
    with pytest.raises(NotRunningError):
        await ask(state.folder, Command(do="status"))


async def test_a_second_agent_on_the_same_folder_is_refused(state: State, switch: Switch) -> None:
    async with open_control(state.folder, switch, dict):
        with pytest.raises(ControlError, match="already runs"):
            async with open_control(state.folder, switch, dict):
                pass
        assert await ask(state.folder, Command(do="status")) == {"ok": True}


async def test_a_socket_left_by_a_killed_agent_is_no_hindrance(
    state: State, switch: Switch
) -> None:
    async with open_control(state.folder, switch, dict):
        os.link(state.path("control.sock"), state.path("left"))
    state.path("left").rename(state.path("control.sock"))
    async with open_control(state.folder, switch, dict):
        assert await ask(state.folder, Command(do="status")) == {"ok": True}


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b'{"do": "explode"}\n', b"x" * 10_000, b"[]\n"])
async def test_nonsense_at_the_socket_gets_a_sentence(
    state: State, switch: Switch, line: bytes
) -> None:
    async with open_control(state.folder, switch, dict):
        reader, writer = await asyncio.open_unix_connection(str(state.path("control.sock")))
        writer.write(line)
        writer.write_eof()
        assert b"not a command" in await reader.read()
        writer.close()
        await writer.wait_closed()
