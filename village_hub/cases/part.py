"""Matters as a part of the application: the desk, and the job that acts when time is up."""

from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from village_hub import keys
from village_hub.access.status_lists import StatusLists
from village_hub.cases.alarms import Alarms
from village_hub.cases.by_phone import ByPhone
from village_hub.cases.desk import Desk
from village_hub.cases.matter import Matter
from village_hub.cases.objection import Objection
from village_hub.cases.scans import Scans
from village_hub.catalogue.store import CatalogueError


async def with_cases(app: web.Application) -> AsyncIterator[None]:
    """After the part that watches open views: a matter that ends has them looked at."""
    soon, supervisor = app[keys.RENEWAL].look_soon, app[keys.SUPERVISOR]
    app[keys.DESK] = desk = Desk(app[keys.NODE].id, app[keys.CATALOGUE], app[keys.CLOCK], soon)
    app[keys.SCANS] = Scans(app[keys.CONFIG].state / "scans")
    app[keys.ALARMS] = Alarms(
        app[keys.NODE].id,
        app[keys.CATALOGUE],
        desk,
        app[keys.CHILDREN],
        supervisor=supervisor,
        settings=app[keys.CONFIG].notices,
        clock=app[keys.CLOCK],
    )
    ByPhone(app[keys.NODE].id, app[keys.CATALOGUE], desk).register(app[keys.NOTICES].phone_keys)
    desk.on_moved.append(partial(_status_changed, app[keys.STATUS_LISTS]))
    supervisor.start("matters", desk.run, expected=(CatalogueError,))
    yield
    await supervisor.end("matters")


def _status_changed(lists: StatusLists, matter: Matter) -> None:
    """Grants that name its camera are suspended by an objection, or are so no more (IDN-9)."""
    if isinstance(matter, Objection):
        lists.changed()
