"""Signed checkpoints, pure: how long every chain was, in the node key's words (AUD-3).

    checkpoint+jwt { number, prev: SHA-256 of the checkpoint before, utc_ms,
                     heads:  chain -> [number, hash] of its last entry,
                     begins: chain -> [number of its first entry, hash before that] }

`begins` is more than 0 only after retention. A checkpoint is kept in the database and in a file, so
that whoever rewrites the one is contradicted by the other.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from village_core.keys import PublicKey
from village_core.tokens import Issuer, Kind, TokenError, Verifier, said_claims
from village_hub.audit.chain import Fault, Head, Signed, Wrong

CHECKPOINTS = "checkpoints"  # the name under which faults of theirs are told
FIRST = hashlib.sha256(b"audit checkpoints").hexdigest()  # before number 0


class CheckpointError(Exception):
    """It is not what this node signed."""


class _Said(BaseModel):
    """The claims beside those of every token."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    number: int = Field(ge=0)
    prev: str = Field(pattern=r"^[0-9a-f]{64}$")
    utc_ms: int = Field(ge=0)
    heads: dict[str, tuple[int, str]]
    begins: dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    number: int
    prev: str
    utc_ms: int
    heads: Mapping[str, Head]
    begins: Mapping[str, Head]  # the first entry's number, and the hash before it


def sign(issuer: Issuer, checkpoint: Checkpoint) -> str:
    """As a token of the node's own."""
    said = {
        "number": checkpoint.number,
        "prev": checkpoint.prev,
        "utc_ms": checkpoint.utc_ms,
        "heads": {chain: [head.seq, head.hash] for chain, head in checkpoint.heads.items()},
        "begins": {chain: [head.seq, head.hash] for chain, head in checkpoint.begins.items()},
    }
    name = issuer.name
    return issuer.mint(Kind.CHECKPOINT, subject=name, audience=name, more=said)


def read(text: str, key: PublicKey) -> Checkpoint:
    """Raises CheckpointError. Its age does not matter: it says what was."""

    def trust(_issuer: str, kid: str) -> PublicKey | None:
        return key if kid == key.fingerprint else None

    try:
        hub = said_claims(text).get("iss")
        claims = Verifier(str(hub), trust, None).verify(Kind.CHECKPOINT, text)
        said = _Said.model_validate(_tuples(claims.more))
    except (TokenError, ValidationError) as error:
        raise CheckpointError(f"not signed by the key {key.fingerprint}") from error
    return Checkpoint(said.number, said.prev, said.utc_ms, _heads(said.heads), _heads(said.begins))


def digest(text: str | None) -> str:
    """What the next checkpoint names this one by; None: there was none."""
    return FIRST if text is None else hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Statements:
    """All that checkpoints say together."""

    count: int = 0
    last_ms: int | None = None
    signed: Mapping[str, Signed] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def combine(places: Sequence[Sequence[str]], key: PublicKey, *, first: int = 0) -> Statements:
    """What the checkpoints of several places (database, file) say, and what is wrong with them.
    Every place but the first may lack some: a crash comes between writing the two."""
    found: defaultdict[int, dict[str, Checkpoint]] = defaultdict(dict)
    faults = []
    for place in places:
        for at, text in enumerate(place):
            try:
                checkpoint = read(text, key)
            except CheckpointError as error:
                faults.append(_fault(at, Wrong.UNSIGNED, f"checkpoint {at} is {error}"))
            else:
                found[checkpoint.number][text] = checkpoint
    faults += _gone(found, places[0] if places else (), first)
    faults += _torn(found, first)
    known = [each for same in found.values() for each in same.values()]
    return Statements(
        count=len(found),
        last_ms=max((each.utc_ms for each in known), default=None),
        signed=_signed(known),
        faults=tuple(sorted(faults, key=lambda fault: fault.seq)),
    )


def _gone(
    found: Mapping[int, Mapping[str, Checkpoint]], main: Iterable[str], first: int
) -> list[Fault]:
    there = set(main)
    expected = range(first, max(found, default=first - 1) + 1)
    return [
        _fault(number, Wrong.DELETED, f"checkpoint {number} is gone")
        for number in expected
        if not there & set(found.get(number, ()))
    ]


def _torn(found: Mapping[int, Mapping[str, Checkpoint]], first: int) -> list[Fault]:
    """Two of one number, or one that does not follow the one before."""
    faults = []
    for number, same in found.items():
        if len(same) > 1:
            faults.append(_fault(number, Wrong.FORKED, f"two checkpoints {number} were signed"))
        before = {digest(text) for text in found.get(number - 1, ())}
        if number == 0:
            before = {FIRST}
        if number > first and before and not {each.prev for each in same.values()} <= before:
            said = f"checkpoint {number} does not follow checkpoint {number - 1}"
            faults.append(_fault(number, Wrong.FORKED, said))
    return faults


def _signed(checkpoints: Iterable[Checkpoint]) -> dict[str, Signed]:
    heads: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    begins: defaultdict[str, int] = defaultdict(int)
    for each in checkpoints:
        for chain, head in each.heads.items():
            heads[chain][head.seq].add(head.hash)
        for chain, begin in each.begins.items():
            heads[chain][begin.seq - 1].add(begin.hash)
            begins[chain] = max(begins[chain], begin.seq)
    return {
        chain: Signed({seq: frozenset(said) for seq, said in known.items()}, begins[chain])
        for chain, known in heads.items()
    }


def _tuples(said: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists; strictly, pairs are tuples."""
    found = dict(said)
    for name in ("heads", "begins"):
        if isinstance(found.get(name), dict):
            found[name] = {
                chain: tuple(pair) if isinstance(pair, list) else pair
                for chain, pair in found[name].items()
            }
    return found


def _heads(said: Mapping[str, tuple[int, str]]) -> dict[str, Head]:
    return {chain: Head(seq, hash_) for chain, (seq, hash_) in said.items()}


def _fault(number: int, wrong: Wrong, sentence: str) -> Fault:
    return Fault(CHECKPOINTS, number, wrong, sentence)
