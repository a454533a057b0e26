"""How a stream goes up: a WHIP session as one leg of it, which is cut at once when it must be."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from village_core.jobs import Supervisor
from village_core.media.stream import Stream
from village_core.media.viewer import Viewer, ViewerEvents
from village_core.messages import Ticketed
from village_core.permits import Quality
from village_core.transport.client import Push, PushMedia, PushSettings
from village_core.transport.joining import sending_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is sent: one quality of a camera, and its sound."""

    quality: Quality
    video: Stream
    audio: Stream | None
    media: PushMedia


class Sent:
    """A running push."""

    def __init__(self, push: Push, viewer: Viewer, supervisor: Supervisor) -> None:
        self.viewer = viewer
        self._push = push
        self._supervisor = supervisor
        self._ending: asyncio.Task[Any] | None = None

    def cut(self, reason: str) -> None:
        """Nothing more leaves after this returns; the goodbyes follow in the background."""
        self.viewer.end(reason)  # leaves the stream now
        if self._ending is None:
            self._ending = self._supervisor.once(
                f"goodbye of push {self._push.id}", self._push.stop(reason)
            )

    async def gone(self) -> None:
        """Returns when the goodbyes are said."""
        if self._ending is not None:
            await self._ending


async def send(
    source: Source,
    to: Ticketed,
    *,
    http: ClientSession,
    settings: PushSettings,
    viewers: set[Viewer],
    ended: Callable[[str], None],
) -> Sent:
    """Connects; raises PushError. The leg is in `viewers`, whom somebody ticks, while it runs;
    `ended` is called when it ends by itself."""
    holder: list[Sent] = []

    def gone(viewer: Viewer, reason: str) -> None:
        viewers.discard(viewer)
        ended(reason)

    def joined(push: Push) -> Viewer:
        viewer = Viewer(
            {source.quality: source.video},
            {choice.kind: sending_of(choice) for choice in push.choices},
            settings.clock,
            audio=source.audio,
            quality=source.quality,
            events=ViewerEvents(on_ended=gone),
        )
        viewer.attach(push)
        viewers.add(viewer)
        holder.append(Sent(push, viewer, settings.supervisor))
        return viewer

    await Push.start(to.url, to.ticket, source.media, joined, http=http, settings=settings)
    return holder[0]
