"""How a push leaves: a WHIP session to the hub as one leg of the camera's stream."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from home_agent.camera import Camera, Encoding
from home_agent.pace import Pace
from home_agent.parent import Parent, ParentError
from village_core.jobs import Supervisor
from village_core.media.viewer import Viewer, ViewerEvents
from village_core.messages import PushRequest
from village_core.transport import Push, PushError, PushMedia, PushSettings
from village_core.transport.joining import sending_of

log = logging.getLogger(__name__)


class Senders:
    """Starts pushes."""

    def __init__(self, parent: Callable[[], Parent], settings: PushSettings, pace: Pace) -> None:
        self._parent = parent
        self._settings = settings
        self._pace = pace

    async def start(
        self,
        request: PushRequest,
        camera: Camera,
        encoding: Encoding,
        ended: Callable[[str], None],
    ) -> "Sent":
        """Raises PushError or ParentError."""
        described = encoding.described
        if described is None:
            raise PushError("the camera went away")
        holder: list[Sent] = []

        def joined(push: Push) -> Viewer:
            viewer = Viewer(
                {encoding.quality: encoding.stream},
                {choice.kind: sending_of(choice) for choice in push.choices},
                self._settings.clock,
                audio=camera.audio,
                quality=encoding.quality,
                events=ViewerEvents(on_ended=self._ended(ended)),
            )
            viewer.attach(push)
            self._pace.viewers.add(viewer)
            holder.append(Sent(push, viewer, self._settings.supervisor))
            return viewer

        await Push.start(
            request.to.url,
            request.to.ticket,
            PushMedia(described.profile_level_id, camera.audio_codec),
            joined,
            http=self._parent().line.http,
            settings=self._settings,
        )
        return holder[0]

    def _ended(self, ended: Callable[[str], None]) -> Callable[[Viewer, str], None]:
        def forget(viewer: Viewer, reason: str) -> None:
            self._pace.viewers.discard(viewer)
            ended(reason)

        return forget


class Sent:
    """A running push."""

    def __init__(self, push: Push, viewer: Viewer, supervisor: Supervisor) -> None:
        self._push = push
        self._viewer = viewer
        self._supervisor = supervisor
        self._ending: asyncio.Task[Any] | None = None

    def cut(self, reason: str) -> None:
        self._viewer.end(reason)  # leaves the stream now
        if self._ending is None:
            self._ending = self._supervisor.once(
                f"goodbye of push {self._push.id}", self._push.stop(reason)
            )

    async def gone(self) -> None:
        if self._ending is not None:
            await self._ending


PUSH_ERRORS = (PushError, ParentError)
