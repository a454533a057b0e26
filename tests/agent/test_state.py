"""home_agent/state.py: one folder, private, whole (DEV-4, IDN-15)."""

import itertools
import stat
from pathlib import Path

import pytest
from pydantic import BaseModel

from home_agent.state import State, StateError


class Document(BaseModel):
    number: int


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.open(tmp_path / "state")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_its_files_are_private(state: State) -> None:
    state.write("a.json", Document(number=1))
    state.write_bytes("passwords/gate", b"x")
    assert mode(state.folder) == 0o700
    assert mode(state.path("passwords")) == 0o700
    assert {mode(state.path("a.json")), mode(state.path("passwords/gate"))} == {0o600}


def test_what_was_written_is_read_again(state: State) -> None:
    assert state.read("a.json", Document) is None
    state.write("a.json", Document(number=1))
    state.write("a.json", Document(number=2))
    assert state.read("a.json", Document) == Document(number=2)
    assert [path.name for path in state.folder.iterdir()] == ["a.json"]
    state.remove("a.json")
    state.remove("a.json")
    assert state.read("a.json", Document) is None


@pytest.mark.parametrize("damage", [b"", b"{", b'{"number": "x"}', b"\xff\xfe"])
def test_a_damaged_document_is_named(state: State, damage: bytes) -> None:
    state.write_bytes("a.json", damage)
    with pytest.raises(StateError, match=r"a\.json is damaged .*: restore or remove it"):
        state.read("a.json", Document)


def test_a_folder_or_file_that_others_read_is_refused(state: State) -> None:
    state.write("a.json", Document(number=1))
    state.path("a.json").chmod(0o640)
    with pytest.raises(StateError, match="chmod 600"):
        state.read("a.json", Document)
    state.folder.chmod(0o750)
    with pytest.raises(StateError, match="chmod 700"):
        State.open(state.folder)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be made"):
        State.open(tmp_path / "file" / "state")
    with pytest.raises(StateError):
        State.open(tmp_path / "file")


def test_a_failed_write_leaves_the_old_file(state: State) -> None:
    state.write("a.json", Document(number=1))
    state.path("b.json").mkdir()
    with pytest.raises(StateError, match=r"b\.json cannot be written"):
        state.write("b.json", Document(number=2))
    assert sorted(path.name for path in state.folder.iterdir()) == ["a.json", "b.json"]


def test_camera_ids_stay(state: State) -> None:
    numbers = itertools.count()

    def make() -> str:
        return f"id-{next(numbers)}"

    assert state.camera_ids({"gate": "", "yard": "fixed"}, make) == {
        "gate": "id-0",
        "yard": "fixed",
    }
    assert state.camera_ids({"yard": ""}, make) == {"yard": "fixed"}
    assert state.camera_ids({"gate": ""}, make) == {"gate": "id-0"}
    with pytest.raises(StateError, match="same id"):
        state.camera_ids({"gate": "fixed", "yard": ""}, make)


def test_a_password_is_the_first_line(state: State) -> None:
    assert state.password("gate") is None
    state.write_bytes("passwords/gate", b"pass word\n\n")
    assert state.password("gate") == "pass word"
    state.write_bytes("passwords/gate", b"\xff")
    with pytest.raises(StateError, match="not text"):
        state.password("gate")
