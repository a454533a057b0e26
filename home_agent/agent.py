"""The composition root: what an agent is made of, started and stopped in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from home_agent.boxclock import BoxClock
from home_agent.camera import Camera
from home_agent.config import Config
from home_agent.control import open_control
from home_agent.household import Household
from home_agent.hublink import Announced, FindHubs, HubLink
from home_agent.lan import LanPage
from home_agent.onvif_camera import OnvifCamera
from home_agent.pace import Pace
from home_agent.panel import start_panel
from home_agent.push import Pushes
from home_agent.sending import Senders
from home_agent.sources import Source, SourceEvents, SourceOptions, open_source
from home_agent.state import State, StateError
from home_agent.stills import Stills
from home_agent.switch import Switch
from village_core.ids import new_id
from village_core.jobs import Supervisor
from village_core.media.stream import Stream
from village_core.messages import AgentStatus
from village_core.permits import Quality
from village_core.transport import Certificate, PushSettings

log = logging.getLogger(__name__)

VERSION = version("security-village")
GOODBYES = 3.0  # seconds for running pushes to end properly at a stop


class Agent:
    """One household's box. `start` returns when everything is under way."""

    def __init__(self, config: Config, state: State, clock: BoxClock, find_hubs: FindHubs) -> None:
        self.config = config
        self.state = state
        self.clock = clock
        self.supervisor = Supervisor(clock)
        self.household = Household(state, clock)
        self.switch = Switch(state, self.household)
        self.certificate = Certificate.make()
        self.cameras = dict(self._cameras())
        self.pace = Pace(self.streams, clock)
        self.link = HubLink(
            state,
            config.hub.url,
            clock,
            self.supervisor,
            status=self.status,
            find_hubs=find_hubs,
        )
        self.senders = Senders(self.link.parent, self._push_settings(), self.pace)
        self.stills = Stills(self.link.parent)
        self.pushes = Pushes(
            self.cameras,
            self.switch,
            clock,
            self.supervisor,
            start_push=self.senders.start,
            send_still=self.stills.send,
            status=self.status,
        )
        self.link.routes = self.pushes.routes
        self.link.on_revoked = lambda: self.pushes.end_all("the hub has revoked this agent")
        self.switch.listen(self.link.changed)
        self.lan = LanPage(self) if config.lan.enabled else None

    def start(self) -> None:
        for camera in self.cameras.values():
            self._start_camera(camera)
        self.supervisor.start("pace", self.pace.run)
        self.supervisor.start("permits", self.pushes.watch)
        start_panel(self.config.switch, self.switch, self.supervisor)
        self.link.start()
        if self.lan is not None:
            self.lan.start()

    def _start_camera(self, camera: Camera) -> None:
        def begin(urls: Mapping[Quality, str]) -> None:
            camera.start(urls, self._open_source, self.supervisor)

        if camera.config.onvif and not camera.has_default_password:
            known = OnvifCamera(camera, begin, self.state, self.clock)
            self.supervisor.start(f"camera {camera.key} onvif", known.run, expected=(StateError,))
        else:
            begin({Quality.MAIN: camera.config.main, Quality.SUB: camera.config.sub})

    async def stop(self) -> None:
        """Nothing more leaves; peers are told; everything ends."""
        try:
            async with asyncio.timeout(GOODBYES):
                await self.pushes.close()
        except TimeoutError:
            log.info("not every push could say goodbye")
        await self.supervisor.stop()
        await self.link.close()

    def streams(self) -> Iterator[Stream]:
        for camera in self.cameras.values():
            for encoding in camera.encodings.values():
                yield encoding.stream
            if camera.audio is not None:
                yield camera.audio

    def status(self) -> AgentStatus:
        off = self.switch.off
        notes = [camera.note(privacy_off=off) for camera in self.cameras.values()]
        return AgentStatus(version=VERSION, privacy_off=off, cameras=notes)

    def report(self) -> dict[str, Any]:
        """For the command line: the state in words, without addresses and secrets."""
        enrolment = self.link.enrolment
        return {
            "privacy_off": self.switch.off,
            "hub": enrolment.hub_name if enrolment else "",
            "household": enrolment.household_name if enrolment else "",
            "connected": self.link.connected,
            "hub_trouble": self.link.trouble,
            "cameras": [_camera_report(camera) for camera in self.cameras.values()],
            "pushes": self.watched(),
        }

    def watched(self) -> list[dict[str, Any]]:
        """What leaves the home now, and on whose permits."""
        return [
            {
                "camera": push.camera.name,
                "quality": push.request.quality,
                "since_ms": push.since_ms,
                "viewers": [
                    {"subject": note.subject, "purpose": note.purpose, "outside": note.outside}
                    for note in push.permitted.notes.values()
                ],
            }
            for push in self.pushes.running
        ]

    def _cameras(self) -> Iterator[tuple[str, Camera]]:
        wanted = {key: camera.id for key, camera in self.config.cameras.items()}
        ids = self.state.camera_ids(wanted, lambda: new_id(self.clock))
        for key, config in self.config.cameras.items():
            kept = config.password.reveal() if config.password else self.state.password(key)
            camera = Camera(
                key,
                config.name,
                config,
                kept,
                id=ids[key],
                clock=self.clock,
                on_change=self._camera_changed,
            )
            yield camera.id, camera

    def _camera_changed(self) -> None:
        self.link.changed()

    def _open_source(self, url: str, options: SourceOptions, events: SourceEvents) -> Source:
        return open_source(url, options, events, self.supervisor, self.clock)

    def _push_settings(self) -> PushSettings:
        return PushSettings(
            supervisor=self.supervisor, certificate=self.certificate, clock=self.clock
        )


@asynccontextmanager
async def running(
    config: Config, *, clock: BoxClock | None = None, find_hubs: FindHubs | None = None
) -> AsyncIterator[Agent]:
    """An agent that works while the context is open. Raises StateError or ControlError."""
    state = await asyncio.to_thread(State.open, config.state)
    async with AsyncExitStack() as stack:
        agent = Agent(config, state, clock or BoxClock(), find_hubs or _nobody)
        stack.push_async_callback(agent.stop)
        await stack.enter_async_context(open_control(state.folder, agent.switch, agent.report))
        agent.start()
        yield agent


async def _nobody(_: float) -> Sequence[Announced]:
    return ()


def _camera_report(camera: Camera) -> dict[str, Any]:
    return {
        "name": camera.name,
        "id": camera.id,
        "online": camera.online,
        "trouble": camera.sentence,
        "pictures": {
            quality: f"{each.described.width}x{each.described.height}"
            for quality, each in camera.encodings.items()
            if each.live and each.described
        },
    }
