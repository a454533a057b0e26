"""What a notice says: one sentence a kind and part, from the same catalogues as the pages'.

A text message of one part has 70 Chinese characters, the gateway's sign (【西村】) among them; what
is filled in is shortened so that every sentence fits.
"""

import re
from collections.abc import Mapping
from functools import cache

from village_hub.notices.due import KEY_OF
from village_hub.notices.kinds import Kind, Outcome, Whom
from village_hub.pages.words import LANGUAGES, Words, read_words

ONE_SMS = {"zh": 70, "en": 160}  # characters: UCS-2, GSM 7-bit
SIGN = 12  # characters kept free for the gateway's sign
CUT = {"zh": "…", "en": "."}  # an ellipsis is not in GSM 7-bit: one makes two messages of one
SHORT = 6  # what a filled-in value is shortened to at most
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def words() -> dict[str, Words]:
    """Reads files the first time; not in the event loop."""
    return read_words()


def key_of(kind: Kind, whom: Whom) -> str:
    return f"notice.{kind}.{whom}"


def needs(kind: Kind, whom: Whom) -> frozenset[str]:
    """The params that its sentence is filled with."""
    return frozenset(PLACEHOLDER.findall(words()[LANGUAGES[0]].texts[key_of(kind, whom)]))


def full(language: str, kind: Kind, whom: Whom, params: Mapping[str, str]) -> str:
    """The sentence for a page or a call, nothing shortened."""
    return _words(language)(key_of(kind, whom), **params)


def short(language: str, kind: Kind, whom: Whom, params: Mapping[str, str]) -> str:
    """The sentence for one text message: the longest values give way first."""
    language = _words(language).language
    room, values = ONE_SMS[language] - SIGN, dict(params)
    said = full(language, kind, whom, values)
    while len(said) > room:
        longest = max(values, key=lambda name: len(values[name]), default="")
        if not longest or len(values[longest]) <= SHORT:
            break
        bare, length = values[longest].rstrip(CUT[language]), len(values[longest])
        values[longest] = bare[: length - 2] + CUT[language]
        said = full(language, kind, whom, values)
    return said


def spoken(
    language: str,
    kind: Kind,
    whom: Whom,
    params: Mapping[str, str],
    offered: tuple[Outcome, ...],
) -> str:
    """The sentence for a call, and which key does what."""
    hints = [_words(language)(f"notice.key.{one}", press=KEY_OF[one]) for one in offered]
    between = "" if _words(language).language == "zh" else " "
    return between.join([full(language, kind, whom, params), *hints])


def done(language: str, outcome: Outcome | None) -> str:
    """What is said after a key was pressed; None: it means nothing here."""
    return _words(language)(f"notice.key.done.{outcome}" if outcome else "notice.key.unknown")


def _words(language: str) -> Words:
    return words()[language if language in LANGUAGES else LANGUAGES[0]]
