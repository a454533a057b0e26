"""What a step of a matter brings about besides: values, which `desk.py` carries out in the step's
own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from village_core.messages import PRINTABLE
from village_core.permits import Role
from village_hub.access.facts import PersonKey
from village_hub.config import NoticesConfig
from village_hub.notices.kinds import Kind, Whom

if TYPE_CHECKING:
    from village_hub.cases.matter import Act, Next

WIDEST = 643  # metres of a radius: a circle of 1.3 km² (PRM-8)


class Area(BaseModel):
    """A circle on the ground, within one administrative place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: str = Field(pattern=r"^[0-9]{6,20}$")  # administrative code
    words: str = Field(min_length=2, max_length=200, pattern=PRINTABLE)  # as people call it
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    radius: int = Field(ge=10, le=WIDEST)  # metres


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom to tell: a person, the owners of a household, whoever is on duty in a unit, or all of
    this node with a role. Beside a person: their unit, told instead where the person is not known,
    or the household whose matter it is. `hub`: where a unit is; "" is here."""

    person: PersonKey | None = None
    household: str | None = None
    unit: str | None = None
    role: Role | None = None
    hub: str = ""


@dataclass(frozen=True, slots=True)
class Delay:
    """PRM-10: a household is told later, on somebody's word."""

    until: int
    ground: str
    approver: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell everybody whom `notices.due` names for this; a part with nobody in it is empty."""

    kind: Kind
    told: Mapping[Whom, tuple[Addressee, ...]]
    params: Mapping[str, str] = field(default_factory=dict)
    delay: Delay | None = None


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Renew the delay of what was told to this household, or with `until` None end it now."""

    household: str
    until: int | None
    ground: str = ""
    approver: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Write it into the audit log (AUD-1)."""

    what: str  # a word, such as request_approved
    household: str | None = None
    camera: str = ""
    footage: tuple[int, int] | None = None
    case: str = ""  # number; the incident's unless said
    why: str = ""  # in their own words
    about: Mapping[str, str | int] = field(default_factory=dict)


class HoldKind(StrEnum):
    PRESERVE = "preserve"  # PRM-18: seven days, nothing seen
    REQUEST = "request"  # what a request named stays until it is answered or over
    EVIDENCE = "evidence"  # a named case, until released


@dataclass(frozen=True, slots=True)
class Hold:
    """Recordings of a place, or of a camera, made from `begin` to `end`, are not deleted before
    `until`. Recorders look holds up; who asked sees nothing by it."""

    kind: HoldKind
    begin: int
    end: int
    until: int
    area: Area | None = None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class Prolong:
    """This matter's holds last until then."""

    until: int


@dataclass(frozen=True, slots=True)
class Release:
    """This matter's holds end now."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A basis has ended: look at every open view now, not at its next renewal."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing of this camera is shared outside its household while the matter is open (PRM-19)."""

    camera: str


@dataclass(frozen=True, slots=True)
class Resume:
    """It is shared again, unless another objection about it is open."""

    camera: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Somebody without an account reads and withdraws this matter by what has this digest. From
    one `source` (a digest) one is open at a time."""

    digest: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Spawn:
    """Another matter begins with this one, in the same transaction."""

    began: "Next[Any]"


@dataclass(frozen=True, slots=True)
class Move:
    """Another matter takes a step because of this one's, by the clock, in the same transaction;
    nothing happens if it cannot any more."""

    matter: str
    act: "Act"


@dataclass(frozen=True, slots=True)
class Callee:
    """Somebody to ring: a person, or a unit. `hub`: where they are; "" is here."""

    holder: str  # id
    name: str
    unit: bool = False
    hub: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring these in order until one accepts (PRM-23)."""

    callees: tuple[Callee, ...]
    home: str  # the household's name
    settings: NoticesConfig  # how long, how many at once


@dataclass(frozen=True, slots=True)
class HangUp:
    """The ringing for this matter is over."""


Effect = (
    Tell
    | HoldBack
    | Note
    | Hold
    | Prolong
    | Release
    | Cut
    | Pause
    | Resume
    | Receipt
    | Spawn
    | Move
    | Ring
    | HangUp
)
