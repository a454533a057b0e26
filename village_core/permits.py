"""The words every decision speaks in, and a permit's wire form (design.md, Words)."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Quality(StrEnum):
    MAIN = "main"
    SUB = "sub"


class CameraClass(StrEnum):
    """Where a camera looks, which decides who may ever see it (requirements.md section 1)."""

    H_IN = "H-IN"  # inside a home
    H_OUT = "H-OUT"  # own yard, gate, field hut
    P9 = "P9"  # another public place, looked after by whoever has the security duty
    P7 = "P7"  # a place that the law reserves to its managing unit

    @property
    def public(self) -> bool:
        return self in (CameraClass.P9, CameraClass.P7)


class Action(StrEnum):
    """What a subject may do with a camera, each decided on its own (requirements.md section 5)."""

    LIVE = "live"
    STILL = "still"
    PLAYBACK = "playback"
    CLIP = "clip"
    EXPORT = "export"
    TALK = "talk"
    PTZ = "ptz"
    HEALTH = "health"  # online or not, and why: nothing to see
    CARE = "care"  # events without any picture (PRM-13)
    CONFIG = "config"  # device and mask
    PUBLISH = "publish"


MEDIA = frozenset(
    {Action.LIVE, Action.STILL, Action.PLAYBACK, Action.CLIP, Action.EXPORT, Action.TALK}
)
"""Whatever brings a picture or a sound out of a camera, or into it."""


class Purpose(StrEnum):
    """Why. There is no code for what PRM-15 forbids."""

    OWN_VIEW = "own_view"  # a household looking at its own cameras
    FAMILY = "family"  # somebody the owner trusts, anywhere
    CARE = "care"  # an elder, a child, a patient
    GUARD_HOME = "guard_home"  # while the household is away
    LOST = "lost"  # property, livestock
    DISPUTE = "dispute"
    PUBLIC_SECURITY = "public_security"  # the duty holder of a public place
    CASE = "case"  # police, with a case or notice number
    SOS = "sos"
    EMERGENCY = "emergency"  # documented, without an SOS (PRM-7)
    CONCERNED = "concerned"  # a person concerned asks to view P footage (PRM-12)
    MAINTENANCE = "maintenance"  # health and settings, never a picture
    OVERSIGHT = "oversight"  # logs and counts, never a picture


class Role(StrEnum):
    """What an appointment makes of a person; only verified claims say so."""

    COMMITTEE = "committee"  # village committee, grid worker
    CARER = "carer"  # village doctor, carer
    TOWNSHIP = "township"  # township government
    STATION_OFFICER = "station_officer"
    BUREAU_OFFICER = "bureau_officer"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMIN = "admin"


MEDIALESS = frozenset({Role.ENGINEER, Role.AUDITOR, Role.ADMIN})
"""Roles whose holders get no picture by any rule (PRM-11)."""


class PermitNote(BaseModel):
    """A permit as it travels to the node that enforces it; times are integer UTC milliseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    subject: str  # the person's id
    issuer: str = ""  # the hub that signed the person in; "" as `via`
    via: str  # the hub that serves the viewer
    camera: str
    quality: Quality
    action: Action
    purpose: Purpose
    basis: str  # O, C, S, R, D: the matrix' codes
    until: int
    outside: bool  # True when the subject is not of the camera's household
    name: str = Field(default="", max_length=120)  # of the person, for the household's eyes
    unit: str = Field(default="", max_length=80)  # id of the unit on whose behalf
    unit_name: str = Field(default="", max_length=120)
    roles: tuple[Role, ...] = ()
    grant: tuple[str, ...] = Field(default=(), max_length=3, repr=False)  # C: the chain, root first
    opening: str = Field(default="", max_length=80)  # S: id of the SOS or emergency
    opened: int = 0  # S: when that was opened
    reason: str = Field(default="", max_length=400)
