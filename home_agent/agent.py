"""The composition root: what an agent is made of, started and stopped in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from home_agent.alarm_inputs import Alarms
from home_agent.boxclock import BoxClock
from home_agent.camera import Camera
from home_agent.config import Config
from home_agent.consent import Consent
from home_agent.console import Console
from home_agent.control import open_control
from home_agent.enrol import household_key
from home_agent.household import Household
from home_agent.hublink import Announced, FindHubs, HubLink
from home_agent.journal import Journal
from home_agent.lan import LanPage
from home_agent.onvif_camera import OnvifCamera
from home_agent.pace import Pace
from home_agent.panel import start_panel, start_sos_panel
from home_agent.parent import Enrolment
from home_agent.push import Pushes
from home_agent.sending import Senders
from home_agent.sos import Sos
from home_agent.sources import Source, SourceEvents, SourceOptions, open_source
from home_agent.state import State, StateError
from home_agent.stills import Stills
from home_agent.switch import Switch
from home_agent.telling import Telling
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
        self.consent = Consent(state, clock, config.consent, self.cameras)
        self.journal = Journal(state, clock)
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
            consent=self.consent,
            journal=self.journal,
            start_push=self.senders.start,
            send_still=self.stills.send,
            status=self.status,
        )
        self.sos = Sos(
            state, clock, self.consent, self.journal, self.link.parent, self.link.changed
        )
        self.alarms = Alarms(state, lambda: self.sos.press("alarm"), clock)
        self.telling = Telling(state, self.consent, self.journal, self.link, clock)
        self.link.routes = [*self.pushes.routes, *self.consent.routes]
        self.link.on_enrolment = self._enrolled
        self.link.on_revoked = lambda: self.pushes.end_all("the hub has revoked this agent")
        self.switch.listen(self.link.changed)
        self.lan = LanPage(self) if config.lan.enabled else None

    def start(self) -> None:
        for camera in self.cameras.values():
            self._start_camera(camera)
        self.supervisor.start("pace", self.pace.run)
        self.supervisor.start("permits", self.pushes.watch)
        self.supervisor.start("openings", self.consent.openings_file.run)
        self.supervisor.start("sos", self.sos.run, expected=(StateError,))
        start_panel(self.config.switch, self.switch, self.supervisor)
        start_sos_panel(self.config.sos, self.sos, self.supervisor, self.clock)
        self.telling.start(self.supervisor)
        self.link.start()
        if self.lan is not None:
            self.lan.start()

    def _start_camera(self, camera: Camera) -> None:
        def begin(urls: Mapping[Quality, str]) -> None:
            camera.start(urls, self._open_source, self.supervisor)

        if camera.config.onvif and not camera.has_default_password:
            known = OnvifCamera(camera, begin, self.state, self.clock)
            self.supervisor.start(f"camera {camera.key} onvif", known.run, expected=(StateError,))
            self.alarms.start(camera, lambda: known.address, self.supervisor)
        else:
            self.alarms.start(camera, lambda: camera.config.onvif, self.supervisor)
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

    async def _enrolled(self, enrolment: Enrolment) -> None:
        """One that holds: at the start, and whenever the box is enrolled anew (IDN-15)."""
        key = await asyncio.to_thread(household_key, self.state)
        self.consent.begin(enrolment, key)
        try:
            await self.consent.save()
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400 - it holds until a restart, which finds out again

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
            "alarms": self.alarms.reports(),
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
                    {
                        "subject": note.subject,
                        "name": note.name,
                        "unit": note.unit_name,
                        "purpose": note.purpose,
                        "reason": note.reason,
                        "until": note.until,
                        "basis": note.basis,
                        "outside": note.outside,
                    }
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
        await stack.enter_async_context(
            open_control(state.folder, agent.switch, agent.report, Console(agent).do)
        )
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
