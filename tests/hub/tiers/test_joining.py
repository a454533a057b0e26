"""Hubs that join the tier above, over HTTP (IDN-15): by QR, by a typed code; leaving, moving."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.support import Hub, bearer, until
from tests.support.tree import (
    COUNTY,
    EAST,
    TOWN,
    WEST,
    code_for,
    connected,
    hub_of,
    joined,
    office_of,
)
from village_core.enrolling import by_qr
from village_core.enrolment import EnrolmentError, OwnKeys
from village_core.keys import SigningKey
from village_core.line import ParentError
from village_core.tokens import Issuer, Kind
from village_hub import commands, keys, tree_commands
from village_hub.catalogue import hubs
from village_hub.catalogue.remote_models import RemoteChild
from village_hub.commands import CommandError
from village_hub.tiers import tie
from village_hub.tiers.tie import Tie

CHILD_ROUTES = ("/api/v1/node/status", "/api/v1/node/grants")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Hub]:
    async with hub_of(tmp_path, TOWN) as hub:
        yield hub


@pytest.fixture
async def west(tmp_path: Path) -> AsyncIterator[Hub]:
    async with hub_of(tmp_path, WEST) as hub:
        yield hub


async def below(hub: Hub) -> dict[str, str]:
    return {row.place: row.id for row in await hub.app[keys.CATALOGUE].read(hubs.living)}


async def kept(hub: Hub) -> Tie | None:
    return await asyncio.to_thread(tie.read, hub.app[keys.CONFIG].state)


def token(hub: Hub, above: Hub, key: SigningKey | None = None) -> dict[str, str]:
    issuer = Issuer(hub.id, key or hub.app[keys.NODE].key, hub.clock)
    return bearer(issuer.mint(Kind.NODE, subject=hub.id, audience=above.id))


async def test_a_hub_joins_by_qr_and_keeps_an_uplink(town: Hub, west: Hub) -> None:
    said = await joined(west, town)
    assert f"hub of {TOWN} is above hub of {WEST} now" in said[0]
    assert await below(town) == {WEST: west.id}
    assert f"{WEST}  of {WEST}  {west.id}" in await tree_commands.list_hubs(office_of(town))
    shown = "\n".join(await tree_commands.show(office_of(west)))
    assert f"township of {TOWN}" in shown
    assert town.app[keys.NODE].key.public.fingerprint in shown


async def test_an_unknown_message_from_above_is_refused(town: Hub, west: Hub) -> None:
    await joined(west, town)
    answer = await town.app[keys.CHILDREN].ask(west.id, "POST", "/pushups")
    assert (answer.status, (answer.body or {})["code"]) == (404, "unknown_message")


async def test_a_typed_code_and_six_digits_that_both_see(town: Hub, west: Hub) -> None:
    lines = await tree_commands.new_hub(office_of(town), WEST, "West", typed=True)
    code, enrolment = lines[1].split()[-1], lines[3].split()[-2]

    async def compare(digits: str) -> bool:
        open_ones = await commands.list_enrolments(office_of(town))
        assert any("West  revealed" in line and digits in line for line in open_ones)
        await commands.confirm_enrolment(office_of(town), enrolment, digits)
        return True

    await tree_commands.join(office_of(west), town.origin, code, compare)
    await connected(west, town)


async def test_digits_that_differ_join_nothing(town: Hub, west: Hub) -> None:
    lines = await tree_commands.new_hub(office_of(town), WEST, "West", typed=True)

    async def differ(_: str) -> bool:
        return False

    with pytest.raises(CommandError, match="digits differ"):
        await tree_commands.join(office_of(west), town.origin, lines[1].split()[-1], differ)
    assert await kept(west) is None
    assert await below(town) == {}


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("110102001001", "does not lie in"),
        ("110101002", "a code of 12 digits"),
        ("11010100100", "a code of 12 digits"),
        ("west", "a code of 12 digits"),
        ("١" * 12, "a code of 12 digits"),
    ],
    ids=["elsewhere", "a township", "too short", "no digits", "digits of another script"],
)
async def test_only_a_place_below_can_be_joined(town: Hub, place: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        await tree_commands.new_hub(office_of(town), place, "X", typed=False)


async def test_nothing_joins_a_village_or_a_hub_without_place(west: Hub, hub: Hub) -> None:
    with pytest.raises(CommandError, match="no other hub does"):
        await tree_commands.new_hub(office_of(west), WEST + "001", "X", typed=False)
    with pytest.raises(CommandError, match="set place"):
        await tree_commands.new_hub(office_of(hub), WEST, "X", typed=False)


async def test_a_hub_of_another_place_changes_nothing_on_its_side(town: Hub, west: Hub) -> None:
    code = await code_for(town, EAST)
    with pytest.raises(CommandError, match=f"for the hub of {EAST}"):
        await tree_commands.join(office_of(west), code, None)
    assert await kept(west) is None


async def test_a_homes_code_joins_no_hub_and_a_hubs_code_no_box(town: Hub, west: Hub) -> None:
    household = await town.household()
    qr = await town.app[keys.ENROLMENTS].new_qr(household)
    with pytest.raises(CommandError, match="for a home's box"):
        await tree_commands.join(office_of(west), qr.text(), None)
    box = OwnKeys(SigningKey.make(), SigningKey.make())
    with pytest.raises(ParentError, match="for a hub"):
        await by_qr(await code_for(town, WEST), box)


async def test_a_code_is_for_once(town: Hub, west: Hub) -> None:
    code = await code_for(town, WEST)
    await tree_commands.join(office_of(west), code, None)
    await tree_commands.join(office_of(west), code, None)  # told again: it is so already
    thief = OwnKeys(SigningKey.make(), hub=west.id)
    with pytest.raises(ParentError, match="no such enrolment"):
        await by_qr(code, thief)


async def test_a_hub_may_not_call_as_a_box_nor_a_box_as_a_hub(town: Hub, west: Hub) -> None:
    await joined(west, town)
    for path in CHILD_ROUTES:
        response = await town.ask("PUT", path, json={}, headers=token(west, town))
        assert response.status == 401
    box = await town.enrolled(await town.household())
    body = {"number": 1, "after": 0, "last": True}
    path = "/api/v1/node/catalogue"
    response = await town.ask("PUT", path, json=body, headers=town.node_token(box))
    assert response.status == 401


async def test_leaving_ends_it_on_both_sides(town: Hub, west: Hub) -> None:
    await joined(west, town)
    said = await tree_commands.leave(office_of(west))
    assert said == [f"hub of {WEST} has left hub of {TOWN}"]
    await until(lambda: not town.app[keys.CHILDREN].online(west.id))
    assert await below(town) == {}
    response = await town.ask("PUT", "/api/v1/node/catalogue", json={}, headers=token(west, town))
    assert response.status == 401
    await until(lambda: west.app[keys.UPWARD].tie is None)


async def test_leaving_a_hub_that_is_gone_says_so(tmp_path: Path, west: Hub) -> None:
    async with hub_of(tmp_path, TOWN) as town:
        await joined(west, town)
    said = await tree_commands.leave(office_of(west))
    assert "was not told" in said[1]
    assert await kept(west) is None


async def test_a_hub_that_was_taken_out_is_cut_off(town: Hub, west: Hub) -> None:
    await joined(west, town)
    await tree_commands.revoke_hub(office_of(town), WEST)
    await until(lambda: not town.app[keys.CHILDREN].online(west.id))
    await until(lambda: "does not accept" in west.app[keys.UPWARD].trouble)


async def test_a_village_moves_to_another_township(tmp_path: Path, town: Hub, west: Hub) -> None:
    """It keeps its id; the one before it keeps nothing of it."""
    await joined(west, town)
    moved = "110101002001"
    async with hub_of(tmp_path, "110101002") as other:
        config = west.app[keys.CONFIG]
        with pytest.raises(CommandError, match="settings name"):
            await tree_commands.join(office_of(west), await code_for(other, moved), None)
        here = replace(office_of(west), config=replace(config, place=moved))
        await tree_commands.join(here, await code_for(other, moved), None)
        assert await below(town) == {}
        await connected(west, other)
        assert await below(other) == {moved: west.id}


async def test_a_machine_that_takes_a_place_takes_it_from_the_one_before(
    tmp_path: Path, town: Hub, west: Hub
) -> None:
    """A replaced machine without its folder: another id for the same place."""
    await joined(west, town)
    async with hub_of(tmp_path / "new", WEST) as new:
        await joined(new, town)
        assert await below(town) == {WEST: new.id}
        await until(lambda: not town.app[keys.CHILDREN].online(west.id))


async def test_a_lost_key_is_replaced_for_the_same_place_alone(town: Hub, west: Hub) -> None:
    """Nobody takes another hub's id with a code for another place."""
    await joined(west, town)
    thief = OwnKeys(SigningKey.make(), hub=west.id)
    with pytest.raises(ParentError) as refused:
        await by_qr(await code_for(town, EAST), thief)
    assert refused.value.code == "hub_known"
    assert town.app[keys.CHILDREN].online(west.id)
    await by_qr(await code_for(town, WEST), thief)
    response = await town.ask("GET", "/uplink", headers=token(west, town))
    assert response.status == 401


async def test_who_comes_back_begins_with_everything(town: Hub, west: Hub) -> None:
    await joined(west, town)
    await joined(west, town)
    row = await town.app[keys.CATALOGUE].read(lambda s: s.get_one(RemoteChild, west.id))
    assert (row.syncing, row.page) in [(None, 0), (None, 1)]  # nothing told yet, or everything


async def test_three_tiers(tmp_path: Path, town: Hub, west: Hub) -> None:
    async with hub_of(tmp_path, COUNTY) as county:
        await joined(town, county)
        await joined(west, town)
        assert await below(county) == {TOWN: town.id}


@pytest.mark.parametrize("text", ["", "{", "{}", '{"url": 1}'], ids=["empty", "cut", "bare", "odd"])
async def test_a_spoilt_file_is_said(west: Hub, text: str) -> None:
    (west.app[keys.CONFIG].state / tie.FILE).write_text(text)
    with pytest.raises(CommandError, match=r"parent\.json cannot be used"):
        await tree_commands.show(office_of(west))
    await until(lambda: "parent.json" in west.app[keys.UPWARD].trouble)


async def test_a_qr_that_is_none(west: Hub) -> None:
    with pytest.raises(CommandError, match="not an enrolment code"):
        await tree_commands.join(office_of(west), "https://example.org", None)
    with pytest.raises(EnrolmentError):
        await by_qr("secvillage:1?u=x", OwnKeys(SigningKey.make(), hub="x"))
