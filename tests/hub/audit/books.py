"""Short ways to read the log in tests, and to keep the database from being written."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlmodel import Session

from tests.hub.support import Hub
from village_hub import keys
from village_hub.audit.entry import Entry
from village_hub.catalogue import audit
from village_hub.config import Config


def everything(session: Session, chain: str = audit.SERVE) -> list[Entry]:
    return [kept.entry for kept in audit.Chain(session, chain)]


async def written(hub: Hub, *kinds: str) -> list[Entry]:
    """What the log holds, of these kinds; that somebody signed in for it is left out."""
    found = await hub.app[keys.CATALOGUE].read(everything)
    found = [entry for entry in found if not entry.action.startswith("sign_in.")]
    return [entry for entry in found if not kinds or entry.kind in kinds]


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """While another process keeps the database for itself: nothing can be written."""
    url = config.database_url
    if url.startswith("postgresql"):
        with psycopg.connect(url) as server:
            server.execute("LOCK TABLE alembic_version IN EXCLUSIVE MODE")
            yield
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")
