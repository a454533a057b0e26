"""The shipped scripts: old phones can read them, and nothing in them reaches out of the hub."""

import re
from pathlib import Path

import esprima  # type: ignore[import-untyped]
import pytest

from village_hub.pages.folder import TEMPLATES
from village_hub.pages.static import TYPES

SCRIPTS = sorted((TEMPLATES / "static").glob("*.js"))
SHIPPED = sorted(path for path in TEMPLATES.rglob("*") if path.suffix in {*TYPES, ".html"})
# Younger than ES2018 and not syntax, so that no parser sees them.
YOUNGER = re.compile(
    r"\.(flat|flatMap|matchAll|replaceAll|at|findLast|hasOwn|fromEntries|trimStart|trimEnd)\("
    r"|\bglobalThis\b|Promise\.(allSettled|any)\b|\bWeakRef\b|\bstructuredClone\b"
)
# `.at(` is also this project's own name for getElementById, called without a dot.
DANGEROUS = re.compile(
    r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|javascript:"
)
KEEPING = re.compile(
    r"localStorage|sessionStorage|indexedDB|\bcaches\b|serviceWorker|document\.cookie"
    r"|postMessage|[\"']message[\"']|\bopener\b"
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_no_newer_than_es2018(path: Path) -> None:
    """A strict ES2017 parser with ES2018's object spread: younger syntax is an error to it."""
    text = path.read_text(encoding="utf-8")
    esprima.parseScript(text)
    assert YOUNGER.findall(text) == []


@pytest.mark.parametrize("younger", ["a?.b", "a ?? b", "try {} catch {}", "class A { x = 1 }"])
def test_the_parser_refuses_younger_syntax(younger: str) -> None:
    with pytest.raises(esprima.Error):
        esprima.parseScript(younger)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_makes_no_markup_from_text(path: Path) -> None:
    assert DANGEROUS.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_keeps_nothing_and_listens_to_no_other_window(path: Path) -> None:
    """What was seen is gone when the page is left; the session is a cookie no script reads."""
    assert KEEPING.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", path.read_text("utf-8"))
    assert [found for found in addresses if "www.w3.org/2000/svg" not in found] == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_template_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    scripts = re.findall(r"<script(?![^>]*(?:\bsrc=|type=\"application/json\"))[^>]*>", text)
    assert scripts == []
    assert re.findall(r"\son\w+=|\sstyle=|<style", text) == []
    assert "|safe" not in text.replace(" ", "")
