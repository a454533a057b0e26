"""Telling: put a notice into the queue inside the transaction of what it tells of.

    def stop_grant(session, grant_id, now):
        ...
        announce(session, Event(Kind.GRANT_STOPPED, About("grant", grant_id), now, params), {
            Whom.OWNER: [To.owners(household)],
            Whom.RECIPIENT: [To.one(person)],
        })

`announce` refuses when a part that `due.RULES` names is left out, so that nobody is forgotten; an
empty list says that there is nobody. `tell` tells one addressee. Neither sends anything: the
postman does, after the transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from village_core.ids import new_id
from village_core.permits import Role
from village_hub.catalogue import notices, people
from village_hub.catalogue.store import Session
from village_hub.errors import Conflict, Unprocessable
from village_hub.notices import abroad, delivery, due
from village_hub.notices.abroad import LONGEST_PARAM
from village_hub.notices.contacts import in_order
from village_hub.notices.kinds import Kind, Whom
from village_hub.notices.sentences import needs


@dataclass(frozen=True, slots=True)
class To:
    """One addressee: a person, all owners of a household, a unit on duty, or a role of this node.
    `household` beside a person says in which home's matter they are told. At another `hub` it is a
    person, their unit where they are not known there, or a unit."""

    person: str | None = None
    household: str | None = None
    unit: str | None = None
    role: Role | None = None
    hub: str = ""

    @classmethod
    def one(cls, person: str, household: str | None = None) -> "To":
        return cls(person=person, household=household)

    @classmethod
    def owners(cls, household: str) -> "To":
        return cls(household=household)

    @classmethod
    def duty(cls, unit: str) -> "To":
        return cls(unit=unit)

    @classmethod
    def all_with(cls, role: Role) -> "To":
        return cls(role=role)

    @classmethod
    def abroad(cls, hub: str, *, person: str | None = None, unit: str | None = None) -> "To":
        return cls(person=person, unit=unit, hub=hub)


AUDITORS = To.all_with(Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class About:
    """What it is about: a matter's kind and id, or ("grant", id), ("camera", id), ..."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Delay:
    """PRM-10: why and on whose word a household is told later."""

    until: int  # UTC ms
    ground: str  # in writing
    approver: str  # person id, one rank up; for a renewal, of the county's legal affairs


@dataclass(frozen=True, slots=True)
class Event:
    """What happened."""

    kind: Kind
    about: About
    at: int  # UTC ms
    params: Mapping[str, str] = field(default_factory=dict)
    delay: Delay | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """An event, told to one addressee in one part."""

    event: Event
    whom: Whom
    to: To


def announce(
    session: Session, event: Event, told: Mapping[Whom, Sequence[To]]
) -> dict[Whom, list[str]]:
    """Tell everybody whom the rules name; the ids of the notices. Raises ValueError when a part is
    missing, NotDelayable as `tell`."""
    wanted = {duty.whom for duty in due.RULES[event.kind].duties}
    if wanted != set(told):
        differing = ", ".join(sorted(wanted ^ set(told)))
        raise ValueError(f"{event.kind}: {differing}: told and to be told differ")
    return {
        whom: [notice for to in addressees for notice in tell(session, Notice(event, whom, to))]
        for whom, addressees in told.items()
    }


def tell(session: Session, notice: Notice) -> list[str]:
    """Queue it; the ids, one a person where a household's owners are told, and none where another
    hub queues it. Raises Unprocessable when a delay is asked for that PRM-10 does not allow."""
    event, duty = notice.event, due.RULES[notice.event.kind].duty(notice.whom)
    missing = needs(event.kind, notice.whom) - set(event.params)
    if missing:
        raise ValueError(f"{event.kind} to {notice.whom} lacks {', '.join(sorted(missing))}")
    release_at = _release(event, duty)
    if notice.to.hub:
        _write(session, notice)
        return []
    found = []
    for to in _each(session, notice.to):
        contact = notices.contact(session, to.person or to.unit or "")
        order = in_order(duty.channels, duty.must, contact.channels if contact else ())
        progress = delivery.queue(
            order,
            must=duty.must,
            release_at=release_at,
            due=release_at + duty.within,
            rounds=duty.rounds,
        )
        found.append(_add(session, notice, to, progress))
    return found


def hold_back(session: Session, notice_id: str, delay: Delay, now: int) -> None:
    """Renew a delay, at most to 30 days after the event (PRM-10). Raises Conflict when the notice
    is out already, Unprocessable when it is too long."""
    row = notices.find(session, notice_id)
    if row is None or row.ground is None or row.progress.release_at <= now:
        raise Conflict("this notice is not held back", code="not_delayed")
    if not row.progress.release_at < delay.until <= row.created + due.LONGEST_RENEWED:
        raise Unprocessable("a delay may be renewed to 30 days at most", code="delay_too_long")
    _check_words(delay)
    notices.keep_delay(session, notice_id, delay.ground, delay.approver)
    notices.keep(session, notice_id, delivery.postponed(row.progress, delay.until))


def release(session: Session, notice_id: str, now: int) -> None:
    """End a delay before its time: the ground is gone."""
    row = notices.find(session, notice_id)
    if row is not None and row.progress.release_at > now:
        notices.keep(session, notice_id, delivery.postponed(row.progress, now))


def _release(event: Event, duty: due.Duty) -> int:
    """When it may be shown and sent."""
    if event.delay is None or not duty.delayable:
        if event.delay is not None and not any(
            one.delayable for one in due.RULES[event.kind].duties
        ):
            raise Unprocessable("this is told at once", code="not_delayable")
        return event.at
    _check_words(event.delay)
    if not event.at < event.delay.until <= event.at + due.LONGEST_DELAY:
        raise Unprocessable("a delay lasts 7 days at most", code="delay_too_long")
    return event.delay.until


def _check_words(delay: Delay) -> None:
    if not delay.ground.strip() or not delay.approver:
        raise Unprocessable("a delay needs its ground in writing and an approver", code="no_ground")


def _each(session: Session, to: To) -> list[To]:
    """A household's owners one by one; the household itself while it has none."""
    if to.household is None or to.person is not None:
        return [to]
    owners = sorted(people.owners(session, to.household))
    return [To(person=owner, household=to.household) for owner in owners] or [to]


def _write(session: Session, notice: Notice) -> None:
    event, to = notice.event, notice.to
    said = abroad.Said(
        person=to.person,
        unit=to.unit,
        kind=event.kind,
        whom=notice.whom,
        about_kind=event.about.kind,
        about_id=event.about.id,
        at=event.at,
        params=_shortened(event.params),
    )
    abroad.write(session, to.hub, said)


def _shortened(params: Mapping[str, str]) -> dict[str, str]:
    return {name: text[:LONGEST_PARAM] for name, text in params.items()}


def _add(session: Session, notice: Notice, to: To, progress: delivery.Delivery) -> str:
    event = notice.event
    held = event.delay if progress.release_at > event.at else None
    row = notices.NoticeRow(
        id=new_id(),
        kind=event.kind,
        whom=notice.whom,
        person=to.person,
        household=to.household,
        unit=to.unit,
        role=to.role,
        about_kind=event.about.kind,
        about_id=event.about.id,
        params=_shortened(event.params),
        created=event.at,
        ground=held.ground if held else None,
        approver=held.approver if held else None,
        progress=progress,
    )
    notices.add(session, row)
    return row.id
