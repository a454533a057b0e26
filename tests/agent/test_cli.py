"""`home-agent` as people type it: what it says, and its exit codes."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from home_agent.household import Household
from home_agent.state import State

HOME_AGENT = Path(sys.executable).parent / "home-agent"


def agent(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(HOME_AGENT), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        input=typed,
        timeout=40,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = ['state = "state"', "[lan]", "enabled = false", "[cameras.gate]", 'name = "门"']
    (tmp_path / "agent.toml").write_text("\n".join([*lines, 'main = "rtsp://127.0.0.1:9/x"']))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["frob"], "invalid choice: 'frob'"),
        (["switch"], "the following arguments are required: way"),
        (["switch", "perhaps"], "invalid choice: 'perhaps'"),
        (["run", "--config", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["run", "--confg"], "unrecognized arguments"),
        (["enrol", "http://hub.example"], "plain http"),
        (["enrol", "--hub", "nonsense"], "url is to be https://host"),
        (["discover", "--seconds", "100"], "must be 1 to 60"),
    ],
)
def test_a_wrong_command_line_gets_one_sentence_and_2(
    folder: Path, words: list[str], says: str
) -> None:
    done = agent(folder, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_wrong_setting_is_named(folder: Path) -> None:
    (folder / "agent.toml").write_text("[lan]\nprot = 1\n")
    done = agent(folder, "status")
    assert done.returncode == 2
    assert 'lan: unknown key "prot"; did you mean "port"?' in done.stderr


def test_help_names_every_command(folder: Path) -> None:
    done = agent(folder, "--help")
    assert done.returncode == 0
    for command in ("run", "enrol", "switch", "code", "status", "discover", "check"):
        assert command in done.stdout


def test_the_switch_works_while_no_agent_runs(folder: Path) -> None:
    assert "off: nothing leaves" in agent(folder, "switch", "off").stdout
    assert "off: nothing leaves" in agent(folder, "switch", "status").stdout
    wrong = agent_on_terminal(folder, "BBBB-BBBB")
    assert wrong == 1
    code = Household(State.open(folder / "state")).new_code()
    assert agent_on_terminal(folder, code) == 0
    assert "on: the hub may ask" in agent(folder, "switch", "status").stdout


def agent_on_terminal(folder: Path, code: str) -> int:
    """`switch on` asks for the code on a terminal, without showing it."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execv(HOME_AGENT, [str(HOME_AGENT), "switch", "on"])
    said = b""
    while b"Code:" not in said:
        said += os.read(terminal, 100)
    os.write(terminal, f"{code}\n".encode())
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status)


@pytest.fixture
def run(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([str(HOME_AGENT), "run"], cwd=folder, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not (folder / "state" / "control.sock").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield process
    process.kill()
    process.wait()


def test_a_running_agent_answers_and_stops_cleanly(
    folder: Path, run: subprocess.Popen[bytes]
) -> None:
    status = agent(folder, "status")
    assert status.returncode == 0
    assert "not enrolled" in status.stdout
    assert "门: no picture" in status.stdout
    assert "off: nothing leaves" in agent(folder, "switch", "off").stdout
    second = agent(folder, "run")
    assert second.returncode == 1
    assert "already runs" in second.stderr
    run.send_signal(signal.SIGTERM)
    assert run.wait(10) == 0
    assert not (folder / "state" / "control.sock").exists()
    assert "no agent is running" in agent(folder, "status").stderr


def test_a_camera_is_checked_in_words(folder: Path) -> None:
    """By its key in the settings, by its address, or all of them."""
    for words in ([], ["gate"], ["rtsp://viewer:Lantern-4821@127.0.0.1:9/x"]):
        done = agent(folder, "check", *words)
        assert done.returncode == 1
        assert "!!" in done.stdout
        assert "9" in done.stdout
        assert "Lantern" not in done.stdout + done.stderr


def test_a_good_source_has_nothing_wrong(folder: Path) -> None:
    done = agent(folder, "check", "test:?size=320x180&rate=300")
    assert done.returncode == 0
    assert "Nothing is wrong." in done.stdout


def test_a_password_file_that_others_read_is_refused(folder: Path) -> None:
    (folder / "password").write_text("Lantern-4821")
    (folder / "password").chmod(0o644)
    done = agent(folder, "check", "192.0.2.1", "--user", "viewer", "--password-file", "password")
    assert done.returncode == 2
    assert "chmod 600" in done.stderr


def test_a_code_is_shown_once(folder: Path) -> None:
    done = agent(folder, "code")
    code = done.stdout.split("now ")[1][:9]
    asyncio.run(Household(State.open(folder / "state")).check(code, "test"))
    assert code not in (folder / "state" / "household.json").read_text()


def test_a_state_folder_that_others_read_stops_it_with_a_sentence(folder: Path) -> None:
    (folder / "state").mkdir(mode=0o755)
    done = agent(folder, "run")
    assert done.returncode == 1
    assert "chmod 700" in done.stderr


def test_an_unreachable_hub_is_said_in_a_sentence(folder: Path) -> None:
    done = agent(folder, "enrol", "https://127.0.0.1:1", "--code", "BCDF-GHJK")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_qr_of_something_else_is_refused(folder: Path) -> None:
    done = agent(folder, "enrol", "secvillage:1?u=https://hub.example")
    assert done.returncode == 1
    assert "incomplete" in done.stderr
