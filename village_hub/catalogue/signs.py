"""Queries about signs and receipts: sync, no HTTP."""

from sqlmodel import Session, and_, col, select, update

from village_hub.catalogue.case_models import MatterRecord
from village_hub.catalogue.sign_models import Receipt, Sign


def camera_of(session: Session, code: str) -> str | None:
    row = session.get(Sign, code)
    return row.camera_id if row else None


def sign_of(session: Session, camera: str, new: str) -> str:
    """The code on this camera's sign; `new` from now on when it has none."""
    row = session.exec(select(Sign).where(Sign.camera_id == camera)).first()
    if row is None:
        row = Sign(code=new, camera_id=camera)
        session.add(row)
        session.flush()
    return row.code


def add_receipt(session: Session, digest: str, matter: str, source: str | None) -> bool:
    """False, and nothing kept, when an open matter came from this source already."""
    if source is not None and _is_open(session, source):
        return False
    session.add(Receipt(digest=digest, matter_id=matter, source=source))
    session.flush()
    return True


def matter_of(session: Session, digest: str) -> str | None:
    row = session.get(Receipt, digest)
    return row.matter_id if row else None


def forget_sources(session: Session) -> None:
    """Of what is over: nobody needs to know any more where it came from."""
    over = select(MatterRecord.id).where(col(MatterRecord.closed).is_not(None))
    its = and_(col(Receipt.source).is_not(None), col(Receipt.matter_id).in_(over))
    session.exec(update(Receipt).where(its).values(source=None))


def _is_open(session: Session, source: str) -> bool:
    query = select(MatterRecord.id).where(
        col(MatterRecord.id) == col(Receipt.matter_id),
        col(Receipt.source) == source,
        col(MatterRecord.closed).is_(None),
    )
    return session.exec(query).first() is not None
