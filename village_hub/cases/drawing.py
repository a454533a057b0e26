"""The drawings of docs/ref/matters.md, made of the tables themselves."""

from collections.abc import Iterator, Mapping
from typing import Any

from village_hub.cases.matter import Kind, Way


def document(kinds: Mapping[str, Kind[Any]]) -> str:
    """The whole page."""
    parts = [*_head(), *(line for kind in kinds.values() for line in _chapter(kind))]
    return "\n".join(parts).rstrip() + "\n"


def _head() -> Iterator[str]:
    yield "# Matters"
    yield ""
    yield "Made from the tables in `village_hub/cases/` by `python -m village_hub.cases.drawing`;"
    yield "`test_the_drawings_are_those_of_the_tables` compares. What is not drawn cannot happen."
    yield ""


def _chapter(kind: Kind[Any]) -> Iterator[str]:
    yield f"## {kind.title} (`{kind.name}`, {kind.requirement})"
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {kind.states[0]}"
    for way in kind.ways:
        yield from _arrows(way)
    for state in kind.states:
        if state in kind.ends:
            yield f"    {state} --> [*]"
    yield "```"
    yield ""
    yield "| act | at | who | if | becomes |"
    yield "|---|---|---|---|---|"
    for way in kind.ways:
        yield _row(way)
    yield ""
    for state, timers in kind.timers.items():
        for timer in timers:
            yield f"- `{state}`: time is up {timer.says}."
    if kind.timers:
        yield ""


def _arrows(way: Way) -> Iterator[str]:
    for state in way.at:
        yield f"    {state} --> {way.to or state}: {way.act.name}"


def _row(way: Way) -> str:
    given = "; ".join(check.says for check in way.given)
    at = ", ".join(f"`{state}`" for state in way.at)
    return (
        f"| {way.act.name} | {at} | {way.who.says} | {given} | {f'`{way.to}`' if way.to else ''} |"
    )


if __name__ == "__main__":
    import sys

    from village_hub.cases.kinds import kinds

    sys.stdout.write(document(kinds()))
