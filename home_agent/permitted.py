"""The permits a push stands on, counted down here whatever the hub does (design.md, Who decides).

Pure: times are seconds of the monotonic clock, passed in.
"""

import logging
from dataclasses import dataclass, field

from village_core.permits import Action, PermitNote
from village_core.uplink import Refused

log = logging.getLogger(__name__)

LONGEST_PERMIT = 90.0  # seconds: then it lapses unless it is renewed (design.md, Who decides)


def check(note: PermitNote, camera: str, action: Action) -> None:
    """Raises Refused unless the permit is for this. Its end is the `Permitted`'s to check.

    Somebody from outside the household needs a grant signed by the household key, which the agent
    verifies itself (PRM-21). There are none yet, so the answer is no. The household itself may see
    either quality: its permit names the one it began with, and the line decides later.
    """
    if note.outside:
        raise Refused(403, "no_grant", "the household has granted nothing to anyone outside")
    if note.action is not action or note.camera != camera:
        raise Refused(403, "wrong_permit", f"permit {note.id} is for something else")


@dataclass(slots=True)
class Permitted:
    """Permits by id and when each ends."""

    ends: dict[str, float] = field(default_factory=dict)
    notes: dict[str, PermitNote] = field(default_factory=dict)

    def add(self, note: PermitNote, end: float) -> None:
        """Also renews: the same id with a later end. Each is logged."""
        self.ends[note.id] = end
        self.notes[note.id] = note
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

    def end(self, permit: str, why: str) -> None:
        if self.ends.pop(permit, None) is not None:
            del self.notes[permit]
            log.info("permit %s ended: %s", permit, why)

    def expire(self, now: float) -> None:
        for permit in [each for each, end in self.ends.items() if end <= now]:
            self.end(permit, "its time is over")

    def lives(self, now: float) -> bool:
        return any(end > now for end in self.ends.values())
