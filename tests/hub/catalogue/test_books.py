"""Lines between two hubs: whatever is lost, doubled or restored from a copy on the way, each line
arrives once and in order, or its loss is told. Two real databases; the wire is this test."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel, delete, select

from village_core.books import LARGEST_BATCH, LARGEST_LINE, BookLine, BookLines, BookTaken
from village_hub.catalogue import books
from village_hub.catalogue.book_models import BookIn, BookOut, BookPeer
from village_hub.catalogue.models import METADATA

PEER = "peer"
TABLES: tuple[type[SQLModel], ...] = (BookOut, BookPeer, BookIn)


def database() -> Session:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    METADATA.create_all(engine, tables=[table.__table__ for table in TABLES])  # type: ignore[attr-defined]
    return Session(engine)


@dataclass
class Side:
    """A hub's database, and a copy of it."""

    session: Session = field(default_factory=database)
    done: list[Any] = field(default_factory=list)  # what its lines did, in the database's place
    lost: list[tuple[int, int]] = field(default_factory=list)
    kept: tuple[list[list[dict[str, Any]]], list[Any]] | None = None

    def copy(self) -> None:
        self.kept = ([self._rows(table) for table in TABLES], list(self.done))

    def _rows(self, table: type[SQLModel]) -> list[dict[str, Any]]:
        return [row.model_dump() for row in self.session.exec(select(table))]

    def restore(self) -> None:
        if self.kept is None:
            return
        self.session.expunge_all()
        for table, rows in zip(TABLES, self.kept[0], strict=True):
            self.session.exec(delete(table))
            self.session.add_all([table(**row) for row in rows])
        self.session.flush()
        self.done = list(self.kept[1])


def send(writer: Side, reader: Side, *, answer_lost: bool = False) -> BookTaken | None:
    said = books.batch(writer.session, PEER)
    if said is None:
        return None

    def one(_: Session, line: BookLine) -> None:
        reader.done.append(line.body["it"])

    wire = BookLines.model_validate_json(said.model_dump_json())
    answer = books.take(reader.session, PEER, wire, 1, one, lambda *gap: reader.lost.append(gap))
    if not answer_lost:
        books.answered(writer.session, PEER, answer)
    return answer


def write(writer: Side, *said: Any) -> None:
    for each in said:
        books.write(writer.session, PEER, "thing", {"it": each}, now=1)


def test_lines_arrive_in_order() -> None:
    writer, reader = Side(), Side()
    write(writer, *range(120))
    while send(writer, reader):
        pass
    assert reader.done == list(range(120))
    assert books.waiting(writer.session) == {}


def test_an_answer_that_is_lost_doubles_nothing() -> None:
    writer, reader = Side(), Side()
    write(writer, 1, 2)
    send(writer, reader, answer_lost=True)
    assert books.waiting(writer.session) == {PEER: 2}
    write(writer, 3)
    send(writer, reader)
    assert reader.done == [1, 2, 3]
    assert books.waiting(writer.session) == {}


def test_a_reader_restored_from_a_copy_is_told_again() -> None:
    writer, reader = Side(), Side()
    write(writer, 1)
    send(writer, reader)
    reader.copy()
    write(writer, 2, 3)
    send(writer, reader)
    reader.restore()
    write(writer, 4)
    send(writer, reader)  # it answers that it took 1 alone
    while send(writer, reader):
        pass
    assert reader.done == [1, 2, 3, 4]
    assert reader.lost == []


def test_a_writer_restored_from_a_copy_loses_nothing_new() -> None:
    writer, reader = Side(), Side()
    write(writer, 1)
    send(writer, reader)
    writer.copy()
    write(writer, 2, 3)
    send(writer, reader)
    writer.restore()
    write(writer, "another 2")
    while send(writer, reader):
        pass
    assert reader.done == [1, 2, 3, "another 2"]


def test_a_writer_restored_from_a_copy_gives_numbers_behind_the_last_taken() -> None:
    writer, reader = Side(), Side()
    write(writer, 1)
    writer.copy()
    write(writer, 2, 3, 4)
    send(writer, reader)
    writer.restore()
    write(writer, "another 2")
    send(writer, reader)
    again = books.batch(writer.session, PEER)
    assert again is not None
    assert [line.number for line in again.lines] == [5, 6]


def test_what_nobody_has_any_more_is_told_as_lost() -> None:
    writer, reader = Side(), Side()
    write(writer, 1, 2, 3)
    reader.copy()
    send(writer, reader)
    books.forget(writer.session, before=2)
    reader.restore()
    write(writer, 4)
    send(writer, reader)
    assert reader.done == [4]
    assert reader.lost == [(1, 3)]


def test_what_was_not_taken_is_never_forgotten() -> None:
    writer = Side()
    write(writer, 1)
    books.forget(writer.session, before=9)
    assert books.waiting(writer.session) == {PEER: 1}


def test_a_batch_fits_into_a_frame() -> None:
    writer = Side()
    write(writer, *["村" * 5000] * 5)
    batch = books.batch(writer.session, PEER)
    assert batch is not None
    assert 1 < len(batch.lines) < 5
    assert sum(len(json.dumps(each.body, ensure_ascii=False).encode()) for each in batch.lines) <= (
        LARGEST_BATCH
    )
    with pytest.raises(ValueError, match="over"):
        write(writer, "x" * LARGEST_LINE)


class Way:
    """Two sides, and what has been written by the writer's living database."""

    def __init__(self) -> None:
        self.writer, self.reader = Side(), Side()
        self.count = 0
        self.written: list[int] = []
        self.kept: list[int] = []

    def write(self) -> None:
        self.count += 1
        write(self.writer, self.count)
        self.written.append(self.count)

    def send(self) -> None:
        send(self.writer, self.reader)

    def answer_lost(self) -> None:
        send(self.writer, self.reader, answer_lost=True)

    def writer_copied(self) -> None:
        self.writer.copy()
        self.kept = list(self.written)

    def writer_restored(self) -> None:
        if self.writer.kept:
            self.writer.restore()
            self.written = list(self.kept)

    def reader_copied(self) -> None:
        self.reader.copy()

    def reader_restored(self) -> None:
        self.reader.restore()


STEPS = st.sampled_from(sorted(name for name in vars(Way) if not name.startswith("_")))


@given(st.lists(STEPS, max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_on_the_way(steps: list[str]) -> None:
    """Nothing is done twice by one database, nothing that a living database wrote is missing."""
    way = Way()
    for step in steps:
        getattr(way, step)()
    way.write()
    for _ in range(10):
        way.send()
    done = way.reader.done
    assert done[-1] == way.count
    assert len(set(done)) == len(done)
    if not way.reader.lost:
        assert set(way.written) <= set(done)
