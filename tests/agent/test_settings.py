"""village_core/settings.py: strict TOML plus environment (DEV-1, DEV-4, DEV-11)."""

from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from village_core.settings import Secret, SettingsError, in_range, load, parse


class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    port: int = 8189
    hosts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        in_range("port", self.port, 1, 65_535)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    name: str
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    folder: Path
    pace: float = 1.5
    quick: bool = False
    mode: Mode = Mode.FAST
    kind: Literal["a", "b"] = "a"
    part: Part = Part()
    gates: list[Gate] = field(default_factory=list)
    spare: Part | None = None
    words: dict[str, int] = field(default_factory=dict)
    key: Secret | None = None


def made(table: dict[str, Any], **environ: str) -> Whole:
    return parse(Whole, {"folder": "x", **table}, environ=environ, prefix="AGENT")


def test_a_file_is_read_with_paths_relative_to_it(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('folder = "state"\npace = 2\n[part]\nport = 9\n[[gates]]\nname = "门"\n')
    whole = load(Whole, file, environ={}, prefix="AGENT")
    assert whole.folder == tmp_path / "state"
    assert (whole.pace, whole.part.port, whole.gates[0].name) == (2.0, 9, "门")
    assert whole.spare is None


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"paec": 1}, 'unknown key "paec"; did you mean "pace"?'),
        ({"part": {"prot": 1}}, 'part: unknown key "prot"; did you mean "port"?'),
        ({"gates": [{"nam": 1}]}, 'gates[0]: unknown key "nam"; did you mean "name"?'),
        ({"zzzzz": 1}, "known: folder, gates"),
        ({"pace": "x"}, "pace is to be a number, not 'x'"),
        ({"quick": 1}, "quick is to be true or false, not 1"),
        ({"part": {"port": True}}, "part.port is to be a whole number, not True"),
        ({"part": 3}, "part is to be a section, not 3"),
        ({"gates": {}}, "gates is to be a list"),
        ({"gates": [{}]}, "gates[0].name is missing"),
        ({"mode": "medium"}, "mode is to be one of fast, slow"),
        ({"kind": []}, "kind is to be one of a, b"),
        ({"part": {"port": 0}}, "part: port = 0 is outside 1 to 65535"),
        ({"words": {"a": "b"}}, "words.a is to be a whole number"),
        ({"key": "hunter2"}, "key is a secret: give key_file or key_env instead"),
        ({"key_env": "NOT_SET"}, "key_env names NOT_SET, which is not set"),
        ({"key_file": "/nonexistent"}, "cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_said_with_the_key(table: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        made(table)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_missing_required_key_is_named() -> None:
    with pytest.raises(SettingsError, match="folder is missing"):
        parse(Whole, {}, environ={}, prefix="AGENT")


def test_the_environment_overrides_the_file() -> None:
    whole = made(
        {"part": {"port": 1}},
        AGENT_PACE="3",
        AGENT_PART__PORT="7",
        AGENT_PART__HOSTS="a, b",
        HOME="/",
    )
    assert (whole.pace, whole.part.port, whole.part.hosts) == (3.0, 7, ["a", "b"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AGENT_PAEC", "1", "unknown variable AGENT_PAEC; did you mean"),
        ("AGENT_PACE", "x", "AGENT_PACE is to be a number"),
        ("AGENT_QUICK", "maybe", "AGENT_QUICK is to be true or false"),
        ("AGENT_PART", "x", "does not name a single setting"),
        ("AGENT_PACE__X", "x", "does not name a single setting"),
    ],
)
def test_a_wrong_variable_is_refused(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        made({}, **{name: value})


def test_a_secret_comes_from_a_file_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others"):
        made({"gates": [{"name": "x", "password_file": str(file)}]})
    file.chmod(0o600)
    gate = made({"gates": [{"name": "x", "password_file": str(file)}]}).gates[0]
    assert gate.password is not None
    assert gate.password.reveal() == "hunter2"
    assert "hunter2" not in f"{gate} {gate.password} {gate!r}"


def test_a_secret_comes_from_the_environment() -> None:
    direct = made({}, AGENT_KEY="k").key
    named = made({"key_env": "ELSEWHERE"}, ELSEWHERE="k").key
    assert direct == named == Secret("k")


def test_a_file_that_is_not_toml_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("= 3")
    with pytest.raises(SettingsError, match=r"a\.toml: is not TOML"):
        load(Whole, file, environ={}, prefix="AGENT")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(Whole, tmp_path / "b.toml", environ={}, prefix="AGENT")


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "a", "门"])
JSON = LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.sampled_from(["name", "port"]), LEAF)
NAMES = ["folder", "pace", "part", "gates", "spare", "words", "key", "mode", "kind"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON | st.lists(JSON, max_size=2), max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_any_table_gives_settings_or_a_sentence(table: dict[str, Any]) -> None:
    with suppress(SettingsError):
        parse(Whole, table, environ={}, prefix="AGENT")
