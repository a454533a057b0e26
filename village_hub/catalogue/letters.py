"""Queries about letters to hubs that are not beside this one: sync, no HTTP.

letters.write(session, hub, "notice", {...}, now)   # in the transaction of what it tells
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, select

from village_core.ids import new_id
from village_core.letters import LARGEST_BODY
from village_hub.catalogue.book_models import LetterIn, LetterOut

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Letter:
    """`kind` "": it came signed from another hub, and `body` is that."""

    id: str
    to: str
    kind: str
    body: str
    written: int


def write(session: Session, to: str, kind: str, body: Mapping[str, Any], now: int) -> None:
    """Raises ValueError for one that is too large."""
    text = json.dumps(body, ensure_ascii=False)
    if len(text.encode()) > LARGEST_BODY:
        raise ValueError(f"a letter {kind} of over {LARGEST_BODY} bytes")
    session.add(LetterOut(id=new_id(), to_hub=to, kind=kind, body=text, written=now))


def hand_on(session: Session, to: str, signed: str, now: int) -> None:
    session.add(LetterOut(id=new_id(), to_hub=to, kind="", body=signed, written=now))


def waiting(session: Session, after: str = "") -> list[Letter]:
    """The oldest, from behind `after`."""
    query = select(LetterOut).where(LetterOut.id > after).order_by(col(LetterOut.id))
    return [
        Letter(row.id, row.to_hub, row.kind, row.body, row.written)
        for row in session.exec(query.limit(AT_ONCE))
    ]


def gone(session: Session, letter: str) -> None:
    session.exec(delete(LetterOut).where(col(LetterOut.id) == letter))


def take(session: Session, issuer: str, letter: str, now: int) -> bool:
    """False: it was taken before."""
    if session.get(LetterIn, (issuer, letter)) is not None:
        return False
    session.add(LetterIn(issuer=issuer, id=letter, taken=now))
    return True


def forget(session: Session, before: int) -> None:
    """The names of those taken longer ago: none of them is valid any more."""
    session.exec(delete(LetterIn).where(col(LetterIn.taken) < before))
