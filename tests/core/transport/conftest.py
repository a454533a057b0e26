import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from tests.core.transport.support import Hub, Recorder, TurnedClock
from tests.core.transport.whip_server import VIDEO, Pushing, WhipServer
from village_core.jobs import Supervisor
from village_core.transport import (
    Certificate,
    MediaPort,
    PortSettings,
    Push,
    PushMedia,
    PushSettings,
)


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


@pytest.fixture
async def server(port: MediaPort) -> WhipServer:
    return WhipServer(port)


@pytest.fixture
async def site(server: WhipServer) -> AsyncIterator[str]:
    http = TestServer(server.app(), host="127.0.0.1")
    await http.start_server()
    yield f"http://127.0.0.1:{http.port}"
    await http.close()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def push_settings(supervisor: Supervisor, certificate: Certificate) -> PushSettings:
    return PushSettings(supervisor=supervisor, certificate=certificate, within=5)


@pytest.fixture
async def pushing(
    site: str, http: ClientSession, push_settings: PushSettings
) -> AsyncIterator[Pushing]:
    """`await pushing(media, handler, path=..., **settings)`; all pushes are stopped at the end."""
    pushes: list[Push] = []

    async def push(
        media: PushMedia = VIDEO, handler: Any = None, path: str = "/whip", **changes: Any
    ) -> Push:
        made = await Push.start(
            site + path if path.startswith("/") else path,
            "the-ticket",
            media,
            handler or Recorder(),
            http=http,
            settings=dataclasses.replace(push_settings, **changes),
        )
        pushes.append(made)
        return made

    yield push
    for each in pushes:
        await each.stop()
