"""A real hub writes down who watched, how long and how much; a crash in the middle, too (AUD-3)."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.cameras.rig import free_port
from tests.hub.support import until
from tests.support.peers import Pull
from tests.support.village import Client, Village
from village_core.jobs import Supervisor

ADDRESS = "127.0.0.1"
CAMERA = {"gate": {"main": "test:?size=320x180&fps=10&rate=200&gop=10"}}


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    port = free_port()
    settings = {
        "listen": {"port": port},
        "media": {"port": 0, "addresses": [ADDRESS]},
        "metrics": {"enabled": False},
        "discovery": {"enabled": False},
    }
    with Village.begin(tmp_path, f"http://{ADDRESS}:{port}", settings) as running:
        yield running


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    made = Supervisor()
    yield made
    await made.stop()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def entries(village: Village, *kinds: str) -> list[dict[str, Any]]:
    """What the hub's database holds, read as anybody with the file would."""
    file = sqlite3.connect(f"file:{village.folder}/hub/hub.sqlite?mode=ro", uri=True)
    try:
        rows = file.execute("SELECT document FROM audit_entry WHERE chain = 'serve' ORDER BY seq")
        found = [json.loads(text) for (text,) in rows]
    finally:
        file.close()
    return [each for each in found if each["kind"] in kinds]


async def until_written(village: Village, kind: str, count: int) -> list[dict[str, Any]]:
    async def there() -> bool:
        return len(await asyncio.to_thread(entries, village, kind)) >= count

    await until(there, seconds=60)
    return entries(village, kind)


def crash(village: Village) -> None:
    """The hub dies in the middle, and is started again."""
    assert village.hub
    began = village.hub.wait_for("is ready at")
    os.kill(village.pid, signal.SIGKILL)
    village.hub.process.wait()
    village.start_hub().wait_for("is ready at", within=90, after=began)


@pytest.mark.timeout(240)
async def test_a_view_is_written_with_its_end_and_what_was_sent(
    village: Village, supervisor: Supervisor, http: ClientSession
) -> None:
    village.home("张家", CAMERA).start()
    client = Client(village.url, village.sign_in_code("张家"))
    camera = client.camera("gate")
    endpoint = f"{village.url}/whep/{camera}"
    token = client.media_token(camera)
    viewer = await Pull.start(endpoint, token, http=http, supervisor=supervisor)
    await until(lambda: viewer.peer.bytes > 20_000, seconds=60)
    await viewer.stop()
    (end,) = await until_written(village, "view_end", 1)
    (start,) = entries(village, "view_start")
    assert end["permit"] == start["permit"]
    assert start["who"]["name"] == end["who"]["name"] == "张家"
    assert (start["camera"], start["camera_name"]) == (camera, "gate")
    assert end["bytes"] > 10_000
    assert end["about"]["why"] == "left"

    left = await Pull.start(endpoint, token, http=http, supervisor=supervisor)
    await until_written(village, "view_start", 2)
    await asyncio.to_thread(crash, village)
    lost = entries(village, "view_end")[-1]
    assert len(entries(village, "view_end")) == 2
    assert lost["about"]["why"] == "unknown"
    assert lost["permit"] == entries(village, "view_start")[-1]["permit"]
    left.peer.close()
