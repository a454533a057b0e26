"""Queries about households, people, one-time codes and sign-ins: sync, no HTTP, no events."""

from sqlmodel import Session, col, delete, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from village_hub.catalogue.models import (
    Household,
    Membership,
    OneTimeCode,
    Person,
    SignIn,
)
from village_hub.catalogue.rows import HouseholdRow, PersonRow, SignInRow

OWNER = "owner"


def add_household(session: Session, household_id: str, name: str, now: int) -> None:
    session.add(Household(id=household_id, name=name, created=now))


def households(session: Session) -> list[HouseholdRow]:
    found = session.exec(select(Household).order_by(col(Household.name), col(Household.id)))
    return [HouseholdRow(row.id, row.name) for row in found]


def add_owner(session: Session, person_id: str, name: str, household_id: str, now: int) -> None:
    """A new person who owns the household."""
    session.add(Person(id=person_id, name=name, created=now))
    session.flush()
    session.add(Membership(household_id=household_id, person_id=person_id, role=OWNER))


def people(session: Session) -> list[PersonRow]:
    query = select(Person).where(col(Person.removed).is_(None)).order_by(col(Person.name))
    return [_person_row(session, row) for row in session.exec(query)]


def person(session: Session, person_id: str) -> PersonRow | None:
    row = session.get(Person, person_id)
    return _person_row(session, row) if row and row.removed is None else None


def remove_person(session: Session, person_id: str, now: int) -> None:
    """They may nothing from now on: memberships go, sign-ins end, codes are spent."""
    if row := session.get(Person, person_id):
        row.removed = now
    for membership in session.exec(select(Membership).where(Membership.person_id == person_id)):
        session.delete(membership)
    _end(session, person_id, now)


def owners(session: Session, household_id: str) -> frozenset[str]:
    """Ids of the people who own it."""
    query = select(Membership.person_id).where(
        Membership.household_id == household_id, Membership.role == OWNER
    )
    return frozenset(session.exec(query))


def add_code(session: Session, code: OneTimeCode, now: int) -> bool:
    """False, and nothing added, when another open typed code has the same selector."""
    if code.selector is not None:
        taken = select(OneTimeCode).where(
            OneTimeCode.selector == code.selector,
            col(OneTimeCode.used).is_(None),
            OneTimeCode.expires > now,
        )
        if session.exec(taken).first():
            return False
    session.add(code)
    return True


def spend_code(session: Session, digest: str, selector: str | None, now: int) -> str | None:
    """The person whose code this is, once. A wrong typed code costs the code that its selector
    names one of its tries."""
    row = session.exec(_open_codes(now).where(OneTimeCode.digest == digest)).first()
    if row and row.tries > 0:
        row.used = now
        return row.person_id
    if selector is not None:
        for near in session.exec(_open_codes(now).where(OneTimeCode.selector == selector)):
            near.tries = max(0, near.tries - 1)
    return None


def sign_in(
    session: Session, digest: str, selector: str | None, sign_in: SignIn, now: int
) -> PersonRow | None:
    """Spend the code and open its person's session, both or neither. None: it is not a code."""
    person_id = spend_code(session, digest, selector, now)
    who = person(session, person_id) if person_id else None
    if who is not None:
        sign_in.person_id = who.id
        session.add(sign_in)
    return who


def sign_in_by_digest(
    session: Session, digest: str, now: int
) -> tuple[SignInRow, PersonRow] | None:
    """The living session whose secret this is the digest of."""
    row = session.exec(_living(now).where(SignIn.digest == digest)).first()
    who = person(session, row.person_id) if row else None
    return (_sign_in_row(row), who) if row and who else None


def living_sign_ins(session: Session, ids: frozenset[str], now: int) -> frozenset[str]:
    """Which of these sessions still live."""
    rows = session.exec(_living(now).where(col(SignIn.id).in_(ids)))
    return frozenset(row.id for row in rows)


def sign_ins(session: Session, person_id: str, now: int) -> list[SignInRow]:
    query = _living(now).where(SignIn.person_id == person_id).order_by(col(SignIn.used).desc())
    return [_sign_in_row(row) for row in session.exec(query)]


def use_sign_in(session: Session, sign_in_id: str, now: int, expires: int) -> None:
    """It was used: it lives on until `expires`."""
    if row := session.get(SignIn, sign_in_id):
        row.used, row.expires = now, expires


def end_sign_in(session: Session, sign_in_id: str, person_id: str, now: int) -> bool:
    """False when this person has no such living session."""
    query = _living(now).where(SignIn.id == sign_in_id, SignIn.person_id == person_id)
    row = session.exec(query).first()
    if row:
        row.ended = now
    return row is not None


def forget_ended(session: Session, before: int) -> None:
    """Codes and sessions that ended before this time: which device, and when, is nobody's need."""
    session.exec(delete(OneTimeCode).where(col(OneTimeCode.expires) < before))
    ended = or_(col(SignIn.expires) < before, col(SignIn.ended) < before)
    session.exec(delete(SignIn).where(ended))


def _end(session: Session, person_id: str, now: int) -> None:
    living = update(SignIn).where(col(SignIn.person_id) == person_id, col(SignIn.ended).is_(None))
    session.exec(living.values(ended=now))
    unspent = update(OneTimeCode).where(
        col(OneTimeCode.person_id) == person_id, col(OneTimeCode.used).is_(None)
    )
    session.exec(unspent.values(used=now))


def _open_codes(now: int) -> SelectOfScalar[OneTimeCode]:
    return select(OneTimeCode).where(col(OneTimeCode.used).is_(None), OneTimeCode.expires > now)


def _living(now: int) -> SelectOfScalar[SignIn]:
    return select(SignIn).where(col(SignIn.ended).is_(None), SignIn.expires > now)


def _person_row(session: Session, row: Person) -> PersonRow:
    query = select(Membership.household_id).where(
        Membership.person_id == row.id, Membership.role == OWNER
    )
    return PersonRow(row.id, row.name, tuple(session.exec(query)))


def _sign_in_row(row: SignIn) -> SignInRow:
    return SignInRow(row.id, row.person_id, row.device, row.created, row.used, row.expires)
