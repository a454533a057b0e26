"""`home-agent reset`: the box forgets its household, whole or not at all (DEV-10)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from home_agent import erasing
from home_agent.config import Config
from home_agent.control import ControlError
from home_agent.enrol import stored_enrolment
from home_agent.erasing import FILES
from home_agent.reset import reset
from home_agent.state import State
from tests.agent.home import enrolled_agent, settings, until
from tests.agent.hub_double import HubDouble, Tls


@dataclass
class Used:
    """A box that was enrolled and has worked; it is switched off."""

    hub: HubDouble
    server: TestServer
    config: Config

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.config.state.iterdir()}


@pytest.fixture
async def used(tmp_path: Path) -> AsyncIterator[Used]:
    tls = await asyncio.to_thread(Tls.make, tmp_path)
    hub = HubDouble(certificates=[tls.digest])
    server = TestServer(hub.app())
    await server.start_server(ssl=tls.context)
    url = str(server.make_url("")).rstrip("/")
    config = await asyncio.to_thread(settings, tmp_path)
    async with enrolled_agent(tmp_path, hub.qr(url)) as agent:
        await until(lambda: agent.link.connected)
        agent.household.new_code()
        await agent.sos.press("command")
        await agent.switch.turn_off("command")
        await until(lambda: agent.state.path("told.json").exists())
    State(config.state).write_bytes("passwords/gate", b"geheim")
    yield Used(hub, server, config)
    await server.close()


async def yes(_question: str) -> bool:
    return True


async def no(_question: str) -> bool:
    return False


async def test_all_that_an_agent_wrote_is_gone_and_the_hub_knows(
    used: Used, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"household.key", "node.key", "permits.jsonl", "openings.json"} <= used.names
    assert await reset(used.config, yes, yes=False) == 0
    assert used.names == set()
    assert used.hub.left
    said = capsys.readouterr().out
    assert "the keys of this box and of the household" in said
    assert "李家村 knows that this box has left" in said
    assert "Not the agent's" not in said
    assert stored_enrolment(State.open(used.config.state)) is None


async def test_without_a_yes_nothing_is_touched(used: Used) -> None:
    before = used.names
    assert await reset(used.config, no, yes=False) == 1
    assert used.names == before
    assert not used.hub.left
    assert await reset(used.config, no, yes=True) == 0


async def test_a_hub_that_is_out_of_reach_keeps_nobody_from_erasing(
    used: Used, capsys: pytest.CaptureFixture[str]
) -> None:
    await used.server.close()
    assert await reset(used.config, yes, yes=True) == 0
    assert used.names == set()
    assert "ask the village to take box" in capsys.readouterr().out


async def test_while_an_agent_runs_nothing_is_erased(tmp_path: Path, used: Used) -> None:
    from home_agent.agent import running

    async with running(used.config):
        before = used.names
        with pytest.raises(ControlError, match="stop it first"):
            await reset(used.config, yes, yes=True)
        assert used.names == before


async def test_what_the_agent_did_not_write_is_left_and_named(
    used: Used, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong `state` in the settings costs nobody a folder of theirs."""
    (used.config.state / "holiday.jpg").write_bytes(b"x")
    (used.config.state / "album").mkdir()
    await reset(used.config, yes, yes=True)
    assert used.names == {"album", "holiday.jpg"}
    assert "still there: album, holiday.jpg" in capsys.readouterr().out


@pytest.mark.parametrize("steps", range(len(FILES) + 2))
def test_cut_off_anywhere_the_next_start_finds_the_old_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Power fails after so many files."""
    state = State.open(tmp_path / "state")
    for name in (*FILES, ".grants.json.0a1b2c3d", "passwords/gate"):
        state.write_bytes(name, b"secret")
    erase, done = erasing._erase, 0

    def cut_off(path: Path) -> None:
        nonlocal done
        if done == steps:
            raise KeyboardInterrupt
        done += 1
        erase(path)

    monkeypatch.setattr(erasing, "_erase", cut_off)
    with pytest.raises(KeyboardInterrupt):
        state.erase()
    monkeypatch.setattr(erasing, "_erase", erase)
    State.open(state.folder)
    assert list(state.folder.iterdir()) == []


def test_a_link_in_the_folder_is_removed_and_not_followed(tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    state.path("grants.json").symlink_to(mine)
    state.erase()
    assert mine.read_bytes() == b"mine"
    assert not state.path("grants.json").is_symlink()


def test_what_is_erased_is_overwritten_first(tmp_path: Path) -> None:
    """Whoever holds the file open sees only zeros."""
    state = State.open(tmp_path / "state")
    state.write_bytes("household.key", b"secret")
    with state.path("household.key").open("rb") as file:
        state.erase()
        assert file.read() == bytes(6)


async def test_there_is_nothing_to_erase_where_no_box_was(tmp_path: Path) -> None:
    config = replace(Config(), state=tmp_path / "none")
    with pytest.raises(ControlError, match="no state folder"):
        await reset(config, yes, yes=True)
