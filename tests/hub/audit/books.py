"""Short ways to read the log in tests, and to keep the database from being written."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from tests.hub.support import Hub
from village_hub import keys
from village_hub.audit.entry import Entry
from village_hub.catalogue import audit
from village_hub.config import Config


def everything(session: Session, chain: str = audit.SERVE) -> list[Entry]:
    return [kept.entry for kept in audit.Chain(session, chain)]


async def written(hub: Hub, *kinds: str) -> list[Entry]:
    """What the log holds, of these kinds."""
    found = await hub.app[keys.CATALOGUE].read(everything)
    return [entry for entry in found if not kinds or entry.kind in kinds]


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """While another process keeps the database for itself: nothing can be written."""
    path = str(config.state / "hub.sqlite")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()
