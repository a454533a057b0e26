"""An export of the log: a file of JSON lines that can be verified far from the hub (AUD-3).

{"audit_export": 1, "hub": ..., "key": ..., "made_ms": ...}
{"checkpoint": "<checkpoint+jwt>"}             as many as concern the entries
{"chain": ..., "seq": ..., "prev": ..., "hash": ..., "document": "<canonical JSON>"}
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from village_core.keys import KeyTextError, PublicKey
from village_hub.audit.chain import Link
from village_hub.audit.signing import Checkpoint, CheckpointError, read
from village_hub.audit.verifying import Row, Verdict, verify_log

VERSION = 1


class ExportError(Exception):
    """The file is no export; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Export:
    hub: str
    key: PublicKey
    made_ms: int
    checkpoints: list[str]
    chains: dict[str, list[Row]]


def lines(
    hub: str,
    key: PublicKey,
    made_ms: int,
    checkpoints: Iterable[str],
    links: Iterable[tuple[str, Link]],
) -> Iterator[str]:
    """Of the file."""
    yield _line({"audit_export": VERSION, "hub": hub, "key": key.text, "made_ms": made_ms})
    for text in checkpoints:
        yield _line({"checkpoint": text})
    for chain, link in links:
        said = {"chain": chain, "seq": link.seq, "prev": link.prev, "hash": link.hash}
        yield _line({**said, "document": link.document})


def load(path: Path) -> Export:
    """Raises ExportError, OSError."""
    with path.open(encoding="utf-8", errors="strict") as file:
        try:
            head = json.loads(file.readline())
            if head["audit_export"] != VERSION:
                raise ExportError(f"{path} was written by a newer version")
            key, hub, made_ms = PublicKey.from_text(head["key"]), head["hub"], head["made_ms"]
            checkpoints: list[str] = []
            chains: defaultdict[str, list[Row]] = defaultdict(list)
            for line in file:
                said = json.loads(line)
                if "checkpoint" in said:
                    checkpoints.append(str(said["checkpoint"]))
                    continue
                link = Link(said["seq"], said["prev"], said["document"], said["hash"])
                chains[said["chain"]].append(Row(link))
        except (ValueError, KeyError, TypeError, KeyTextError) as error:
            raise ExportError(f"{path} is not an export of an audit log") from error
    for rows in chains.values():
        rows.sort(key=lambda row: row.link.seq)
    return Export(str(hub), key, int(made_ms), checkpoints, dict(chains))


def verify_export(export: Export) -> Verdict:
    numbers = [known.number for known in _known(export.checkpoints, export.key)]
    return verify_log(
        export.chains,
        [export.checkpoints],
        export.key,
        first_checkpoint=min(numbers, default=0),
        part=True,
    )


def concerning(
    checkpoints: Iterable[str], ranges: dict[str, tuple[int, int]], key: PublicKey
) -> list[str]:
    """The run of checkpoints that says anything of these entries: chain -> first and last."""
    texts = list(checkpoints)
    useful = [at for at, text in enumerate(texts) if _speaks_of(text, ranges, key)]
    return texts[useful[0] : useful[-1] + 1] if useful else []


def _speaks_of(text: str, ranges: dict[str, tuple[int, int]], key: PublicKey) -> bool:
    for known in _known([text], key):
        for chain, (first, last) in ranges.items():
            said = [known.heads[chain].seq] if chain in known.heads else []
            said += [known.begins[chain].seq - 1] if chain in known.begins else []
            if any(first - 1 <= seq <= last for seq in said):
                return True
    return False


def _known(texts: Iterable[str], key: PublicKey) -> Iterator[Checkpoint]:
    for text in texts:
        try:
            yield read(text, key)
        except CheckpointError:
            continue


def _line(said: dict[str, object]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
