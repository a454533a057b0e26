"""One camera at one quality on its way to this node: its stream, who wants it, who brings it."""

import asyncio
from dataclasses import dataclass

from village_core.clock import Clock
from village_core.media.publisher import STALLED_AFTER, Publisher
from village_core.media.stream import Stream
from village_core.permits import PermitNote, Quality
from village_core.transport import Choice, ServerSession
from village_core.transport.signalling import SessionUrl
from village_hub.catalogue.rows import CameraRow


@dataclass(slots=True, kw_only=True)
class Publishing:
    """A WHIP session of this node."""

    id: str
    credential: str
    publisher: Publisher
    session: ServerSession
    url: SessionUrl
    choices: list[Choice]
    feed: "Feed"

    @property
    def permit(self) -> None:
        """It stands on a ticket or a publish token."""

    def end(self, reason: str) -> None:
        self.publisher.end(reason)
        self.session.close(reason)


class Feed:
    """Kept while it is wanted or published. `changed` is set whenever any of its state changed."""

    def __init__(self, camera: str, quality: Quality, clock: Clock, audio: Stream) -> None:
        self.camera = camera
        self.quality = quality
        self.stream = Stream(camera, quality, clock)
        self.audio = audio  # one of a camera: the newest publisher brings it
        self.wanted: dict[str, PermitNote] = {}  # by session id
        self.publishing: Publishing | None = None
        self.push: str | None = None  # the id of the push last asked for
        self.row: CameraRow | None = None  # the camera as it was when this began
        self.changed = asyncio.Event()
        self._clock = clock

    @property
    def flowing(self) -> bool:
        """Whether its source brings packets now."""
        publishing = self.publishing
        if publishing is None or publishing.publisher.ended is not None:
            return False
        last = publishing.publisher.last_packet_at
        return last is not None and self._clock.monotonic() - last < STALLED_AFTER

    def permits(self) -> list[PermitNote]:
        """The permits it is wanted under, each once."""
        return list({permit.id: permit for permit in self.wanted.values()}.values())

    def want(self, session_id: str, permit: PermitNote) -> None:
        self.wanted[session_id] = permit
        self.changed.set()

    def release(self, session_id: str) -> None:
        if self.wanted.pop(session_id, None) is not None:
            self.changed.set()

    def take(self, publishing: Publishing) -> None:
        """A new source replaces the old (design.md: the receiver drives recovery)."""
        before, self.publishing = self.publishing, publishing
        if before is not None:
            before.end("replaced by a newer push")
        self.changed.set()

    def lose(self, publisher: Publisher) -> None:
        if self.publishing is not None and self.publishing.publisher is publisher:
            self.publishing = None
        self.changed.set()
