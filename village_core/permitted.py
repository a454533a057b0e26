"""The permits a push stands on, counted down here whatever the hub does (design.md, Who decides).

Pure: times are seconds of the monotonic clock, passed in. Whether one stands at all is decided
elsewhere: by the home (home_agent/judge.py), or by the node that owns the camera.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from village_core.permits import Action, PermitNote
from village_core.uplink import Refused

log = logging.getLogger(__name__)

LONGEST_PERMIT = 90.0  # seconds: then it lapses unless it is renewed (design.md, Who decides)


def check(note: PermitNote, camera: str, action: Action) -> None:
    """Raises Refused unless the permit is for this. Its end is the `Permitted`'s to check. The
    household itself may see either quality: its permit names the one it began with, and the line
    decides later."""
    if note.action is not action or note.camera != camera:
        raise Refused(403, "wrong_permit", f"permit {note.id} is for something else")


def _nobody(_note: PermitNote, _why: str) -> None:
    """Nobody is told of an end."""


@dataclass(slots=True)
class Permitted:
    """Permits by id: when each ends, and on which grants, openings and owners it stands."""

    on_end: Callable[[PermitNote, str], None] = _nobody
    ends: dict[str, float] = field(default_factory=dict)
    notes: dict[str, PermitNote] = field(default_factory=dict)
    refs: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, note: PermitNote, end: float, refs: frozenset[str] = frozenset()) -> bool:
        """Also renews: the same id with a later end. Whether it is new; then it is logged."""
        new = note.id not in self.ends
        self.ends[note.id] = end
        self.notes[note.id] = note
        self.refs[note.id] = refs
        if new:
            log.info(
                "permit %s: %s via %s may see camera %s (%s, %s, basis %s) until %d",
                note.id,
                note.subject,
                note.via,
                note.camera,
                note.action,
                note.purpose,
                note.basis,
                note.until,
            )
        return new

    def end(self, permit: str, why: str) -> None:
        if self.ends.pop(permit, None) is not None:
            note = self.notes.pop(permit)
            del self.refs[permit]
            log.info("permit %s ended: %s", permit, why)
            self.on_end(note, why)

    def end_by(self, ref: str, why: str) -> None:
        """Everything that stands on this grant, opening or owner."""
        for permit in [name for name, refs in self.refs.items() if ref in refs]:
            self.end(permit, why)

    def end_all(self, why: str) -> None:
        for permit in list(self.ends):
            self.end(permit, why)

    def expire(self, now: float) -> None:
        for permit in [each for each, end in self.ends.items() if end <= now]:
            self.end(permit, "its time is over")

    def lives(self, now: float) -> bool:
        return any(end > now for end in self.ends.values())
