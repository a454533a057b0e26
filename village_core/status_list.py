"""Token Status Lists (draft-ietf-oauth-status-list): which grants are taken back, to be read where
the household cannot be asked (IDN-9). Pure.

A list is an array of small numbers, compressed, in a token that its hub signs: `statuslist+jwt`,
sub the list's address, `ttl` how long a copy is good before a newer one is fetched, `exp` when
nothing may rest on it any more. A grant says in `status` which list and which place in it.

For people outside the household a list that has ended is no list: they are refused with STALE. The
household's own view asks no list.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from village_core.clock import Clock
from village_core.grants import GrantStatus
from village_core.keys import decode, encode
from village_core.tokens import LEEWAY, LONGEST, Claims, Issuer, Kind, TokenError, Trust, Verifier

BITS = 2  # a status of ours; others' lists may have 1, 4 or 8
TTL = 300  # seconds; with `exp` 3600 (IDN-9)
MOST = 2**20  # places of one list, whatever its tokens say
LARGEST_DATA = MOST  # bytes: of 8 bits each


class Status(IntEnum):
    """The draft's numbers (section 7.1)."""

    VALID = 0
    INVALID = 1  # for good
    SUSPENDED = 2  # for now


class Freshness(StrEnum):
    FRESH = "fresh"
    DUE = "due"  # still good, but a newer one is to be fetched
    STALE = "stale"  # nothing outside the household may rest on it


MEANS = {
    Status.VALID: GrantStatus.VALID,
    Status.INVALID: GrantStatus.STOPPED,
    Status.SUSPENDED: GrantStatus.SUSPENDED,
}


class StatusListError(Exception):
    """The list cannot be used: "malformed", "too_large", "out_of_range"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class StatusList:
    """The numbers: `bits` each, the first in the lowest bits of the first byte (section 4.1)."""

    bits: int
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, statuses: Mapping[int, Status], size: int) -> "StatusList":
        """`size` places, VALID but for those given. Raises ValueError for places beyond."""
        if not 0 < size <= MOST or any(not 0 <= place < size for place in statuses):
            raise ValueError(f"a list has 1 to {MOST} places, and only these have a status")
        each = 8 // BITS
        data = bytearray(-(-size // each))
        for place, status in statuses.items():
            data[place // each] |= status << place % each * BITS
        return cls(BITS, bytes(data))

    @classmethod
    def decoded(cls, bits: int, lst: str) -> "StatusList":
        """From a token. Raises StatusListError; unpacks no more than the longest list has."""
        if type(bits) is not int or bits not in (1, 2, 4, 8):
            raise StatusListError("malformed")
        inflate = zlib.decompressobj()
        try:
            data = inflate.decompress(decode(lst), LARGEST_DATA * bits // 8 + 1)
        except (ValueError, zlib.error) as error:
            raise StatusListError("malformed") from error
        if len(data) > LARGEST_DATA * bits // 8:
            raise StatusListError("too_large")
        if not inflate.eof or inflate.unused_data or not data:
            raise StatusListError("malformed")
        return cls(bits, data)

    def encoded(self) -> str:
        return encode(zlib.compress(self.data, 9))

    def __len__(self) -> int:
        return len(self.data) * 8 // self.bits

    def value(self, place: int) -> int:
        """Raises StatusListError for a place that the list does not have."""
        if not 0 <= place < len(self):
            raise StatusListError("out_of_range")
        each = 8 // self.bits
        return self.data[place // each] >> place % each * self.bits & (1 << self.bits) - 1

    def status(self, place: int) -> Status:
        """A number that means nothing to us is not VALID."""
        value = self.value(place)
        return Status(value) if value in tuple(Status) else Status.INVALID


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list that was verified, as long as it is held. Times are UTC seconds."""

    uri: str
    issuer: str
    statuses: StatusList
    issued_at: int
    expires_at: int
    ttl: int

    def freshness(self, now: int) -> Freshness:
        """`now` is UTC ms."""
        if now >= self.expires_at * 1000:
            return Freshness.STALE
        return Freshness.DUE if now >= (self.issued_at + self.ttl) * 1000 else Freshness.FRESH

    def word_on(self, place: int, now: int) -> tuple[GrantStatus, bool]:
        """The status at this place, and whether it is recent enough to rest on. Raises
        StatusListError."""
        status = MEANS[self.statuses.status(place)]
        return status, self.freshness(now) is not Freshness.STALE


def newer(held: HeldList | None, come: HeldList) -> HeldList:
    """Of two lists of one address the later; a replayed old one takes nothing back."""
    if held is not None and held.uri != come.uri:
        raise ValueError("lists of two addresses")
    return come if held is None or come.issued_at >= held.issued_at else held


def sign_list(issuer: Issuer, uri: str, statuses: StatusList) -> str:
    """The token. Its audience is its address: whoever asked for that list."""
    return issuer.mint(
        Kind.STATUS_LIST,
        subject=uri,
        audience=uri,
        lifetime=LONGEST[Kind.STATUS_LIST],
        more={
            "ttl": TTL,
            "status_list": {"bits": statuses.bits, "lst": statuses.encoded()},
        },
    )


def read_list(text: str, uri: str, trust: Trust, clock: Clock) -> HeldList:
    """The list of this address. Raises TokenError, StatusListError."""
    claims = Verifier(uri, trust, clock, leeway=LEEWAY).verify(Kind.STATUS_LIST, text)
    if claims.subject != uri:
        raise TokenError("wrong_subject")
    return HeldList(
        uri=uri,
        issuer=claims.issuer,
        statuses=_statuses(claims),
        issued_at=claims.issued_at,
        expires_at=claims.expires_at,
        ttl=_ttl(claims),
    )


def _statuses(claims: Claims) -> StatusList:
    said = claims.more.get("status_list")
    if not isinstance(said, dict) or not isinstance(said.get("lst"), str):
        raise StatusListError("malformed")
    return StatusList.decoded(said.get("bits", 0), said["lst"])


def _ttl(claims: Claims) -> int:
    """Ours when it says none; never longer than the token lives."""
    said = claims.more.get("ttl", TTL)
    if type(said) is not int or said <= 0:
        raise StatusListError("malformed")
    return min(said, claims.expires_at - claims.issued_at)
