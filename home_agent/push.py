"""What the hub asks for over the uplink: pushes, stills, ends of permits.

Every permit is judged here once more (consent.py) and written down before anybody outside sees a
picture for it. Every push stands on permits that are counted down here; with the last one it ends,
whatever the hub says. The switch is asked before everything and cuts in the same turn of the loop.
The hub says when its last consumer has left (DELETE): the camera stays connected.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from home_agent.boxclock import BoxClock
from home_agent.camera import Camera, Encoding
from home_agent.consent import Consent, Leave
from home_agent.journal import Event, Journal
from home_agent.sending import PUSH_ERRORS
from home_agent.state import StateError
from home_agent.switch import Switch
from village_core.jobs import Supervisor
from village_core.messages import AgentStatus, PushAnswer, PushRequest, StillRequest
from village_core.permits import Action, PermitNote, Quality
from village_core.permitted import LONGEST_PERMIT, Permitted, check
from village_core.uplink import Call, Refused, Reply, Route

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds between looks at the permits' ends
MOST_PUSHES = 32
MOST_STILLS = 8  # at a time


class Sent(Protocol):
    """A running push (village_core/transport/sending.py)."""

    def cut(self, reason: str) -> None:
        """Nothing more leaves after this returns; the goodbyes follow in the background."""
        ...

    async def gone(self) -> None:
        """Returns when the goodbyes are said."""
        ...


StartPush = Callable[[PushRequest, Camera, Encoding, Callable[[str], None]], Awaitable[Sent]]
"""Connects; the last argument is called when it ends by itself."""
SendStill = Callable[[StillRequest, Camera], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Running:
    """One push from its request on."""

    request: PushRequest
    camera: Camera
    since_ms: int
    permitted: Permitted = field(default_factory=Permitted)
    starting: asyncio.Task[Any] | None = None
    sent: Sent | None = None

    @property
    def place(self) -> tuple[str, Quality]:
        return self.camera.id, self.request.quality


class Pushes:
    """All pushes and stills of an agent, and the routes that the uplink serves."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        cameras: Mapping[str, Camera],
        switch: Switch,
        clock: BoxClock,
        supervisor: Supervisor,
        *,
        consent: Consent,
        journal: Journal,
        start_push: StartPush,
        send_still: SendStill,
        status: Callable[[], AgentStatus],
    ) -> None:
        self._cameras = cameras
        self._switch = switch
        self._clock = clock
        self._supervisor = supervisor
        self._consent = consent
        self._journal = journal
        self._start_push = start_push
        self._send_still = send_still
        self._status = status
        self._running: dict[str, Running] = {}
        self._stills: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._endings: set[asyncio.Task[Any]] = set()  # goodbyes, and ends being written down
        self.routes = [
            Route("POST", "/pushes", self._push),
            Route("DELETE", "/pushes/{push}", self._stop),
            Route("PUT", "/permits/{permit}", self._renew),
            Route("DELETE", "/permits/{permit}", self._revoke),
            Route("POST", "/stills", self._still),
            Route("GET", "/status", self._tell),
        ]
        switch.listen(self._switched)
        consent.listen(self._fell)

    @property
    def running(self) -> list[Running]:
        return list(self._running.values())

    async def watch(self) -> None:
        """The job that ends what is permitted no longer."""
        while True:
            self.expire(self._clock.monotonic())
            await self._clock.sleep(LOOK_EVERY)

    def expire(self, now: float) -> None:
        for push in self.running:
            push.permitted.expire(now)
            if not push.permitted.lives(now):
                self._end(push, "the last permit ended")

    def end_all(self, reason: str) -> None:
        """At once: nothing leaves after this returns."""
        for push in self.running:
            self._end(push, reason)
        for still in self._stills:
            still.cancel()

    async def close(self) -> None:
        """The same, and wait for the goodbyes; nothing new begins."""
        self._closed = True
        starting = [push.starting for push in self.running if push.starting is not None]
        unfinished = [*starting, *self._stills]
        self.end_all("the agent is stopping")
        await asyncio.gather(*unfinished, *self._endings, return_exceptions=True)

    # Routes

    async def _push(self, call: Call) -> Reply:
        request = PushRequest.model_validate(call.body)
        self._must_be_on()
        camera = self._find(request.camera)
        permitted, refused = await self._permitted(request)
        self._must_be_on()  # it may have been switched while that was written down
        encoding = camera.live(request.quality)
        if encoding is None:
            raise Refused(409, "camera_offline", self._why_offline(camera, request.quality))
        self._replace(request)
        if len(self._running) >= MOST_PUSHES:
            raise Refused(503, "busy", "this box pushes as much as it can")
        push = Running(request, camera, self._clock.utc_ms(), permitted)
        self._running[request.push] = push
        push.starting = self._supervisor.once(f"push {request.push}", self._begin(push, encoding))
        return Reply(202, PushAnswer(refused=refused))

    async def _stop(self, call: Call) -> Reply:
        push = self._running.get(call.params["push"])
        if push is None:
            raise Refused(404, "no_such_push", "this push is not running")
        self._end(push, "the hub needs it no longer")
        return Reply(200)

    async def _renew(self, call: Call) -> Reply:
        note = PermitNote.model_validate(call.body)
        self._must_be_on()
        if note.id != call.params["permit"]:
            raise Refused(400, "wrong_permit", "the path names another permit than the body")
        check(note, note.camera, Action.LIVE)
        held = self._standing_on(note)
        end, refs = self._ends_at(note, note.camera)
        if all(note.id not in push.permitted.ends for push in held):
            await self._write("push", note)
            self._must_be_on()
            end, refs = self._ends_at(note, note.camera)  # it may have been stopped meanwhile
        for push in held:
            push.permitted.add(note, end, refs)
        return Reply(200)

    async def _revoke(self, call: Call) -> Reply:
        held = self._holding(call.params["permit"])
        for push in held:
            push.permitted.end(call.params["permit"], "revoked by the hub")
        self.expire(self._clock.monotonic())
        return Reply(200)

    async def _still(self, call: Call) -> Reply:
        request = StillRequest.model_validate(call.body)
        self._must_be_on()
        camera = self._find(request.camera)
        check(request.permit, camera.id, Action.STILL)
        leave = self._consent.stands(request.permit, Action.STILL)
        if self._end_of(request.permit, leave) <= self._clock.monotonic():
            raise Refused(403, "expired", "the permit has ended already")
        if not camera.online:
            raise Refused(409, "camera_offline", self._why_offline(camera, Quality.MAIN))
        if len(self._stills) >= MOST_STILLS:
            raise Refused(503, "busy", "too many stills at a time")
        await self._write("still", request.permit)
        self._must_be_on()
        self._consent.stands(request.permit, Action.STILL)  # it may have been stopped meanwhile
        task = self._supervisor.once(f"still of {camera.key}", self._send_still(request, camera))
        self._stills.add(task)
        task.add_done_callback(self._stills.discard)
        return Reply(202)

    async def _tell(self, _: Call) -> Reply:
        return Reply(200, self._status())

    # Inside

    def _must_be_on(self) -> None:
        if self._closed:
            raise Refused(503, "stopping", "the agent is stopping")
        if self._switch.off:
            raise Refused(403, "privacy_off", "the household has switched its pictures off")

    def _find(self, camera: str) -> Camera:
        found = self._cameras.get(camera)
        if found is None:
            raise Refused(404, "no_such_camera", "this home has no such camera")
        return found

    @staticmethod
    def _why_offline(camera: Camera, quality: Quality) -> str:
        if quality not in camera.encodings:
            return f"the camera has no {quality} picture"
        return camera.sentence or f"the camera is not ready ({camera.trouble})"

    async def _permitted(self, request: PushRequest) -> tuple[Permitted, dict[str, str]]:
        """Those that stand, and why the others do not: the push goes on without them. Raises the
        first one's Refused when none stands."""
        permitted = Permitted(self._permit_ended)
        refused: dict[str, Refused] = {}
        written = []
        for note in request.permits:
            try:
                self._ends_at(note, request.camera)
                await self._write("push", note)
                written.append(note)
            except Refused as error:
                refused[note.id] = error
        for note in written:  # again: one may have been stopped meanwhile
            try:
                permitted.add(note, *self._ends_at(note, request.camera))
            except Refused as error:
                refused[note.id] = error
        if not permitted.ends:
            raise next(iter(refused.values()))
        for name, why in refused.items():
            log.warning("permit %s does not stand at home: %s", name, why)
        return permitted, {name: why.code for name, why in refused.items()}

    def _ends_at(self, note: PermitNote, camera: str) -> tuple[float, frozenset[str]]:
        """When this look ends, and on what it stands. Raises Refused."""
        check(note, camera, Action.LIVE)
        leave = self._consent.stands(note, Action.LIVE)
        end = self._end_of(note, leave)
        if end <= self._clock.monotonic():
            raise Refused(403, "expired", "the permit has ended already")
        return end, leave.refs

    def _end_of(self, note: PermitNote, leave: Leave) -> float:
        """On the monotonic clock; never later than an unasked permit lapses, whatever it says."""
        ends = min(self._clock.until(note.until), self._clock.monotonic() + LONGEST_PERMIT)
        return ends if leave.ends is None else min(ends, leave.ends)

    async def _write(self, event: str, note: PermitNote) -> None:
        """AUD-2: nobody outside sees what could not be written down; the household itself does."""
        if not note.outside:
            await self._journal.note(Event(event, note))
            return
        try:
            await self._journal.write(Event(event, note))
        except StateError as error:
            raise Refused(503, "no_log", "this look cannot be written down at home") from error

    def _permit_ended(self, note: PermitNote, why: str) -> None:
        said = Event("ended", ref=note.id, why=why)
        self._ending("permit log", self._journal.note(said))

    def _fell(self, ref: str) -> None:
        """A grant, opening or owner stands no more: at once, whatever the hub says (MED-17)."""
        for push in self.running:
            push.permitted.end_by(ref, "the household stopped what it stood on")
        self.expire(self._clock.monotonic())

    def _standing_on(self, note: PermitNote) -> list[Running]:
        """The camera's running pushes: its viewers move between qualities, and more may come."""
        of_camera = [push for push in self.running if push.camera.id == note.camera]
        if not of_camera:
            raise Refused(404, "no_such_permit", "nothing here stands on this permit")
        return of_camera

    def _holding(self, permit: str) -> list[Running]:
        held = [push for push in self.running if permit in push.permitted.ends]
        if not held:
            raise Refused(404, "no_such_permit", "nothing here stands on this permit")
        return held

    def _replace(self, request: PushRequest) -> None:
        """The receiver drives recovery: what it asks for anew, it has given up."""
        for push in self.running:
            if push.place == (request.camera, request.quality) or push.request.push == request.push:
                self._end(push, "replaced by a new push")

    async def _begin(self, push: Running, encoding: Encoding) -> None:
        def ended(reason: str) -> None:
            self._end(push, reason)

        try:
            sent = await self._start_push(push.request, push.camera, encoding, ended)
        except PUSH_ERRORS as error:
            self._end(push, f"not connected: {error}")
            return
        if self._running.get(push.request.push) is push:
            push.sent = sent
        else:
            sent.cut("no longer wanted")

    def _end(self, push: Running, reason: str) -> None:
        if self._running.get(push.request.push) is not push:
            return
        del self._running[push.request.push]
        log.info("push %s of camera %s ends: %s", push.request.push, push.camera.key, reason)
        if push.starting is not None and not push.starting.done():
            push.starting.cancel()
        if push.sent is not None:
            push.sent.cut(reason)
            self._ending(f"end of push {push.request.push}", push.sent.gone())
        push.permitted.end_all(reason)

    def _ending(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Goes on while the agent lives, and `close` waits for it."""
        task = self._supervisor.once(name, work)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    def _switched(self) -> None:
        if self._switch.off:
            self.end_all("the household switched its pictures off")
