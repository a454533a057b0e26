"""docs/ref/tokens.md says what the tables say."""

import re
from pathlib import Path

from village_core.grant_limits import DAY, HOUR, LIMITS, MINUTE
from village_core.permits import Role
from village_core.tokens import LONGEST

PAGE = (Path(__file__).parents[2] / "docs/ref/tokens.md").read_text()
ROW = re.compile(r"^\| `([a-z_+]+)` \| (.+) \|$", re.MULTILINE)
ROWS = {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in ROW.findall(PAGE)}


def short(ms: int) -> str:
    if ms > DAY:
        return f"{ms // DAY} d"
    return f"{ms // HOUR} h" if ms > HOUR else f"{ms // MINUTE} min"


def people(roles: frozenset[Role | None]) -> str:
    return ", ".join(sorted(role or "person" for role in roles)) or "nobody"


def test_the_page_has_every_kind_of_token_and_its_longest_life() -> None:
    said = {name: cells[0] for name, cells in ROWS.items() if name.endswith("+jwt")}
    assert said == {str(kind): short(seconds * 1000) for kind, seconds in LONGEST.items()}


def test_the_page_has_every_kind_of_grant_and_its_limits() -> None:
    said = {name: cells for name, cells in ROWS.items() if name in list(LIMITS)}
    assert said == {
        str(kind): [
            people(limits.recipients),
            people(limits.inside),
            short(limits.default),
            short(limits.longest),
            "yes" if limits.hours else "no",
        ]
        for kind, limits in LIMITS.items()
    }
