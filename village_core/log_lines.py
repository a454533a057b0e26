"""One line of a log, for people first: a peer's words can neither forge a line nor steer a
terminal, and what looks like a credential is masked (AUD-9)."""

import logging
import re
from datetime import UTC, datetime

FIELDS = ("camera", "session", "agent", "permit")  # given as `extra`, fields of their own
CREDENTIALS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)"  # user:password of a URL
    r"|(?<=[Bb]earer )\S+"
)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class TextLines(logging.Formatter):
    """`2026-11-20T12:00:00.123Z info village_hub.tiers.children camera=... what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        found = "".join(f" {name}={value}" for name, value in fields(record).items())
        line = f"{time(record)} {record.levelname.lower()} {record.name}{found} {said(record)}"
        return line + "".join(f"\n    {each}" for each in trace(self, record))


def time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def said(record: logging.LogRecord) -> str:
    return one_line(CREDENTIALS.sub("****", record.getMessage()))


def fields(record: logging.LogRecord) -> dict[str, str]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: one_line(str(value)) for name, value in found.items() if value}


def trace(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """Of an exception, whose words may be a peer's, too."""
    if not record.exc_info:
        return []
    text = CREDENTIALS.sub("****", formatter.formatException(record.exc_info))
    return [one_line(each) for each in text.splitlines()]


def one_line(text: str) -> str:
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
