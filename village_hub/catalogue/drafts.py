"""Queries about drafts of grants and about asks: sync, no HTTP."""

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, or_, select

from village_core.grants import GrantTerms
from village_hub.catalogue import grants
from village_hub.catalogue.consent_models import GrantAsk, GrantDraft
from village_hub.catalogue.consent_rows import AskRow, DraftRow
from village_hub.consent.states import ENDED, Act, DraftState, step


def add(session: Session, draft: GrantDraft) -> DraftRow:
    session.add(draft)
    session.flush()
    return row_of(draft)


def keep_place(session: Session, draft_id: str) -> int:
    """In the status list, for the grant that may come of it; the same one every time."""
    row = session.get_one(GrantDraft, draft_id)
    if row.status_index is None:
        row.status_index = grants.next_place(session)
        session.flush()
    return row.status_index


def whose_place(session: Session, place: int) -> str | None:
    """The draft that keeps it."""
    query = select(GrantDraft.id).where(GrantDraft.status_index == place)
    return session.exec(query).first()


def answers(session: Session, draft_id: str, ask_id: str) -> None:
    """The draft is what an ask of the same household may become."""
    row, ask = session.get_one(GrantDraft, draft_id), session.get(GrantAsk, ask_id)
    if ask is not None and ask.household_id == row.household_id:
        row.ask_id = ask_id


def find(session: Session, draft_id: str) -> DraftRow | None:
    row = session.get(GrantDraft, draft_id)
    return row_of(row) if row else None


def of_household(session: Session, household_id: str, after: str, limit: int) -> list[DraftRow]:
    """Those that may still become something; the newest 50 that ended are kept by housekeeping."""
    query = select(GrantDraft).where(GrantDraft.household_id == household_id, GrantDraft.id > after)
    rows = session.exec(query.order_by(col(GrantDraft.id)).limit(limit))
    return [row_of(row) for row in rows]


def at_window(session: Session, unit_id: str, after: str, limit: int) -> list[DraftRow]:
    query = select(GrantDraft).where(GrantDraft.made_unit == unit_id, GrantDraft.id > after)
    rows = session.exec(query.order_by(col(GrantDraft.id)).limit(limit))
    return [row_of(row) for row in rows]


def from_windows(session: Session, after: str, limit: int) -> list[DraftRow]:
    """What came in on paper anywhere: the auditor's to sample."""
    query = select(GrantDraft).where(GrantDraft.made_unit != "", GrantDraft.id > after)
    rows = session.exec(query.order_by(col(GrantDraft.id)).limit(limit))
    return [row_of(row) for row in rows]


def in_state(session: Session, household_ids: Collection[str], state: DraftState) -> list[DraftRow]:
    query = select(GrantDraft).where(
        col(GrantDraft.household_id).in_(household_ids), GrantDraft.state == state.value
    )
    return [row_of(row) for row in session.exec(query.order_by(col(GrantDraft.id)))]


def open_count(session: Session, household_id: str) -> int:
    states = [state.value for state in ENDED]
    query = select(GrantDraft.id).where(
        GrantDraft.household_id == household_id, col(GrantDraft.state).not_in(states)
    )
    return len(session.exec(query).all())


def move(session: Session, draft_id: str, act: Act, **changes: Any) -> DraftRow | None:
    """One step; None, and nothing is changed, when that cannot be now."""
    row = session.get(GrantDraft, draft_id)
    after = step(DraftState(row.state), act) if row else None
    if row is None or after is None:
        return None
    row.state = after.value
    row.version += 1
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row_of(row)


def expire(session: Session, now: int) -> list[DraftRow]:
    """Silence is no. Those that ended by it."""
    query = select(GrantDraft.id).where(
        GrantDraft.expires <= now, col(GrantDraft.state).not_in([each.value for each in ENDED])
    )
    moved = [move(session, name, Act.EXPIRE) for name in session.exec(query).all()]
    return [row for row in moved if row is not None]


def row_of(row: GrantDraft) -> DraftRow:
    return DraftRow(
        id=row.id,
        household=row.household_id,
        route=row.route,
        state=DraftState(row.state),
        terms=GrantTerms.model_validate_json(row.terms),
        made_by=row.made_by,
        made_name=row.made_name,
        made_unit=row.made_unit,
        created=row.created,
        expires=row.expires,
        confirmed=row.confirmed,
        refused=row.refused,
        grant=row.grant_id,
        ask=row.ask_id,
        witness=row.witness,
        scan=row.scan,
        version=row.version,
    )


# Asks


def add_ask(session: Session, ask: GrantAsk, now: int) -> AskRow | None:
    """None: this person, or their unit, has asked this household already and the time for an answer
    is not over, whatever the answer was."""
    same = or_(
        col(GrantAsk.asker_id) == ask.asker_id,
        col(GrantAsk.unit_id) == ask.unit_id if ask.unit_id else col(GrantAsk.id).is_(None),
    )
    query = select(GrantAsk.id).where(
        GrantAsk.household_id == ask.household_id,
        GrantAsk.asker_issuer == ask.asker_issuer,
        GrantAsk.expires > now,
        same,
    )
    if session.exec(query).first():
        return None
    session.add(ask)
    session.flush()
    return ask_of(ask)


def find_ask(session: Session, ask_id: str) -> AskRow | None:
    row = session.get(GrantAsk, ask_id)
    return ask_of(row) if row else None


def asks_of_household(session: Session, household_id: str, now: int) -> list[AskRow]:
    """Those that may still be answered."""
    query = select(GrantAsk).where(
        GrantAsk.household_id == household_id, GrantAsk.expires > now, GrantAsk.answer == ""
    )
    return [ask_of(row) for row in session.exec(query.order_by(col(GrantAsk.id)))]


def asks_by(session: Session, issuer: str, asker: str, after: str, limit: int) -> list[AskRow]:
    query = select(GrantAsk).where(
        GrantAsk.asker_issuer == issuer, GrantAsk.asker_id == asker, GrantAsk.id > after
    )
    return [ask_of(row) for row in session.exec(query.order_by(col(GrantAsk.id)).limit(limit))]


def answer_ask(session: Session, ask_id: str, answer: str, now: int) -> bool:
    """False when its time is over, or it was answered."""
    row = session.get(GrantAsk, ask_id)
    if row is None or row.expires <= now or row.answer:
        return False
    row.answer = answer
    return True


def ask_of(row: GrantAsk) -> AskRow:
    return AskRow(
        id=row.id,
        household=row.household_id,
        issuer=row.asker_issuer,
        asker=row.asker_id,
        asker_name=row.asker_name,
        unit=row.unit_id,
        unit_name=row.unit_name,
        role=row.role,
        wish=row.wish,
        created=row.created,
        expires=row.expires,
        answer=row.answer,
    )
