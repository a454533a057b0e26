"""Queries about answers already given to an Idempotency-Key: sync, no HTTP."""

from dataclasses import dataclass

from sqlmodel import Session, col, delete

from village_hub.catalogue.once_models import Once


@dataclass(frozen=True, slots=True)
class Given:
    """What came of the first request; `status` None: nothing is known (yet)."""

    request: str
    status: int | None
    kind: str
    location: str
    body: bytes


def begin(session: Session, digest: str, request: str, now: int) -> Given | None:
    """None: it is the first with this key. Else what came of that one."""
    row = session.get(Once, digest)
    if row is not None:
        return Given(row.request, row.status, row.kind, row.location, row.body)
    session.add(Once(digest=digest, request=request, created=now))
    session.flush()
    return None


def keep(session: Session, digest: str, given: Given) -> None:
    if row := session.get(Once, digest):
        row.status, row.kind, row.location = given.status, given.kind, given.location
        row.body = given.body


def forget(session: Session, digest: str) -> None:
    """Nothing was done: the key may be used again."""
    if row := session.get(Once, digest):
        session.delete(row)


def forget_old(session: Session, before: int) -> None:
    session.exec(delete(Once).where(col(Once.created) < before))
