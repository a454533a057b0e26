"""When checkpoints are made, where they are kept, and how old entries go (AUD-3)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.hub.audit.books import everything
from tests.hub.audit.test_chain import entry
from tests.hub.support import Hub, TurnedClock
from village_core.keys import SigningKey
from village_core.tokens import Issuer
from village_hub import keys
from village_hub.audit.checkpoints import EVERY, KEPT_MS, ON_ENTRIES, Checkpoints, read_lines
from village_hub.audit.clock_watch import ClockWatch
from village_hub.audit.signing import combine, read
from village_hub.audit.verifying import Row, Verdict, verify_log
from village_hub.catalogue import audit, audit_keeping
from village_hub.catalogue.audit_keeping import NOTHING_HELD, Held
from village_hub.catalogue.store import Catalogue, Session

KEY = SigningKey.make()


@pytest.fixture
async def catalogue(database_url: str) -> AsyncIterator[Catalogue]:
    found = await Catalogue.open(database_url)
    yield found
    await found.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "checkpoints.jsonl"


def service(
    catalogue: Catalogue,
    file: Path,
    clock: TurnedClock,
    held: Callable[[Session], Held] = lambda _: NOTHING_HELD,
) -> Checkpoints:
    return Checkpoints(catalogue, Issuer("hub", KEY, clock), KEY.public, file, clock, held)


async def add(catalogue: Catalogue, *numbers: int, chain: str = audit.SERVE) -> None:
    def those(session: Session) -> None:
        for number in numbers:
            audit.append(session, entry(number), chain)

    await catalogue.write(those)


async def lines_of(file: Path) -> list[str]:
    return await asyncio.to_thread(read_lines, file)


async def verdict(catalogue: Catalogue, file: Path) -> Verdict:
    copies = await lines_of(file)

    def look(session: Session) -> Verdict:
        chains = {
            name: [Row(kept.link, kept.columns_agree) for kept in audit.Chain(session, name)]
            for name in audit.chains(session)
        }
        return verify_log(chains, [audit_keeping.checkpoints(session), copies], KEY.public)

    return await catalogue.read(look)


def check_file(file: Path) -> None:
    assert file.stat().st_mode & 0o077 == 0
    assert set(json.loads(file.read_text())) == {"checkpoint"}


@pytest.mark.both_databases
async def test_a_checkpoint_covers_the_heads_of_all_chains(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    await add(catalogue, 0, 1, 2)
    await add(catalogue, 3, chain=audit.CLI)
    made = read(await service(catalogue, file, clock).make(), KEY.public)
    assert made.heads == await catalogue.read(audit.heads)
    assert (await verdict(catalogue, file)).faults == []
    assert await lines_of(file) == await catalogue.read(audit_keeping.checkpoints)
    check_file(file)


async def test_one_is_made_at_the_start_hourly_and_on_a_thousand_entries(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    checkpoints = service(catalogue, file, clock)
    seen = []

    async def look() -> None:
        await checkpoints.look()
        seen.append(len(await lines_of(file)))

    await look()  # the first
    await look()
    clock.turn(EVERY - 1)
    await look()
    clock.turn(2)
    await look()  # an hour
    await add(catalogue, *range(ON_ENTRIES - 1))
    await look()
    await add(catalogue, ON_ENTRIES)
    await look()  # a thousand
    await look()
    assert seen == [1, 1, 1, 2, 2, 3, 3]
    assert (await verdict(catalogue, file)).faults == []


async def test_a_restart_goes_on_where_the_last_one_stopped(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    for number in range(3):
        await add(catalogue, number)
        await service(catalogue, file, clock).look()
    found = combine([await lines_of(file)], KEY.public)
    assert (found.count, found.faults) == (3, ())


async def test_what_a_crash_kept_from_the_file_is_copied_later(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    await add(catalogue, 0)
    await service(catalogue, file, clock).make()
    kept = await asyncio.to_thread(file.read_text)
    await service(catalogue, file, clock).make()
    await asyncio.to_thread(file.write_text, kept)
    await service(catalogue, file, clock).make()
    assert await lines_of(file) == await catalogue.read(audit_keeping.checkpoints)
    assert len(await lines_of(file)) == 3


async def test_a_database_put_back_from_a_copy_is_told_on(
    catalogue: Catalogue, file: Path, clock: TurnedClock, tmp_path: Path
) -> None:
    """Its checkpoints follow those in the file, and the gap shows."""
    for number in range(3):
        await add(catalogue, number)
        await service(catalogue, file, clock).make()
    older = await Catalogue.open(f"sqlite:///{tmp_path}/older.sqlite")
    await add(older, 0)
    await service(older, file, clock).make()
    await add(older, 7, 8, 9)
    await service(older, file, clock).make()
    found = await verdict(older, file)
    await older.close()
    assert any(fault.chain == "serve" and fault.seq == 1 for fault in found.faults)
    assert any(fault.chain == "checkpoints" for fault in found.faults)


@pytest.mark.both_databases
async def test_old_entries_go_and_the_rest_still_proves_itself(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    """Kept 3 years; afterwards the chain begins behind a signed hash."""
    checkpoints = service(catalogue, file, clock)
    await add(catalogue, *range(10))
    await checkpoints.make()
    first = entry(0).utc_ms
    assert await checkpoints.retire(first) == 0
    assert await checkpoints.retire(first + 4) == 4
    assert (await catalogue.read(everything))[0].id == "e4"
    assert (await verdict(catalogue, file)).faults == []
    await add(catalogue, 10, 11)
    await checkpoints.make()
    assert await checkpoints.retire(first + 100) == 7
    assert [each.id for each in await catalogue.read(everything)] == ["e11"]  # never the last
    assert (await verdict(catalogue, file)).faults == []
    await add(catalogue, 12)
    assert (await verdict(catalogue, file)).faults == []


@pytest.mark.both_databases
async def test_what_an_open_case_needs_stays(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    held = Held(households=frozenset({"h"}), cases=frozenset({"case 7"}))
    checkpoints = service(catalogue, file, clock, lambda _: held)
    for number in range(8):
        about = {3: {"case": "case 7"}, 5: {"household": "h"}}.get(number, {})
        await catalogue.write(audit.append, entry(number).model_copy(update=about))
    assert await checkpoints.retire(entry(100).utc_ms) == 3
    held = Held(households=frozenset({"h"}))
    assert await checkpoints.retire(entry(100).utc_ms) == 2
    held = NOTHING_HELD
    assert await checkpoints.retire(entry(100).utc_ms) == 2
    assert (await verdict(catalogue, file)).faults == []


async def test_entries_are_looked_through_once_a_day(
    catalogue: Catalogue, file: Path, clock: TurnedClock
) -> None:
    checkpoints = service(catalogue, file, clock)
    await add(catalogue, 0, 1)
    clock.turn((KEPT_MS + 1000) / 1000)
    await checkpoints.look()
    assert [each.id for each in await catalogue.read(everything)] == ["e1"]


async def test_the_hub_signs_its_log_from_the_start(hub: Hub) -> None:
    file = hub.app[keys.CONFIG].state / "audit" / "checkpoints.jsonl"
    await hub.app[keys.CHECKPOINTS].make()
    key = hub.app[keys.NODE].key.public
    texts = await lines_of(file)
    assert [read(text, key).number for text in texts] == list(range(len(texts)))


async def test_a_clock_that_was_set_is_in_the_log(hub: Hub) -> None:
    """AUD-8: over 1 s noted, over 5 s an alarm."""
    book = hub.app[keys.AUDIT]
    watch = ClockWatch(book, hub.clock)
    for step in (0.9, 1.5, -5.5, 0.0):
        hub.clock.step(step)
        await watch.look()
    found = await hub.app[keys.CATALOGUE].read(everything)
    ours = [(each.action, each.about["step_ms"]) for each in found if each.kind == "system"]
    assert ("clock_set", 1500) in ours
    assert ("clock_alarm", -5500) in ours
    assert all(abs(int(step)) > 1000 for _, step in ours)
