from collections.abc import AsyncIterator

import pytest

from tests.core.transport.support import Hub, TurnedClock
from village_core.jobs import Supervisor
from village_core.transport import Certificate, MediaPort, PortSettings


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return Certificate.make()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


@pytest.fixture
async def port(
    supervisor: Supervisor, certificate: Certificate, clock: TurnedClock
) -> AsyncIterator[MediaPort]:
    settings = PortSettings(addresses=["127.0.0.1", "::1"], port=0)
    port = await MediaPort.open(settings, certificate, supervisor, clock)
    yield port
    await port.close()


@pytest.fixture
async def hub(port: MediaPort, supervisor: Supervisor) -> AsyncIterator[Hub]:
    hub = Hub(port, supervisor)
    yield hub
    for peer in hub.peers:
        peer.close()
