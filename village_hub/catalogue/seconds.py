"""Queries about acts that wait for a second person: sync, no HTTP."""

from sqlmodel import Session, col, delete, select

from village_hub.catalogue.staff_models import Second
from village_hub.catalogue.staff_rows import SecondRow


def add(session: Session, second: Second) -> SecondRow:
    session.add(second)
    session.flush()
    return _row(second)


def waiting(session: Session, second_id: str, now: int) -> SecondRow | None:
    """None: unknown, done, withdrawn or too old."""
    row = _waiting(session, second_id, now)
    return _row(row) if row else None


def all_waiting(session: Session, now: int) -> list[SecondRow]:
    query = select(Second).where(
        col(Second.done).is_(None), col(Second.withdrawn).is_(None), Second.expires > now
    )
    return [_row(row) for row in session.exec(query.order_by(col(Second.id)))]


def confirm(session: Session, second_id: str, by: str, now: int) -> None:
    if row := _waiting(session, second_id, now):
        row.confirmed_by, row.done = by, now
        session.flush()


def withdraw(session: Session, second_id: str, by: str, now: int) -> bool:
    """False when it does not wait, or somebody else asked for it."""
    row = _waiting(session, second_id, now)
    if row is None or row.requested_by != by:
        return False
    row.withdrawn = now
    return True


def forget(session: Session, before: int) -> None:
    """The audit log has them for good."""
    session.exec(delete(Second).where(col(Second.expires) < before))


def _waiting(session: Session, second_id: str, now: int) -> Second | None:
    row = session.get(Second, second_id)
    over = row is None or row.done is not None or row.withdrawn is not None or row.expires <= now
    return None if over else row


def _row(row: Second) -> SecondRow:
    return SecondRow(
        id=row.id,
        kind=row.kind,
        data=row.data,
        unit=row.unit_id,
        requested_by=row.requested_by,
        created=row.created,
        expires=row.expires,
    )
