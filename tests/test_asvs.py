"""docs/asvs.md: every requirement of the levels that we set ourselves stands there once, with where
it is met. The counts at its top are made here: `python -m tests.test_asvs` prints the table."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/asvs.md"
STATES = ("met", "n.a.", "**open**")
LEVEL_3 = ("V7", "V8", "V9", "V10", "V17")  # sessions, authorization, tokens, WebRTC
CODE = ("village_core", "village_hub", "home_agent", "templates", "docs", "pyproject.toml")


class Line(NamedTuple):
    id: str
    about: str
    state: str
    where: str

    @property
    def chapter(self) -> str:
        return self.id.partition(".")[0]


def wanted() -> set[str]:
    """Level 2 of everything, level 3 of LEVEL_3."""
    lines = (ROOT / "tests/asvs-5.0.0.txt").read_text().splitlines()
    levels = dict(line.split() for line in lines if not line.startswith("#"))
    assert Counter(levels.values()) == {"1": 70, "2": 183, "3": 92}  # as the standard says
    return {
        name for name, level in levels.items() if level < "3" or name.partition(".")[0] in LEVEL_3
    }


def listed() -> list[Line]:
    rows = re.findall(r"^\| (V[\d.]+) \|(.*)\|(.*)\|(.*)\|$", PAGE.read_text(), flags=re.MULTILINE)
    return [Line(name, *(cell.strip() for cell in rest)) for name, *rest in rows]


def counts() -> str:
    """The table at the top."""
    lines = listed()
    names = dict(re.findall(r"^## (V\d+) (.*)$", PAGE.read_text(), flags=re.MULTILINE))
    rows = ["| chapter | met | n.a. | open |", "|---|---|---|---|"]
    for chapter, name in names.items():
        found = Counter(line.state for line in lines if line.chapter == chapter)
        rows.append(f"| {chapter} {name} | " + " | ".join(str(found[s]) for s in STATES) + " |")
    found = Counter(line.state for line in lines)
    rows.append("| **all** | " + " | ".join(str(found[state]) for state in STATES) + " |")
    return "\n".join(rows)


def test_every_requirement_stands_there_once_and_no_other() -> None:
    names = [line.id for line in listed()]
    assert [name for name, often in Counter(names).items() if often > 1] == []
    assert set(names) == wanted()


def test_they_stand_in_the_order_of_the_standard_under_their_chapter() -> None:
    text, chapter, wrong = PAGE.read_text(), "", []
    for found in re.finditer(r"^## (V\d+) |^\| (V\d+)\.[\d.]+ \|", text, flags=re.MULTILINE):
        chapter = found[1] or chapter
        if found[2] and found[2] != chapter:
            wrong.append(found[0])
    assert wrong == []
    numbers = [[int(part) for part in line.id[1:].split(".")] for line in listed()]
    assert numbers == sorted(numbers)


def test_each_is_met_open_or_of_no_concern_and_says_where_or_why() -> None:
    wrong = [
        line.id for line in listed() if line.state not in STATES or not line.about or not line.where
    ]
    assert wrong == []


def test_what_is_met_names_the_code_a_page_or_a_test() -> None:
    assert [one.id for one in listed() if one.state == "met" and "`" not in one.where] == []


@pytest.mark.parametrize("kind", ["files", "modules"])
def test_what_it_names_is_there(kind: str) -> None:
    """Tests by name are looked for by tests/test_docs.py."""
    named = {name for line in listed() for name in re.findall(r"`([\w./-]+)`", line.where)}
    paths = {name for name in named if name.split("/")[0] in CODE}
    dotted = {name for name in named if re.fullmatch(r"(village_\w+|home_agent)(\.\w+)+", name)}
    if kind == "files":
        assert paths
        assert {name for name in paths if not (ROOT / name).exists()} == set()
        return
    for name in dotted:
        place = ROOT / name.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").exists(), name


def test_the_counts_at_the_top_are_those_below() -> None:
    assert counts() in PAGE.read_text()


if __name__ == "__main__":
    print(counts())
