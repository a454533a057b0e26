"""Keeps out of the log what must never be in one (AUD-9): tokens, passwords, camera URLs, pictures.

People type such things into a reason, and browsers into a device's name; so a text is cleaned, not
refused: the act goes on, the secret does not.

Strangers choose these texts, too. So each pattern takes time in proportion to the text: what may
stand in front of a secret, or in its name, is bounded, and begins at few places.
"""

import re

REMOVED = "[removed]"

NAMES = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|authorization|cookie|密码|口令"
SECRETS = (
    re.compile(r"-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)"),
    re.compile(r"\bdata:[\w.+-]+/[\w.+-]+[;,]\S*", re.IGNORECASE),  # a picture in a URL
    re.compile(r"\brtsps?://\S*", re.IGNORECASE),  # a camera's: they hold its password
    re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s/@]*@\S*", re.IGNORECASE),  # a URL's password
    re.compile(r"(?<![\w-])(?:[\w-]{0,30}-)?eyJ[\w-]*(?:\.[\w-]*){1,4}"),  # a JWT
    re.compile(r"\b(?:bearer|basic|digest)\s+\S{8,}", re.IGNORECASE),
    re.compile(rf"(?:{NAMES})\w{{0,30}}[\"']?\s*(?:[:=：]|是|为)\s*\S+", re.IGNORECASE),
    re.compile(r"[?&][^?=&\s]{0,30}(?:token|key|secret|sig)[^?=&\s]{0,30}=\S+", re.IGNORECASE),
)
LONG_RUN = re.compile(r"[A-Za-z0-9_+/=-]{40,}")  # a secret of 256 bits has 43, bytes in text more
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
SECRET_KEY = re.compile(NAMES, re.IGNORECASE)
PUBLIC_KEY = re.compile(r"(^|_)(fingerprint|hash|sha256)$")  # names of long values that are public


def clean(text: str, longest: int) -> str:
    """`text` on one line, without what looks like a secret, at most `longest` characters."""
    return LONG_RUN.sub(REMOVED, _without_secrets(text))[:longest]


def clean_about(name: str, text: str, longest: int) -> str:
    """A value that has a name; ValueError for a name that promises a secret."""
    if SECRET_KEY.search(name):
        raise ValueError(f"{name!r} has no place in the log")
    public = PUBLIC_KEY.search(name) is not None
    return _without_secrets(text)[:longest] if public else clean(text, longest)


def _without_secrets(text: str) -> str:
    found = UNPRINTABLE.sub(" ", text)
    for pattern in SECRETS:
        found = pattern.sub(REMOVED, found)
    return found.strip()
