"""The log that is written: fail closed for everyone outside, nothing lost silently (AUD-2).

What could not be written is kept here, bounded, and written late, as soon as the database takes it
again; what does not fit is counted.
"""

import asyncio
import logging
from collections import deque

from prometheus_client import CollectorRegistry, Counter, Gauge

from village_core.clock import Clock
from village_hub.access.audit import AuditFailed
from village_hub.audit.entry import Entry
from village_hub.audit.strangers import Strangers
from village_hub.catalogue import audit
from village_hub.catalogue.store import Catalogue, CatalogueError
from village_hub.errors import Overloaded

log = logging.getLogger(__name__)

MOST_KEPT = 10_000  # entries that wait; some 10 MB
LOOKS_EVERY = 2.0  # seconds
PULSE_EVERY = 20.0  # so that a log that fails ends views within a renewal, 60 s


class AuditLog:
    """Implements `access.audit.Audit` on the catalogue; `run` is its job."""

    def __init__(
        self,
        catalogue: Catalogue,
        clock: Clock,
        strangers: Strangers,
        registry: CollectorRegistry,
        *,
        chain: str = audit.SERVE,
    ) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._strangers = strangers
        self._chain = chain
        self._waiting: deque[Entry] = deque()
        self._alone = asyncio.Lock()  # each that waits is written once
        self._pulse_at = clock.monotonic()
        self.failing = False
        self._lost = Counter("hub_audit_lost", "Entries that were lost", registry=registry)
        self._late = Counter("hub_audit_late", "Entries written late", registry=registry)
        waiting = Gauge("hub_audit_waiting", "Entries that wait to be written", registry=registry)
        waiting.set_function(lambda: len(self._waiting))

    async def write(self, entry: Entry) -> None:
        try:
            await self._catalogue.write(audit.append, entry, self._chain)
        except CatalogueError as error:
            self._failed(error)
            raise AuditFailed(str(error)) from error
        self.failing = False

    def keep(self, entry: Entry) -> None:
        if len(self._waiting) >= MOST_KEPT:
            self._lost.inc()
            log.error("an audit entry is lost: %s %s", entry.kind, entry.id)
            return
        self._waiting.append(entry.model_copy(update={"late": True}))

    async def put(self, entry: Entry) -> None:
        """Now, or late."""
        try:
            await self.write(entry)
        except AuditFailed:
            self.keep(entry)

    async def must(self, entry: Entry) -> None:
        """For an act that may not happen unwritten. Raises Overloaded."""
        try:
            await self.write(entry)
        except AuditFailed as error:
            raise Overloaded(
                "nothing can be written down now", code="audit", retry_after=10
            ) from error

    async def run(self) -> None:
        """A job."""
        while True:
            await self._clock.sleep(LOOKS_EVERY)
            await self.look()

    async def look(self) -> None:
        """Write what waits, what strangers tried, and that the log can be written."""
        for entry in self._strangers.of_past_minutes():
            await self.put(entry)
        await self._write_waiting()
        if self._clock.monotonic() >= self._pulse_at:
            await self.pulse()

    async def pulse(self) -> None:
        """Find out whether entries can be written, and remember until when they could."""
        self._pulse_at = self._clock.monotonic() + PULSE_EVERY
        try:
            await self._catalogue.write(audit.keep_pulse, self._chain, self._clock.utc_ms())
        except CatalogueError as error:
            self._failed(error)
        else:
            self.failing = False

    async def close(self) -> None:
        """What strangers tried until now, and what waits, if that can be."""
        for entry in self._strangers.all():
            await self.put(entry)
        await self._write_waiting()
        for entry in self._waiting:
            self._lost.inc()
            log.error("an audit entry is lost at the end: %s", entry.model_dump_json())

    async def _write_waiting(self) -> None:
        async with self._alone:
            while self._waiting:
                try:
                    await self.write(self._waiting[0])
                except AuditFailed:
                    return
                self._waiting.popleft()
                self._late.inc()

    def _failed(self, error: Exception) -> None:
        if not self.failing:
            log.error("the audit log cannot be written: %s", error)
        self.failing = True
