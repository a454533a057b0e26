"""Queries about checkpoints, and retention: the only way by which an entry goes."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlmodel import Session, col, delete, func, or_, select

from village_hub.audit.chain import Head
from village_hub.audit.signing import Checkpoint
from village_hub.catalogue import audit
from village_hub.catalogue.audit_models import AuditBegin, AuditCheckpoint, AuditEntry

Last = tuple[int, str] | None
Make = Callable[[dict[str, Head], dict[str, Head], Last], tuple[str, Checkpoint]]
"""(heads, where chains begin from now on, number and text of the last checkpoint) ->
the next, signed"""


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept longer, because a case about it is open."""

    households: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()


NOTHING_HELD = Held()


def add_checkpoint(session: Session, make: Make) -> tuple[str, Checkpoint]:
    """Sign how long every chain is."""
    return _add(session, make, {})


def checkpoints(session: Session, since: int = -1) -> list[str]:
    """Those with a higher number, in order."""
    query = select(AuditCheckpoint.document).where(AuditCheckpoint.number > since)
    return list(session.exec(query.order_by(col(AuditCheckpoint.number))))


def last_number(session: Session) -> int:
    """-1: there is none."""
    newest = select(AuditCheckpoint.number).order_by(col(AuditCheckpoint.number).desc()).limit(1)
    found = session.exec(newest).first()
    return -1 if found is None else found


def retire(session: Session, before: int, held: Callable[[Session], Held], make: Make) -> int:
    """Take away each chain's oldest entries, up to the first that is younger than `before` or
    held, and never its last; sign where it begins then. How many went."""
    begins = {}
    for chain in audit.chains(session):
        first = _first_kept(session, chain, before, held(session))
        if first is not None:
            begins[chain] = first
    if not begins:
        return 0
    _add(session, make, begins)
    gone = 0
    for chain, first in begins.items():
        session.merge(AuditBegin(chain=chain, seq=first.seq))  # the trigger lets these go
        session.flush()
        taken = delete(AuditEntry).where(
            col(AuditEntry.chain) == chain, col(AuditEntry.seq) < first.seq
        )
        gone += session.exec(taken).rowcount
    return gone


def _first_kept(session: Session, chain: str, before: int, held: Held) -> Head | None:
    """Its number and the hash before it; None: nothing of this chain goes."""
    last = audit.head(session, chain)
    lowest = session.exec(select(func.min(AuditEntry.seq)).where(AuditEntry.chain == chain)).one()
    kept = or_(
        col(AuditEntry.utc_ms) >= before,
        col(AuditEntry.household_id).in_(held.households),
        col(AuditEntry.case_ref).in_(held.cases),
        col(AuditEntry.seq) == (last.seq if last else 0),
    )
    row = session.exec(
        select(AuditEntry.seq, AuditEntry.prev)
        .where(AuditEntry.chain == chain, kept)
        .order_by(col(AuditEntry.seq))
        .limit(1)
    ).first()
    return Head(*row) if row and row[0] > lowest else None


def _add(session: Session, make: Make, begins: dict[str, Head]) -> tuple[str, Checkpoint]:
    newest = select(AuditCheckpoint).order_by(col(AuditCheckpoint.number).desc()).limit(1)
    row = session.exec(newest).first()
    last = (row.number, row.document) if row else None
    text, made = make(audit.heads(session), begins, last)
    session.add(AuditCheckpoint(number=made.number, utc_ms=made.utc_ms, document=text))
    session.flush()
    return text, made
