"""SOS and documented emergencies as the home knows them (PRM-6, PRM-7): what is open, until when.

Counted on the monotonic clock from when the agent first heard of each, so that no clock and no hub
makes one last longer. What has ended stays ended. Pure but for the clock that is passed in.

A restart makes none longer either, and no day's count smaller. In the same boot of the box the
monotonic clock went on, and so does everything. After another boot nobody knows how long it was off
before the clock is known to be right: until then what was open is closed; then the time since it
was kept is taken off, and one kept at a later time than it is now has ended. Counts are not taken
off anything: they last as if the box had never been off.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from home_agent.boxclock import BoxClock
from home_agent.state import Stored
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


class KeptOpening(Stored):
    """One as it was at `at_ms`."""

    id: str
    kind: Literal["sos", "emergency"]
    cameras: tuple[str, ...]
    age: float  # seconds since this box first heard of it
    left: float  # seconds until it ends; negative: it is over, and may be renewed
    at_ms: int
    opened_ms: int = 0
    by: str = ""
    unit: str = ""
    incident: str = ""
    sure: bool = True  # False: it waits since another boot for the clock to be right


class Kept(Stored):
    """openings.json"""

    boot: str  # the boot in which `at` counts; "": unknown
    at: float  # monotonic
    known: tuple[KeptOpening, ...] = ()
    ended: tuple[str, ...] = ()
    counted: dict[str, tuple[float, ...]] = Field(default_factory=dict)  # seconds since each


class Openings:
    """All of them; `running` are those that are open now."""

    def __init__(self, clock: BoxClock) -> None:
        self._clock = clock
        self._known: dict[str, Opening] = {}
        self._asleep: list[KeptOpening] = []  # of another boot, until the clock is known
        self._ended: deque[str] = deque(maxlen=MOST_ENDED)
        self._times: dict[str, deque[float]] = {
            kind: deque(maxlen=most) for kind, most in MOST_A_DAY.items()
        }

    def running(self) -> list[Opening]:
        self._wake()
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
        self._wake()
        now = self._clock.monotonic()
        known = self._known.get(note.id)
        if note.id in self._ended or any(each.id == note.id for each in self._asleep):
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
        self._wake()
        opening = self._known.pop(name, None)
        if any(each.id == name for each in self._asleep):
            self._asleep = [each for each in self._asleep if each.id != name]
            self._ended.append(name)
        if opening is None:
            return False
        self._ended.append(name)
        return self._clock.monotonic() < opening.ends

    def end_all(self) -> None:
        for name in [*self._known, *(each.id for each in self._asleep)]:
            self.end(name)

    def sweep(self) -> list[str]:
        """Ids of those whose time has just run out; one that may still be renewed stays known."""
        self._wake()
        now = self._clock.monotonic()
        over = [each.id for each in self._known.values() if now >= each.first + 2 * SOS_LASTS]
        for name in over:
            self.end(name)
        return over

    # Over a restart

    def kept(self, boot: str) -> Kept:
        """All that a restart has to know; `boot` names this boot of the box."""
        self._wake()
        now, at_ms = self._clock.monotonic(), self._clock.utc_ms()
        return Kept(
            boot=boot,
            at=now,
            known=(*(_kept(each, now, at_ms) for each in self._known.values()), *self._asleep),
            ended=tuple(self._ended),
            counted={
                kind: tuple(now - then for then in times) for kind, times in self._times.items()
            },
        )

    def restore(self, kept: Kept, boot: str) -> None:
        """At the start."""
        now = self._clock.monotonic()
        same = bool(boot) and kept.boot == boot and kept.at <= now
        passed = now - kept.at if same else 0.0
        self._ended.extend(kept.ended)
        for kind, times in self._times.items():
            times.extend(now - passed - max(0.0, age) for age in kept.counted.get(kind, ()))
        for each in kept.known:
            if same and each.sure:
                self._known[each.id] = _opening(each, now, passed)
            else:
                self._asleep.append(each.model_copy(update={"sure": False}))
        self._wake()

    def count_as_full(self) -> None:
        """What was counted is not known: nothing more is opened from outside for a day."""
        for kind, times in self._times.items():
            times.extend([self._clock.monotonic()] * MOST_A_DAY[kind])

    def _wake(self) -> None:
        """Those of another boot, once it is known what time it is."""
        if not self._asleep or not self._clock.is_known:
            return
        now, utc_ms = self._clock.monotonic(), self._clock.utc_ms()
        asleep, self._asleep = self._asleep, []
        for each in asleep:
            passed = (utc_ms - each.at_ms) / 1000
            if passed < 0:
                self._ended.append(each.id)
            else:
                self._known[each.id] = _opening(each, now, passed)

    def _count(self, kind: str, now: float) -> None:
        times, most = self._times[kind], MOST_A_DAY[kind]
        if len(times) == most and now < times[0] + DAY:
            raise Refused(403, "too_many", f"more than {most} a day are not opened from outside")
        times.append(now)


def _kept(opening: Opening, now: float, at_ms: int) -> KeptOpening:
    return KeptOpening(
        id=opening.id,
        kind=opening.kind,
        cameras=tuple(sorted(opening.cameras)),
        age=now - opening.first,
        left=opening.ends - now,
        at_ms=at_ms,
        opened_ms=opening.opened_ms,
        by=opening.by,
        unit=opening.unit,
        incident=opening.incident,
    )


def _opening(kept: KeptOpening, now: float, passed: float) -> Opening:
    first = now - passed - max(0.0, kept.age)
    return Opening(
        kept.id,
        kept.kind,
        frozenset(kept.cameras),
        first,
        min(now - passed + kept.left, first + LONGEST[kept.kind]),
        kept.opened_ms,
        kept.by,
        kept.unit,
        kept.incident,
    )
