"""Rows for any schema: two of each table, made from what the database says of its columns."""

import re
from typing import Any

from sqlalchemy import Boolean, Engine, Integer, LargeBinary, MetaData, Table, inspect

Row = dict[str, Any]
Rows = dict[str, list[Row]]

# "table.column" that a migration means to change or to take away, and why.
CHANGED = {
    "far_matter.unit": "0018 puts it into far_party",
    "far_matter.person": "0018 puts it into far_party",
}


def fill(engine: Engine) -> Rows:
    """Put rows into every table, parents first, and give what then stands there."""
    tables = _tables(engine)
    allowed = {table.name: _allowed(engine, table.name) for table in tables}
    with engine.begin() as connection:
        for table in tables:
            for number in (1, 2):
                row = _row(table, allowed[table.name], number)
                connection.execute(table.insert().values(row))
    return read(engine)


def read(engine: Engine) -> Rows:
    with engine.connect() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(_sorted(table))]
            for table in _tables(engine)
        }


def lost(before: Rows, after: Rows) -> list[str]:
    """Which values of `before` are not in `after`."""
    return [
        f"{table}.{column}: {value!r}"
        for table, old_rows in before.items()
        for old, new in zip(old_rows, after.get(table, [{}] * len(old_rows)), strict=False)
        for column, value in old.items()
        if f"{table}.{column}" not in CHANGED and new.get(column, "gone") != value
    ]


def _tables(engine: Engine) -> list[Table]:
    found = MetaData()
    found.reflect(engine)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _sorted(table: Table) -> Any:
    return table.select().order_by(*table.primary_key.columns)


def _row(table: Table, allowed: dict[str, str], number: int) -> Row:
    return {
        column.name: allowed.get(column.name) or _value(column, number)
        for column in table.columns
        if not _refers_to_itself(table, column)
    }


def _refers_to_itself(table: Table, column: Any) -> bool:
    return any(key.column.table is table for key in column.foreign_keys)


def _value(column: Any, number: int) -> Any:
    for key in column.foreign_keys:
        return _value(key.column, number)
    if isinstance(column.type, Boolean):
        return number == 1
    if isinstance(column.type, Integer):
        return number + 10 * list(column.table.columns).index(column)  # what begins, ends later
    words = f"{column.table.name} {column.name} {number}"
    return words.encode() if isinstance(column.type, LargeBinary) else words


def _allowed(engine: Engine, table: str) -> dict[str, str]:
    """The first word of each column that may hold only some: `kind IN ('agent', 'push')`."""
    found = {}
    for check in inspect(engine).get_check_constraints(table):
        column = re.search(r"\w+", check["sqltext"])
        word = re.search(r"'(\w+)'", check["sqltext"])
        if column and word:
            found[column[0]] = word[1]
    return found
