"""Looking through what children told of their cameras, a page at a time: sync, no HTTP, no events.

In the order of place and id, each page from where the one before ended, by an index: place and id,
the pairs of a name's characters (PostgreSQL; SQLite reads the names of the place), the cells of a
grid, or who is offline.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col

from village_core.permits import CameraClass
from village_core.troubles import Trouble
from village_hub.catalogue.grid import Near
from village_hub.catalogue.remote_models import (
    RemoteCamera,
    RemoteChild,
    RemoteNamed,
    RemoteState,
)
from village_hub.catalogue.remote_names import Part, part_of

SILENT = 75_000  # ms: who was not heard for so long is stale; a child says something every 30 s
Key = tuple[str, str, str]  # place, id, child


class Now(StrEnum):
    """What a camera is at the moment, as far as it is known."""

    ONLINE = "online"
    OFFLINE = "offline"
    STALE = "stale"  # its hub is not heard, or is telling everything anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for; all of it has to fit."""

    place: str = ""  # a prefix
    name: str = ""  # a part
    now: Now | None = None
    near: Near | None = None
    after: Key | None = None  # the last one of the page before
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """What may be found at all: public cameras of these classes, and those of homes whose hub names
    this unit or person."""

    place: str
    classes: Collection[CameraClass]
    unit: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRow:
    """One camera as its hub last told it; `stale_since`: the time of the last word, UTC ms."""

    child: str
    id: str
    owner: str
    place: str
    name: str
    camera_class: CameraClass
    lat: int | None
    lon: int | None
    now: Now
    since: int
    trouble: Trouble | None
    picture: int | None
    stale_since: int | None

    @property
    def key(self) -> Key:
        return self.place, self.id, self.child


def search(session: Session, within: Within, asked: Asked, now: int) -> list[RemoteRow]:
    query = statement(session, within, asked, now)
    return [_row(each) for each in session.connection().execute(query).mappings()]


def statement(session: Session, within: Within, asked: Asked, now: int) -> Select[Any]:
    """The query of `search`, for who asks the database how it would go about it."""
    by_state = asked.now is Now.OFFLINE and not asked.name and asked.near is None
    key = _STATE_KEY if by_state else _KEY
    query = _joined(now).order_by(*key).limit(asked.limit)
    for place in (within.place, asked.place):
        query = query.where(*_begins(key[0], place))
    query = query.where(_visible(within), *_fits(session, asked))
    if asked.now is not None:
        query = query.where(_is_now(asked.now, now))
    if asked.after is not None:
        query = query.where(tuple_(*key) > tuple_(*map(literal, asked.after)))
    return query


_CAMERA, _STATE, _CHILD = RemoteCamera, RemoteState, RemoteChild
_KEY: tuple[Any, ...] = (col(_CAMERA.place), col(_CAMERA.id), col(_CAMERA.child))
_STATE_KEY: tuple[Any, ...] = (col(_STATE.place), col(_STATE.camera), col(_STATE.child))

_SHOWN: tuple[Any, ...] = (
    *(col(_CAMERA.child), col(_CAMERA.id), col(_CAMERA.owner), col(_CAMERA.place)),
    *(col(_CAMERA.name), col(_CAMERA.camera_class), col(_CAMERA.lat), col(_CAMERA.lon)),
    *(col(_STATE.online), col(_STATE.since), col(_STATE.trouble), col(_STATE.picture)),
)


def _joined(now: int) -> Select[Any]:
    state = and_(col(_STATE.child) == col(_CAMERA.child), col(_STATE.camera) == col(_CAMERA.id))
    stale = case((_quiet(now), col(_CHILD.heard)), (_behind(), col(_CHILD.began)), else_=None)
    return (
        select(*_SHOWN, stale.label("stale_since"))
        .join(_STATE, state)
        .join(_CHILD, col(_CHILD.id) == col(_CAMERA.child))
    )


def _quiet(now: int) -> ColumnElement[bool]:
    return or_(col(_CHILD.away), col(_CHILD.heard) <= now - SILENT)


def _behind() -> ColumnElement[bool]:
    """Everything is being told anew, and this camera has not come yet."""
    return and_(
        col(_CHILD.syncing).is_not(None), col(_CAMERA.seen) != func.coalesce(_CHILD.syncing, 0)
    )


def _is_now(wanted: Now, now: int) -> ColumnElement[bool]:
    stale = or_(_quiet(now), _behind())
    if wanted is Now.STALE:
        return stale
    online = col(_STATE.online)
    return and_(online if wanted is Now.ONLINE else ~online, ~stale)


def _begins(column: Any, place: str) -> list[ColumnElement[bool]]:
    """A prefix as a range, which any index of digits serves, in any collation."""
    if not place:
        return []
    head = place.rstrip("9")
    found = [column >= place]
    if head:
        found.append(column < head[:-1] + str(int(head[-1]) + 1))
    return found


def _visible(within: Within) -> ColumnElement[bool]:
    named = (
        select(col(RemoteNamed.camera))
        .where(
            col(RemoteNamed.child) == col(_CAMERA.child),
            col(RemoteNamed.camera) == col(_CAMERA.id),
            col(RemoteNamed.unit).in_(["", within.unit]),
            col(RemoteNamed.person).in_(["", within.person]),
        )
        .exists()
    )
    classes = [each.value for each in within.classes]
    return or_(col(_CAMERA.camera_class).in_(classes), named)


def _fits(session: Session, asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.name:
        part = part_of(asked.name)
        found += _holds(session, part) if part else []
    if asked.near is not None:
        found += _near(asked.near)
    return found


def _holds(session: Session, part: Part) -> list[ColumnElement[bool]]:
    if session.get_bind().dialect.name == "sqlite":
        return [func.instr(_CAMERA.grams, part.row) > 0]
    there = func.string_to_array(col(_CAMERA.grams), literal(" ", TEXT), type_=ARRAY(TEXT))
    wanted = literal(part.all_of, ARRAY(TEXT))
    return [there.contains(wanted), func.strpos(_CAMERA.grams, part.row) > 0]


def _near(near: Near) -> list[ColumnElement[bool]]:
    up = (col(_CAMERA.lat) - near.lat) * 1.0
    over = (col(_CAMERA.lon) - near.lon) * near.narrowing
    return [col(_CAMERA.cell).in_(near.cells()), up * up + over * over <= near.reach**2]


def _row(found: Any) -> RemoteRow:
    stale = found["stale_since"]
    fresh = Now.ONLINE if found["online"] else Now.OFFLINE
    same = ("child", "id", "owner", "place", "name", "lat", "lon", "since", "picture")
    return RemoteRow(
        **{name: found[name] for name in same},
        camera_class=CameraClass(found["camera_class"]),
        now=fresh if stale is None else Now.STALE,
        trouble=Trouble(found["trouble"]) if found["trouble"] else None,
        stale_since=stale,
    )
