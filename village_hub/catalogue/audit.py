"""Queries about the audit log: entries are added and read, and taken away by retention alone.

audit.append(session, entry)     # in the transaction of the act that it tells of
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from village_hub.audit.chain import Head, Link, follow
from village_hub.audit.entry import Entry, EntryKind, read_document
from village_hub.catalogue.audit_models import AuditEntry, AuditPulse

SERVE, CLI = "serve", "cli"  # chains, one a kind of process
BATCH = 1000  # rows read at a time


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it stands in the log."""

    chain: str
    link: Link
    columns_agree: bool  # what readers search by is what the document says

    @property
    def entry(self) -> Entry:
        return read_document(self.link.document)


def append(session: Session, entry: Entry, chain: str = SERVE) -> Link:
    """Add `entry` to the end of a chain, in the caller's transaction."""
    link = follow(chain, head(session, chain), entry)
    session.add(_row(chain, link, entry))
    session.flush()  # the next one in this transaction stands behind it
    return link


def head(session: Session, chain: str) -> Head | None:
    found = session.exec(
        select(AuditEntry.seq, AuditEntry.hash)
        .where(AuditEntry.chain == chain)
        .order_by(col(AuditEntry.seq).desc())
        .limit(1)
    ).first()
    return Head(*found) if found else None


def heads(session: Session) -> dict[str, Head]:
    """The end of every chain."""
    found = {chain: head(session, chain) for chain in chains(session)}
    return {chain: each for chain, each in found.items() if each is not None}


def chains(session: Session) -> list[str]:
    return sorted(session.exec(select(AuditEntry.chain).distinct()))


def count(session: Session) -> int:
    return session.exec(select(func.count()).select_from(AuditEntry)).one()


def entry(session: Session, entry_id: str) -> Entry | None:
    found = session.exec(select(AuditEntry).where(AuditEntry.id == entry_id)).first()
    return read_document(found.document) if found else None


def ranges(
    session: Session, begin: int, end: int, heads: Mapping[str, Sequence[int]]
) -> dict[str, tuple[int, int]]:
    """By chain: the first and last number of a time, widened to where something was signed: behind
    one of `heads`, and up to one."""
    lowest, highest = func.min(AuditEntry.seq), func.max(AuditEntry.seq)
    query = select(AuditEntry.chain, lowest, highest).group_by(AuditEntry.chain)
    whole = {chain: (first, last) for chain, first, last in session.exec(query)}
    then = query.where(AuditEntry.utc_ms >= begin, AuditEntry.utc_ms < end)
    found = {}
    for chain, first, last in session.exec(then):
        signed = heads.get(chain, ())
        before = [seq + 1 for seq in signed if seq < first]
        behind = [seq for seq in signed if seq >= last]
        found[chain] = (
            max([whole[chain][0], *before]),
            min([whole[chain][1], *behind]),
        )
    return found


class Chain:
    """One chain, read in order, as often as it is gone through; never all of it in memory."""

    def __init__(
        self, session: Session, name: str, *, since: int = -1, until: int | None = None
    ) -> None:
        self._session = session
        self._name = name
        self._since = since  # the number before the first
        self._until = until  # the last number

    def __iter__(self) -> Iterator[Kept]:
        last = self._since
        while True:
            query = (
                select(AuditEntry)
                .where(AuditEntry.chain == self._name, AuditEntry.seq > last)
                .order_by(col(AuditEntry.seq))
                .limit(BATCH)
            )
            if self._until is not None:
                query = query.where(AuditEntry.seq <= self._until)
            rows = self._session.exec(query).all()
            for row in rows:
                yield _kept(row)
            if len(rows) < BATCH:
                return
            last = rows[-1].seq
            self._session.expunge_all()


def _row(chain: str, link: Link, entry: Entry) -> AuditEntry:
    return AuditEntry(
        chain=chain,
        seq=link.seq,
        document=link.document,
        prev=link.prev,
        hash=link.hash,
        **_columns(entry),
    )


def _columns(entry: Entry) -> dict[str, Any]:
    """What of the document is repeated for readers."""
    who = entry.who
    return {
        "id": entry.id,
        "utc_ms": entry.utc_ms,
        "kind": entry.kind.value,
        "action": entry.action,
        "result": entry.result,
        "household_id": entry.household or None,
        "camera_id": entry.camera or None,
        "person_issuer": who.issuer if who else None,
        "person_id": who.id if who else None,
        "unit_id": (who.unit or None) if who else None,
        "case_ref": entry.case or None,
        "grant_ref": entry.grant or None,
        "permit_id": entry.permit or None,
    }


def _kept(row: AuditEntry) -> Kept:
    link = Link(row.seq, row.prev, row.document, row.hash)
    try:
        said = _columns(read_document(row.document))
    except ValueError:
        said = {}
    agree = bool(said) and all(getattr(row, name) == value for name, value in said.items())
    return Kept(row.chain, link, agree)


def keep_pulse(session: Session, chain: str, now: int) -> None:
    """The log could be written now."""
    row = session.get(AuditPulse, chain)
    if row is None:
        session.add(AuditPulse(chain=chain, utc_ms=now))
    else:
        row.utc_ms = now


def open_views(session: Session) -> tuple[list[Entry], int | None]:
    """Starts without an end, and when the log was last known to be written."""
    end = aliased(AuditEntry)
    ended = select(end.id).where(
        end.kind == EntryKind.VIEW_END, end.permit_id == AuditEntry.permit_id
    )
    query = (
        select(AuditEntry)
        .where(AuditEntry.kind == EntryKind.VIEW_START, ~ended.exists())
        .order_by(col(AuditEntry.utc_ms), col(AuditEntry.id))
    )
    pulse = session.get(AuditPulse, SERVE)
    return [read_document(row.document) for row in session.exec(query)], (
        pulse.utc_ms if pulse else None
    )
