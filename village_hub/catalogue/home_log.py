"""Queries about homes' own logs: which lines were read on, and what the hub knows of the looks that
they tell of."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlmodel import Session, col, delete, func, select

from village_core.messages import LogLine
from village_hub.audit.entry import Entry, read_document
from village_hub.audit.home_chain import Kept
from village_hub.catalogue.audit_models import AuditEntry
from village_hub.catalogue.home_log_models import HomeLine


def kept(session: Session, node: str, numbers: Collection[int]) -> Kept:
    """Of lines with these numbers, and of those before them."""
    wanted = {*numbers, *(number - 1 for number in numbers)}
    query = select(HomeLine.number, HomeLine.hash).where(
        HomeLine.node_id == node, col(HomeLine.number).in_(wanted)
    )
    found: defaultdict[int, set[str]] = defaultdict(set)
    for number, hashed in session.exec(query):
        found[number].add(hashed)
    last = session.exec(select(func.max(HomeLine.number)).where(HomeLine.node_id == node)).one()
    return Kept({number: frozenset(them) for number, them in found.items()}, last or 0)


def received_since(session: Session, node: str, since: int) -> int:
    query = select(func.count()).select_from(HomeLine)
    return session.exec(query.where(HomeLine.node_id == node, HomeLine.received > since)).one()


def add(session: Session, node: str, lines: Iterable[LogLine], now: int) -> None:
    for line in lines:
        session.add(HomeLine(node_id=node, number=line.number, hash=line.hash, received=now))
    session.flush()


def forget(session: Session, node: str, before: int) -> None:
    """Those received before then, but for the last one: what comes next follows from it."""
    newest = select(func.max(HomeLine.number)).where(HomeLine.node_id == node).scalar_subquery()
    old = delete(HomeLine).where(
        col(HomeLine.node_id) == node,
        col(HomeLine.received) < before,
        col(HomeLine.number) < newest,
    )
    session.exec(old)


def by_permit(session: Session, permits: Collection[str]) -> Mapping[str, list[Entry]]:
    """All entries that name one of these permits, in the order of their times."""
    query = select(AuditEntry).where(col(AuditEntry.permit_id).in_(permits))
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for row in session.exec(query.order_by(col(AuditEntry.utc_ms), col(AuditEntry.id))):
        entry = read_document(row.document)
        found[entry.permit].append(entry)
    return found
