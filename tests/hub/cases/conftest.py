"""A village for the stories."""

import pytest

from tests.hub.cases.story import Village
from tests.hub.support import Hub


@pytest.fixture
async def village(hub: Hub) -> Village:
    return await Village(hub).settle()
