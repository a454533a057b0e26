"""Messages of the tree (design.md, The tree): uplink frames and the bodies they carry.

The parent speaks HTTP-shaped requests over the WebSocket that the child keeps open; the child
answers, in any order. One JSON object a text frame, at most 64 KiB. Unknown fields are refused.

    parent -> child  Hello, Request, Cancel
    child -> parent  Answer

What an agent answers (the fixed short list):
    POST   /pushes            PushRequest   202 PushAnswer | 403 privacy_off, or no permit stands at
                                            home, the code says why | 404 | 409 camera offline
    DELETE /pushes/{push}                   200 | 404
    PUT    /permits/{permit}  PermitNote    200 (a new `until`, or one more viewer of a push) | 404
    DELETE /permits/{permit}                200 (the named permit ended) | 404
    POST   /stills            StillRequest  202 | 403 | 404 | 409
    GET    /status                          200 AgentStatus
    POST   /grants            DraftNote     201 Granted | 202 waits for the household at home
                                            | 403 refused, the code says why | 429 too many wait
    GET    /grants                          200 GrantList
    DELETE /grants/{grant}                  200 (stopped, now or before; also a handed-on one)
    POST   /owners            OwnerProposal 200 known already | 202 waits for the household at home
    PUT    /openings/{id}     OpeningNote   200 | 403 the household or the box's own clock says no
    DELETE /openings/{id}                   200 | 404
A draft and a proposal are told apart by their ids: the same one again gets the same answer.

What an agent tells by HTTPS besides its status:
    PUT    /api/v1/node/grants  GrantList   200 GrantListAnswer  on connect and on every change
    POST   /api/v1/node/sos     SosRaised   200 SosAnswer        until it is answered
    POST   /api/v1/node/log     LogBatch    200 LogAnswer        what was let out at home (AUD-2)
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from village_core.grant_tokens import AtWindow, ByPasskey, StatusPlace
from village_core.grants import GrantTerms
from village_core.permits import CameraClass, PermitNote, Quality
from village_core.troubles import Trouble

PROTOCOL = 1
LARGEST_FRAME = 64 * 1024  # bytes of one uplink message
PING_EVERY = 5.0  # seconds
CAMERA_ID = r"^[0-9A-Za-z_-]{1,64}$"  # a part of addresses
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"  # nothing that steers a terminal or forges a line
NAMING = r"^[^\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]*$"
"""For names: also nothing unseen, and nothing that turns the words around them the other way."""
MOST_CAMERAS = 64  # of one agent
MOST_GRANTS = 32  # in one GrantList, and as many as fit into 48 KiB
MOST_LINES = 40  # in one LogBatch, and as many as fit into 48 KiB
LARGEST_WHOLE = 2**53 - 1  # what every reader of JSON reads alike

Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Name = Annotated[str, Field(max_length=120, pattern=NAMING)]
Base64url = Annotated[str, Field(max_length=4096, pattern=r"^[A-Za-z0-9_-]*$")]


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


class PushAnswer(Message):
    """202: permits of the request that do not stand at home, each with its code. It goes on
    without them; whoever watches by one of them is to be shown nothing."""

    refused: dict[str, str] = Field(default_factory=dict)


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
    name: str = Field(min_length=1, max_length=80, pattern=NAMING)
    camera_class: CameraClass = CameraClass.H_IN  # by the agent's own settings
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


class PasskeyKey(Message):
    credential: Base64url
    public_key: Base64url  # COSE


class DraftNote(Message):
    """POST /grants: what somebody wishes the household to sign. Nothing of it holds before."""

    id: Id
    terms: GrantTerms
    asked_by: str = Field(max_length=80)  # person id
    asked_name: Name = ""
    asked_ms: int
    confirmed: Annotated[ByPasskey | AtWindow, Field(discriminator="how")] | None = None
    clerk_keys: tuple[PasskeyKey, ...] = Field(default=(), max_length=2)  # the hub's word for them
    status: StatusPlace | None = None  # where the hub will publish what became of it


class Granted(Message):
    id: str
    grant: str = Field(repr=False)  # the grant+jwt


class StoppedNote(Message):
    id: Id
    at: int  # UTC ms


class GrantNote(Message):
    """A grant that the household gave, and whether it still stands."""

    id: Id
    draft: str = ""  # what it was made from
    grant: str = Field(max_length=16_384, repr=False)
    stopped: int | None = None  # UTC ms
    stopped_by: Literal["", "lan", "command", "hub", "reset"] = ""


class OwnerNote(Message):
    """An owner whom the home knows: from its enrolment, or confirmed there."""

    id: Id
    name: Name = ""


class GrantList(Message):
    """The newest changes last; what is left out is unchanged, never taken back."""

    grants: tuple[GrantNote, ...] = Field(default=(), max_length=MOST_GRANTS)
    stopped: tuple[StoppedNote, ...] = Field(default=(), max_length=500)  # all that are stopped
    waiting: tuple[Id, ...] = Field(default=(), max_length=64)  # drafts that wait at home
    refused: tuple[Id, ...] = Field(default=(), max_length=64)  # drafts that got a no at home
    owners: tuple[OwnerNote, ...] = Field(default=(), max_length=32)
    window: bool = False  # the household takes consent on paper, too
    more: bool = False  # further grants follow


class GrantListAnswer(Message):
    """What the hub knows to be stopped, of the grants named and of all others of this home."""

    stopped: tuple[StoppedNote, ...] = Field(default=(), max_length=500)


class OwnerProposal(Message):
    """POST /owners: a new owner, or a passkey of one. Holds once it is confirmed at home."""

    id: Id
    person: Id
    name: Name = ""
    passkey: PasskeyKey | None = None


class OpeningNote(Message):
    """PUT /openings/{id}: an SOS or a documented emergency, and what it opens until when."""

    id: Id
    kind: Literal["sos", "emergency"]
    cameras: tuple[Id, ...] = Field(max_length=MOST_CAMERAS)
    opened: int  # UTC ms
    ends: int
    by: Name = ""  # who opened it, and for whom: for the household's eyes
    unit: Name = ""
    incident: Name = ""  # 110's number


class SosRaised(Message):
    """POST /api/v1/node/sos: raised at home. `id` is the opening's from then on."""

    id: Id
    raised_ms: int
    cameras: tuple[Id, ...] = Field(default=(), max_length=MOST_CAMERAS)  # none: nothing granted
    by: Literal["button", "lan", "command", "alarm"]
    grant: str = ""  # id of the standing grant it opens by; none when there is none


class SosAnswer(Message):
    id: Id
    ends: int = 0  # UTC ms; 0: no camera is opened, people are told all the same


class LogLine(Message):
    """One line of the home's own log. `hash` covers it and the hash before."""

    number: int = Field(ge=1, le=LARGEST_WHOLE)
    at: int = Field(ge=0, le=LARGEST_WHOLE)  # UTC ms by the box's clock
    event: Literal["push", "still", "renewed", "ended", "refused", "stopped", "opened", "sos"]
    permit: PermitNote | None = None  # without its grant
    ref: str = Field(default="", max_length=80)  # of what ended: permit, grant, opening
    why: str = Field(default="", max_length=200)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class LogBatch(Message):
    lines: tuple[LogLine, ...] = Field(min_length=1, max_length=MOST_LINES)


class LogAnswer(Message):
    last: int = Field(ge=0)  # the last number of this agent that the hub keeps
