"""Calls of the API that cross hubs: what somebody does about a matter whose owner node is further
down (RFC 8693; IDN-7, IDN-8).

The person's sign-in is exchanged, at their own hub, for one call: to one owner node (`aud`), with
one method, address and body, for a minute. The hubs on the way pass it on and cannot use it for
anything else. The owner node lets it meet the same handler as a call of its own people.

    POST /calls       CallAsked   200 CallAnswered, whatever the handler's status
    POST /parts       PartSent    200  a body over INLINE bytes goes ahead in parts
    POST /parts/read  PartWanted  200 PartSent, of an answer over INLINE bytes
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from village_core.enrolment import PlaceCode
from village_core.messages import PRINTABLE, Id, Message
from village_core.tokens import Claims, Issuer, Kind, TokenError

INLINE = 24 * 1024  # bytes of a body that goes along; in base64 it fits into a frame
PART = 36 * 1024  # bytes of one part
LARGEST = 6 * 1024 * 1024  # bytes of a body in parts: a scanned notice
MOST_PARTS = LARGEST // PART + 1
DIGEST = "Content-Digest"  # RFC 9530; says what a body is that goes ahead

Method = Literal["GET", "POST", "PUT"]
Header = Literal["If-Match", "Idempotency-Key", "Content-Type", "Content-Digest"]
AnswerHeader = Literal[
    "ETag", "Location", "Content-Type", "Content-Disposition", "Idempotency-Replayed", "Retry-After"
]
Value = Annotated[str, Field(max_length=300, pattern=PRINTABLE)]
Data = Annotated[str, Field(max_length=PART * 4 // 3 + 4, pattern="^[A-Za-z0-9+/]*={0,2}$")]


class Parts(Message):
    """A body that went ahead, or an answer that waits to be read, in parts."""

    id: Id
    size: int = Field(ge=1, le=LARGEST)


class Way(Message):
    """Where to: the owner node, and its administrative code, by which it is found."""

    to: Id
    place: PlaceCode


class CallAsked(Way):
    method: Method
    path: str = Field(max_length=400, pattern=r"^/api/v1/[A-Za-z0-9/_.=&%-]+(\?[!-~]*)?$")
    headers: dict[Header, Value] = Field(default_factory=dict)
    data: Data = ""
    parts: Parts | None = None


class CallAnswered(Message):
    status: int = Field(ge=200, le=599)
    headers: dict[AnswerHeader, Value] = Field(default_factory=dict)
    data: Data = ""
    parts: Parts | None = None


class PartWanted(Way):
    id: Id
    number: int = Field(ge=0, lt=MOST_PARTS)


class PartSent(PartWanted):
    data: Data


class _Claim(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: str = Field(pattern="^[0-9a-f]{64}$")


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unpacked(text: str) -> bytes:
    """Raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def content_digest(body: bytes) -> str:
    """The header's value, by RFC 9530 section 2."""
    return f"sha-256=:{packed(hashlib.sha256(body).digest())}:"


def call_digest(method: str, path: str, headers: Mapping[str, str], body: str) -> str:
    """What a token is bound to; `body`: its Content-Digest, "" for none."""
    bound = {name: headers[name] for name in ("If-Match", "Idempotency-Key") if name in headers}
    said = json.dumps([method, path, bound, body], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def exchange_call(
    issuer: Issuer, owner: str, subject: str, said: dict[str, object], digest: str
) -> str:
    """The token. `issuer`: the caller's hub by its node key; `said`: claims about the person."""
    more = {**said, "act": {"sub": issuer.name}, "call": {"digest": digest}}
    return issuer.mint(Kind.EXCHANGED, subject=subject, audience=owner, more=more)


def check_call(claims: Claims, digest: str) -> None:
    """Whether a verified token is for this call. Raises TokenError."""
    act: Any = claims.more.get("act")
    if claims.kind is not Kind.EXCHANGED or act != {"sub": claims.issuer}:
        raise TokenError("wrong_actor")
    try:
        found = _Claim.model_validate(claims.more.get("call"))
    except ValidationError as error:
        raise TokenError("malformed") from error
    if found.digest != digest:
        raise TokenError("other_call")
