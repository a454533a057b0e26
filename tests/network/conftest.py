"""Fixtures of the network tests: skipped with a reason where no lab can be made."""

from collections.abc import Iterator

import pytest

from tests.support.lab import Lab, why_not

WHY_NOT = why_not()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/network" not in item.path.as_posix():
            continue
        item.add_marker(pytest.mark.network)
        if WHY_NOT:
            item.add_marker(pytest.mark.skip(reason=WHY_NOT))


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made
