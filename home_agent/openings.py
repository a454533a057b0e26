"""SOS and documented emergencies as the home knows them (PRM-6, PRM-7): what is open, until when.

Counted on the monotonic clock from when the agent first heard of each, so that no clock and no hub
makes one last longer. What has ended stays ended. Pure but for the clock that is passed in.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from home_agent.boxclock import BoxClock
from village_core.messages import OpeningNote
from village_core.uplink import Refused

SOS_LASTS = 15 * 60.0  # seconds; renewed once
EMERGENCY_LASTS = 15 * 60.0
LONGEST = {"sos": 2 * SOS_LASTS, "emergency": EMERGENCY_LASTS}
DAY = 24 * 3600.0
MOST_A_DAY = {"sos": 6, "emergency": 2}  # opened from outside; the household's own are not counted
MOST_ENDED = 500  # ids remembered, so that none is opened again


@dataclass(frozen=True, slots=True)
class Opening:
    id: str
    kind: Literal["sos", "emergency"]
    cameras: frozenset[str]
    first: float  # monotonic: when this box first heard of it
    ends: float
    opened_ms: int = 0
    by: str = ""
    unit: str = ""
    incident: str = ""


class Openings:
    """All of them; `running` are those that are open now."""

    def __init__(self, clock: BoxClock) -> None:
        self._clock = clock
        self._known: dict[str, Opening] = {}
        self._ended: deque[str] = deque(maxlen=MOST_ENDED)
        self._times: dict[str, deque[float]] = {
            kind: deque(maxlen=most) for kind, most in MOST_A_DAY.items()
        }

    def running(self) -> list[Opening]:
        now = self._clock.monotonic()
        return [each for each in self._known.values() if now < each.ends]

    def get(self, name: str) -> Opening | None:
        return next((each for each in self.running() if each.id == name), None)

    def raise_here(self, name: str, cameras: frozenset[str], by: str) -> Opening:
        """The household's own press."""
        now = self._clock.monotonic()
        opening = Opening(name, "sos", cameras, now, now + SOS_LASTS, self._clock.utc_ms(), by)
        self._known[name] = opening
        return opening

    def put(self, note: OpeningNote, cameras: frozenset[str]) -> Opening:
        """From the hub; `cameras` are those that may be opened at all. Raises Refused."""
        now = self._clock.monotonic()
        known = self._known.get(note.id)
        if note.id in self._ended:
            raise Refused(403, "over", "this opening has ended")
        first = known.first if known else now
        kind = known.kind if known else note.kind
        ends = min(first + LONGEST[kind], self._clock.until(note.ends))
        if ends <= now:
            raise Refused(403, "over", "this opening's time is over")
        if known is not None:
            opening = replace(known, ends=ends)
        else:
            self._count(note.kind, now)
            opening = Opening(
                note.id,
                note.kind,
                cameras,
                first,
                min(ends, now + SOS_LASTS),  # nothing is renewed before it was ever opened
                note.opened,
                note.by,
                note.unit,
                note.incident,
            )
        self._known[note.id] = opening
        return opening

    def end(self, name: str) -> bool:
        """Whether it was open."""
        opening = self._known.pop(name, None)
        if opening is None:
            return False
        self._ended.append(name)
        return self._clock.monotonic() < opening.ends

    def end_all(self) -> None:
        for name in list(self._known):
            self.end(name)

    def sweep(self) -> list[str]:
        """Ids of those whose time has just run out; one that may still be renewed stays known."""
        now = self._clock.monotonic()
        over = [each.id for each in self._known.values() if now >= each.first + 2 * SOS_LASTS]
        for name in over:
            self.end(name)
        return over

    def _count(self, kind: str, now: float) -> None:
        times, most = self._times[kind], MOST_A_DAY[kind]
        if len(times) == most and now < times[0] + DAY:
            raise Refused(403, "too_many", f"more than {most} a day are not opened from outside")
        times.append(now)
