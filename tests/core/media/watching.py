"""A leg's test bench: a camera's stream and one leg on a wire."""

from tests.core.media.support import (
    Camera,
    TurnedClock,
    Wire,
    sending,
    video,
)
from village_core.media.leg import (
    Leg,
)


class Watching:
    """A camera's stream and one leg on a wire."""

    def __init__(self, *, gop: int = 10, size: int = 3000, rtx: bool = False) -> None:
        self.clock = TurnedClock()
        self.stream = video(self.clock)
        self.camera = Camera(self.stream, self.clock, gop=gop, size=size)
        self.wire = Wire()
        self.leg = Leg(self.stream, self.wire, sending(rtx=rtx))

    @property
    def stamps(self) -> list[int]:
        """The timestamps sent, each once."""
        return list(dict.fromkeys(parsed.timestamp for parsed in self.wire.parsed))
