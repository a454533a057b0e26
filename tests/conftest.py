"""What every test gets."""

import logging
from collections.abc import Iterator

import pytest

from tests.support.databases import (
    database,
    database_url,
    empty_database_url,
    postgresql_server,
    pytest_generate_tests,
)

__all__ = [
    "database",
    "database_url",
    "empty_database_url",
    "postgresql_server",
    "pytest_generate_tests",
]


@pytest.fixture(autouse=True)
def _logging_stays_as_it_was() -> Iterator[None]:
    """The programs set the root logger up for a process of their own; here it is pytest's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
