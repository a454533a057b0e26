"""Queries about lines that must arrive: sync, no HTTP.

books.write(session, peer, "checkpoint", {...}, now)   # in the transaction of what it tells
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session, col, delete, func, select

from village_core.books import (
    LARGEST_BATCH,
    LARGEST_LINE,
    MOST_LINES,
    BookLine,
    BookLines,
    BookTaken,
)
from village_core.ids import new_id
from village_hub.catalogue.book_models import BookIn, BookOut, BookPeer

Take = Callable[[Session, BookLine], None]
Lost = Callable[[int, int], None]


def write(session: Session, peer: str, kind: str, body: Mapping[str, Any], now: int) -> int:
    """The line's number. Raises ValueError for one that is too large."""
    text = json.dumps(body, ensure_ascii=False)
    if len(text.encode()) > LARGEST_LINE:
        raise ValueError(f"a line {kind} of over {LARGEST_LINE} bytes")
    row = _peer(session, peer)
    row.said += 1
    session.add(BookOut(peer=peer, number=row.said, id=new_id(), kind=kind, body=text, written=now))
    session.flush()
    return row.said


def waiting(session: Session) -> dict[str, int]:
    """By hub: how many lines it has not taken."""
    rows = session.exec(select(BookPeer).where(BookPeer.said > BookPeer.took))
    return {row.peer: row.said - row.took for row in rows}


def batch(session: Session, peer: str) -> BookLines | None:
    """The next lines for a hub; None: there are none."""
    query = select(BookOut).where(BookOut.peer == peer, BookOut.number > _took(session, peer))
    lines: list[BookLine] = []
    size = 0
    for each in session.exec(query.order_by(col(BookOut.number)).limit(MOST_LINES)):
        size += len(each.body.encode())
        if lines and size > LARGEST_BATCH:
            break
        lines.append(_line(each))
    if not lines:
        return None
    first = select(func.min(BookOut.number)).where(BookOut.peer == peer)
    return BookLines(first=session.exec(first).one(), lines=tuple(lines))


def answered(session: Session, peer: str, said: BookTaken) -> int:
    """What the hub has taken by its own word. How many lines got new numbers, because it took
    others under theirs: this database is an older copy than what was sent from it."""
    row = _peer(session, peer)
    if _is_ours(session, row, said):
        row.took = said.last
        return 0
    late = select(BookOut).where(BookOut.peer == peer, BookOut.number > row.took)
    lines = [each.model_dump(exclude={"number"}) for each in session.exec(late)]
    session.exec(delete(BookOut).where(col(BookOut.peer) == peer, col(BookOut.number) > row.took))
    row.said = row.took = max(said.last, row.said)
    for each in lines:
        row.said += 1
        session.add(BookOut(number=row.said, **each))
    session.flush()
    return len(lines)


def _is_ours(session: Session, row: BookPeer, said: BookTaken) -> bool:
    if said.last == 0:
        return True
    if said.last > row.said:
        return False
    line = session.get(BookOut, (row.peer, said.last))
    return line is None or said.id in (None, line.id)  # None: it was let go long ago


def take(
    session: Session, peer: str, said: BookLines, now: int, one: Take, lost: Lost
) -> BookTaken:
    """Each line once, in order; `lost` is told of numbers that nobody has any more."""
    row = _peer(session, peer)
    if said.first > row.heard + 1:
        lost(row.heard + 1, said.first - 1)
        row.heard, row.last = said.first - 1, None
    for line in said.lines:
        if line.number <= row.heard:
            continue
        if line.number > row.heard + 1:
            break
        if session.get(BookIn, (peer, line.id)) is None:
            one(session, line)
            session.add(BookIn(peer=peer, id=line.id, taken=now))
        row.heard, row.last = line.number, line.id
    return BookTaken(last=row.heard, id=row.last)


def forget(session: Session, before: int) -> None:
    """Lines that were taken, and the names of those taken here, older than this."""
    taken = (
        select(BookPeer.took)
        .where(BookPeer.peer == BookOut.peer)
        .correlate(BookOut)
        .scalar_subquery()
    )
    session.exec(delete(BookOut).where(col(BookOut.written) < before, col(BookOut.number) <= taken))
    session.exec(delete(BookIn).where(col(BookIn.taken) < before))


def _line(row: BookOut) -> BookLine:
    return BookLine(number=row.number, id=row.id, kind=row.kind, body=json.loads(row.body))


def _took(session: Session, peer: str) -> int:
    row = session.get(BookPeer, peer)
    return row.took if row else 0


def _peer(session: Session, peer: str) -> BookPeer:
    row = session.get(BookPeer, peer)
    if row is None:
        row = BookPeer(peer=peer)
        session.add(row)
        session.flush()
    return row
