"""A line of the log is one line, whoever's words are in it (AUD-1, AUD-9)."""

import logging

from village_core.log_lines import TextLines


class PeerError(Exception):
    """Has a peer's words in it."""


def failed(words: str) -> str:
    made = logging.makeLogRecord({"name": "x", "levelname": "ERROR", "msg": "it failed"})
    try:
        raise PeerError(words)  # noqa: TRY301 - to have its traceback
    except PeerError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    return TextLines().format(made)


def test_an_exceptions_words_cannot_forge_a_line() -> None:
    first, *trace = failed("a\n2026-11-20T12:00:00.000Z info village_hub signed in").splitlines()
    assert first.endswith(" it failed")
    assert all(line.startswith("    ") for line in trace)


def test_an_exceptions_words_steer_no_terminal() -> None:
    line = failed("a\x1b[2Jb\u202ec")
    assert "a\\u001b[2Jb\\u202ec" in line
    assert line.replace("\n", "").isprintable()


def test_a_credential_in_an_exception_is_masked() -> None:
    assert "hunter2" not in failed("rtsp://admin:hunter2@192.0.2.1/main")
