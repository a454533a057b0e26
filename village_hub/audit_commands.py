"""`village-hub audit ...`: whether the log is as it was written, and copies that can prove it."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from village_core.keys import KeyTextError, PublicKey, SigningKey
from village_hub.audit import export
from village_hub.audit.chain import Fault
from village_hub.audit.checkpoints import FILE, append_lines, read_lines
from village_hub.audit.signing import combine
from village_hub.audit.verifying import Row, Verdict, verify_log
from village_hub.catalogue import audit, audit_keeping, witness
from village_hub.catalogue.store import Catalogue, Session
from village_hub.commands import CommandError, Lines, Office
from village_hub.config import Config


async def verify(config: Config, said: argparse.Namespace) -> Lines:
    """Raises CommandError that names the first bad index."""
    if said.export is not None:
        return await asyncio.to_thread(verify_file, Path(said.export), said.key)
    own = await asyncio.to_thread(_own_key, config)
    if said.database is not None:
        return await verify_database(said.database, _key(own, said.key))
    if own is None:
        raise CommandError(f"there is no hub in {config.state}: name the settings by --config")
    copies = [await asyncio.to_thread(read_lines, config.state / FILE)]
    if said.witness is not None:
        copies.append(await asyncio.to_thread(_witness, Path(said.witness)))
    catalogue = await Catalogue.open(config.database_url)
    try:
        return await verify_with(catalogue, _key(own, said.key), copies)
    finally:
        await catalogue.close()


async def verify_database(url: str, key: PublicKey) -> Lines:
    """Another database, such as a copy, by the checkpoints in it."""
    path = url.removeprefix("sqlite:///")
    if path != url and not await asyncio.to_thread(Path(path).exists):
        raise CommandError(f"{path}: there is no such file")
    catalogue = await Catalogue.open(url)
    try:
        return await verify_with(catalogue, key, [])
    finally:
        await catalogue.close()


def verify_file(path: Path, fingerprint: str | None) -> Lines:
    """An export. Without a fingerprint the file's own word on the key has to do, and is shown."""
    try:
        found = export.load(path)
    except export.ExportError as error:
        raise CommandError(str(error)) from error
    key = _key(found.key, fingerprint)
    said = _told(export.verify_export(found))
    if fingerprint is None:
        said.append(f"signed by {key.fingerprint}, by the file's own word: compare it")
    return said


async def export_log(here: Office, begin: str, end: str, path: Path) -> Lines:
    """Entries of these days, and as many around them as lead from one signature to the next."""
    begin_ms, end_ms = _day(begin), _day(end) + 24 * 3600 * 1000
    if begin_ms >= end_ms:
        raise CommandError("the first day comes after the last")
    key, made_ms = here.node.key.public, here.clock.utc_ms()

    def write(session: Session) -> int:
        checkpoints = audit_keeping.checkpoints(session)
        signed = combine([checkpoints], key).signed
        heads = {chain: sorted(said.heads) for chain, said in signed.items()}
        ranges = audit.ranges(session, begin_ms, end_ms, heads)
        useful = export.concerning(checkpoints, ranges, key)
        links = (
            (chain, kept.link)
            for chain, (first, last) in sorted(ranges.items())
            for kept in audit.Chain(session, chain, since=first - 1, until=last)
        )
        with path.open("x", encoding="utf-8") as file:
            for line in export.lines(here.node.id, key, made_ms, useful, links):
                file.write(line + "\n")
        return sum(last - first + 1 for first, last in ranges.values())

    try:
        count = await here.catalogue.read(write)
    except FileExistsError as error:
        raise CommandError(f"{path} is there already") from error
    return [f"{count} entries in {path}", f"signed by {key.fingerprint}"]


async def witnessed(here: Office, hub: str | None, file: str | None) -> Lines:
    """What this hub holds of other hubs' checkpoints (AUD-3); those of one, into a new file."""
    known = await here.catalogue.read(witness.everybody)
    if hub is None or file is None:
        return [
            f"{each.peer}: {each.count} checkpoints, the last {each.number} "
            f"of {datetime.fromtimestamp(each.received / 1000, UTC):%Y-%m-%d %H:%M} UTC"
            for each in known
        ] or ["no other hub has told this one of its log"]
    if hub not in [each.peer for each in known]:
        raise CommandError(f"no hub {hub} has told this one of its log")
    texts = await here.catalogue.read(witness.of, hub)
    if await asyncio.to_thread(Path(file).exists):
        raise CommandError(f"{file} is there already")
    await asyncio.to_thread(append_lines, Path(file), texts)
    return [
        f"{len(texts)} checkpoints of {hub} in {file}",
        f"at that hub: village-hub audit verify --witness {file}",
    ]


async def verify_with(
    catalogue: Catalogue, key: PublicKey, copies: Sequence[Sequence[str]]
) -> Lines:
    """By the checkpoints in the database, and by other copies of them."""

    def look(session: Session) -> Verdict:
        chains = {name: _Rows(session, name) for name in audit.chains(session)}
        return verify_log(chains, [audit_keeping.checkpoints(session), *copies], key)

    return _told(await catalogue.read(look))


def _witness(path: Path) -> list[str]:
    found = read_lines(path)
    if not found:
        raise CommandError(f"{path} has no checkpoint that another hub held")
    return found


class _Rows:
    """A chain of the database, as often as it is gone through."""

    def __init__(self, session: Session, chain: str) -> None:
        self._chain = audit.Chain(session, chain)

    def __iter__(self) -> Iterator[Row]:
        for kept in self._chain:
            yield Row(kept.link, kept.columns_agree)


def _told(verdict: Verdict) -> Lines:
    """Raises CommandError for a log that is not whole."""
    if verdict.faults:
        raise CommandError("\n".join(_fault(fault) for fault in verdict.faults))
    said = [
        f"chain {each.chain}: {each.entries} entries are whole, {each.signed} of them signed"
        for each in verdict.chains
    ]
    last = verdict.statements.last_ms
    count = f"{verdict.statements.count} checkpoints"
    if last is not None:
        count += f", the last of {datetime.fromtimestamp(last / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    return [*said, count]


def _fault(fault: Fault) -> str:
    return f"chain {fault.chain}, index {fault.seq}: {fault.wrong}: {fault.sentence}"


def _own_key(config: Config) -> PublicKey | None:
    path = config.state / "node.key"
    return SigningKey.load(path).public if path.exists() else None


def _key(known: PublicKey | None, said: str | None) -> PublicKey:
    """The key that signatures are checked with: the one that is known, if it is what was said."""
    if known is not None and said in (None, known.fingerprint, known.text):
        return known
    try:
        given = PublicKey.from_text(said or "")
    except KeyTextError as error:
        raise CommandError("name the hub's public key by --key") from error
    if known is not None:
        raise CommandError(f"the key is {known.fingerprint}, not {said}")
    return given


def _day(text: str) -> int:
    try:
        return round(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError as error:
        raise CommandError(f"{text} is no day; write 2026-11-20") from error
