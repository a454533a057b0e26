"""Queries about what other hubs signed of their logs (AUD-3)."""

from dataclasses import dataclass

from sqlmodel import Session, col, delete, func, select

from village_hub.audit.signing import digest
from village_hub.catalogue.book_models import PeerCheckpoint

ALL_FOR_MS = 31 * 24 * 3600 * 1000
ONE_OF = 24  # of older ones, which come hourly: one a day is kept


@dataclass(frozen=True, slots=True)
class Witnessed:
    peer: str
    count: int
    number: int  # the highest
    received: int  # UTC ms, of the last


def keep(session: Session, peer: str, number: int, text: str, now: int) -> None:
    found = digest(text)
    if session.get(PeerCheckpoint, (peer, number, found)) is None:
        row = PeerCheckpoint(peer=peer, number=number, digest=found, document=text, received=now)
        session.add(row)
        session.flush()


def of_number(session: Session, peer: str, number: int, but: str) -> str | None:
    """One of this number that is not `but`."""
    query = select(PeerCheckpoint.document).where(
        PeerCheckpoint.peer == peer,
        PeerCheckpoint.number == number,
        PeerCheckpoint.digest != digest(but),
    )
    return session.exec(query.limit(1)).first()


def before(session: Session, peer: str, number: int) -> str | None:
    """The last one with a lower number."""
    query = select(PeerCheckpoint.document).where(
        PeerCheckpoint.peer == peer, PeerCheckpoint.number < number
    )
    return session.exec(query.order_by(col(PeerCheckpoint.number).desc()).limit(1)).first()


def of(session: Session, peer: str) -> list[str]:
    query = select(PeerCheckpoint.document).where(PeerCheckpoint.peer == peer)
    return list(session.exec(query.order_by(col(PeerCheckpoint.number))))


def everybody(session: Session) -> list[Witnessed]:
    number, received = func.max(PeerCheckpoint.number), func.max(PeerCheckpoint.received)
    query = select(PeerCheckpoint.peer, func.count(), number, received)
    rows = session.exec(query.group_by(PeerCheckpoint.peer).order_by(PeerCheckpoint.peer))
    return [Witnessed(*row) for row in rows]


def thin(session: Session, now: int) -> None:
    """Of old ones one in so many stays."""
    old = delete(PeerCheckpoint).where(
        col(PeerCheckpoint.received) < now - ALL_FOR_MS, col(PeerCheckpoint.number) % ONE_OF != 0
    )
    session.exec(old)
