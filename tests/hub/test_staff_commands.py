"""Staff by the command line: two named persons there as well, but for the first admins (IDN-16)."""

import re
from pathlib import Path

import pytest

from tests.hub.test_commands import Shell


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    file = tmp_path / "hub.toml"
    file.write_text('name = "West"\nstate = "state"\n[log]\nlevel = "error"\n')
    return Shell(file, capsys)


@pytest.fixture
def staffed(shell: Shell) -> Shell:
    """Two admins of an operator, and a committee."""
    shell("units", "add", "Telecom", "--kind", "operator", "--place", "110101")
    shell("units", "add", "Committee", "--kind", "committee", "--place", "110101001001")
    shell("people", "first-admin", "Wu", "--unit", "Telecom")
    shell("people", "first-admin", "Lin", "--unit", "Telecom")
    return shell


def act_in(said: str) -> str:
    found = re.search(r"people confirm (\S+) --by", said)
    assert found, said
    return found[1]


def test_the_first_admin_is_a_named_person_with_a_link_for_a_key(shell: Shell) -> None:
    shell("units", "add", "Telecom", "--kind", "operator")
    said = shell("people", "first-admin", "Wu", "--unit", "Telecom")
    assert re.search(r"http://127\.0\.0\.1:8443/enrol#code=[\w-]{43}\n", said)
    assert "Wu  admin  Telecom  until " in shell("people", "appointments")
    shell("people", "first-admin", " ", "--unit", "Telecom", status=1)
    shell("audit", "verify")


def test_there_is_no_third_without_two_persons(staffed: Shell) -> None:
    staffed("people", "first-admin", "Third", "--unit", "Telecom", status=1)
    assert "one asks" in staffed.error
    assert "Third" not in staffed("people", "list")


def test_somebody_is_appointed_by_two_named_persons(staffed: Shell) -> None:
    act = act_in(staffed("people", "add-staff", "Chen", "--by", "Wu"))
    staffed("people", "confirm", act, "--by", "Wu", status=1)
    assert "nobody appoints themselves" in staffed.error
    assert act in staffed("people", "acts")
    staffed("people", "confirm", act, "--by", "Lin")
    words = ("people", "appoint", "Chen", "--role", "committee", "--unit", "Committee")
    staffed(*words, "--by", "Chen", status=1)
    act = act_in(staffed(*words, "--by", "Wu"))
    assert "Chen  committee" not in staffed("people", "appointments")
    staffed("people", "confirm", act, "--by", "Lin")
    listed = staffed("people", "appointments")
    assert "Chen  committee  Committee" in listed
    appointment = next(line.split()[0] for line in listed.splitlines() if "Chen" in line)
    act = act_in(staffed("codes", "new-key", "Chen", "--by", "Wu"))
    assert "/enrol#code=" in staffed("people", "confirm", act, "--by", "Lin")
    staffed("people", "end-appointment", appointment, "--by", "Chen", status=1)
    staffed("people", "end-appointment", appointment, "--by", "Lin")
    assert "ended" in staffed("people", "appointments")
    assert "nobody is on duty" in staffed("shifts", "list")


def with_clerks(staffed: Shell) -> None:
    """Chen and Sun of the committee, and Fang, who owns Wang."""
    for name in ("Chen", "Sun"):
        act = act_in(staffed("people", "add-staff", name, "--by", "Wu"))
        staffed("people", "confirm", act, "--by", "Lin")
        words = ("people", "appoint", name, "--role", "committee", "--unit", "Committee")
        staffed("people", "confirm", act_in(staffed(*words, "--by", "Wu")), "--by", "Lin")
    staffed("households", "add", "Wang")
    act = act_in(staffed("people", "add", "Fang", "--household", "Wang", "--by", "Wu"))
    staffed("people", "confirm", act, "--by", "Lin")


def test_the_machine_alone_makes_nothing_once_somebody_is_appointed(staffed: Shell) -> None:
    with_clerks(staffed)
    staffed("households", "add", "Li")
    for words in (
        ("people", "add", "Mei", "--household", "Li"),
        ("codes", "sign-in", "Fang"),
        ("people", "remove", "Fang"),
    ):
        staffed(*words, status=1)
        assert "it takes two of them (--by)" in staffed.error
    listed = staffed("people", "appointments")
    for line in listed.splitlines():  # not even when nobody is left
        staffed("people", "end-appointment", line.split()[0], "--by", "Wu", status=None)
    staffed("codes", "sign-in", "Fang", status=1)
    assert "Fang" in staffed("people", "list")


def test_a_code_and_a_removal_take_two_by_the_command_line_too(staffed: Shell) -> None:
    with_clerks(staffed)
    staffed("codes", "sign-in", "Fang", "--by", "Wu", status=1)
    act = act_in(staffed("codes", "sign-in", "Fang", "--by", "Chen"))
    staffed("people", "confirm", act, "--by", "Lin", status=1)
    assert "/sign-in#code=" in staffed("people", "confirm", act, "--by", "Sun")
    act = act_in(staffed("codes", "sign-in", "Fang", "--by", "Chen", "--typed"))
    typed = staffed("people", "confirm", act, "--by", "Sun")
    assert re.search(r"/sign-in  [B-Z]{4}-[B-Z]{4}", typed)
    staffed("people", "remove", "Fang", "--by", "Chen", status=1)
    act = act_in(staffed("people", "remove", "Fang", "--by", "Wu"))
    assert "Fang" in staffed("people", "list")
    staffed("people", "confirm", act, "--by", "Lin")
    assert "Fang" not in staffed("people", "list")
    staffed("audit", "verify")


def test_a_lost_phone_takes_two_of_the_committee(staffed: Shell) -> None:
    with_clerks(staffed)
    staffed("codes", "lost-phone", "Fang", "--by", "Wu", status=1)
    act = act_in(staffed("codes", "lost-phone", "Fang", "--by", "Chen"))
    staffed("people", "confirm", act, "--by", "Chen", status=1)
    assert "/sign-in#code=" in staffed("people", "confirm", act, "--by", "Sun")


@pytest.mark.parametrize(
    "words",
    [
        ("units", "add", "X", "--kind", "army"),
        ("units", "add", "X", "--kind", "committee", "--place", "12"),
        ("units", "add", "X", "--kind", "committee", "--place", "220101", "--parent", "Telecom"),
        ("people", "first-admin", "X", "--unit", "nowhere"),
        ("people", "appoint", "Wu", "--role", "king", "--unit", "Telecom", "--by", "Lin"),
        (*("people", "appoint", "Wu", "--role", "admin", "--unit", "Telecom"), "--by", "Nobody"),
        ("people", "confirm", "x", "--by", "Lin"),
    ],
)
def test_what_cannot_be_is_said(staffed: Shell, words: tuple[str, ...]) -> None:
    staffed(*words, status=1)
    assert staffed.error.startswith("village-hub: ")
    assert "Traceback" not in staffed.error
