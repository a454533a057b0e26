"""The public summaries of quarters that are over: made once, for everybody (AUD-6)."""

import asyncio

from village_core.clock import Clock
from village_hub.audit.summary import Summary, quarter_bounds, summarise
from village_hub.catalogue import audit_counts, audit_reading
from village_hub.catalogue.audit_reading import Wanted
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import NotFound

MOST_KEPT = 40  # quarters, ten years


class Summaries:
    """A stranger's question costs one walk over a quarter at most once a start of the hub."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._made: dict[str, Summary] = {}
        self._alone = asyncio.Lock()

    async def of(self, quarter: str) -> Summary:
        """Raises NotFound for a quarter that is not over, or before the log began."""
        async with self._alone:
            if quarter not in self._made:
                await self._check(quarter)
                self._made[quarter] = await self._catalogue.read(summary_of, quarter)
                if len(self._made) > MOST_KEPT:
                    del self._made[next(iter(self._made))]
            return self._made[quarter]

    async def _check(self, quarter: str) -> None:
        nothing = NotFound("there is no summary of that quarter")
        try:
            _, end = quarter_bounds(quarter)
        except ValueError as error:
            raise nothing from error
        first = await self._catalogue.read(audit_reading.first_time)
        if first is None or not first < end <= self._clock.utc_ms():
            raise nothing


def summary_of(session: Session, quarter: str) -> Summary:
    begin, end = quarter_bounds(quarter)
    each = audit_reading.each(session, Wanted(since=begin, until=end))
    return summarise(quarter, each, audit_counts.counts(session, begin, end))
