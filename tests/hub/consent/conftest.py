"""A hub with a DNS name, and a household at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.consent.home import SITE, Home, at_home
from tests.hub.support import Hub, small_config
from village_hub.config import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Passkeys need a name; TLS ends at a proxy, so that the test's client may use plain HTTP."""
    return small_config(tmp_path, public_url=SITE)


@pytest.fixture
async def home(hub: Hub) -> AsyncIterator[Home]:
    async with at_home(hub) as found:
        yield found
