"""Queries about SOS calls under way: sync; what becomes of them, `notices/ringing.py` decides."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sqlmodel import Session, select

from village_hub.catalogue import notice_models
from village_hub.notices.ringing import Call, CallState, Ring, RingState


@dataclass(frozen=True, slots=True)
class RingRow:
    """The calls of one SOS; `params` fill in what is said."""

    id: str  # the SOS'
    household: str
    ring: Ring
    params: Mapping[str, str] = field(default_factory=dict)
    version: int = 1


def add(session: Session, row: RingRow) -> None:
    session.add(
        notice_models.Ring(
            id=row.id, household_id=row.household, state=row.ring.state, data=_data(row)
        )
    )
    session.flush()


def find(session: Session, sos: str) -> RingRow | None:
    table = session.get(notice_models.Ring, sos)
    return _row(table) if table else None


def ringing(session: Session) -> list[RingRow]:
    """Those in which phones ring now."""
    query = select(notice_models.Ring).where(notice_models.Ring.state == RingState.RINGING)
    return [_row(table) for table in session.exec(query)]


def keep(session: Session, row: RingRow) -> None:
    table = session.get(notice_models.Ring, row.id)
    if table is not None:
        table.state, table.data = row.ring.state, _data(row)
        table.version += 1


def _data(row: RingRow) -> str:
    found = {"ring": asdict(row.ring), "params": dict(row.params)}
    return json.dumps(found, ensure_ascii=False)


def _row(table: notice_models.Ring) -> RingRow:
    data = json.loads(table.data)
    inner = data["ring"]
    calls = tuple(Call(**{**call, "state": CallState(call["state"])}) for call in inner["calls"])
    ring = Ring(**{**inner, "calls": calls, "state": RingState(inner["state"])})
    return RingRow(table.id, table.household_id, ring, data["params"], table.version)
