"""The status lists that this hub publishes (IDN-9): which of its households' grants are taken back.

Grants are numbered in the order in which they were kept. Each list has room for SIZE of them and is
always whole, so that its length says nothing; a grant's place is its number's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from village_core.clock import Clock
from village_core.grant_tokens import StatusPlace
from village_core.status_list import TTL, Status, StatusList, sign_list
from village_hub.access.token_keys import TokenKeys

PATH = "/api/v1/status-lists"
SIZE = 2**16  # places of one list: 16 KiB before it is packed
SIGNED_EVERY = 5.0  # seconds, unless something changed: strangers may ask as often as they like
MOST_LISTS = 1000  # far more grants than a hub will ever have

Statuses = Callable[[int, int], Awaitable[Mapping[int, Status] | None]]
"""Of the grants numbered from the first until before the second, those that are not VALID; None
when none has such a number."""


def number_of(place: StatusPlace) -> int | None:
    """The reverse of `StatusLists.place`, whatever address the hub had then; None: no such list."""
    path, _, number = place.uri.rpartition("/")
    if not path.endswith(PATH) or not number.isascii() or not number.isdigit() or len(number) > 4:
        return None
    known = place.idx < SIZE and 1 <= int(number) <= MOST_LISTS
    return (int(number) - 1) * SIZE + place.idx if known else None


@dataclass(frozen=True, slots=True)
class Signed:
    text: str = field(repr=False)
    at: int  # UTC ms
    signed: float  # on the monotonic clock

    def good_for(self, now: int) -> int:
        """Seconds that somebody may keep this copy."""
        return max(0, TTL - max(0, now - self.at) // 1000)


class StatusLists:
    """Signs lists when they are asked for, and keeps each for a moment."""

    def __init__(self, url: str, keys: TokenKeys, clock: Clock, statuses: Statuses) -> None:
        """`url` is the hub's own; `statuses` asks its grants."""
        self._url = url
        self._keys = keys
        self._clock = clock
        self._statuses = statuses
        self._kept: dict[int, Signed] = {}
        self._change = 0
        self._one_at_a_time = asyncio.Lock()

    def place(self, number: int) -> StatusPlace:
        """Where the status of the grant with this number stands, for its `status` claim. Raises
        ValueError when there is no such place."""
        if not 0 <= number < SIZE * MOST_LISTS:
            raise ValueError(f"grant {number} has no place in a status list")
        return StatusPlace(idx=number % SIZE, uri=self._uri(number // SIZE + 1))

    def changed(self) -> None:
        """A status has: whoever asks from now on is told."""
        self._change += 1
        self._kept.clear()

    async def signed(self, number: int) -> Signed | None:
        """List `number`, from 1; None: there is none."""
        if not 1 <= number <= MOST_LISTS:
            return None
        async with self._one_at_a_time:
            kept = self._kept.get(number)
            if kept is not None and self._clock.monotonic() - kept.signed < SIGNED_EVERY:
                return kept
            return await self._sign(number)

    async def _sign(self, number: int) -> Signed | None:
        change, at, signed = self._change, self._clock.utc_ms(), self._clock.monotonic()
        first = (number - 1) * SIZE
        found = await self._statuses(first, first + SIZE)
        if found is None:
            return None
        places = {each - first: status for each, status in found.items()}
        text = sign_list(self._keys.issuer(), self._uri(number), StatusList.of(places, SIZE))
        made = Signed(text, at, signed)
        if change == self._change:  # else something changed while it was read
            self._kept[number] = made
        return made

    def _uri(self, number: int) -> str:
        return f"{self._url}{PATH}/{number}"
