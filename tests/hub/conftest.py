"""A hub a test, on either database (tests/support/databases.py), and a watch over the event loop:
nothing in a hub may block it."""

import functools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from blockbuster import BlockBuster

from tests.hub.support import FakeLive, Hub, TurnedClock, small_config
from village_hub.app import make_app
from village_hub.config import Config, DatabaseConfig
from village_hub.media.service import LiveNeeds, LiveService
from village_hub.pages import views


@pytest.fixture(autouse=True, scope="session")
def pages_are_read_once() -> Iterator[None]:
    """Templates, sentences and static files are the same for every hub of a test session."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_words", "Statics", "Renderer"):
            patch.setattr(views, name, functools.cache(getattr(views, name)))
        yield


@pytest.fixture(autouse=True)
def loop_never_blocks() -> Iterator[BlockBuster]:
    guard = BlockBuster(["village_hub", "village_core"])
    for function in guard.functions.values():  # a template is read when it is first shown
        function.can_block_in("jinja2/loaders.py", {"get_source", "up_to_date", "load"})
    guard.activate()
    yield guard
    guard.deactivate()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Config:
    return small_config(tmp_path, database=DatabaseConfig(url=database_url))


async def open_fake(needs: LiveNeeds) -> LiveService:
    return FakeLive(needs)


@pytest.fixture
def app(config: Config, clock: TurnedClock) -> web.Application:
    return make_app(config, open_fake, clock)  # reads templates: not in the loop


@pytest.fixture
async def hub(app: web.Application, clock: TurnedClock) -> AsyncIterator[Hub]:
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    try:
        await client.start_server()
        yield Hub(app, client, clock)
    finally:
        await client.close()
