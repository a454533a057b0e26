"""The documents keep up with the code: config fields, commands and links that they name exist."""

import dataclasses
import importlib
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from village_core.settings import Secret, load
from village_core.troubles import Trouble

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = {"hub": "village_hub.config", "agent": "home_agent.config"}
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")]
    if path.is_file()
)


def sections(kind: Any) -> Iterator[type]:
    """Dataclasses that a field's type holds: `Media`, `Media | None`, `list[Gate]`."""
    if dataclasses.is_dataclass(kind) and kind is not Secret:
        yield typing.cast("type", kind)
    for part in typing.get_args(kind):
        yield from sections(part)


def fields(section: type, prefix: str = "") -> Iterator[str]:
    """Dotted names as written in TOML: `media.port`."""
    kinds = typing.get_type_hints(section)
    for field in dataclasses.fields(section):
        below = list(sections(kinds[field.name]))
        if not below:
            yield prefix + field.name.removesuffix("_")
        key = "KEY." if typing.get_origin(kinds[field.name]) is dict else ""
        for part in below:
            yield from fields(part, f"{prefix}{field.name}.{key}")


def documented(part: str) -> set[str]:
    """First cells of the tables under `## part`, and of its `### [section]`s, as dotted names."""
    text = (ROOT / "docs/ref/config.md").read_text()
    chapter = re.split(r"^## ", text, flags=re.MULTILINE)
    body = next(one for one in chapter if one.split("\n", 1)[0].strip().startswith(part))
    names, section = set(), ""
    for line in body.splitlines():
        if heading := re.match(r"### `\[+([\w.]+)\]+`", line):
            section = heading[1] + "."
        elif cell := re.match(r"\| `([\w.]+)` \|", line):
            names.add(section + cell[1])
    return names


@pytest.mark.parametrize("part", CONFIGS)
def test_the_config_reference_lists_every_field_and_no_other(part: str) -> None:
    config = importlib.import_module(CONFIGS[part]).Config
    assert documented(part) == set(fields(config))


@pytest.mark.parametrize("part", CONFIGS)
def test_the_example_config_is_accepted(part: str, tmp_path: Path) -> None:
    """As it stands, and with what it shows switched off switched on."""
    config = importlib.import_module(CONFIGS[part])
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple")
    secret.chmod(0o600)
    example = (ROOT / f"docs/guide/{part}.toml").read_text()
    example = re.sub(r'(?<=_file = ")[^"]*(secret|password)', str(secret), example)
    for text in (example, re.sub(r"^#(?=[\w\[])", "", example, flags=re.MULTILINE)):
        (tmp_path / "example.toml").write_text(text)
        load(config.Config, tmp_path / "example.toml", environ={}, prefix=config.PREFIX)


def test_every_trouble_is_explained_to_engineers() -> None:
    text = (ROOT / "docs/guide/telecom-engineer.md").read_text()
    assert [trouble for trouble in Trouble if f"| `{trouble}` |" not in text] == []


def test_the_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
    }
    assert {("README.md", "demo"), ("README.md", "test")} <= named
    assert {one for one in named if one[1] not in targets} == set()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.strip().lower()).replace(" ", "-") for one in headings}


def test_links_between_documents_lead_somewhere() -> None:
    dead = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, part = target.partition("#")
            there = (page.parent / name).resolve() if name else page
            if not there.exists() or (part and part not in anchors(there)):
                dead.append(f"{page.relative_to(ROOT)}: {target}")
    assert dead == []


def test_the_tests_that_documents_name_exist() -> None:
    """The threat model leans on them."""
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(
            r"^ *(?:async )?def (test_\w+)", path.read_text(), flags=re.MULTILINE
        )
    }
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"`(test_\w+)`", page.read_text())
    }
    assert {one for one in named if one[1] not in known} == set()
