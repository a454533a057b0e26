"""The hash chain (AUD-3), pure: entries that follow each other, and the first that does not.

    hash of an entry = SHA-256(hash of the one before || canonical JSON of the entry)

The JSON holds the entry's chain and number, and a chain's first "hash before" is made of its name,
so no entry fits anywhere else. Each row also keeps the hash before: it tells a changed entry from a
changed neighbour. What was rewritten as a whole contradicts the signed heads (`checkpoints.py`).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from village_hub.audit.entry import Entry, document, place_of


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its chain, as stored."""

    seq: int
    prev: str  # hex
    document: str
    hash: str  # hex


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain at some moment."""

    seq: int
    hash: str


class Wrong(StrEnum):
    ALTERED = "altered"
    DELETED = "deleted"
    REORDERED = "reordered"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    FORKED = "forked"  # another history than the one that was signed
    UNSIGNED = "unsigned"  # a checkpoint is missing, or is not what the node signed


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a chain, and the first number that is not as it was written. Where a run
    of entries was rewritten together, the first that no signature vouches for (FORKED)."""

    chain: str
    seq: int
    wrong: Wrong
    sentence: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What checkpoints say of one chain: heads by number, and where it may begin (retention)."""

    heads: Mapping[int, frozenset[str]] = field(default_factory=dict)
    begin: int = 0

    @property
    def last(self) -> int:
        return max(self.heads, default=-1)


NOTHING_SIGNED = Signed()


def genesis(chain: str) -> str:
    """The "hash before" of a chain's first entry."""
    return hashlib.sha256(f"audit chain {chain}".encode()).hexdigest()


def next_hash(prev: str, document: str) -> str:
    return hashlib.sha256(bytes.fromhex(prev) + document.encode()).hexdigest()


def follow(chain: str, head: Head | None, entry: Entry) -> Link:
    """The entry as it stands behind `head`; None: it is the chain's first."""
    prev = head.hash if head else genesis(chain)
    seq = head.seq + 1 if head else 0
    text = document(entry, chain, seq)
    return Link(seq, prev, text, next_hash(prev, text))


def verify(chain: str, links: Iterable[Link], signed: Signed = NOTHING_SIGNED) -> Fault | None:
    """The first fault of a chain, else None. `links` come in the order of their numbers, and can be
    gone through more than once: a fault is looked at closely."""
    return _Reading(chain, links, signed).first_fault()


class _Reading:
    """One walk along one chain; it keeps nothing of what it passed but the last hash."""

    def __init__(self, chain: str, links: Iterable[Link], signed: Signed) -> None:
        self._chain = chain
        self._links = links
        self._signed = signed
        self._trusted = -1  # the last number whose hash a checkpoint confirmed

    def first_fault(self) -> Fault | None:
        first = next(iter(self._links), None)
        expected = min(first.seq, self._signed.begin) if first else self._signed.begin
        prev = self._before(expected)
        if prev is None:
            said = f"no checkpoint says what stood before entry {expected}"
            return self._fault(expected, Wrong.UNSIGNED, said)
        self._trusted = expected - 1
        for link, behind in _with_next(self._links):
            fault = self._look(link, behind, expected, prev)
            if fault is not None:
                return fault
            expected, prev = expected + 1, link.hash
        if self._signed.last < expected:
            return None
        said = f"entries {expected} to {self._signed.last} were signed and are gone"
        return self._fault(expected, Wrong.TRUNCATED, said)

    def _before(self, seq: int) -> str | None:
        """The hash before this number; retention took its entry, a checkpoint keeps its hash."""
        if seq == 0:
            return genesis(self._chain)
        known = self._signed.heads.get(seq - 1, frozenset())
        return next(iter(known)) if len(known) == 1 else None

    def _look(self, link: Link, behind: Link | None, expected: int, prev: str) -> Fault | None:
        if link.seq > expected:
            last = link.seq - 1
            many = "entry {0} is" if last == expected else "entries {0} to {1} are"
            return self._fault(expected, Wrong.DELETED, f"{many.format(expected, last)} gone")
        if link.seq < expected:
            return self._fault(link.seq, Wrong.INSERTED, f"there are two entries {link.seq}")
        if not is_whole(link):
            return self._fault(expected, Wrong.ALTERED, f"entry {expected} was changed")
        claim = _place(link, self._chain)
        if claim != expected:
            return self._misplaced(expected, claim)
        if link.prev != prev:
            return self._broken(link, behind, expected)
        return self._against_checkpoint(link, expected)

    def _misplaced(self, expected: int, claim: int | None) -> Fault:
        """A whole entry that was written for another place than where it stands."""
        if claim is None:
            said = f"entry {expected} was never part of this chain"
            return self._fault(expected, Wrong.INSERTED, said)
        if claim > expected:
            if self._written_for(expected):
                said = f"entry {expected} was moved elsewhere"
                return self._fault(expected, Wrong.REORDERED, said)
            said = f"entry {expected} is gone and later ones were moved up"
            return self._fault(expected, Wrong.DELETED, said)
        rivals = self._written_for(claim)
        followed = self._followed({each.hash for each in rivals})
        extra = [each.seq for each in rivals if not followed or each.hash not in followed]
        if len(rivals) > 1:  # two for one place: the one that nothing follows is not ours
            seq = min([*extra, expected])
            return self._fault(seq, Wrong.INSERTED, f"entry {seq} was put in between")
        return self._fault(expected, Wrong.REORDERED, f"entry {claim} stands at {expected}")

    def _broken(self, link: Link, behind: Link | None, expected: int) -> Fault:
        """It follows another entry than the one before it: which of the two is wrong? The one that
        what comes behind, or a signature, does not bear out."""
        before = expected - 1
        signed = self._signed.heads.get(expected, frozenset())
        borne_out = signed | {behind.prev} if behind else signed or {link.hash}
        if link.hash not in borne_out or before <= self._trusted:
            return self._fault(expected, Wrong.ALTERED, f"entry {expected} was changed")
        said = f"entry {before} was replaced"
        if self._trusted + 1 < before:
            said += f"; those from {self._trusted + 1} on may have been, too"
        return self._fault(before, Wrong.ALTERED, said)

    def _against_checkpoint(self, link: Link, expected: int) -> Fault | None:
        said = self._signed.heads.get(expected)
        if said is None:
            return None
        if said == {link.hash}:
            self._trusted = expected
            return None
        real = [e for e in self._written_for(expected) if e.hash in said and e.prev == link.prev]
        if len(said) == 1 and real:  # what was signed is there, and follows the same entry
            return self._fault(expected, Wrong.INSERTED, f"entry {expected} was put in between")
        first = self._trusted + 1
        what = f"entry {first} is" if first == expected else f"entries {first} to {expected} are"
        return self._fault(first, Wrong.FORKED, f"{what} not what was signed")

    def _written_for(self, place: int) -> list[Link]:
        return [e for e in self._links if _place(e, self._chain) == place and is_whole(e)]

    def _followed(self, hashes: set[str]) -> set[str]:
        """Which of them an entry or a checkpoint rests on."""
        signed = {each for said in self._signed.heads.values() for each in said}
        return hashes & (signed | {e.prev for e in self._links if e.prev in hashes})

    def _fault(self, seq: int, wrong: Wrong, sentence: str) -> Fault:
        return Fault(self._chain, seq, wrong, sentence)


def is_whole(link: Link) -> bool:
    """Whether its hash is that of its own parts."""
    try:
        return next_hash(link.prev, link.document) == link.hash
    except ValueError:
        return False


def _place(link: Link, chain: str) -> int | None:
    """Which number the document was written for; None: it is not of this chain."""
    try:
        said, seq = place_of(link.document)
    except (ValueError, RecursionError):
        return None
    return seq if said == chain else None


def _with_next(links: Iterable[Link]) -> Iterator[tuple[Link, Link | None]]:
    each = iter(links)
    current = next(each, None)
    while current is not None:
        following = next(each, None)
        yield current, following
        current = following
