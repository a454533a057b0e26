"""Values that queries return: frozen, complete, and free of any database session."""

from dataclasses import dataclass, field
from enum import StrEnum

from village_core.keys import PublicKey
from village_core.messages import EncodingNote
from village_core.permits import Quality
from village_core.troubles import Trouble


class CameraKind(StrEnum):
    AGENT = "agent"  # behind a home agent, which pushes when asked to
    PUSH = "push"  # pushes by itself with a publish token: OBS, a phone's browser


@dataclass(frozen=True, slots=True)
class CameraRow:
    """One camera as this hub last heard of it."""

    id: str
    name: str
    kind: CameraKind
    household: str
    node: str | None  # its agent; None for kind `push`
    online: bool  # as the agent said; whether the agent itself is there, `Children` knows
    trouble: Trouble | None
    main: EncodingNote | None
    sub: EncodingNote | None
    audio: str | None  # PCMA, PCMU or opus
    masked: bool
    transcoded: bool

    def encoding(self, quality: Quality) -> EncodingNote | None:
        return self.main if quality is Quality.MAIN else self.sub

    def nearest(self, quality: Quality) -> Quality:
        """The wanted one, or the only one that the camera has."""
        other = Quality.SUB if quality is Quality.MAIN else Quality.MAIN
        only_other = self.encoding(quality) is None and self.encoding(other) is not None
        return other if only_other else quality


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: str
    name: str
    households: tuple[str, ...]  # ids of those they own


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class NodeRow:
    """An agent that is enrolled, or was."""

    id: str
    household: str
    key: PublicKey
    household_key: PublicKey
    revoked: bool
    version: str
    privacy_off: bool
    seen: int | None  # UTC ms of its last status


@dataclass(frozen=True, slots=True)
class HubRow:
    """A hub of the tier below that has joined, or had."""

    id: str
    place: str
    name: str
    key: PublicKey
    revoked: bool


class Capacity(StrEnum):
    """What somebody is in a session: at home, or on duty in one appointment."""

    HOUSEHOLD = "household"
    DUTY = "duty"


class Method(StrEnum):
    """How a session came to be."""

    CODE = "code"
    PASSKEY = "passkey"
    DEVICE = "device"  # a kiosk that somebody opened


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A browser's session; times are UTC ms."""

    id: str
    person: str
    device: str
    created: int
    used: int
    expires: int
    capacity: Capacity = Capacity.HOUSEHOLD
    method: Method = Method.CODE
    appointment: str | None = None
    kiosk: bool = False
    shift: str | None = None
    passkey: str | None = None  # the key that opened it


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person in a household."""

    person: str
    name: str
    owner: bool
    adult: bool
    delegated: bool


class EnrolmentState(StrEnum):
    OPEN = "open"
    BEGUN = "begun"
    REVEALED = "revealed"
    CONFIRMED = "confirmed"
    DONE = "done"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """Of a box in a household, or (`place`) of the hub of a place below."""

    id: str
    household: str
    household_name: str
    place: str
    name: str
    hub: str | None
    owners: tuple[tuple[str, str], ...]  # ids and names of its people
    state: EnrolmentState
    expires: int
    secret: str | None = field(repr=False)
    commitment: str | None
    hub_nonce: str | None
    node_key: str | None
    household_key: str | None
    digits: str | None
    node: str | None
