"""Queries of the log's readers, newest first: a household, a person, a unit, the auditor."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from village_core.permits import Action
from village_hub.access.facts import PersonKey
from village_hub.audit.entry import ALLOWED, Entry, EntryKind, Who, read_document
from village_hub.audit.home_chain import Fault
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.case_models import MatterHousehold, MatterRecord

BATCH = 1000

Place = tuple[int, str]
"""Where a page ends: (utc_ms, id) of its last entry."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One line of a log: an entry, and if it began a view, how that ended. The number and the
    approver of the request that it stands on are filled in from there."""

    entry: Entry
    end: Entry | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list: what comes behind `after`."""

    limit: int
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an auditor looks for; times in UTC ms, `until` excluded."""

    since: int = 0
    until: int | None = None
    kind: str | None = None
    person: str | None = None
    unit: str | None = None
    camera: str | None = None
    household: str | None = None


def of_households(
    session: Session, households: Collection[str], now: int, part: Part
) -> list[Looked]:
    """Who looked, tried to, or decided something about them. What they may not know yet, because
    the notice of it was delayed, is not shown before it is released (PRM-10)."""
    return _looked(session, _of_households(households, now), part)


def line(session: Session, households: Collection[str], now: int, entry: str) -> Looked | None:
    """One of those lines, by its entry's id."""
    query = _of_households(households, now).where(AuditEntry.id == entry)
    return next(iter(_looked(session, query, Part(1))), None)


def _of_households(households: Collection[str], now: int) -> SelectOfScalar[AuditEntry]:
    concealed = select(MatterHousehold.matter_id).where(
        col(MatterHousehold.household_id).in_(households), col(MatterHousehold.knows_from) > now
    )
    return _lines().where(
        col(AuditEntry.household_id).in_(households),
        or_(col(AuditEntry.grant_ref).is_(None), ~col(AuditEntry.grant_ref).in_(concealed)),
    )


def of_person(session: Session, person: PersonKey, part: Part) -> list[Looked]:
    """What they did or tried."""
    issuer, name = person
    query = _lines().where(AuditEntry.person_issuer == issuer, AuditEntry.person_id == name)
    return _looked(session, query, part)


def of_unit(session: Session, unit: str, part: Part) -> list[Looked]:
    """What its people did or tried on its behalf."""
    return _looked(session, _lines().where(AuditEntry.unit_id == unit), part)


def entries(session: Session, wanted: Wanted, part: Part) -> list[Entry]:
    """Every entry as it stands."""
    return [read_document(row.document) for row in session.exec(_page(_wanted(wanted), part))]


def each(session: Session, wanted: Wanted) -> Iterator[Entry]:
    """All of them, oldest first; never all in memory."""
    last: Place = (-1, "")
    while True:
        query = (
            _wanted(wanted)
            .where(_behind(last))
            .order_by(col(AuditEntry.utc_ms), col(AuditEntry.id))
        )
        rows = session.exec(query.limit(BATCH)).all()
        yield from (read_document(row.document) for row in rows)
        if len(rows) < BATCH:
            return
        last = (rows[-1].utc_ms, rows[-1].id)
        session.expunge_all()


def first_time(session: Session) -> int | None:
    """Of the oldest entry."""
    return session.exec(select(AuditEntry.utc_ms).order_by(col(AuditEntry.utc_ms)).limit(1)).first()


def _lines() -> SelectOfScalar[AuditEntry]:
    """Views once, by their start; other looks and refusals by the decision; acts; and what is wrong
    with the home's own log."""
    of_view = and_(col(AuditEntry.result) == ALLOWED, col(AuditEntry.action) == Action.LIVE.value)
    of_home = col(AuditEntry.action).in_([each.value for each in Fault])
    return select(AuditEntry).where(
        or_(
            col(AuditEntry.kind).in_((EntryKind.VIEW_START.value, EntryKind.ACT.value)),
            and_(col(AuditEntry.kind) == EntryKind.DECISION.value, ~of_view),
            and_(col(AuditEntry.kind) == EntryKind.SYSTEM.value, of_home),
        )
    )


def _looked(session: Session, query: SelectOfScalar[AuditEntry], part: Part) -> list[Looked]:
    found = [read_document(row.document) for row in session.exec(_page(query, part))]
    begun = [entry.permit for entry in found if entry.kind is EntryKind.VIEW_START]
    ends, asked = _ends(session, begun), _asked(session, [entry.grant for entry in found])
    return [
        Looked(
            entry.model_copy(update=_from_request(entry, asked.get(entry.grant))),
            ends.get(entry.permit) if entry.kind is EntryKind.VIEW_START else None,
        )
        for entry in found
    ]


def _asked(session: Session, matters: Sequence[str]) -> dict[str, MatterRecord]:
    """The requests and emergencies that entries stand on."""
    query = select(MatterRecord).where(col(MatterRecord.id).in_({each for each in matters if each}))
    return {row.id: row for row in session.exec(query)}


def _from_request(entry: Entry, matter: MatterRecord | None) -> dict[str, object]:
    """Its number and who approved it, where the entry itself does not say."""
    if matter is None:
        return {}
    approver = json.loads(matter.document).get("approved_by")
    known: dict[str, object] = {"case": entry.case or matter.incident}
    if entry.second is None and isinstance(approver, dict) and approver.get("id"):
        known["second"] = Who(
            issuer=approver.get("issuer", ""),
            id=approver["id"],
            name=approver.get("name", ""),
            unit_name=approver.get("unit_name", ""),
        )
    return known


def _ends(session: Session, permits: Sequence[str]) -> dict[str, Entry]:
    query = select(AuditEntry).where(
        col(AuditEntry.permit_id).in_(permits), AuditEntry.kind == EntryKind.VIEW_END.value
    )
    found = [read_document(row.document) for row in session.exec(query)]
    return {entry.permit: entry for entry in found}


def _page(query: SelectOfScalar[AuditEntry], part: Part) -> SelectOfScalar[AuditEntry]:
    if part.after is not None:
        utc_ms, name = part.after
        earlier = col(AuditEntry.utc_ms) < utc_ms
        same = and_(col(AuditEntry.utc_ms) == utc_ms, col(AuditEntry.id) < name)
        query = query.where(or_(earlier, same))
    newest = query.order_by(col(AuditEntry.utc_ms).desc(), col(AuditEntry.id).desc())
    return newest.limit(part.limit)


def _behind(last: Place) -> ColumnElement[bool]:
    utc_ms, name = last
    same = and_(col(AuditEntry.utc_ms) == utc_ms, col(AuditEntry.id) > name)
    return or_(col(AuditEntry.utc_ms) > utc_ms, same)


def _wanted(wanted: Wanted) -> SelectOfScalar[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.utc_ms >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.utc_ms < wanted.until)
    said = {
        "kind": wanted.kind,
        "person_id": wanted.person,
        "unit_id": wanted.unit,
        "camera_id": wanted.camera,
        "household_id": wanted.household,
    }
    for name, value in said.items():
        if value is not None:
            query = query.where(col(getattr(AuditEntry, name)) == value)
    return query
