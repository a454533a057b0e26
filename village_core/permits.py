"""The words every decision speaks in, and a permit's wire form (design.md, Words)."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Quality(StrEnum):
    MAIN = "main"
    SUB = "sub"


class Action(StrEnum):
    """What a subject may do with a camera, each decided on its own (requirements.md section 5)."""

    LIVE = "live"
    STILL = "still"
    PUBLISH = "publish"


class Purpose(StrEnum):
    """Why. There is no code for what PRM-15 forbids."""

    OWN_VIEW = "own_view"  # a household looking at its own cameras


class PermitNote(BaseModel):
    """A permit as it travels to the node that enforces it; times are integer UTC milliseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    subject: str  # the person's id
    via: str  # the hub that serves the viewer
    camera: str
    quality: Quality
    action: Action
    purpose: Purpose
    basis: str  # "O" for the household's own view; see the matrix' codes
    until: int
    outside: bool  # True when the subject is not of the camera's household
