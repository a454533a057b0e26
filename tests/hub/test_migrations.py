"""Migrations: from every earlier schema, with rows in it, to the schema that a fresh one has."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect

from tests.support import rows
from village_hub.catalogue import migrate
from village_hub.catalogue.migrate import CannotMigrate
from village_hub.catalogue.store import check_url
from village_hub.catalogue.tables import METADATA

pytestmark = pytest.mark.both_databases


@pytest.fixture
def engine(empty_database_url: str, tmp_path: Any) -> Iterator[Engine]:
    """The store's own, with its settings, on a database without tables."""
    (tmp_path / "state").mkdir()
    database = check_url(empty_database_url)
    yield database.writer
    database.writer.dispose()
    database.reader.dispose()


@pytest.fixture
def fresh(engine: Engine) -> dict[str, Any]:
    """The shape that the models alone give; the database is empty again."""
    METADATA.create_all(engine)
    made = shape(engine)
    METADATA.drop_all(engine)
    return made


def shape(engine: Engine) -> dict[str, Any]:
    seen = inspect(engine)
    return {name: table(seen, name) for name in seen.get_table_names() if name in METADATA.tables}


def table(seen: Any, name: str) -> dict[str, Any]:
    return {
        "columns": {
            column["name"]: (str(column["type"]), column["nullable"])
            for column in seen.get_columns(name)
        },
        "key": seen.get_pk_constraint(name)["constrained_columns"],
        "references": sorted(
            (key["constrained_columns"], key["referred_table"], key["referred_columns"])
            for key in seen.get_foreign_keys(name)
        ),
        "checks": sorted(
            (check["name"], normal(check["sqltext"])) for check in seen.get_check_constraints(name)
        ),
        "unique": sorted(
            sorted(unique["column_names"]) for unique in seen.get_unique_constraints(name)
        ),
        "indexes": sorted(
            (index["name"], index["column_names"], bool(index["unique"]), where(index))
            for index in seen.get_indexes(name)
        ),
    }


def normal(condition: str) -> str:
    return " ".join(condition.replace("(", " ").replace(")", " ").split())


def where(index: dict[str, Any]) -> str:
    options = index.get("dialect_options", {})
    found = options.get("sqlite_where", options.get("postgresql_where", ""))
    return normal(str(found))


def test_the_migrations_are_one_line() -> None:
    """Two with the same predecessor would leave the order to chance."""
    revisions = migrate.revisions()
    assert revisions == sorted(revisions)
    assert len(revisions) == len(list((migrate.SCRIPTS / "versions").glob("[0-9]*.py")))


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression")
def test_the_migrated_schema_is_the_one_in_the_models(
    engine: Engine, fresh: dict[str, Any]
) -> None:
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    assert shape(engine) == fresh


@pytest.mark.parametrize("revision", migrate.revisions())
def test_every_earlier_schema_is_brought_up_to_date_with_its_rows(
    engine: Engine, fresh: dict[str, Any], revision: str
) -> None:
    migrate.upgrade(engine, revision)
    before = rows.fill(engine)
    assert before
    migrate.upgrade(engine)
    assert shape(engine) == fresh
    assert rows.lost(before, rows.read(engine)) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate.upgrade(engine)
    before = shape(engine), rows.fill(engine)
    migrate.upgrade(engine)
    assert (shape(engine), rows.read(engine)) == before


def test_a_migration_that_fails_leaves_the_schema_before_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = migrate.revisions()[0], migrate.revisions()[-1]
    migrate.upgrade(engine, first)
    before = shape(engine), rows.fill(engine)

    def refuse(_connection: object) -> None:
        raise CannotMigrate("no")

    monkeypatch.setattr(migrate, "_check_references", refuse)
    if first == last:
        pytest.skip("there is only one schema")
    with pytest.raises(CannotMigrate):
        migrate.upgrade(engine)
    assert (shape(engine), rows.read(engine)) == before
