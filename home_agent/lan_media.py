"""Live view for the household on its own network: the hub's server half, beside the cameras."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from home_agent.camera import Camera
from home_agent.config import LanConfig
from home_agent.lan_network import OwnNetwork
from home_agent.pace import Pace
from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.media.viewer import Viewer, ViewerEvents
from village_core.permits import Quality
from village_core.transport import (
    Certificate,
    MediaPort,
    PortError,
    PortSettings,
    SdpError,
    sdp,
    signalling,
)
from village_core.transport.joining import sending_of

log = logging.getLogger(__name__)

MOST_VIEWERS = 12  # a household; each takes a copy of every packet
LOOK_EVERY = 10.0  # seconds between looks at the box's addresses


@dataclass(slots=True)
class Watching:
    """One viewer; `holder` is the signed-in session that opened it (MED-2)."""

    holder: str
    viewer: Viewer
    url: signalling.SessionUrl
    close: Callable[[str], None]


class LanMedia:
    """The UDP port and its viewers. `run` is a job: it follows the box's addresses."""

    def __init__(
        self,
        config: LanConfig,
        network: OwnNetwork,
        certificate: Certificate,
        supervisor: Supervisor,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._config = config
        self._network = network
        self._certificate = certificate
        self._supervisor = supervisor
        self._pace = pace
        self._clock = clock
        self._port: MediaPort | None = None
        self._bound: Sequence[str] = ()
        self._watching: dict[str, Watching] = {}

    async def run(self) -> None:
        """Raises PortError when the port is taken."""
        try:
            while True:
                await self.follow()
                await self._clock.sleep(LOOK_EVERY)
        finally:
            await self.close()

    async def follow(self) -> None:
        """Open the port on the addresses that the box has now."""
        await asyncio.to_thread(self._network.refresh)
        wanted = self._config.media_addresses or self._network.addresses or ["127.0.0.1"]
        if list(wanted) == list(self._bound):
            return
        await self.close()
        settings = PortSettings(addresses=wanted, port=self._config.media_port)
        self._port = await MediaPort.open(
            settings, self._certificate, self._supervisor, self._clock
        )
        self._bound = list(wanted)
        log.info("the LAN page plays from UDP port %d", self._port.port)

    def watch(
        self, camera: Camera, quality: Quality, offer_text: str, holder: str
    ) -> signalling.Reply:
        """WHEP POST: 201 with the answer, or why not."""
        streams = camera.streams
        encoding = camera.live(quality) or next(
            (each for each in camera.encodings.values() if each.live), None
        )
        if encoding is None or encoding.described is None or self._port is None:
            return signalling.Reply(409, (("Retry-After", "5"),), detail="there is no picture")
        if len(self._watching) >= MOST_VIEWERS:
            return signalling.Reply(503, (("Retry-After", "5"),), detail="too many viewers")
        try:
            offer = sdp.read_offer(offer_text)
            profile = encoding.described.profile_level_id
            choices = sdp.choose_to_send(offer, profile, camera.audio_codec)
        except SdpError as error:
            return signalling.offer_refused(error)
        viewer = Viewer(
            streams,
            {choice.kind: sending_of(choice) for choice in choices},
            self._clock,
            audio=camera.audio,
            quality=encoding.quality,
            events=ViewerEvents(on_ended=self._ended),
        )
        session = self._port.accept(offer, viewer, choices)
        viewer.attach(session)
        url = signalling.SessionUrl(session, offer, choices)
        self._pace.viewers.add(viewer)
        self._watching[url.secret] = Watching(holder, viewer, url, session.close)
        log.info("camera %s: the household watches on its own network", camera.key)
        answer = sdp.write_answer(offer, choices, session.description, "sendonly")
        return url.created(answer, f"/whep/sessions/{url.secret}")

    def session(self, secret: str, holder: str) -> signalling.SessionUrl | None:
        """The session behind its URL, for the one who opened it."""
        found = self._watching.get(secret)
        return found.url if found is not None and found.holder == holder else None

    def end(self, holder: str | None, reason: str) -> None:
        """End the viewers of one signed-in session, or all."""
        for watching in list(self._watching.values()):
            if holder is None or watching.holder == holder:
                watching.close(reason)

    async def close(self) -> None:
        self.end(None, "the LAN page is closing")
        port, self._port, self._bound = self._port, None, ()
        if port is not None:
            await port.close()

    def _ended(self, viewer: Viewer, _: str) -> None:
        self._pace.viewers.discard(viewer)
        for secret, watching in list(self._watching.items()):
            if watching.viewer is viewer:
                del self._watching[secret]


LAN_MEDIA_ERRORS = (PortError, OSError)
