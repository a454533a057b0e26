"""Letters: what one hub tells another with hubs between them that only carry it on.

A letter is signed by the writer's node key, for one reader (`aud`), and goes as a line of every
book on its way (books.py), so that it arrives; the reader takes each once, by its `jti`. It tells
and allows nothing: what somebody may, their own sign-in says when they act.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from village_core.messages import Id, Message
from village_core.tokens import LARGEST_OF, Claims, Issuer, Kind, TokenError

LINE = "letter"  # the kind of line that it is
LARGEST_BODY = 8 * 1024  # bytes of JSON


class LetterLine(Message):
    """`to`: the hub that reads it."""

    to: Id
    letter: str = Field(max_length=LARGEST_OF[Kind.LETTER])


def sign(issuer: Issuer, to: str, kind: str, body: Mapping[str, Any]) -> str:
    return issuer.mint(Kind.LETTER, subject=kind, audience=to, more={"body": dict(body)})


def body_of(claims: Claims) -> Mapping[str, Any]:
    """Of a verified one. Raises TokenError."""
    body = claims.more.get("body")
    if not isinstance(body, dict):
        raise TokenError("malformed")
    return body
