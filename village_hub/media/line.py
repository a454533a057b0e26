"""The line to the hub above: its legs, and what room.py makes of what arrived of them."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from village_core.clock import Clock
from village_core.messages import PushRequest
from village_core.permits import Purpose, Quality
from village_core.permitted import Permitted
from village_core.transport.sending import Sent
from village_hub.catalogue.rows import CameraRow
from village_hub.media.feed import Feed
from village_hub.media.room import LOOK_EVERY, USUAL, Leg, Room, rank_of


@dataclass(slots=True, kw_only=True, eq=False)
class Up:
    """One push to the hub above, from its request on. `began` on the monotonic clock; `rate` in
    bits per second, as last measured."""

    request: PushRequest
    camera: CameraRow
    feed: Feed
    permitted: Permitted
    began: float
    rate: float
    starting: asyncio.Task[Any] | None = None
    sent: Sent | None = None
    counted: int = 0  # octets at the last look

    def key(self, permit: str) -> str:
        return f"up {self.request.push} {permit}"

    @property
    def quality(self) -> Quality:
        return self.request.quality

    @property
    def octets(self) -> int:
        return self.sent.viewer.stats().octets if self.sent else 0

    @property
    def loss(self) -> float:
        return (self.sent.viewer.stats().loss or 0.0) if self.sent else 0.0


class Line:
    def __init__(self, ups: Callable[[], Collection[Up]], clock: Clock) -> None:
        self.ups = ups
        self._clock = clock
        self.room = Room()
        self._looked = clock.monotonic()
        self._rates: dict[tuple[str, Quality], float] = {}

    def rate_of(self, camera: str, quality: Quality) -> float:
        """What one push of it takes, as far as is known."""
        return self._rates.get((camera, quality), USUAL[quality])

    def fits(self, camera: CameraRow, purpose: Purpose, wanted: Quality) -> Quality | None:
        """The quality for one more look: the wanted one, else a smaller one; None: there is no
        room. Who looks along with others needs none."""
        there = {up.quality for up in self.ups() if up.camera.id == camera.id}
        smaller = camera.nearest(Quality.SUB)
        for quality in dict.fromkeys((wanted, smaller)):
            rate = self.rate_of(camera.id, quality)
            if quality in there or self.room.admits(self._legs(), rank_of({purpose}), rate):
                return quality
        return None

    def make_way(self, up: Up) -> list[str]:
        """The pushes that are to go for this one, which is about to begin."""
        others = [leg for leg in self._legs() if leg.id != up.request.push]
        return self.room.make_way(others, self._leg(up).rank, up.rate)

    def look(self) -> list[str]:
        """Every LOOK_EVERY: the pushes that are to give way, for too little arrives."""
        now = self._clock.monotonic()
        passed = now - self._looked
        if passed < LOOK_EVERY:
            return []
        self._looked = now
        running = [up for up in self.ups() if up.sent is not None]
        for up in running:
            self._measure(up, passed)
        return self.room.look([self._leg(up) for up in running])

    def _measure(self, up: Up, passed: float) -> None:
        octets = up.octets
        if up.counted:
            up.rate = (octets - up.counted) * 8 / passed
            if up.loss == 0 and up.rate:
                self._rates[up.camera.id, up.quality] = up.rate
        up.counted = octets

    def _legs(self) -> list[Leg]:
        return [self._leg(up) for up in self.ups()]

    def _leg(self, up: Up) -> Leg:
        notes = [note for name, note in up.permitted.notes.items() if name in up.permitted.ends]
        return Leg(
            id=up.request.push,
            rank=rank_of(note.purpose for note in notes),
            quality=up.quality,
            began=up.began,
            rate=up.rate,
            loss=up.loss,
        )
