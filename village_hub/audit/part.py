"""The audit log as a part of the application: opened after the catalogue, closed before it."""

import logging
from collections.abc import AsyncIterator

from aiohttp import web

from village_core.jobs import Job
from village_core.tokens import Issuer
from village_hub import keys
from village_hub.access import guard
from village_hub.audit.checkpoints import FILE, Checkpoints
from village_hub.audit.clock_watch import ClockWatch
from village_hub.audit.log import AuditLog
from village_hub.audit.publishing import Summaries
from village_hub.audit.strangers import Strangers
from village_hub.audit.views import Views, end_lost
from village_hub.catalogue import audit_counts
from village_hub.catalogue.store import CatalogueError

log = logging.getLogger(__name__)


async def with_audit(app: web.Application) -> AsyncIterator[None]:
    """At the end everything is written that can be."""
    catalogue, clock, supervisor = app[keys.CATALOGUE], app[keys.CLOCK], app[keys.SUPERVISOR]
    app[guard.STRANGERS] = strangers = Strangers(clock)
    app[keys.AUDIT] = book = AuditLog(catalogue, clock, strangers, app[keys.METRICS].registry)
    app[keys.VIEWS] = views = Views(book, supervisor, clock)
    app[keys.SUMMARIES] = Summaries(catalogue, clock)
    try:
        await end_lost(catalogue, clock)
    except CatalogueError as error:  # households see their cameras all the same
        log.error("views that a crash cut off are still open in the log: %s", error)  # noqa: TRY400
    node, config = app[keys.NODE], app[keys.CONFIG]
    issuer = Issuer(node.id, node.key, clock)
    app[keys.CHECKPOINTS] = checkpoints = Checkpoints(
        catalogue, issuer, node.key.public, config.state / FILE, clock, audit_counts.open_cases
    )
    jobs: dict[str, Job] = {
        "audit log": book.run,
        "audit checkpoints": checkpoints.run,
        "audit clock": ClockWatch(book, clock).run,
    }
    for name, job in jobs.items():
        supervisor.start(name, job, expected=(CatalogueError, OSError))
    yield
    for name in jobs:
        await supervisor.end(name)
    await views.settle()
    await book.close()
