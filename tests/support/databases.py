"""Tests that ask for `database_url` (the hub's do) run on SQLite and on PostgreSQL.

On PostgreSQL with `make test-all`; in `make test` only those marked `both_databases`, and never
those marked `sqlite_only`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.support import postgres
from village_hub.catalogue import migrate
from village_hub.catalogue.store import check_url

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", _kinds(metafunc.definition), indirect=True)


def _kinds(test: pytest.Item) -> list[ParameterSet]:
    if test.get_closest_marker("sqlite_only"):
        return [pytest.param(SQLITE)]
    marks = () if test.get_closest_marker("both_databases") else (pytest.mark.slow,)
    return [pytest.param(SQLITE), pytest.param(POSTGRESQL, marks=marks)]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgres.Server]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL server: .ci/setup apt test")
    server = postgres.Server(programs)
    try:
        server.make()
        server.start()
        server.make_template()
        yield server
    finally:
        server.stop()
        server.remove()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema, migrated once; a test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "hub.sqlite"
    database = check_url(f"sqlite:///{path}")
    migrate.upgrade(database.writer)
    database.writer.dispose()
    return path


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which of the two."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new one, for one test."""
    yield from _made(database, tmp_path, request, empty=False)


@pytest.fixture
def empty_database_url(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """One without any table."""
    yield from _made(database, tmp_path, request, empty=True)


def _made(kind: str, folder: Path, request: pytest.FixtureRequest, *, empty: bool) -> Iterator[str]:
    if kind == SQLITE:
        path = folder / "state" / "hub.sqlite"
        if not empty:
            path.parent.mkdir(mode=0o700)
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            path.chmod(0o600)
        yield f"sqlite:///{path}"
        return
    server: postgres.Server = request.getfixturevalue("postgresql_server")
    url = server.database(empty=empty)
    yield url
    server.drop(url)
