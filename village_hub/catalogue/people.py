"""Queries about households, people, one-time codes and sign-ins: sync, no HTTP, no events."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, and_, col, delete, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from village_hub.catalogue import appointments, notices, shifts
from village_hub.catalogue.models import (
    Household,
    Membership,
    OneTimeCode,
    Person,
    SignIn,
)
from village_hub.catalogue.rows import (
    Capacity,
    HouseholdRow,
    MemberRow,
    Method,
    PersonRow,
    SignInRow,
)
from village_hub.catalogue.staff_models import Appointment, Passkey, Shift
from village_hub.catalogue.staff_rows import AppointmentRow

OWNER, MEMBER = "owner", "member"
HOUSEHOLD, PASSKEY = "household", "passkey"  # what a one-time code opens


def add_household(session: Session, household_id: str, name: str, now: int) -> None:
    session.add(Household(id=household_id, name=name, created=now))


def households(session: Session) -> list[HouseholdRow]:
    found = session.exec(select(Household).order_by(col(Household.name), col(Household.id)))
    return [HouseholdRow(row.id, row.name) for row in found]


def household(session: Session, household_id: str) -> HouseholdRow | None:
    row = session.get(Household, household_id)
    return HouseholdRow(row.id, row.name) if row else None


def add_owner(session: Session, person_id: str, name: str, household_id: str, now: int) -> None:
    """A new person who owns the household."""
    session.add(Person(id=person_id, name=name, created=now))
    session.flush()
    session.add(Membership(household_id=household_id, person_id=person_id, role=OWNER))


def people(session: Session) -> list[PersonRow]:
    query = select(Person).where(col(Person.removed).is_(None)).order_by(col(Person.name))
    return [_person_row(session, row) for row in session.exec(query)]


def page(session: Session, after: str, limit: int) -> list[PersonRow]:
    """Those that are not removed, by id, from behind `after`."""
    query = select(Person).where(col(Person.removed).is_(None), Person.id > after)
    found = session.exec(query.order_by(col(Person.id)).limit(limit))
    return [_person_row(session, row) for row in found]


def person(session: Session, person_id: str) -> PersonRow | None:
    row = session.get(Person, person_id)
    return _person_row(session, row) if row and row.removed is None else None


def has_signed_in(session: Session, person_id: str) -> bool:
    """Ever."""
    row = session.get(Person, person_id)
    return row is not None and row.signed_in is not None


def remove_person(session: Session, person_id: str, now: int) -> None:
    """They may nothing from now on: memberships go, sign-ins and keys end, codes are spent."""
    if row := session.get(Person, person_id):
        row.removed = now
    for membership in session.exec(select(Membership).where(Membership.person_id == person_id)):
        session.delete(membership)
    for row_id in session.exec(select(Appointment.id).where(Appointment.person_id == person_id)):
        appointments.end(session, row_id, "removed", now)
    keys = update(Passkey).where(col(Passkey.person_id) == person_id, col(Passkey.ended).is_(None))
    session.exec(keys.values(ended=now))
    end_sign_ins(session, person_id, now)
    notices.forget_contact(session, person_id)


def add_staff(session: Session, person_id: str, name: str, now: int) -> None:
    """A new person of no household here."""
    session.add(Person(id=person_id, name=name, created=now))
    session.flush()


def add_member(session: Session, membership: Membership) -> bool:
    """False when they belong to the household already."""
    if session.get(Membership, (membership.household_id, membership.person_id)):
        return False
    session.add(membership)
    session.flush()
    return True


def change_member(
    session: Session, household_id: str, person_id: str, *, adult: bool, delegated: bool
) -> None:
    if row := session.get(Membership, (household_id, person_id)):
        row.adult, row.delegated = adult, delegated


def remove_member(session: Session, household_id: str, person_id: str) -> None:
    if row := session.get(Membership, (household_id, person_id)):
        session.delete(row)


def owners(session: Session, household_id: str) -> frozenset[str]:
    """Ids of the people who own it, and of members to whom the owner delegated that."""
    query = select(Membership.person_id).where(
        Membership.household_id == household_id,
        or_(col(Membership.role) == OWNER, col(Membership.delegated)),
    )
    return frozenset(session.exec(query))


def ties(
    session: Session, household_ids: Collection[str]
) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """By household: its owners, with those who may what the owner may, and its other members."""
    query = select(Membership).where(col(Membership.household_id).in_(household_ids))
    found: dict[str, tuple[set[str], set[str]]] = {}
    for row in session.exec(query):
        owning, others = found.setdefault(row.household_id, (set(), set()))
        (owning if row.role == OWNER or row.delegated else others).add(row.person_id)
    return {
        home: (frozenset(owning), frozenset(others)) for home, (owning, others) in found.items()
    }


def members(session: Session, household_id: str) -> list[MemberRow]:
    """Everybody of the household, its owners too."""
    query = select(Membership, Person).where(
        Membership.household_id == household_id, col(Person.id) == col(Membership.person_id)
    )
    return [
        MemberRow(who.id, who.name, row.role == OWNER, row.adult, row.delegated)
        for row, who in session.exec(query.order_by(col(Person.name), col(Person.id)))
    ]


def households_of(session: Session, person_id: str) -> frozenset[str]:
    """Those that the person belongs to, as owner or member."""
    query = select(Membership.household_id).where(Membership.person_id == person_id)
    return frozenset(session.exec(query))


def places_of(session: Session, person_id: str) -> list[str]:
    """Of the households that the person belongs to; "" where none is on record."""
    query = select(Household.place).where(
        col(Household.id) == col(Membership.household_id), Membership.person_id == person_id
    )
    return list(session.exec(query))


def named_owners(session: Session, household_id: str) -> tuple[tuple[str, str], ...]:
    """Their ids and names: what a home is shown when its box is enrolled."""
    query = (
        select(Person.id, Person.name)
        .where(col(Person.id).in_(owners(session, household_id)))
        .order_by(col(Person.created), col(Person.id))
    )
    return tuple((person, name) for person, name in session.exec(query))


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


def spend_code(
    session: Session, digest: str, selector: str | None, now: int, capacity: str = HOUSEHOLD
) -> str | None:
    """The person whose code of this capacity this is, once. A wrong typed code costs the code that
    its selector names one of its tries."""
    wanted = _open_codes(now).where(OneTimeCode.digest == digest, OneTimeCode.capacity == capacity)
    row = session.exec(wanted).first()
    if row and row.tries > 0:
        row.used = now
        return row.person_id
    if selector is not None:
        for near in session.exec(_open_codes(now).where(OneTimeCode.selector == selector)):
            near.tries = max(0, near.tries - 1)
    return None


def whose_code(session: Session, digest: str, capacity: str, now: int) -> str | None:
    """The person whose code this is, without spending it."""
    wanted = _open_codes(now).where(OneTimeCode.digest == digest, OneTimeCode.capacity == capacity)
    row = session.exec(wanted).first()
    return row.person_id if row and row.tries > 0 else None


def sign_in(
    session: Session, digest: str, selector: str | None, sign_in: SignIn, now: int
) -> tuple[PersonRow, bool] | None:
    """Spend the code and open its person's session, both or neither: who it is, and whether they
    never signed in before. None: it is not a code."""
    person_id = spend_code(session, digest, selector, now)
    who = person(session, person_id) if person_id else None
    if who is None:
        return None
    first = not has_signed_in(session, who.id)
    sign_in.person_id = who.id
    open_sign_in(session, sign_in)
    return who, first


def open_sign_in(session: Session, sign_in: SignIn) -> SignInRow:
    session.add(sign_in)
    who = session.get(Person, sign_in.person_id)
    if who is not None and who.signed_in is None:
        who.signed_in = sign_in.created
    session.flush()
    return _sign_in_row(sign_in)


def sign_in_by_digest(
    session: Session, digest: str, now: int
) -> tuple[SignInRow, PersonRow, AppointmentRow | None] | None:
    """The living session whose secret this is the digest of, and what it stands on."""
    row = session.exec(_living(now).where(SignIn.digest == digest)).first()
    who = person(session, row.person_id) if row else None
    if row is None or who is None:
        return None
    duty = None
    if row.appointment_id is not None:
        duty = appointments.find_living(session, row.appointment_id, now)
    return _sign_in_row(row), who, duty


def duty_of_sign_in(session: Session, sign_in_id: str, now: int) -> AppointmentRow | None:
    """None: it is nobody's on duty."""
    row = session.get(SignIn, sign_in_id)
    if row is None or row.appointment_id is None:
        return None
    return appointments.find_living(session, row.appointment_id, now)


def was_kiosk(session: Session, digest: str) -> bool:
    """Whether this is a kiosk's session, over or not."""
    query = select(SignIn).where(SignIn.digest == digest, col(SignIn.kiosk))
    return session.exec(query).first() is not None


def living_sign_ins(session: Session, ids: frozenset[str], now: int) -> frozenset[str]:
    """Which of these sessions still live."""
    rows = session.exec(_living(now).where(col(SignIn.id).in_(ids)))
    return frozenset(row.id for row in rows)


def sign_ins(session: Session, person_id: str, now: int) -> list[SignInRow]:
    query = _living(now).where(SignIn.person_id == person_id).order_by(col(SignIn.used).desc())
    return [_sign_in_row(row) for row in session.exec(query)]


def use_sign_in(session: Session, sign_in_id: str, now: int, expires: int | None = None) -> None:
    """It was used: it lives on until `expires`, if that is given."""
    if row := session.get(SignIn, sign_in_id):
        row.used = now
        if expires is not None:
            row.expires = expires


def end_sign_in(session: Session, sign_in_id: str, person_id: str, now: int) -> bool:
    """False when this person has no such living session."""
    query = _living(now).where(SignIn.id == sign_in_id, SignIn.person_id == person_id)
    row = session.exec(query).first()
    if row:
        row.ended = now
    return row is not None


def end_other_sign_ins(session: Session, person_id: str, kept: str, now: int) -> Sequence[str]:
    """All sessions of the person but one, screens too, and sign-in codes not yet used; the ids of
    those sessions."""
    others = (col(SignIn.person_id) == person_id, col(SignIn.id) != kept)
    ids = [row.id for row in session.exec(_living(now).where(*others))]
    _end_all(session, now, *others)
    _spend_all(session, person_id, now, at_home=True)
    return ids


def replace_sign_in(session: Session, digest: str, now: int) -> SignInRow | None:
    """The session whose secret this is the digest of ends: its browser has another now. None: there
    was none that had not ended."""
    row = session.exec(_living(now).where(SignIn.digest == digest)).first()
    if row is None:
        return None
    row.ended = now
    return _sign_in_row(row)


def end_opened_by(session: Session, passkey_id: str, now: int) -> None:
    """Every session that this key opened."""
    _end_all(session, now, col(SignIn.passkey_id) == passkey_id)


def forget_ended(session: Session, before: int) -> None:
    """Codes and sessions that ended before this time: which device, and when, is nobody's need."""
    session.exec(delete(OneTimeCode).where(col(OneTimeCode.expires) < before))
    ended = or_(col(SignIn.expires) < before, col(SignIn.ended) < before)
    session.exec(delete(SignIn).where(ended))


def end_sign_ins(session: Session, person_id: str, now: int, *, at_home: bool = False) -> None:
    """All sessions of the person end (`at_home`: those on duty stay), and codes not yet used are
    spent."""
    where = [col(SignIn.capacity) == HOUSEHOLD] if at_home else []
    _end_all(session, now, col(SignIn.person_id) == person_id, *where)
    _spend_all(session, person_id, now, at_home=at_home)


def _end_all(session: Session, now: int, *where: ColumnElement[bool]) -> None:
    """The sessions that have not ended yet."""
    session.exec(update(SignIn).where(col(SignIn.ended).is_(None), *where).values(ended=now))


def _spend_all(session: Session, person_id: str, now: int, *, at_home: bool) -> None:
    """A person's codes not yet used; `at_home`: those for keys stay."""
    unspent = update(OneTimeCode).where(
        col(OneTimeCode.person_id) == person_id, col(OneTimeCode.used).is_(None)
    )
    if at_home:
        unspent = unspent.where(col(OneTimeCode.capacity) == HOUSEHOLD)
    session.exec(unspent.values(used=now))


def _open_codes(now: int) -> SelectOfScalar[OneTimeCode]:
    return select(OneTimeCode).where(col(OneTimeCode.used).is_(None), OneTimeCode.expires > now)


def _living(now: int) -> SelectOfScalar[SignIn]:
    """Not ended, and what it stands on holds: on duty the appointment, at a kiosk the shift."""
    return select(SignIn).where(
        col(SignIn.ended).is_(None), SignIn.expires > now, or_(_at_home(), _on_duty(now))
    )


def _at_home() -> ColumnElement[bool]:
    return and_(col(SignIn.capacity) == Capacity.HOUSEHOLD.value, col(SignIn.kiosk).is_(False))


def _on_duty(now: int) -> ColumnElement[bool]:
    appointed = exists().where(
        appointments.living(now),
        col(Appointment.id) == col(SignIn.appointment_id),
        col(Appointment.person_id) == col(SignIn.person_id),
    )
    shift = exists().where(shifts.running(now), col(Shift.id) == col(SignIn.shift_id))
    return and_(appointed, or_(col(SignIn.kiosk).is_(False), shift))


def _person_row(session: Session, row: Person) -> PersonRow:
    query = select(Membership.household_id).where(
        Membership.person_id == row.id, Membership.role == OWNER
    )
    return PersonRow(row.id, row.name, tuple(session.exec(query)))


def _sign_in_row(row: SignIn) -> SignInRow:
    return SignInRow(
        id=row.id,
        person=row.person_id,
        device=row.device,
        created=row.created,
        used=row.used,
        expires=row.expires,
        capacity=Capacity(row.capacity),
        method=Method(row.method),
        appointment=row.appointment_id,
        kiosk=row.kiosk,
        shift=row.shift_id,
        passkey=row.passkey_id,
    )
