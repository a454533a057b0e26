"""The command line, as people use it: the real program on a folder of its own."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from sqlmodel import Session

from tests.hub.support import Hub, camera_note
from village_core.enrolment import Qr
from village_hub import commands, keys
from village_hub.__main__ import COMMANDS, main, parser
from village_hub.audit.entry import Entry
from village_hub.catalogue import nodes
from village_hub.catalogue.audit import CLI, Chain
from village_hub.catalogue.models import Enrolment
from village_hub.commands import CommandError, Office
from village_hub.config import Config, read


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    file = tmp_path / "hub.toml"
    file.write_text(
        'name = "West"\nstate = "state"\n[metrics]\nenabled = false\n[discovery]\nenabled = false\n'
        '[log]\nlevel = "error"\n'
    )
    return file


class Shell:
    def __init__(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = config
        self._capsys = capsys
        self.error = ""

    def __call__(self, *words: str, status: int | None = 0) -> str:
        """`status` None: whichever."""
        done = main([*words, "--config", str(self.config)])
        assert status in (None, done)
        said = self._capsys.readouterr()
        self.error = said.err
        return said.out


@pytest.fixture
def shell(settings_file: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(settings_file, capsys)


def test_a_household_its_owner_and_their_way_in(shell: Shell) -> None:
    assert "no household" in shell("households", "list")
    shell("households", "add", "  Wang   family ")
    assert "Wang family" in shell("households", "list")
    shell("people", "add", "Fang", "--household", "Wang family")
    assert "Fang  (Wang family)" in shell("people", "list")
    link = shell("codes", "sign-in", "Fang")
    assert re.search(r"http://127\.0\.0\.1:8443/sign-in#code=[\w-]{22,}\n", link)
    assert re.search(r"[B-Z]{4}-[B-Z]{4}", shell("codes", "sign-in", "Fang", "--typed"))
    shell("people", "remove", "Fang")
    assert "nobody" in shell("people", "list")


def test_the_machine_alone_makes_a_household_s_first_owner_and_no_other(shell: Shell) -> None:
    """While nobody is appointed there is nobody to confirm it; it is in the log, refused or not."""
    shell("households", "add", "Wang")
    shell("people", "add", "Fang", "--household", "Wang")
    shell("people", "add", "Li", "--household", "Wang", status=1)
    assert "an owner already" in shell.error
    assert "Li" not in shell("people", "list")
    said = asyncio.run(log_of(read(shell.config)))
    assert [(entry.action, entry.result) for entry in said] == [
        ("household.add", "allowed"),
        ("owner.add", "allowed"),
        ("owner.add", "second"),
    ]
    assert all(entry.household for entry in said[1:])


async def log_of(config: Config) -> list[Entry]:
    async with commands.office(config) as here:
        found = await here.catalogue.read(lambda session: list(Chain(session, CLI)))
    return [kept.entry for kept in found]


def test_enrolments_are_shown_as_qr_and_as_words(shell: Shell) -> None:
    shell("households", "add", "Wang")
    shown = shell("enrolments", "new", "Wang").splitlines()
    assert sum("█" in line for line in shown) > 10
    qr = Qr.parse(shown[-1])
    assert qr.url == "http://127.0.0.1:8443"
    typed = shell("enrolments", "new", "Wang", "--typed")
    assert "--code" in typed
    name = re.search(r"confirm (\S+) DIGITS", typed)
    assert name is not None
    listed = shell("enrolments", "list")
    assert qr.enrolment in listed
    assert name[1] in listed
    shell("enrolments", "confirm", name[1], "123456", status=1)
    assert "no box waits" in shell.error
    assert "no box" in shell("agents", "list")


def test_push_cameras_and_their_tokens(shell: Shell) -> None:
    shell("households", "add", "Wang")
    first = shell("cameras", "add-push", "Phone", "--household", "Wang")
    camera = re.search(r"/whip/(\S+)\n", first)
    assert camera is not None
    second = shell("cameras", "publish-token", "Phone")
    tokens = [re.search(r"token:  (\S{43})", text) for text in (first, second)]
    assert tokens[0] is not None
    assert tokens[1] is not None
    assert tokens[0][1] != tokens[1][1]
    assert "1 publish token revoked" in shell("cameras", "publish-token", "Phone", "--revoke")
    assert "0 publish tokens" in shell("cameras", "publish-token", camera[1], "--revoke")
    assert "Phone" in shell("cameras", "list")
    shell("cameras", "remove", "Phone")
    assert "no camera" in shell("cameras", "list")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("people", "add", "Fang", "--household", "Li"), 'no household "Li"'),
        (("codes", "sign-in", "Li"), 'no person "Li"'),
        (("enrolments", "new", "Li"), 'no household "Li"'),
        (("enrolments", "confirm", "x", "1"), "no box waits"),
        (("agents", "revoke", "x"), "no enrolled box"),
        (("cameras", "publish-token", "x"), 'no camera "x"'),
        (("households", "add", "  "), "1 to 80"),
        (("households", "add", "a\u0007b"), "visible"),
    ],
)
def test_what_cannot_be_done_is_said(shell: Shell, words: tuple[str, ...], sentence: str) -> None:
    shell(*words, status=1)
    assert shell.error.startswith("village-hub: ")
    assert sentence in shell.error


def test_a_name_that_two_have_asks_for_the_id(shell: Shell) -> None:
    shell("households", "add", "Wang")
    shell("households", "add", "Wang")
    shell("enrolments", "new", "Wang", status=1)
    assert "which id" in shell.error


async def test_a_box_is_confirmed_and_cut_off(hub: Hub) -> None:
    here = Office(hub.app[keys.CONFIG], hub.app[keys.NODE], hub.app[keys.CATALOGUE], hub.clock)
    agent = await hub.enrolled(await hub.household())
    note = camera_note()
    await hub.tell(agent, note)
    assert agent.id in (await commands.list_agents(here))[0]
    with pytest.raises(CommandError, match="home's box"):
        await commands.publish_token(here, note.id)
    assert "revoked" in (await commands.revoke_agent(here, agent.id))[0]
    assert await hub.tell(agent, note) == 401
    enrolments = hub.app[keys.ENROLMENTS]
    name, _ = await enrolments.new_typed(await hub.household("Li"))
    now = hub.clock.utc_ms()
    await hub.app[keys.CATALOGUE].write(begun_and_revealed, name, now)
    assert "digits 123456" in (await commands.list_enrolments(here))[0]
    assert "the same" in (await commands.confirm_enrolment(here, name, "123 456"))[0]


def begun_and_revealed(session: Session, name: str, now: int) -> None:
    row = session.get_one(Enrolment, name)
    assert row.expires > now
    row.state = "begun"
    assert nodes.reveal(session, name, ("k", "h", None), "123456")


@pytest.mark.parametrize(
    "words", [[], ["serv"], ["people", "add", "x"], ["serve", "--port", "1"], ["codes"]], ids=str
)
def test_wrong_words_are_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "village-hub" in capsys.readouterr().err


def test_wrong_settings_are_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("[listen]\nprot = 1\n")
    assert main(["serve", "--config", str(file)]) == 2
    assert 'did you mean "port"?' in capsys.readouterr().err
    assert main(["serve", "--config", str(tmp_path / "none.toml")]) == 2


def test_a_folder_that_cannot_be_used_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("a file")
    file = tmp_path / "hub.toml"
    file.write_text('state = "state"\n')
    assert main(["households", "list", "--config", str(file)]) == 1
    assert capsys.readouterr().err.startswith("village-hub: ")


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stopped:
            parser().parse_args([command.group, command.name, "--help"])
        assert stopped.value.code == 0
        assert command.help.split()[0] in capsys.readouterr().out


async def test_the_real_program_serves_and_stops_when_told(
    settings_file: Path, unused_tcp_port: int
) -> None:
    environ = {
        **os.environ,
        "SECURITY_VILLAGE_LISTEN__PORT": str(unused_tcp_port),
        "SECURITY_VILLAGE_MEDIA__PORT": "0",
        "SECURITY_VILLAGE_MEDIA__ADDRESSES": "127.0.0.1",
        "SECURITY_VILLAGE_LOG__LEVEL": "info",
    }
    words = [sys.executable, "-m", "village_hub", "serve", "--config", str(settings_file)]
    process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE, env=environ)
    assert process.stderr is not None
    try:
        said = b""
        async with asyncio.timeout(30):
            while b"is ready" not in said:
                line = await process.stderr.readline()
                assert line, said
                said += line
        url = f"http://127.0.0.1:{unused_tcp_port}/readyz"
        async with aiohttp.ClientSession() as client, client.get(url) as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        rest = await asyncio.wait_for(process.stderr.read(), 15)
        assert await process.wait() == 0
        assert b"stopping" in rest
        assert b"Traceback" not in rest
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
