"""The port through which every permission decision is written down, allowed or not (AUD-1)."""

import logging
from dataclasses import dataclass
from typing import Protocol

from village_core.permits import Action, Purpose, Quality
from village_hub.access.facts import Subject

log = logging.getLogger("village_hub.audit")


class AuditFailed(Exception):  # noqa: N818 - what happened
    """The entry could not be written: nobody from outside may see anything now (AUD-2)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision. `result` is "allowed" or a reason code."""

    decision: str
    utc_ms: int
    subject: Subject
    camera: str
    quality: Quality
    action: Action
    purpose: Purpose | None
    basis: str | None
    via: str
    result: str


class Audit(Protocol):
    async def write(self, entry: Entry) -> None:
        """Durable when it returns; raises AuditFailed."""
        ...


class LogAudit:
    """To the hub's log, one line an entry."""

    async def write(self, entry: Entry) -> None:
        log.info(
            "decision %s: %s: subject %s of %s, camera %s %s, action %s, purpose %s, basis %s",
            entry.decision,
            entry.result,
            entry.subject.id,
            entry.subject.issuer,
            entry.camera,
            entry.quality,
            entry.action,
            entry.purpose or "none",
            entry.basis or "none",
            extra={"camera": entry.camera, "permit": entry.decision},
        )
