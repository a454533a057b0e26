"""Queries about grants: sync, no HTTP, no events. There is no way in for one that is not signed:
`add` takes what `consent.signed` has verified, and every decision verifies it again."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session, col, func, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from village_core.grant_tokens import Grant
from village_core.grants import GrantStatus
from village_core.keys import PublicKey
from village_core.status_list import Status
from village_hub.catalogue.consent_models import GrantDraft, GrantRecord
from village_hub.catalogue.consent_rows import GrantRow, HomeRow
from village_hub.catalogue.models import Household, Node

PUBLISHED = {GrantStatus.STOPPED: Status.INVALID, GrantStatus.SUSPENDED: Status.SUSPENDED}


def home(session: Session, household_id: str) -> HomeRow | None:
    """The household and the keys of its living agent: whose grants count now. A changed box has
    other keys, and what the old one signed is over (IDN-15)."""
    household = session.get(Household, household_id)
    if household is None:
        return None
    node = session.exec(
        select(Node).where(Node.household_id == household_id, col(Node.revoked).is_(None))
    ).first()
    key = PublicKey.from_text(node.household_key) if node else None
    return HomeRow(household_id, household.name, node.id if node else None, key)


def home_of_node(session: Session, node_id: str) -> HomeRow | None:
    node = session.get(Node, node_id)
    return home(session, node.household_id) if node and node.revoked is None else None


@dataclass(frozen=True, slots=True)
class Given:
    """How a grant came: from which box and draft, by which route, by whom; and its own place in the
    status list."""

    node: str
    draft: str | None
    route: str
    by: str
    place: int


def add(session: Session, grant: Grant, given: Given, now: int) -> GrantRow:
    """A verified grant."""
    terms = grant.terms
    row = GrantRecord(
        id=grant.id,
        household_id=grant.household,
        node_id=given.node,
        draft_id=given.draft,
        text=grant.text[-1],
        kind=terms.kind.value,
        recipient_person=terms.recipient.person,
        recipient_unit=terms.recipient.unit,
        not_before=terms.not_before,
        until=terms.until,
        route=given.route,
        given_by=given.by,
        given=now,
        status_index=given.place,
    )
    session.add(row)
    session.flush()
    return row_of(row)


def next_place(session: Session) -> int:
    """In the status list: one that no grant has and no draft keeps."""
    columns = (GrantRecord.status_index, GrantDraft.status_index)
    last = [session.exec(select(func.max(column))).one() for column in columns]
    return max((each for each in last if each is not None), default=-1) + 1


def has_place(session: Session, place: int) -> bool:
    """Whether it is some grant's."""
    query = select(GrantRecord.id).where(GrantRecord.status_index == place)
    return session.exec(query).first() is not None


def find(session: Session, grant_id: str) -> GrantRow | None:
    row = session.get(GrantRecord, grant_id)
    return row_of(row) if row else None


def of_household(
    session: Session, household_id: str, after: str = "", limit: int | None = None
) -> list[GrantRow]:
    """All that it ever gave, by id, from behind `after`."""
    query = _by_id(after).where(GrantRecord.household_id == household_id)
    return [row_of(row) for row in session.exec(query.limit(limit))]


def standing_in(
    session: Session, household_ids: Collection[str]
) -> list[tuple[GrantRow, PublicKey]]:
    """What a decision may rest on, or be refused by in words: those of the agent that is there now,
    with its household's key. Signatures are checked by whoever asks."""
    query = select(GrantRecord, Node.household_key).where(
        col(GrantRecord.household_id).in_(household_ids),
        col(Node.id) == col(GrantRecord.node_id),
        col(Node.household_id) == col(GrantRecord.household_id),
        col(Node.revoked).is_(None),
    )
    rows = session.exec(query.order_by(col(GrantRecord.id)))
    return [(row_of(row), PublicKey.from_text(key)) for row, key in rows]


def given_to(
    session: Session, person: str, unit: str, after: str = "", limit: int | None = None
) -> list[GrantRow]:
    """What this person, or their unit, was given by any household."""
    unit_too = col(GrantRecord.recipient_unit) == unit if unit else col(GrantRecord.id).is_(None)
    query = _by_id(after).where(or_(col(GrantRecord.recipient_person) == person, unit_too))
    return [row_of(row) for row in session.exec(query.limit(limit))]


def households_given_to(session: Session, person: str, unit: str) -> frozenset[str]:
    return frozenset(row.household for row in given_to(session, person, unit))


def stop(session: Session, grant_id: str, by: str, why: str, at: int, *, told_home: bool) -> bool:
    """False when it was stopped before; nothing ever starts it again."""
    row = session.get(GrantRecord, grant_id)
    if row is None:
        return False
    if row.status == GrantStatus.STOPPED.value:
        row.told_home = row.told_home or told_home
        return False
    row.status, row.stopped = GrantStatus.STOPPED.value, at
    row.stopped_by, row.why, row.told_home = by, why, told_home
    row.version += 1
    return True


def stop_of_nodes_gone(session: Session, household_id: str, node_id: str, now: int) -> list[str]:
    """What the household's earlier boxes signed ends with them; ids of those that did."""
    query = select(GrantRecord).where(
        GrantRecord.household_id == household_id,
        GrantRecord.node_id != node_id,
        col(GrantRecord.status) != GrantStatus.STOPPED.value,
    )
    ended = [row.id for row in session.exec(query)]
    for name in ended:
        stop(session, name, "home", "the box was changed", now, told_home=True)
    return ended


def untold(session: Session, node_id: str) -> list[str]:
    """Stopped here, and the home does not know it yet."""
    query = select(GrantRecord.id).where(
        GrantRecord.node_id == node_id,
        GrantRecord.status == GrantStatus.STOPPED.value,
        col(GrantRecord.told_home).is_(False),
    )
    return list(session.exec(query))


def told(session: Session, grant_ids: Collection[str]) -> None:
    wanted = col(GrantRecord.id).in_(grant_ids)
    session.exec(update(GrantRecord).where(wanted).values(told_home=True))


def stopped_of_node(session: Session, node_id: str, limit: int) -> list[tuple[str, int]]:
    """The latest first: (grant, when)."""
    query = (
        select(GrantRecord)
        .where(GrantRecord.node_id == node_id, GrantRecord.status == GrantStatus.STOPPED.value)
        .order_by(col(GrantRecord.stopped).desc())
        .limit(limit)
    )
    return [(row.id, row.stopped or 0) for row in session.exec(query)]


def statuses(session: Session, first: int, end: int) -> dict[int, Status] | None:
    """Of the places from the first until before the second those that are not VALID; None when
    nobody has such a place."""
    index = col(GrantRecord.status_index)
    if session.exec(select(GrantRecord.id).where(index >= first).limit(1)).first() is None:
        return None
    query = select(GrantRecord.status_index, GrantRecord.status).where(
        index >= first, index < end, GrantRecord.status != GrantStatus.VALID.value
    )
    return {place: PUBLISHED[GrantStatus(status)] for place, status in session.exec(query)}


def ran_out(session: Session, now: int, limit: int = 200) -> list[GrantRow]:
    """Over since, and nobody was told."""
    query = (
        select(GrantRecord)
        .where(
            GrantRecord.until <= now,
            GrantRecord.status == GrantStatus.VALID.value,
            col(GrantRecord.ended_told).is_(False),
        )
        .limit(limit)
    )
    return [row_of(row) for row in session.exec(query)]


def to_remind(
    session: Session, kinds: Collection[str], *, given_before: int, ends_before: int, now: int
) -> list[GrantRow]:
    """Valid ones of these kinds that were given, or last asked about, before a time, and end before
    another."""
    query = select(GrantRecord).where(
        col(GrantRecord.kind).in_(kinds),
        GrantRecord.status == GrantStatus.VALID.value,
        GrantRecord.until > now,
        GrantRecord.until <= ends_before,
        func.coalesce(GrantRecord.reminded, GrantRecord.given) <= given_before,
    )
    return [row_of(row) for row in session.exec(query.limit(200))]


def reminded(session: Session, grant_id: str, now: int) -> None:
    if row := session.get(GrantRecord, grant_id):
        row.reminded = now


def told_of_end(session: Session, grant_id: str) -> None:
    if row := session.get(GrantRecord, grant_id):
        row.ended_told = True


def owing_deletion(session: Session, now: int, limit: int = 200) -> list[GrantRow]:
    """Ended grants whose copies are still to be deleted where they were kept (PRM-4)."""
    ended = or_(GrantRecord.until <= now, GrantRecord.status == GrantStatus.STOPPED.value)
    query = select(GrantRecord).where(ended, col(GrantRecord.copies_deleted).is_(None))
    return [row_of(row) for row in session.exec(query.limit(limit))]


def copies_deleted(session: Session, grant_id: str, now: int) -> None:
    if row := session.get(GrantRecord, grant_id):
        row.copies_deleted = now


def _by_id(after: str) -> SelectOfScalar[GrantRecord]:
    return select(GrantRecord).where(GrantRecord.id > after).order_by(col(GrantRecord.id))


def row_of(row: GrantRecord) -> GrantRow:
    return GrantRow(
        id=row.id,
        household=row.household_id,
        node=row.node_id,
        draft=row.draft_id,
        text=row.text,
        kind=row.kind,
        person=row.recipient_person,
        unit=row.recipient_unit,
        not_before=row.not_before,
        until=row.until,
        route=row.route,
        given_by=row.given_by,
        given=row.given,
        status=GrantStatus(row.status),
        index=row.status_index,
        stopped=row.stopped,
        stopped_by=row.stopped_by,
        why=row.why,
        told_home=row.told_home,
        version=row.version,
    )
