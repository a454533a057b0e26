"""Queries about passkeys: sync, no HTTP."""

from enum import StrEnum

from sqlmodel import Session, col, select, update

from village_hub.catalogue import people
from village_hub.catalogue.staff_models import Passkey
from village_hub.catalogue.staff_rows import PasskeyRow


class NotAdded(StrEnum):
    KNOWN = "known"  # this credential is here already, whosever it is
    CODE = "code"  # the enrolment code was used meanwhile, or is too old


def add(session: Session, passkey: Passkey, code: str, now: int) -> PasskeyRow | NotAdded:
    """Add it, and spend the enrolment code that it came with (its digest), or neither."""
    if session.get(Passkey, passkey.id):
        return NotAdded.KNOWN
    if code and people.spend_code(session, code, None, now, people.PASSKEY) != passkey.person_id:
        return NotAdded.CODE
    session.add(passkey)
    session.flush()
    return _row(passkey)


def find(session: Session, passkey_id: str) -> PasskeyRow | None:
    """None also when it has ended."""
    row = session.get(Passkey, passkey_id)
    return _row(row) if row and row.ended is None else None


def of_person(session: Session, person_id: str) -> list[PasskeyRow]:
    query = select(Passkey).where(Passkey.person_id == person_id, col(Passkey.ended).is_(None))
    return [_row(row) for row in session.exec(query.order_by(col(Passkey.created)))]


def use(session: Session, passkey_id: str, sign_count: int, now: int) -> bool:
    """Note that it was used. False when its counter did not move on: two have the same key, or one
    answer is used twice. Keys that do not count say 0 always."""
    row = session.get(Passkey, passkey_id)
    if row is None or row.ended is not None:
        return False
    if (row.sign_count or sign_count) and sign_count <= row.sign_count:
        return False
    row.sign_count, row.used = sign_count, now
    return True


def rename(session: Session, passkey_id: str, person_id: str, name: str) -> bool:
    row = _own(session, passkey_id, person_id)
    if row:
        row.name = name
    return row is not None


def end(session: Session, passkey_id: str, person_id: str, now: int) -> bool:
    """False when this person has no such passkey."""
    row = _own(session, passkey_id, person_id)
    if row:
        row.ended = now
    return row is not None


def end_all(session: Session, person_id: str, now: int, *, at_home: bool = False) -> None:
    """Of a person; `at_home`: those for duty stay."""
    living = update(Passkey).where(
        col(Passkey.person_id) == person_id, col(Passkey.ended).is_(None)
    )
    if at_home:
        living = living.where(col(Passkey.duty).is_(False))
    session.exec(living.values(ended=now))


def _own(session: Session, passkey_id: str, person_id: str) -> Passkey | None:
    row = session.get(Passkey, passkey_id)
    return row if row and row.person_id == person_id and row.ended is None else None


def _row(row: Passkey) -> PasskeyRow:
    return PasskeyRow(
        id=row.id,
        person=row.person_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        transports=tuple(each for each in row.transports.split(",") if each),
        duty=row.duty,
        name=row.name,
        created=row.created,
        used=row.used,
    )
