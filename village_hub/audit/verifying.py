"""Whether a whole log is as it was written: its chains, its checkpoints, and what readers search by
(AUD-3). For the database of a hub and for an export of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from village_core.keys import PublicKey
from village_hub.audit.chain import NOTHING_SIGNED, Fault, Link, Signed, Wrong, verify
from village_hub.audit.signing import Statements, combine


@dataclass(frozen=True, slots=True)
class Row:
    """A link, and whether the columns beside its document say the same."""

    link: Link
    columns_agree: bool = True


@dataclass(frozen=True, slots=True)
class Checked:
    """One chain that was gone through."""

    chain: str
    entries: int
    signed: int  # of them, up to the last one that a checkpoint confirms
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Verdict:
    chains: tuple[Checked, ...]
    statements: Statements

    @property
    def faults(self) -> list[Fault]:
        """Of the chains first: they are what the log is for."""
        broken = [each.fault for each in self.chains if each.fault is not None]
        return [*broken, *self.statements.faults]


def verify_log(
    chains: Mapping[str, Iterable[Row]],
    checkpoints: Sequence[Sequence[str]],
    key: PublicKey,
    *,
    first_checkpoint: int = 0,
    part: bool = False,
) -> Verdict:
    """`chains` can be gone through more than once. `part`: an export of a part, which begins and
    ends where it does; its beginning has to be signed all the same."""
    statements = combine(checkpoints, key, first=first_checkpoint)
    names = sorted(chains) if part else sorted({*chains, *statements.signed})
    checked = []
    for name in names:
        rows = chains.get(name, ())
        signed = statements.signed.get(name, NOTHING_SIGNED)
        checked.append(_check(name, rows, _within(rows, signed) if part else signed))
    return Verdict(tuple(checked), statements)


def _check(chain: str, rows: Iterable[Row], signed: Signed) -> Checked:
    links = _Links(rows)
    fault = verify(chain, links, signed)
    first, count = links.first or 0, links.count
    other = links.disagreeing
    if other is not None and (fault is None or other < fault.seq):
        said = f"what entry {other} is found by was changed"
        fault = Fault(chain, other, Wrong.ALTERED, said)
    covered = min(signed.last + 1 - first, count)
    return Checked(chain, count, max(covered, 0), fault)


def _within(rows: Iterable[Row], signed: Signed) -> Signed:
    """What is said of these rows and of the one before the first."""
    numbers = [row.link.seq for row in rows]
    if not numbers:
        return NOTHING_SIGNED
    first, last = min(numbers), max(numbers)
    heads = {seq: said for seq, said in signed.heads.items() if first - 1 <= seq <= last}
    return Signed(heads, first)


class _Links:
    """The links of rows; each is counted, and its columns looked at, when it is first passed."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.count = 0
        self.first: int | None = None
        self.disagreeing: int | None = None

    def __iter__(self) -> Iterator[Link]:
        for at, row in enumerate(self._rows):
            if at == self.count:
                self._note(row)
            yield row.link

    def _note(self, row: Row) -> None:
        self.count += 1
        if self.first is None:
            self.first = row.link.seq
        if not row.columns_agree and self.disagreeing is None:
            self.disagreeing = row.link.seq
