"""When somebody began to watch and when that ended: a start and an end entry a session (AUD-3).

Implements `media.service.ViewListener`. An end that nobody wrote, because the hub crashed, is
written at the next start as "unknown".
"""

import asyncio
import logging
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_hub.access.audit import AuditFailed
from village_hub.access.facts import Permit, Reason
from village_hub.audit import making
from village_hub.audit.entry import ALLOWED, Entry, EntryKind
from village_hub.audit.log import AuditLog
from village_hub.catalogue import audit
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import Overloaded

log = logging.getLogger(__name__)

UNKNOWN = "unknown"  # why a view ended that a crash cut off
ENDED = {  # what sessions say -> the word in the log
    "the permit ended": "expired",
    "the hub is stopping": "hub_stopped",
    "ended by its client": "left",
    "the peer left": "left",
    "no sign of life for 30 s": "lost",
    "the peer did not connect in time": "never_connected",
    **{reason.value: "revoked" for reason in Reason},
}


@dataclass(frozen=True, slots=True)
class _Open:
    start: Entry
    since: float  # monotonic


class Views:
    def __init__(self, log: AuditLog, supervisor: Supervisor, clock: Clock) -> None:
        self._log = log
        self._supervisor = supervisor
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def started(self, permit: Permit, camera: CameraRow) -> None:
        """Raises Overloaded when it cannot be written down and the viewer is from outside."""
        start = self._start(permit, camera)
        self._open[permit.id] = _Open(start, self._clock.monotonic())
        try:
            await self._log.write(start)
        except AuditFailed as error:
            if permit.outside:
                del self._open[permit.id]
                said = "nothing can be shown now"
                raise Overloaded(said, code=Reason.AUDIT.value, retry_after=10) from error
            self._log.keep(start)

    def ended(self, permit: Permit, octets: int, why: str) -> None:
        found = self._open.pop(permit.id, None)
        if found is None:
            return
        seconds = round(self._clock.monotonic() - found.since)
        end = end_of(
            found.start, self._clock, ENDED.get(why, "failed"), seconds=seconds, octets=octets
        )
        task = self._supervisor.once(f"end of view {permit.id}", self._log.put(end))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def settle(self) -> None:
        """Wait until every end is written or kept."""
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _start(self, permit: Permit, camera: CameraRow) -> Entry:
        return Entry.model_validate(
            {
                "id": new_id(self._clock),
                "utc_ms": self._clock.utc_ms(),
                "kind": EntryKind.VIEW_START,
                "action": permit.action.value,
                "result": ALLOWED,
                "camera_name": camera.name,
                "household": camera.household,
                **making.called_from(),
                **making.of_permit(permit),
            }
        )


def end_of(
    start: Entry, clock: Clock, why: str, *, seconds: int | None, octets: int | None
) -> Entry:
    """The end of what `start` began."""
    about = {"why": why, "start": start.id, "start_ms": start.utc_ms}
    changed = {"kind": EntryKind.VIEW_END, "seconds": seconds, "bytes": octets, "about": about}
    place = {"id": new_id(clock), "utc_ms": clock.utc_ms(), "late": False}
    return start.model_copy(update={**changed, **place})


async def end_lost(catalogue: Catalogue, clock: Clock) -> int:
    """At the start: close what a crash left open, as of when the log was last written; how many.
    Raises CatalogueError."""
    lost, last = await catalogue.read(audit.open_views)
    for start in lost:
        end = end_of(start, clock, UNKNOWN, seconds=None, octets=None)
        if last is not None and last >= start.utc_ms:
            end = end.model_copy(update={"about": {**end.about, "alive_ms": last}})
        await catalogue.write(audit.append, end)
    return len(lost)
