"""A public ask is answered "no" by a phone key, and never yes (PRM-9, PRM-20, PRM-23)."""

from typing import Any

import pytest

from tests.hub.cases.story import Village
from tests.hub.cases.test_public_asks_api import everything_seen
from tests.hub.notices.told import PHONE
from tests.hub.support import Hub, until
from tests.support.gateway import GatewaySimulator
from village_hub import keys
from village_hub.catalogue import notices, people
from village_hub.notices.contacts import Contact
from village_hub.notices.kinds import Channel


@pytest.fixture
async def village(hub: Hub, gateway: GatewaySimulator) -> Village:
    """Wang is called; Zhou has no phone."""
    gateway.hub = hub.origin
    found = await Village(hub).settle()
    contact = Contact(found.people["wang"].person, PHONE, (Channel.VOICE,))
    await hub.app[keys.CATALOGUE].write(notices.set_contact, contact, 1)
    return found


async def called(village: Village, gateway: GatewaySimulator) -> tuple[str, dict[str, Any]]:
    """The ask's path, and the call that Wang gets."""
    path = await village.published()
    await until(lambda: len(gateway.to(PHONE, "voice")) == 1)
    return path, gateway.to(PHONE, "voice")[0]


async def state(village: Village) -> str:
    return str((await village.ask("wang", "GET", await village.asked("wang"))).body["state"])


async def test_key_2_is_a_no_that_nobody_else_sees(
    village: Village, gateway: GatewaySimulator
) -> None:
    """PRM-20: byte for byte the same to everybody else."""
    path, letter = await called(village, gateway)
    before = await everything_seen(village, path)
    assert letter["keys"] == {"2": "no"}
    await gateway.press(letter, "2")
    assert await state(village) == "put_away"
    assert await everything_seen(village, path) == before
    await gateway.press(letter, "2")  # the gateway brings it again
    assert await state(village) == "put_away"


@pytest.mark.parametrize("key", ["1", "9", "0", "*"])
async def test_no_other_key_answers_anything(
    village: Village, gateway: GatewaySimulator, key: str
) -> None:
    _, letter = await called(village, gateway)
    await gateway.press(letter, key)
    assert await state(village) == "asked"


async def test_a_no_takes_back_what_was_offered(
    village: Village, gateway: GatewaySimulator
) -> None:
    path, letter = await called(village, gateway)
    offer = {"camera": village.homes["wang"].camera, **village.window()}
    await village.do("wang", f"{await village.asked('wang')}/offer", json=offer)
    assert len((await village.ask("li", "GET", path)).body["offers"]) == 1
    await gateway.press(letter, "2")
    assert (await village.ask("li", "GET", path)).body["offers"] == []
    assert await state(village) == "put_away"


async def test_a_no_after_the_ask_has_closed_changes_nothing(
    village: Village, gateway: GatewaySimulator
) -> None:
    path, letter = await called(village, gateway)
    await village.do("chen", f"{path}/close")
    await gateway.press(letter, "2")
    assert await state(village) == "over"


async def test_who_owns_the_home_no_more_answers_for_it_no_more(
    village: Village, gateway: GatewaySimulator
) -> None:
    _, letter = await called(village, gateway)
    home, wang = village.homes["wang"].id, village.people["wang"]
    other = await village.hub.person(home, "wang's son")
    await village.hub.app[keys.CATALOGUE].write(people.remove_member, home, wang.person)
    village.people["wang"] = await village.hub.sign_in(other)
    await gateway.press(letter, "2")
    assert await state(village) == "asked"
