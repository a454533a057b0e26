"""Cameras' alarm inputs: a panic button or a sensor wired to a camera calls for help (PRM-6).

Whether they are heard is said wherever people look: a button that calls nobody is worse than none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from pydantic import Field

from home_agent.camera import LOCKED_PAUSE, LOCKING, Camera
from home_agent.config import AlarmContact
from home_agent.contact import Contact, Standing
from home_agent.onvif import Heard
from home_agent.onvif_events import ears
from home_agent.rtsp.digest import Credentials
from home_agent.rtsp.failure import SourceFailure
from home_agent.state import State, StateError, Stored
from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.troubles import Trouble

log = logging.getLogger(__name__)

FILE = "alarms.json"
LONGEST_PAUSE = 10.0  # seconds between tries to listen
SETTLED = 2  # answers after which a camera has said how its inputs stand, if it ever does
WRITE_EVERY = 5.0  # seconds: a contact that flutters is not to wear the box's storage out
STARTING = "The box does not listen yet."

WORDS: Mapping[str, str] = {
    "deaf": "NOT HEARD: pressing it calls nobody now",
    "waiting": "connected, the camera has not said yet how it stands",
    "unknown": "NOT HEARD YET: the camera tells nothing of it; is this its token?",
    "unreadable": "NOT HEARD: what the camera tells of it makes no sense",
    "quiet": "heard, nobody calls",
    "alarm": "heard, in the alarm state",
}

Press = Callable[[], Awaitable[object]]
Address = Callable[[], str]


class Known(Stored):
    """alarms.json: LogicalState by camera key and input token."""

    states: dict[str, dict[str, bool]] = Field(default_factory=dict)


class Memory:
    """How the contacts stood, over a restart: what changed meanwhile is a call, too."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._written = float("-inf")
        self._lock = asyncio.Lock()
        try:
            self.known = (state.read(FILE, Known) or Known()).states
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400 - it is found out again
            self.known = {}

    async def keep(self, key: str, contacts: Iterable[Contact]) -> None:
        """Never fails: it is only for the next start. What is not written now is with the next."""
        states = {each.token: each.known for each in contacts if each.known is not None}
        now = self._clock.monotonic()
        if states == self.known.get(key) or now - self._written < WRITE_EVERY:
            return
        self._written = now
        async with self._lock:
            self.known = {**self.known, key: states}
            try:
                await asyncio.to_thread(self._state.write, FILE, Known(states=self.known))
            except StateError as error:
                log.error("%s", error)  # noqa: TRY400


class AlarmInputs:
    """Those of one camera; `run` is a job: one subscription, until it breaks."""

    def __init__(
        self, camera: Camera, address: Address, press: Press, memory: Memory, clock: Clock
    ) -> None:
        self._camera = camera
        self._address = address
        self._press = press
        self._memory = memory
        self._clock = clock
        known = memory.known.get(camera.key, {})
        quiet = camera.config.alarm_contact is AlarmContact.NORMALLY_CLOSED
        self.contacts = {
            token: Contact(token, quiet, known.get(token)) for token in camera.config.alarm_inputs
        }
        self._answers = 0  # since it is listened to
        self._trouble: Trouble | None = Trouble.CONNECTING
        self._sentence = STARTING

    async def run(self) -> None:
        try:
            async with ears(self._address(), self._account()) as heard:
                async for each in heard:
                    await self._hear(each)
        except SourceFailure as failure:
            self._fail(failure.trouble, failure.sentence)
            if failure.trouble in LOCKING:
                await self._clock.sleep(LOCKED_PAUSE)

    def _account(self) -> Credentials | None:
        user, password = self._camera.credentials
        return Credentials(user, password) if user else None

    async def _hear(self, heard: Heard) -> None:
        if self._trouble is not None:
            log.info("camera %s: its alarm inputs are listened to", self._camera.key)
            self._trouble, self._sentence = None, ""
        for said in heard.inputs:
            contact = self.contacts.get(said.token)
            if contact is not None and contact.hear(said, first=heard.first):
                log.warning("camera %s: its alarm input %s calls", self._camera.key, said.token)
                await self._press()
        self._answers += 1
        await self._memory.keep(self._camera.key, self.contacts.values())

    @property
    def trouble(self) -> Trouble | None:
        """Why none of them is heard; None while the camera answers."""
        return self._trouble

    def shown(self) -> list[dict[str, str]]:
        """For people: each input with its state, a key of the pages' words."""
        return [
            {"input": token, "state": self._state(contact)}
            for token, contact in self.contacts.items()
        ]

    def _state(self, contact: Contact) -> str:
        if self._trouble is not None:
            return "deaf"
        if contact.standing is Standing.UNKNOWN and self._answers < SETTLED:
            return "waiting"
        return contact.standing

    def report(self) -> dict[str, Any]:
        """For the command line: in words."""
        lines = [in_words(each["input"], each["state"]) for each in self.shown()]
        return {"camera": self._camera.name, "trouble": self._sentence, "inputs": lines}

    def _fail(self, trouble: Trouble, sentence: str) -> None:
        if (trouble, sentence) != (self._trouble, self._sentence):
            log.error("camera %s: ALARM INPUTS ARE NOT HEARD: %s", self._camera.key, sentence)
        self._trouble, self._sentence = trouble, sentence
        for contact in self.contacts.values():
            contact.standing = Standing.UNKNOWN
        self._answers = 0


class Alarms:
    """The alarm inputs of all cameras that have any."""

    def __init__(self, state: State, press: Press, clock: Clock) -> None:
        self._memory = Memory(state, clock)
        self._press = press
        self._clock = clock
        self._by_camera: dict[str, AlarmInputs] = {}

    def start(self, camera: Camera, address: Address, supervisor: Supervisor) -> None:
        """Listen to one camera; `address` is where it is now."""
        if not camera.config.alarm_inputs:
            return
        made = AlarmInputs(camera, address, self._press, self._memory, self._clock)
        self._by_camera[camera.id] = made
        name = f"camera {camera.key} alarm inputs"
        supervisor.start(name, made.run, longest_pause=LONGEST_PAUSE)

    def of(self, camera: Camera) -> AlarmInputs | None:
        return self._by_camera.get(camera.id)

    def reports(self) -> list[dict[str, Any]]:
        return [each.report() for each in self._by_camera.values()]


def in_words(token: str, state: str) -> str:
    """One line about one input."""
    return f"alarm input {token}: {WORDS[state]}"
