"""The hub's log: one line an event, to standard error (journald keeps it), as text or as JSON.

Values that programs look for (`camera`, `session`, `agent`) come as `extra` and are fields of their
own. Whatever slips into a line that looks like a credential is masked (AUD-9).
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from aiohttp.http_exceptions import HttpProcessingError

from village_hub.config import LogConfig

FIELDS = ("camera", "session", "agent", "permit")
CREDENTIALS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)"  # user:password of a URL
    r"|(?<=[Bb]earer )\S+"
)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class TextLines(logging.Formatter):
    """`2026-11-20T12:00:00.123Z info village_hub.tiers.children camera=... what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname.lower()} {record.name}{fields} {_said(record)}"
        return line + "".join(f"\n    {each}" for each in _trace(self, record))


class JsonLines(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _said(record),
            **_fields(record),
        }
        if trace := _trace(self, record):
            found["trace"] = trace
        return json.dumps(found, ensure_ascii=False)


def set_up(settings: LogConfig) -> None:
    """Send everything from `settings.level` up to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    logging.getLogger("aiohttp.server").addFilter(not_strangers_noise)
    for talkative in ("alembic", "aioice", "aiortc"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def not_strangers_noise(record: logging.LogRecord) -> bool:
    """False for what a port scan brings: requests that are no HTTP were answered with 400."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, HttpProcessingError)


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _said(record: logging.LogRecord) -> str:
    return _one_line(CREDENTIALS.sub("****", record.getMessage()))


def _fields(record: logging.LogRecord) -> dict[str, str]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: _one_line(str(value)) for name, value in found.items() if value}


def _one_line(text: str) -> str:
    """A peer's words can neither forge a line nor steer a terminal."""
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    if not record.exc_info:
        return []
    return CREDENTIALS.sub("****", formatter.formatException(record.exc_info)).splitlines()
