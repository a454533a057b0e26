"""A person's sign-in, exchanged for one look at one camera of another hub (RFC 8693; IDN-7, IDN-8).

The hub that serves the viewer makes it and signs it with its node key, which the county's trust
list names; hubs on the way pass it on and cannot use it for anything else: it is for one owner node
(`aud`), one permit, one camera and one purpose, and lives a minute. What it says of roles and place
is bounded by what the list lets its issuer say (trust.py).
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from village_core.messages import NAMING, PRINTABLE, EncodingNote, Id, Message
from village_core.permits import Action, PermitNote, Purpose, Quality
from village_core.tokens import Claims, Issuer, Kind, TokenError

Ms = Annotated[int, Field(strict=True, ge=0, lt=2**53)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OnShift(_Said):
    """The shift that the person is on, by their hub's word; the owner node has none of its own."""

    id: Id
    ends: Ms


class Look(_Said):
    """What is asked for. `id` is the asker's own name for this look: whoever asks by it again asks
    for the same one for longer."""

    id: Id
    camera: Id
    quality: Quality
    action: Action
    purpose: Purpose
    reason: str = Field(default="", max_length=400, pattern=NAMING)
    shift: OnShift | None = None


class LookAsked(Message):
    """POST /permits over the uplink, with the exchanged token: the camera says which way it goes
    down, and nothing else."""

    camera: Id


class LookGiven(Message):
    """200: the owner node's permit, and what the camera sends. It ends `lives_ms` after it was
    given, by whatever clock; by the owner node's it says `until`."""

    permit: PermitNote
    lives_ms: int = Field(ge=0, le=90_000)
    main: EncodingNote | None = None
    sub: EncodingNote | None = None
    audio: str | None = Field(default=None, pattern="^(PCMA|PCMU|opus)$")


class PermitEnded(Message):
    """PUT /api/v1/node/permits/ended: the owner node took a permit back. 204 when nobody is shown
    anything by it any more, here and above."""

    permit: Id
    why: str = Field(max_length=80, pattern=PRINTABLE)


def exchange(issuer: Issuer, owner: str, subject: str, said: dict[str, object], look: Look) -> str:
    """The token. `issuer`: the viewer's hub by its node key; `owner`: the camera's owner node;
    `said`: the claims about the person (name, unit, roles, place)."""
    more = {**said, "act": {"sub": issuer.name}, "look": look.model_dump(mode="json")}
    return issuer.mint(Kind.EXCHANGED, subject=subject, audience=owner, more=more)


def read_look(claims: Claims) -> Look:
    """What a verified token asks for. Raises TokenError."""
    act: Any = claims.more.get("act")
    if claims.kind is not Kind.EXCHANGED or act != {"sub": claims.issuer}:
        raise TokenError("wrong_actor")
    try:
        return Look.model_validate(claims.more.get("look"))
    except ValidationError as error:
        raise TokenError("malformed") from error
