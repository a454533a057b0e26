"""A hub with a gateway: the simulator, over real HTTP in both directions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.support import TurnedClock, small_config
from tests.support.gateway import GatewaySimulator
from village_core.settings import Secret
from village_hub.config import Config, DatabaseConfig, GatewayConfig, NoticesConfig


@pytest.fixture
async def gateway(clock: TurnedClock) -> AsyncIterator[GatewaySimulator]:
    found = GatewaySimulator(clock)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
def config(tmp_path: Path, database_url: str, gateway: GatewaySimulator) -> Config:
    settings = GatewayConfig(url=gateway.url, secret=Secret(gateway.secret), sender="西村")
    database = DatabaseConfig(url=database_url)
    return small_config(tmp_path, database=database, notices=NoticesConfig(gateway=settings))
