"""What children told of their cameras: taking it in. Sync, no HTTP, no events.

A child's rows change by its own batches alone, which stand after each other; everything anew comes
in pages, and what was there before stays (as stale) until the last page has come.
"""

import json
from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session, col, delete, update

from village_core.catalogue_notes import CatalogueAnswer, CatalogueBatch, OfferNote, StateNote
from village_hub.catalogue.grid import cell
from village_hub.catalogue.remote_models import (
    RemoteCamera,
    RemoteChild,
    RemoteNamed,
    RemoteState,
)
from village_hub.catalogue.remote_names import grams

EVERYTHING = 0
Rows = list[dict[str, object]]


class NotBelow(Exception):  # noqa: N818 - a state of the catalogue
    """It is no hub that was joined below this one."""


class NotItsPlace(Exception):  # noqa: N818 - a state of the catalogue
    """A child tells of a camera outside its own place."""


def welcome(session: Session, child: str, place: str, now: int) -> None:
    """A hub was joined below, or moved: it starts with everything."""
    forget(session, child)
    session.add(RemoteChild(id=child, place=place, number=EVERYTHING, heard=now))


def forget(session: Session, child: str) -> None:
    """It left: nothing of it stays."""
    for table in (RemoteNamed, RemoteState, RemoteCamera):
        session.exec(delete(table).where(col(table.child) == child))
    session.exec(delete(RemoteChild).where(col(RemoteChild.id) == child))


def lost(session: Session, child: str) -> None:
    """Its line is down: from now on its rows are stale, since it was last heard."""
    session.exec(update(RemoteChild).where(col(RemoteChild.id) == child).values(away=True))


def take(session: Session, child: str, batch: CatalogueBatch, now: int) -> CatalogueAnswer:
    """All of the batch, or nothing of it. Raises NotBelow, NotItsPlace."""
    row = _heard(session, child, now)
    if any(not each.place.startswith(row.place) for each in batch.put):
        raise NotItsPlace("a camera stands outside this child's place")
    if batch.after == EVERYTHING:
        return _page(session, row, batch, now)
    if row.syncing is None and row.number == batch.number:
        return CatalogueAnswer(taken=True, after=row.number)  # told again: it is so already
    if row.syncing is not None or row.number != batch.after:
        return CatalogueAnswer(taken=False, after=EVERYTHING)
    _put(session, child, batch)
    _drop(session, child, batch.gone)
    row.number = batch.number
    return CatalogueAnswer(taken=True, after=row.number)


def take_states(session: Session, child: str, states: Sequence[StateNote], now: int) -> int:
    """How many were newer than what was known; of cameras that were not offered none is.
    Raises NotBelow."""
    _heard(session, child, now)
    if not states:
        return 0
    rows: Rows = [each.model_dump() for each in states]
    return _do(session, NEWER, child=child, rows=rows)


def _heard(session: Session, child: str, now: int) -> RemoteChild:
    row = session.get(RemoteChild, child)
    if row is None:
        raise NotBelow("this node is no hub that was joined below")
    row.heard, row.away = max(row.heard, now), False
    return row


def _page(session: Session, row: RemoteChild, batch: CatalogueBatch, now: int) -> CatalogueAnswer:
    """Page 0 begins anew at any time; the others come in order. The page before may come again:
    its answer was lost."""
    if batch.page == 0:
        row.syncing, row.page, row.began = batch.number, 0, now
        _each(session, (BEGUN_BEFORE,), row.id, batch.number)
    elif row.syncing is None and row.number == batch.number:
        return CatalogueAnswer(taken=True, after=row.number)
    if row.syncing != batch.number or batch.page not in (row.page, row.page - 1):
        return CatalogueAnswer(taken=False, after=EVERYTHING)
    _put(session, row.id, batch)
    row.page = batch.page + 1
    if batch.last:
        _each(session, UNSEEN, row.id, batch.number)  # it is not there any more
        row.number, row.syncing, row.began = batch.number, None, None
    return CatalogueAnswer(taken=True, after=row.number if batch.last else EVERYTHING)


def _put(session: Session, child: str, batch: CatalogueBatch) -> None:
    if not batch.put:
        return
    _do(session, PUT, child=child, rows=[_row(child, each, batch.number) for each in batch.put])
    states = [{**each.state.model_dump(), "place": each.place} for each in batch.put]
    _do(session, ANEW if batch.after == EVERYTHING else KNOWN, child=child, rows=states)
    _do(session, MOVED, child=child, rows=states)
    ids = [each.state.id for each in batch.put]
    session.exec(
        delete(RemoteNamed).where(col(RemoteNamed.child) == child, col(RemoteNamed.camera).in_(ids))
    )
    session.add_all(
        RemoteNamed(child=child, camera=each.state.id, unit=unit, person=person)
        for each in batch.put
        for unit, person in {(who.unit or "", who.person or "") for who in each.named}
    )


def _row(child: str, each: OfferNote, number: int) -> dict[str, object]:
    point = None if each.lat is None or each.lon is None else (each.lat, each.lon)
    return {
        "id": each.state.id,
        "owner": each.owner or child,
        "place": each.place,
        "name": each.name,
        "grams": grams(each.name),
        "camera_class": each.camera_class.value,
        "lat": each.lat,
        "lon": each.lon,
        "cell": cell(*point) if point else None,
        "seen": number,
    }


def _drop(session: Session, child: str, ids: Sequence[str]) -> None:
    for table in (RemoteNamed, RemoteState):
        session.exec(delete(table).where(col(table.child) == child, col(table.camera).in_(ids)))
    session.exec(
        delete(RemoteCamera).where(col(RemoteCamera.child) == child, col(RemoteCamera.id).in_(ids))
    )


def _each(session: Session, statements: Sequence[str], child: str, number: int) -> None:
    for statement in statements:
        session.connection().execute(text(statement), {"child": child, "number": number})


def _do(session: Session, statement: str, *, child: str, rows: Rows) -> int:
    """One statement for all rows, which both databases read as JSON: a thousand parameters a row
    would cost more than the work itself."""
    source = SOURCES[session.get_bind().dialect.name]
    said = {"child": child, "rows": json.dumps(rows)}
    session.flush()
    return session.connection().execute(text(statement.format(rows=source)), said).rowcount


SOURCES = {
    "postgresql": "json_array_elements(CAST(:rows AS json)) AS told(value)",
    "sqlite": "json_each(:rows) AS told",
}
_STATE = """
    CAST(value->>'online' AS BOOLEAN) AS online, CAST(value->>'since' AS BIGINT) AS since,
    value->>'trouble' AS trouble, CAST(value->>'picture' AS BIGINT) AS picture,
    CAST(value->>'number' AS BIGINT) AS number
"""
_STATE_SET = "online = excluded.online, since = excluded.since, trouble = excluded.trouble, \
picture = excluded.picture, number = excluded.number, place = excluded.place"

PUT = """
INSERT INTO remote_camera
    (child, id, owner, place, name, grams, camera_class, lat, lon, cell, seen)
SELECT :child, value->>'id', value->>'owner', value->>'place',
    value->>'name', value->>'grams',
    value->>'camera_class', CAST(value->>'lat' AS INTEGER), CAST(value->>'lon' AS INTEGER),
    CAST(value->>'cell' AS INTEGER), CAST(value->>'seen' AS BIGINT)
FROM {rows} WHERE true
ON CONFLICT (child, id) DO UPDATE SET owner = excluded.owner,
    place = excluded.place, name = excluded.name,
    grams = excluded.grams, camera_class = excluded.camera_class, lat = excluded.lat,
    lon = excluded.lon, cell = excluded.cell, seen = excluded.seen
"""
ANEW = f"""
INSERT INTO remote_state (child, camera, place, online, since, trouble, picture, number)
SELECT :child, value->>'id', value->>'place', {_STATE}
FROM {{rows}} WHERE true
ON CONFLICT (child, camera) DO UPDATE SET {_STATE_SET}
"""  # noqa: S608 - only the constants above are put in
KNOWN = f"{ANEW} WHERE remote_state.number < excluded.number"
MOVED = """
UPDATE remote_state SET place = moved.place
FROM (SELECT value->>'id' AS id, value->>'place' AS place FROM {rows}) AS moved
WHERE remote_state.child = :child AND remote_state.camera = moved.id
    AND remote_state.place <> moved.place
"""
BEGUN_BEFORE = "UPDATE remote_camera SET seen = 0 WHERE child = :child AND seen = :number"
NEWER = f"""
UPDATE remote_state SET online = newer.online, since = newer.since, trouble = newer.trouble,
    picture = newer.picture, number = newer.number
FROM (SELECT value->>'id' AS id, {_STATE} FROM {{rows}}) AS newer
WHERE remote_state.child = :child AND remote_state.camera = newer.id
    AND remote_state.number < newer.number
"""  # noqa: S608 - as above
UNSEEN = (
    """
DELETE FROM remote_named WHERE child = :child AND camera IN
    (SELECT id FROM remote_camera WHERE child = :child AND seen <> :number)
""",
    """
DELETE FROM remote_state WHERE child = :child AND camera IN
    (SELECT id FROM remote_camera WHERE child = :child AND seen <> :number)
""",
    "DELETE FROM remote_camera WHERE child = :child AND seen <> :number",
)
