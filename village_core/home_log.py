"""How the home's own log is chained: each line's hash covers it and the hash before (AUD-2). Pure.

The home writes it (home_agent/journal.py), the hub checks it when it reads it on.
"""

import hashlib
import json
from typing import Any

from village_core.messages import LogLine

FIRST_HASH = "0" * 64  # before line 1


def line_hash(before: str, line: LogLine) -> str:
    """What `line.hash` is to be, behind a line with the hash `before`."""
    said: dict[str, Any] = line.model_dump(mode="json", exclude={"hash"}, exclude_defaults=True)
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
