"""`home-agent grants`, `owners` and `sos` as people type them."""

import argparse
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from home_agent import consent_commands
from tests.agent.asking import draft, family, given
from tests.agent.home import Home, home, until
from tests.agent.test_cli import agent
from village_core.ids import new_id
from village_core.permits import CameraClass


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path, class_=CameraClass.H_OUT) as made:
        await until(lambda: made.agent.link.connected)
        yield made


def typed(way: str, name: str = "") -> argparse.Namespace:
    return argparse.Namespace(way=way, id=name)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["grants"], 2, "the following arguments are required: way"),
        (["grants", "give"], 2, "invalid choice: 'give'"),
        (["owners", "list", "a", "b"], 2, "unrecognized arguments: b"),
        (["grants", "stop"], 1, "name which one"),
        (["grants", "list"], 1, "no agent is running"),
        (["owners", "refuse", "x"], 1, "no agent is running"),
        (["sos"], 1, "no agent is running"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    (tmp_path / "agent.toml").write_text('state = "state"\n[lan]\nenabled = false\n')
    done = agent(tmp_path, *words)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (code, 1)
    assert says in done.stderr
    assert ("NOT SENT. Call 110 now." in done.stdout) is (words == ["sos"])


async def test_the_lists_are_in_words(at_home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    config = at_home.agent.config
    assert await consent_commands.grants(typed("list"), config) == 0
    assert "Nobody outside this household may see anything." in capsys.readouterr().out
    name, _ = await given(at_home, family(at_home.camera))
    await at_home.hub.ask("POST", "/grants", draft(family(at_home.camera), asked_name="李强"))
    await consent_commands.grants(typed("list"), config)
    said = capsys.readouterr().out
    assert f"holds    {name}  李明: 大门; family, family; until 2036-" in said
    assert "asked for by 李强" in said
    await consent_commands.grants(typed("stop", name), config)
    assert f"stopped  {name}" in capsys.readouterr().out
    await at_home.hub.ask("POST", "/owners", {"id": new_id(), "person": "wife", "name": "王芳"})
    await consent_commands.owners(typed("list"), config)
    said = capsys.readouterr().out
    assert "owner    person-1  李强" in said
    assert "王芳: a new owner" in said


async def test_a_call_says_that_it_was_sent_or_that_it_was_not(
    at_home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent_commands, "SENT_WITHIN", 1.0)
    at_home.hub.refuse_calls = 503
    assert await consent_commands.sos(typed("sos"), at_home.agent.config) == 1
    assert "NOT SENT YET. Call 110 now." in capsys.readouterr().out
    at_home.hub.refuse_calls = 0
    await until(lambda: at_home.agent.sos.pending is None, 15.0)
    assert await consent_commands.sos(typed("sos"), at_home.agent.config) == 0
    assert "Sent: the village's hub has taken the call." in capsys.readouterr().out
