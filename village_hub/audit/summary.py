"""The quarterly public summary (AUD-6): pure. No household or person is named, and a count below 5
is "<5", nought as well: it would tell as much."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from village_hub.audit.anomalies import HERE
from village_hub.audit.entry import Entry, EntryKind

SMALL = 5
QUARTER = re.compile(r"(20[0-9]{2})-Q([1-4])")
AT_HOME = "household"  # what a view by somebody without a role counts as
BREACHES = frozenset({"emergency_lapsed", "emergency_disapproved", "emergency_unapproved"})
DELETION = "delete"  # how the actions of such entries begin


@dataclass(frozen=True, slots=True)
class Counts:
    """What other parts know of the quarter, or of its end."""

    cameras: Mapping[str, int]  # by class
    grants: int  # that stand at its end
    requests_made: int
    requests_met: int
    delays: int
    emergencies: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts as they are published: a number, or "<5"."""

    quarter: str
    cameras: Mapping[str, str]
    views: Mapping[str, Mapping[str, str]]  # role -> purpose
    figures: Mapping[str, str]


def quarter_bounds(text: str) -> tuple[int, int]:
    """UTC ms of `2026-Q4`, begin and end, by the calendar of UTC+8. Raises ValueError."""
    found = QUARTER.fullmatch(text)
    if found is None:
        raise ValueError("a quarter is written 2026-Q4")
    year, month = int(found[1]), 3 * int(found[2]) - 2
    begin = datetime(year, month, 1, tzinfo=HERE)
    end = datetime(year + month // 10, (month + 3 - 1) % 12 + 1, 1, tzinfo=HERE)
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)


def quarter_of(utc_ms: int) -> str:
    day = datetime.fromtimestamp(utc_ms / 1000, HERE)
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def summarise(quarter: str, entries: Iterable[Entry], counts: Counts) -> Summary:
    """`entries` are those of the quarter."""
    views: Counter[tuple[str, str]] = Counter()
    acts: Counter[str] = Counter()
    for entry in entries:
        if entry.kind is EntryKind.VIEW_START:
            roles = entry.who.roles if entry.who else ()
            for role in roles or (AT_HOME,):
                views[role, entry.purpose] += 1
        acts["breach" if entry.action in BREACHES else entry.action.partition(".")[0]] += 1
    by_role: dict[str, dict[str, str]] = {}
    for (role, purpose), count in sorted(views.items()):
        by_role.setdefault(role, {})[purpose] = shown(count)
    figures = {
        "grants": counts.grants,
        "requests_made": counts.requests_made,
        "requests_met": counts.requests_met,
        "delays": counts.delays,
        "emergencies": counts.emergencies,
        "breaches": acts["breach"],
        "deletions": acts[DELETION],
    }
    return Summary(
        quarter=quarter,
        cameras={name: shown(count) for name, count in sorted(counts.cameras.items())},
        views=by_role,
        figures={name: shown(count) for name, count in figures.items()},
    )


def shown(count: int) -> str:
    return str(count) if count >= SMALL else f"<{SMALL}"
