"""Queries about kiosks that wait to be opened (RFC 8628): sync, no HTTP."""

from enum import StrEnum

from sqlmodel import Session, col, delete, select

from village_hub.catalogue.models import SignIn
from village_hub.catalogue.staff_models import DeviceGrant, Shift
from village_hub.catalogue.staff_rows import DeviceGrantRow

SLOWER = 5  # seconds that a kiosk which polls too often waits longer from then on


class Word(StrEnum):
    """What a kiosk that polls is told: RFC 8628 section 3.5 and RFC 6749 section 5.2."""

    OPEN = "open"  # ours: a session was made
    PENDING = "authorization_pending"
    SLOWER = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    UNKNOWN = "invalid_grant"  # never was, or has been used


def word_for(row: DeviceGrantRow | None, now: int, *, shift_runs: bool) -> Word:
    """Pure: the next word, from the state alone."""
    if row is None or row.used:
        return Word.UNKNOWN
    if row.denied:
        return Word.DENIED
    if row.expires <= now:
        return Word.EXPIRED
    if row.polled is not None and now - row.polled < row.pause * 1000:
        return Word.SLOWER
    if row.shift is None:
        return Word.PENDING
    return Word.OPEN if shift_runs else Word.DENIED


def add(session: Session, grant: DeviceGrant, now: int) -> bool:
    """False, and nothing added, when an open one shows the same code."""
    if _by_user(session, grant.user_digest, now):
        return False
    session.add(grant)
    session.flush()
    return True


def by_user(session: Session, user_digest: str, now: int) -> DeviceGrantRow | None:
    """The one that shows this code and waits."""
    row = _by_user(session, user_digest, now)
    return _row(row) if row else None


def answer(session: Session, user_digest: str, shift_id: str | None, now: int) -> bool:
    """Open it for a shift, or (None) refuse it. False when it does not wait any more."""
    row = _by_user(session, user_digest, now)
    if row is None:
        return False
    if shift_id is None:
        row.denied = now
    else:
        row.approved, row.shift_id = now, shift_id
    return True


def poll(session: Session, digest: str, sign_in: SignIn, now: int) -> Word:
    """What to tell the kiosk; when it is open, `sign_in` is its session, of the shift's person."""
    row = session.exec(select(DeviceGrant).where(DeviceGrant.digest == digest)).first()
    shift = session.get(Shift, row.shift_id) if row and row.shift_id else None
    runs = shift is not None and shift.ended is None and shift.ends > now
    word = word_for(_row(row) if row else None, now, shift_runs=runs)
    if row is None or word in (Word.UNKNOWN, Word.DENIED, Word.EXPIRED):
        return word
    row.polled = now
    if word is Word.SLOWER:
        row.pause += SLOWER
    if word is Word.OPEN and shift is not None:
        row.used = now
        _open(session, sign_in, row, shift)
    return word


def forget(session: Session, before: int) -> None:
    session.exec(delete(DeviceGrant).where(col(DeviceGrant.expires) < before))


def _open(session: Session, sign_in: SignIn, row: DeviceGrant, shift: Shift) -> None:
    sign_in.person_id, sign_in.appointment_id = shift.person_id, shift.appointment_id
    sign_in.shift_id, sign_in.expires = shift.id, shift.ends
    sign_in.device = f"{row.name}, {row.place}" if row.place else row.name
    session.add(sign_in)
    session.flush()


def _by_user(session: Session, user_digest: str, now: int) -> DeviceGrant | None:
    query = select(DeviceGrant).where(
        DeviceGrant.user_digest == user_digest,
        DeviceGrant.expires > now,
        col(DeviceGrant.denied).is_(None),
        col(DeviceGrant.approved).is_(None),
    )
    return session.exec(query).first()


def _row(row: DeviceGrant) -> DeviceGrantRow:
    return DeviceGrantRow(
        id=row.id,
        name=row.name,
        place=row.place,
        created=row.created,
        expires=row.expires,
        pause=row.pause,
        polled=row.polled,
        denied=row.denied is not None,
        shift=row.shift_id,
        used=row.used is not None,
    )
