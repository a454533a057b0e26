"""Lines as a home's box writes them: numbered, each with the hash of the one before."""

from typing import Any

from village_core.home_log import FIRST_HASH, line_hash
from village_core.messages import LogLine

AT = 1_780_000_000_000


def chained(*said: dict[str, Any], before: LogLine | None = None) -> list[LogLine]:
    """What stands behind `before`, or from line 1 on."""
    found: list[LogLine] = []
    for each in said:
        last = found[-1] if found else before
        number = last.number + 1 if last else 1
        line = LogLine.model_validate({"number": number, "at": AT, "hash": FIRST_HASH, **each})
        hashed = line_hash(last.hash if last else FIRST_HASH, line)
        found.append(line.model_copy(update={"hash": hashed}))
    return found


def ended(count: int, *, why: str = "", before: LogLine | None = None) -> list[LogLine]:
    """So many lines that say little."""
    said = ({"event": "ended", "ref": f"p{number}", "why": why} for number in range(count))
    return chained(*said, before=before)
