"""Messages of the tree (design.md, The tree): uplink frames and the bodies they carry.

The parent speaks HTTP-shaped requests over the WebSocket that the child keeps open; the child
answers, in any order. One JSON object a text frame, at most 64 KiB. Unknown fields are refused.

    parent -> child  Hello, Request, Cancel
    child -> parent  Answer

What an agent answers (the fixed short list):
    POST   /pushes            PushRequest   202 | 403 privacy_off | 404 | 409 camera offline
    DELETE /pushes/{push}                   200 | 404
    PUT    /permits/{permit}  PermitNote    200 (a new `until`, or one more viewer of a push) | 404
    DELETE /permits/{permit}                200 (the named permit ended) | 404
    POST   /stills            StillRequest  202 | 403 | 404 | 409
    GET    /status                          200 AgentStatus
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from village_core.permits import PermitNote, Quality
from village_core.troubles import Trouble

PROTOCOL = 1
LARGEST_FRAME = 64 * 1024  # bytes of one uplink message
PING_EVERY = 5.0  # seconds
CAMERA_ID = r"^[0-9A-Za-z_-]{1,64}$"  # a part of addresses
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"  # nothing that steers a terminal or forges a line
MOST_CAMERAS = 64  # of one agent


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(Message):
    """First frame from the parent."""

    hello: Literal["secvillage"] = "secvillage"
    version: int = PROTOCOL
    hub: str
    utc_ms: int  # the parent's clock, for a box that booted with a wrong one


class Request(Message):
    id: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str = Field(max_length=300)
    deadline_ms: int = Field(gt=0, le=60_000)
    authorization: str | None = None  # the end user's exchanged token, when there is one
    body: dict[str, Any] | None = None


class Cancel(Message):
    cancel: str


class Answer(Message):
    id: str
    status: int = Field(ge=200, le=599)
    body: dict[str, Any] | None = None


class Ticketed(Message):
    """Somewhere to send to, and the receiver's leave to do so: spent by the one request."""

    url: str
    ticket: str = Field(repr=False)


class PushRequest(Message):
    push: str
    camera: str
    quality: Quality
    to: Ticketed  # the WHIP endpoint
    permits: list[PermitNote] = Field(min_length=1)  # at least one that lives


class StillRequest(Message):
    camera: str
    to: Ticketed  # one HTTPS PUT of image/jpeg
    permit: PermitNote


class EncodingNote(Message):
    """One encoding of a camera as it is sent on: what a viewer's answer is written from."""

    codec: Literal["H264"] = "H264"
    profile_level_id: str = Field(pattern=r"^[0-9a-fA-F]{6}$")
    width: int = Field(ge=16, le=16_384)
    height: int = Field(ge=16, le=16_384)
    fps: float | None = Field(default=None, gt=0, le=240)


class CameraNote(Message):
    """What an agent tells its hub of one camera. No address, no credentials, no picture."""

    id: str = Field(pattern=CAMERA_ID)
    name: str = Field(min_length=1, max_length=80, pattern=PRINTABLE)
    online: bool
    trouble: Trouble | None = None  # why not online, or what limits it
    main: EncodingNote | None = None
    sub: EncodingNote | None = None
    audio: Literal["PCMA", "PCMU", "opus"] | None = None
    masked: bool = False
    transcoded: bool = False


class AgentStatus(Message):
    """PUT /api/v1/node/status: sent on connect and on every change."""

    version: str = Field(max_length=80)
    privacy_off: bool
    cameras: list[CameraNote] = Field(max_length=MOST_CAMERAS)
