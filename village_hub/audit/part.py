"""The audit log as a part of the application: opened after the catalogue, closed before it."""

import logging
from collections.abc import AsyncIterator

from aiohttp import web

from village_hub import keys
from village_hub.access import guard
from village_hub.audit.log import AuditLog
from village_hub.audit.strangers import Strangers
from village_hub.audit.views import Views, end_lost
from village_hub.catalogue.store import CatalogueError

log = logging.getLogger(__name__)


async def with_audit(app: web.Application) -> AsyncIterator[None]:
    """At the end everything is written that can be."""
    catalogue, clock, supervisor = app[keys.CATALOGUE], app[keys.CLOCK], app[keys.SUPERVISOR]
    app[guard.STRANGERS] = strangers = Strangers(clock)
    app[keys.AUDIT] = book = AuditLog(catalogue, clock, strangers, app[keys.METRICS].registry)
    app[keys.VIEWS] = views = Views(book, supervisor, clock)
    try:
        await end_lost(catalogue, clock)
    except CatalogueError as error:  # households see their cameras all the same
        log.error("views that a crash cut off are still open in the log: %s", error)  # noqa: TRY400
    supervisor.start("audit log", book.run, expected=(CatalogueError,))
    yield
    await supervisor.end("audit log")
    await views.settle()
    await book.close()
