"""Queries about notices and how people are reached: sync, no HTTP, nothing is sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import Session, and_, col, delete, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from village_core.permits import Role
from village_hub.catalogue.notice_models import Contact as ContactTable
from village_hub.catalogue.notice_models import Notice
from village_hub.notices import delivery
from village_hub.notices.contacts import Contact
from village_hub.notices.delivery import Delivery
from village_hub.notices.kinds import Channel, Kind, State, Whom


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice to one addressee; times are UTC ms."""

    id: str
    kind: Kind
    whom: Whom
    person: str | None
    household: str | None
    unit: str | None
    role: Role | None
    about_kind: str
    about_id: str
    params: Mapping[str, str]
    created: int
    progress: Delivery
    ground: str | None = None
    approver: str | None = None
    answer: str | None = field(default=None, repr=False)
    version: int = 1

    @property
    def holder(self) -> str:
        """Whose contact it is sent to; "" when only the page can show it."""
        return self.person or self.unit or ""

    def reference(self, channel: Channel) -> str:
        """Names an attempt of this round; the same again after a crash."""
        return f"{self.id}.{channel}.{self.progress.round}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose notices: a person at home, or a person on duty with a unit and roles."""

    person: str
    unit: str | None = None
    roles: frozenset[Role] = frozenset()
    households: frozenset[str] = frozenset()

    @property
    def on_duty(self) -> bool:
        return bool(self.unit or self.roles)


def add(session: Session, row: NoticeRow) -> None:
    table = Notice(
        id=row.id,
        kind=row.kind,
        whom=row.whom,
        person_id=row.person,
        household_id=row.household,
        unit_id=row.unit,
        role=row.role,
        about_kind=row.about_kind,
        about_id=row.about_id,
        params=json.dumps(dict(row.params), ensure_ascii=False),
        created=row.created,
        release_at=0,
        due=0,
        ground=row.ground,
        approver=row.approver,
        state=State.QUEUED,
        progress="",
    )
    _put(table, row.progress)
    session.add(table)


def find(session: Session, notice_id: str) -> NoticeRow | None:
    table = session.get(Notice, notice_id)
    return _row(table) if table else None


def keep(session: Session, notice_id: str, progress: Delivery) -> None:
    """How far it got now."""
    table = session.get(Notice, notice_id)
    if table is not None and _progress(table) != progress:
        _put(table, progress)
        table.version += 1


def keep_delay(session: Session, notice_id: str, ground: str, approver: str) -> None:
    if table := session.get(Notice, notice_id):
        table.ground, table.approver = ground, approver


def keep_answer(session: Session, notice_id: str, answer: str) -> None:
    """The first answer stands."""
    table = session.get(Notice, notice_id)
    if table is not None and table.answer is None:
        table.answer = answer
        table.version += 1


def take(session: Session, now: int, limit: int) -> list[tuple[NoticeRow, Channel]]:
    """Begin every attempt whose time has come, the most urgent first."""
    query = (
        select(Notice)
        .where(col(Notice.next_attempt) <= now, Notice.release_at <= now)
        .order_by(col(Notice.due), col(Notice.id))
        .limit(limit)
    )
    found = []
    for table in session.exec(query):
        progress, channel = delivery.attempt(_progress(table), now)
        _put(table, progress)
        if channel is not None:
            found.append((_row(table), channel))
    return found


def fail_overdue(session: Session, now: int, limit: int) -> list[NoticeRow]:
    """Those that were due and reached nobody, once each."""
    query = select(Notice).where(Notice.state == State.QUEUED, Notice.due <= now).limit(limit)
    found = []
    for table in session.exec(query):
        _put(table, delivery.overdue(_progress(table), now))
        found.append(_row(table))
    return found


def shown_to(
    session: Session, reader: Reader, now: int, after: tuple[int, str] | None, limit: int
) -> list[NoticeRow]:
    """What a reader may read, the newest first; being shown is being delivered."""
    query = _readable(reader, now).order_by(col(Notice.release_at).desc(), col(Notice.id).desc())
    if after is not None:
        at, notice_id = after
        same = and_(col(Notice.release_at) == at, col(Notice.id) < notice_id)
        query = query.where(or_(Notice.release_at < at, same))
    found = []
    for table in session.exec(query.limit(limit)):
        _put(table, delivery.arrived(_progress(table), Channel.PAGE, now))
        found.append(_row(table))
    return found


def arrive(session: Session, notice_id: str, channel: Channel, now: int) -> None:
    """It reached its addressee that way: a receipt came, or a clerk handed the slip over."""
    if row := find(session, notice_id):
        keep(session, notice_id, delivery.arrived(row.progress, channel, now))


def acknowledge(session: Session, reader: Reader, notice_id: str, now: int) -> bool:
    """False when the reader has no such notice (yet)."""
    table = session.exec(_readable(reader, now).where(Notice.id == notice_id)).first()
    if table is not None:
        _put(table, delivery.acknowledged(_progress(table), now))
    return table is not None


def delayed(session: Session, after: str | None, limit: int) -> list[NoticeRow]:
    """Every notice that was ever held back, the newest first (PRM-10)."""
    query = select(Notice).where(col(Notice.ground).is_not(None))
    if after is not None:
        query = query.where(col(Notice.id) < after)
    return [
        _row(table) for table in session.exec(query.order_by(col(Notice.id).desc()).limit(limit))
    ]


def about(session: Session, kind: str, subject: str) -> list[NoticeRow]:
    """All that was told of one matter or grant, the oldest first."""
    query = select(Notice).where(Notice.about_kind == kind, Notice.about_id == subject)
    return [_row(table) for table in session.exec(query.order_by(col(Notice.id)))]


def slips(session: Session, now: int, limit: int) -> list[NoticeRow]:
    """Those that are to be printed and handed over, and were not yet."""
    query = select(Notice).where(
        Notice.release_at <= now, col(Notice.progress).contains(f'"{Channel.SLIP}"')
    )
    rows = [_row(table) for table in session.exec(query.order_by(col(Notice.due)))]
    return [row for row in rows if Channel.SLIP in row.progress.missed][:limit]


def forget(session: Session, before: int) -> None:
    """Notices older than the records of consent and disclosure are kept (requirements, RET)."""
    session.exec(delete(Notice).where(col(Notice.created) < before))


def contact(session: Session, holder: str) -> Contact | None:
    table = session.get(ContactTable, holder) if holder else None
    if table is None:
        return None
    channels = tuple(Channel(name) for name in table.channels.split(",") if name)
    return Contact(table.holder, table.phone, channels, table.language)


def set_contact(session: Session, contact: Contact, now: int) -> None:
    table = session.get(ContactTable, contact.holder)
    channels = ",".join(contact.channels)
    if table is None:
        table = ContactTable(holder=contact.holder, phone="", channels="", language="", changed=now)
        session.add(table)
    table.phone, table.channels = contact.phone, channels
    table.language, table.changed = contact.language, now


def forget_contact(session: Session, holder: str) -> None:
    if table := session.get(ContactTable, holder):
        session.delete(table)


def _readable(reader: Reader, now: int) -> SelectOfScalar[Notice]:
    mine = col(Notice.person_id) == reader.person
    if reader.on_duty:
        allowed = or_(
            and_(mine, col(Notice.household_id).is_(None)),
            col(Notice.role).in_(reader.roles),
            col(Notice.unit_id) == (reader.unit or ""),
        )
    else:
        orphaned = col(Notice.person_id).is_(None)
        allowed = or_(mine, and_(orphaned, col(Notice.household_id).in_(reader.households)))
    return select(Notice).where(Notice.release_at <= now, allowed)


def _put(table: Notice, progress: Delivery) -> None:
    table.release_at, table.due = progress.release_at, progress.due
    table.state, table.attempts = progress.state, progress.attempts
    table.next_attempt = progress.next_attempt
    table.delivered, table.seen = progress.delivered, progress.seen
    table.progress = json.dumps(
        {
            "left": list(progress.left),
            "must": sorted(progress.must),
            "rounds": progress.rounds,
            "position": progress.position,
            "round": progress.round,
            "lapses": progress.lapses,
            "waiting": progress.waiting,
            "reached": sorted(progress.reached),
        }
    )


def _progress(table: Notice) -> Delivery:
    inner = json.loads(table.progress)
    return Delivery(
        left=tuple(Channel(name) for name in inner["left"]),
        must=frozenset(Channel(name) for name in inner["must"]),
        release_at=table.release_at,
        due=table.due,
        next_attempt=table.next_attempt,
        rounds=inner["rounds"],
        state=State(table.state),
        position=inner["position"],
        round=inner["round"],
        lapses=inner["lapses"],
        waiting=inner["waiting"],
        reached=frozenset(Channel(name) for name in inner["reached"]),
        attempts=table.attempts,
        delivered=table.delivered,
        seen=table.seen,
    )


def _row(table: Notice) -> NoticeRow:
    return NoticeRow(
        id=table.id,
        kind=Kind(table.kind),
        whom=Whom(table.whom),
        person=table.person_id,
        household=table.household_id,
        unit=table.unit_id,
        role=Role(table.role) if table.role else None,
        about_kind=table.about_kind,
        about_id=table.about_id,
        params=json.loads(table.params),
        created=table.created,
        progress=_progress(table),
        ground=table.ground,
        approver=table.approver,
        answer=table.answer,
        version=table.version,
    )
