"""The hub's log: one line an event, to standard error (journald keeps it), as text or as JSON.

Values that programs look for (`camera`, `session`, `agent`) come as `extra` and are fields of their
own (village_core/log_lines.py).
"""

import json
import logging
import sys

from aiohttp.http_exceptions import HttpProcessingError

from village_core import log_lines
from village_hub.config import LogConfig


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, object] = {
            "time": log_lines.time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": log_lines.said(record),
            **log_lines.fields(record),
        }
        if trace := log_lines.trace(self, record):
            found["trace"] = trace
        return json.dumps(found, ensure_ascii=False)


def set_up(settings: LogConfig) -> None:
    """Send everything from `settings.level` up to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else log_lines.TextLines())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    logging.getLogger("aiohttp.server").addFilter(not_strangers_noise)
    for talkative in ("alembic", "aioice", "aiortc"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def not_strangers_noise(record: logging.LogRecord) -> bool:
    """False for what a port scan brings: requests that are no HTTP were answered with 400."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, HttpProcessingError)
