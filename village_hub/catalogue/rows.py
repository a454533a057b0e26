"""Values that queries return: frozen, complete, and free of any database session."""

from dataclasses import dataclass
from enum import StrEnum

from village_core.messages import EncodingNote
from village_core.permits import Quality
from village_core.troubles import Trouble
from village_hub.access.rules import CameraFacts


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

    @property
    def facts(self) -> CameraFacts:
        return CameraFacts(self.id, self.household)

    def encoding(self, quality: Quality) -> EncodingNote | None:
        return self.main if quality is Quality.MAIN else self.sub
