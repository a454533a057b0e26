"""Checkpoints between hubs (AUD-3), and the lines that carry them: queued while the line is down,
each taken once; a rewritten log is told by who holds the first history."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.support import Hub, until
from tests.support.tree import TOWN, WEST, connected, hub_of, joined, office_of
from village_core.books import BookLine, BookLines
from village_core.keys import SigningKey
from village_core.permits import Role
from village_core.tokens import Issuer
from village_hub import audit_commands, keys
from village_hub.audit.anomalies import Oddity
from village_hub.audit.checkpoints import read_lines
from village_hub.audit.signing import Checkpoint, read, sign
from village_hub.catalogue import audit_keeping, audit_reading, books, witness
from village_hub.catalogue.store import Session
from village_hub.commands import CommandError


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Hub, Hub]]:
    async with hub_of(tmp_path, TOWN) as town, hub_of(tmp_path, WEST) as west:
        await joined(west, town)
        yield town, west


async def held(at: Hub, of: Hub) -> list[str]:
    return await at.app[keys.CATALOGUE].read(witness.of, of.id)


async def until_held(at: Hub, of: Hub, text: str) -> None:
    async def there() -> bool:
        return text in await held(at, of)

    await until(there, 10)


async def noticed(hub: Hub, action: str) -> list[dict[str, object]]:
    def found(session: Session) -> list[dict[str, object]]:
        each = audit_reading.each(session, audit_reading.Wanted())
        return [dict(entry.about) for entry in each if entry.action == action]

    return await hub.app[keys.CATALOGUE].read(found)


async def say(hub: Hub, peer: Hub, kind: str, body: dict[str, object]) -> None:
    await hub.app[keys.CATALOGUE].write(books.write, peer.id, kind, body, hub.clock.utc_ms())


def forged(hub: Hub, number: int, heads: str, key: SigningKey | None = None) -> str:
    """What the hub signs once it has another history."""
    issuer = Issuer(hub.id, key or hub.app[keys.NODE].key, hub.clock)
    said = Checkpoint(number=number, prev=heads * 64, utc_ms=1, heads={}, begins={})
    return sign(issuer, said)


async def test_both_hold_what_the_other_signed(pair: tuple[Hub, Hub]) -> None:
    town, west = pair
    await until_held(town, west, await west.app[keys.CHECKPOINTS].make())
    await until_held(west, town, await town.app[keys.CHECKPOINTS].make())
    assert await noticed(town, "log_forked") == []
    assert await noticed(west, "line_not_used") == []


async def test_what_is_signed_while_the_line_is_down_comes_once(tmp_path: Path) -> None:
    async with hub_of(tmp_path, TOWN) as town:
        async with hub_of(tmp_path, WEST) as west:
            await joined(west, town)
            await until_held(town, west, await west.app[keys.CHECKPOINTS].make())
            await west.app[keys.SUPERVISOR].end("uplink")
            await until(lambda: not town.app[keys.CHILDREN].online(west.id))
            texts = [await west.app[keys.CHECKPOINTS].make() for _ in range(3)]
            before = await held(town, west)
            assert not set(texts) & set(before)
        async with hub_of(tmp_path, WEST) as again:  # at another address, with its books
            await connected(again, town)
            await until_held(town, again, texts[-1])
            found = await held(town, again)
            assert [text for text in found if text in texts] == texts
            assert len(found) == len(set(found))

            async def all_answered() -> bool:
                return not await again.app[keys.CATALOGUE].read(books.waiting)

            await until(all_answered)
            assert await noticed(town, "log_forked") == []


async def test_a_hub_that_signs_another_history_is_told_of(pair: tuple[Hub, Hub]) -> None:
    """The auditor of the hub that holds the first one sees it (AUD-5)."""
    town, west = pair
    text = await west.app[keys.CHECKPOINTS].make()
    await until_held(town, west, text)
    number = read(text, west.app[keys.NODE].key.public).number
    other = forged(west, number, "a")
    await say(west, town, "checkpoint", {"checkpoint": other})
    await until_held(town, west, other)
    (said,) = await noticed(town, "log_forked")
    assert said["hub"] == west.id
    assert said["checkpoint"] == number
    later = forged(west, number + 1, "b")
    await say(west, town, "checkpoint", {"checkpoint": later})
    await until_held(town, west, later)
    assert len(await noticed(town, "log_forked")) == 2
    auditor = await town.staff(Role.AUDITOR)
    answer = await town.ask("GET", "/api/v1/audit/anomalies", headers=auditor.headers)
    kinds = {each["kind"] for each in (await answer.json())["items"]}
    assert Oddity.LOG_FORKED.value in kinds


async def test_a_line_that_cannot_be_used_holds_up_nothing(pair: tuple[Hub, Hub]) -> None:
    town, west = pair
    stranger = forged(west, 90, "a", SigningKey.make())
    for kind, body in (
        ("no_such_kind", {}),
        ("checkpoint", {"checkpoint": "no token"}),
        ("checkpoint", {"checkpoint": stranger}),
        ("checkpoint", {"other": 1}),
        ("checkpoint", {"checkpoint": "x" * 30_000}),
    ):
        await say(west, town, kind, dict(body))
    await until_held(town, west, await west.app[keys.CHECKPOINTS].make())
    said = await noticed(town, "line_not_used")
    assert sorted((each["line"], each["why"]) for each in said) == [
        (1, "unknown_kind"),
        (2, "not_signed"),
        (3, "not_signed"),
        (4, "malformed"),
        (5, "malformed"),
    ]
    assert stranger not in await held(town, west)


async def test_lines_are_for_hubs_alone(pair: tuple[Hub, Hub]) -> None:
    town, _ = pair
    line = BookLine(number=1, id="one", kind="checkpoint", body={})
    said = BookLines(first=1, lines=(line,)).model_dump(mode="json")
    agent = await town.enrolled(await town.household("Home"))
    path = "/api/v1/node/lines"
    assert (await town.ask("PUT", path, json=said)).status == 401
    assert (await town.ask("PUT", path, json=said, headers=town.node_token(agent))).status == 401


async def test_the_command_line_checks_a_log_by_what_another_hub_holds(
    pair: tuple[Hub, Hub], tmp_path: Path
) -> None:
    """The auditor takes the file from one hub to the other."""
    town, west = pair
    await until_held(town, west, await west.app[keys.CHECKPOINTS].make())
    lines = await audit_commands.witnessed(office_of(town), None, None)
    assert any(west.id in line for line in lines)
    file = tmp_path / "west.jsonl"
    await audit_commands.witnessed(office_of(town), west.id, str(file))
    key = west.app[keys.NODE].key.public
    copies = await asyncio.to_thread(read_lines, file)
    assert copies
    assert set(copies) <= set(await west.app[keys.CATALOGUE].read(audit_keeping.checkpoints))
    said = await audit_commands.verify_with(west.app[keys.CATALOGUE], key, [copies])
    assert any("checkpoints" in line for line in said)
    other = forged(west, 0, "a")
    with pytest.raises(CommandError, match="forked: two checkpoints 0 were signed"):
        await audit_commands.verify_with(west.app[keys.CATALOGUE], key, [[other]])
    with pytest.raises(CommandError, match="no hub"):
        await audit_commands.witnessed(office_of(town), "nobody", str(tmp_path / "x"))
