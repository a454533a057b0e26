"""What every test gets, and which tests may run side by side (`make check` runs two at once)."""

import logging
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.databases import (
    database,
    database_url,
    empty_database_url,
    postgresql_server,
    pytest_generate_tests,
    sqlite_template,
)

__all__ = [
    "database",
    "database_url",
    "empty_database_url",
    "postgresql_server",
    "pytest_generate_tests",
    "sqlite_template",
]


hypothesis.settings.register_profile("ours", deadline=None)  # these machines are shared
hypothesis.settings.load_profile("ours")
REAL_TIME = {"agent", "browser", "flows", "interop", "network"}  # media, browsers, namespaces
NOT_SO = {"agent/onvif", "agent/test_cli.py", "agent/test_consent.py"}


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """A file's tests run in one worker; all that keep time with the real world run in one as well,
    one after the other, and so do those of the networks, which mostly wait."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        _, kind, name, *_ = (*Path(file).parts, "")
        real_time = kind in REAL_TIME and f"{kind}/{name}" not in NOT_SO
        if not real_time:
            return file
        return "networks" if kind == "network" else "real time"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SideBySide:
    return SideBySide(config, log)


@pytest.fixture(autouse=True)
def _logging_stays_as_it_was() -> Iterator[None]:
    """The programs set the root logger up for a process of their own; here it is pytest's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
