"""A box that was erased leaves the village by itself (DEV-10)."""

from pathlib import Path

import pytest

from tests.hub.consent.home import SITE, Home, ask
from tests.hub.consent.test_status_places import given, signed, word
from tests.hub.support import small_config, until
from village_core.grants import GrantStatus
from village_hub import keys
from village_hub.catalogue import grants
from village_hub.config import Config, DatabaseConfig

pytestmark = pytest.mark.both_databases


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Config:
    """Rows are written: on both databases."""
    return small_config(tmp_path, public_url=SITE, database=DatabaseConfig(url=database_url))


async def leave(home: Home) -> int:
    headers = home.hub.node_token(home.agent)
    return (await home.hub.ask("DELETE", "/api/v1/node", headers=headers)).status


async def test_what_it_signed_is_over_and_its_key_opens_nothing(home: Home) -> None:
    grant = await given(home)
    place = (await signed(home, grant)).status
    assert await leave(home) == 204
    assert await word(home, place) is GrantStatus.STOPPED
    children = home.hub.app[keys.CHILDREN]
    await until(lambda: not children.online(home.agent.id))
    assert await leave(home) == 401
    assert (await ask(home.hub, "GET", "/api/v1/cameras", home.owner))["cameras"] == []


async def test_the_household_reads_that_it_left(home: Home) -> None:
    await leave(home)
    items = (await ask(home.hub, "GET", "/api/v1/me/log", home.owner))["items"]
    assert "box_left" in [each["action"] for each in items]


async def test_a_new_box_begins_with_nothing_agreed_to(home: Home) -> None:
    grant = await given(home)
    await leave(home)
    await home.hub.enrolled(home.household)
    row = await home.hub.app[keys.CATALOGUE].read(grants.find, grant)
    assert row is not None
    assert row.status is GrantStatus.STOPPED
