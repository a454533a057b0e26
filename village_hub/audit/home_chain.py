"""Whether lines of a home's own log follow from those that the hub has read before. Pure.

A line is named by its number and its hash: told twice it is one line; told anew with another hash
the home's log was rewritten, and both are kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from village_core.home_log import FIRST_HASH, line_hash
from village_core.messages import LogLine


class Fault(StrEnum):
    """Also the word of the entry that tells of it."""

    GAP = "home_log_gap"  # lines that were never told
    BROKEN = "home_log_broken"  # a line does not follow from the one before
    REWRITTEN = "home_log_rewritten"  # a line was told before with another text


@dataclass(frozen=True, slots=True)
class Kept:
    """What the hub has of this home: hashes by number, at least of the lines that come and of those
    before them, and the highest number; 0: nothing yet."""

    hashes: Mapping[int, frozenset[str]]
    last: int


@dataclass(frozen=True, slots=True)
class Found:
    """Lines from the first number to the last."""

    fault: Fault
    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Followed:
    new: tuple[LogLine, ...]
    faults: tuple[Found, ...]


def follow(lines: Iterable[LogLine], kept: Kept) -> Followed:
    """Which of them are new, and what is wrong, each kind of fault once."""
    hashes: defaultdict[int, frozenset[str]] = defaultdict(frozenset, kept.hashes)
    faults: defaultdict[Fault, list[int]] = defaultdict(list)
    new, last = [], kept.last
    for line in lines:
        there = hashes[line.number]
        if line.hash in there:
            continue
        if there:
            faults[Fault.REWRITTEN].append(line.number)
        if last and line.number > last + 1:
            faults[Fault.GAP] += (last + 1, line.number - 1)
        elif not _follows(line, hashes[line.number - 1]):
            faults[Fault.BROKEN].append(line.number)
        hashes[line.number] = there | {line.hash}
        new.append(line)
        last = max(last, line.number)
    return Followed(tuple(new), tuple(_found(fault, them) for fault, them in faults.items()))


def _follows(line: LogLine, before: frozenset[str]) -> bool:
    """The first that the hub hears of a home has nothing to follow from: the home was enrolled
    elsewhere before."""
    if line.number == 1:
        before = frozenset({FIRST_HASH})
    return not before or any(line_hash(each, line) == line.hash for each in before)


def _found(fault: Fault, numbers: Sequence[int]) -> Found:
    if fault is Fault.GAP:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        count = sum(last - first + 1 for first, last in pairs)
    else:
        count = len(numbers)
    return Found(fault, min(numbers), max(numbers), count)
