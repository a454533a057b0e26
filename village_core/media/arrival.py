"""A leg on its way to another stream: waits there for a keyframe, then the leg takes its place."""

from collections.abc import Callable

from village_core.media.leg import Leg
from village_core.media.packet import Burst
from village_core.media.stream import Stream

FRESH = 1.0  # seconds: a cached picture as young as that is as good as the next keyframe
MOST_CACHED = 128  # packets


class Arrival:
    """Stands in a stream for a leg that still gets the other quality."""

    stream: Stream

    def __init__(self, leg: Leg, on_arrived: Callable[[Stream], None]) -> None:
        self._leg = leg
        self._on_arrived = on_arrived

    def joined(self, stream: Stream) -> None:
        self.stream = stream
        age = stream.picture_age(stream.clock.monotonic())
        if age is not None and age <= FRESH and stream.picture_packets <= MOST_CACHED:
            self._arrive(stream.picture)
        else:
            stream.request_keyframe()

    def offer(self, burst: Burst) -> None:
        if burst.keyframe and self in self.stream.legs:
            self._arrive([burst])

    def offer_late(self, burst: Burst) -> None:
        """Nothing was sent from this stream yet."""

    def source_replaced(self) -> None:
        """The keyframe is still to come."""

    def pace(self, now: float) -> None:
        """Sends nothing."""

    def failed(self, reason: str) -> None:
        self._leg.failed(reason)

    def _arrive(self, bursts: list[Burst]) -> None:
        self._leg.move(self, self.stream, bursts)
        self._on_arrived(self.stream)
