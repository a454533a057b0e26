"""How a push leaves the home: one leg of the camera's stream."""

from collections.abc import Callable

from home_agent.camera import Camera, Encoding
from home_agent.pace import Pace
from home_agent.parent import Parent
from village_core.line import ParentError
from village_core.messages import PushRequest
from village_core.transport import PushError, PushMedia, PushSettings
from village_core.transport.sending import Sent, Source, send


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
    ) -> Sent:
        """Raises PushError or ParentError."""
        described = encoding.described
        if described is None:
            raise PushError("the camera went away")
        source = Source(
            quality=encoding.quality,
            video=encoding.stream,
            audio=camera.audio,
            media=PushMedia(described.profile_level_id, camera.audio_codec),
        )
        return await send(
            source,
            request.to,
            http=self._parent().line.http,
            settings=self._settings,
            viewers=self._pace.viewers,
            ended=ended,
        )


PUSH_ERRORS = (PushError, ParentError)
