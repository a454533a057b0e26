"""What people do with their own keys is in the log (IDN-11, AUD-1)."""

from pathlib import Path

import pytest

from tests.hub.support import Hub, small_config
from tests.hub.test_acts import log
from tests.hub.test_passkeys import SITE, a_key, add, sign_in, viewer_of
from village_hub.access.credentials import digest
from village_hub.audit.entry import EntryKind
from village_hub.config import Config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small_config(tmp_path, public_url=SITE)


async def test_what_is_done_with_a_key_is_in_the_log_and_ends_what_it_opened(hub: Hub) -> None:
    _, viewer = await hub.owner()
    first, second = a_key(), a_key()
    await add(hub, viewer, first)
    name = (await (await add(hub, viewer, second)).json())["id"]
    by_first = viewer_of(hub, await sign_in(hub, first))
    by_second = viewer_of(hub, await sign_in(hub, second))
    path = f"/api/v1/me/passkeys/{name}"
    await hub.ask("PATCH", path, json={"name": "USB"}, headers=viewer.headers)
    await hub.ask("DELETE", path, headers=viewer.headers)
    assert (await hub.ask("GET", "/api/v1/me", headers=by_second.headers)).status == 401
    for still in (viewer, by_first):
        assert (await hub.ask("GET", "/api/v1/me", headers=still.headers)).status == 200
    said = [entry for entry in await log(hub) if entry.kind is EntryKind.ACT]
    assert [entry.action for entry in said] == [
        *("sign_in.code", "passkey.add", "passkey.add", "sign_in.key", "sign_in.key"),
        *("passkey.rename", "passkey.remove"),
    ]
    assert {entry.who.id for entry in said if entry.who} == {viewer.person}
    assert [entry.about["key_sha256"] for entry in said[2::2]] == [
        digest(name),
        digest(name),
        digest(name),
    ]
