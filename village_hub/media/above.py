"""What the hub above is shown: pushes to it, and the permits that they stand on.

    lent: this node owns the camera and decided      passed on: a node below did
      give ──> take (a push begins) ──> join, leave ──> over ──> confirmed above, or cut off

Enforcement is per link and camera: one push, whoever watches above. When one of several permits
ends the hub above has to say that nobody is shown anything by it any more; when the last one ends
the push is cut here, at once (design.md, Who decides).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.line import ParentError
from village_core.media.viewer import Viewer
from village_core.messages import PushRequest
from village_core.permits import PermitNote, Purpose, Quality
from village_core.permitted import Permitted
from village_core.transport import PushError, PushMedia, PushSettings
from village_core.transport.sending import Source, send
from village_core.uplink import Refused
from village_hub.access.facts import Permit
from village_hub.catalogue.rows import CameraRow
from village_hub.media.feeds import Feeds
from village_hub.media.line import Line, Up
from village_hub.media.wanting import Wanting

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds between looks at the permits' ends
CONFIRM_WITHIN = 2.0  # seconds, by the owner node
TOLD_AGAIN = 3.0  # seconds between tries while it is not confirmed
UNCONFIRMED_FOR = 90.0  # seconds: by then every permit that was not asked for again has lapsed
MOST_LENT = 4000  # permits at a time
SEND_ERRORS = (PushError, ParentError, ClientError, OSError, TimeoutError)


@dataclass(slots=True, kw_only=True)
class Lent:
    """A permit by which somebody above watches; a `LiveSession`. `permit` None: it is passed on,
    and a node below decided. `ends_at`: on the monotonic clock."""

    note: PermitNote
    camera: CameraRow
    ends_at: float
    permit: Permit | None = None

    @property
    def id(self) -> str:
        return self.note.id

    @property
    def credential(self) -> str:
        return "the hub above"


Tell = Callable[[str, str], Awaitable[bool]]
"""Tells the hub above that a permit is over; True when it says that nobody is shown by it."""
Ended = Callable[[Permit, int, str], None]


class Above:
    """`http`: to the hub above, raises ParentError when there is none."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        feeds: Feeds,
        wanting: Wanting,
        settings: PushSettings,
        http: Callable[[], ClientSession],
        *,
        profile: Callable[[CameraRow, Quality], str],
        audio: Callable[[CameraRow], str | None],
        on_ended: Ended,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self.viewers: set[Viewer] = set()  # to be ticked
        self.tell: Tell = _nobody
        self._feeds = feeds
        self._wanting = wanting
        self._settings = settings
        self._http = http
        self._profile = profile
        self._audio = audio
        self._on_ended = on_ended
        self._supervisor = supervisor
        self._clock = clock
        self._lent: dict[str, Lent] = {}
        self._pushes: dict[str, Up] = {}
        self.line = Line(self._pushes.values, clock)
        self._unconfirmed: dict[str, tuple[str, float]] = {}  # permit -> camera, until when
        self._began: dict[str, int] = {}  # octets of the camera's pushes when a permit was given

    # Permits

    def find(self, permit: str) -> Lent | None:
        return self._lent.get(permit)

    def sessions(self) -> list[Lent]:
        """Of this node's cameras: what the household is told of, and what renewal looks at."""
        return [each for each in self._lent.values() if each.permit is not None]

    def give(self, lent: Lent) -> None:
        """New, or the same for longer. Raises Refused."""
        known = lent.id in self._lent
        if not known and len(self._lent) >= MOST_LENT:
            raise Refused(503, "busy", "this hub lends as many cameras as it can")
        self._lent[lent.id] = lent
        if not known:
            self._began[lent.id] = self._octets(lent.camera.id)
        for up in self._standing_on(lent.id):
            up.permitted.add(lent.note, lent.ends_at)
            up.feed.wanted[up.key(lent.id)] = lent.note

    def over(self, permit: str, why: str) -> None:
        """It ends here now, and the hub above has to confirm it."""
        lent = self._lent.get(permit)
        if lent is None:
            return
        going_on = self.end(permit, why)
        work = self._confirmed(lent, why, going_on, CONFIRM_WITHIN)
        _ = self._supervisor.once(f"end of permit {permit}", work)

    async def withdrawn(self, permit: str, why: str, within: float) -> None:
        """A node below took back what was passed on; returns when nobody above is shown by it."""
        lent = self._lent.get(permit)
        if lent is not None:
            await self._confirmed(lent, why, self.end(permit, why), within)

    def end(self, permit: str, why: str) -> list[Up]:
        """Known to the hub above, or to be told. Pushes that go on by other permits."""
        lent = self._lent.pop(permit, None)
        if lent is None:
            return []
        octets = max(self._octets(lent.camera.id) - self._began.pop(permit, 0), 0)
        going_on = []
        for up in self._standing_on(permit):
            up.permitted.end(permit, why)
            up.feed.release(up.key(permit))
            if up.permitted.lives(self._clock.monotonic()):
                going_on.append(up)
            else:
                self._cut(up, why)
        if lent.permit is not None:
            self._on_ended(lent.permit, octets, why)
        if lent.camera.node is not None:
            self._wanting.say(lent.camera.node, "DELETE", lent.note)
        return going_on

    def lost(self, permits: frozenset[str]) -> None:
        """A node below knows these no more: so does this one, and the hub above asks anew."""
        for permit in permits:
            self.end(permit, "lost below")

    async def _confirmed(self, lent: Lent, why: str, going_on: list[Up], within: float) -> None:
        end = self._clock.monotonic() + UNCONFIRMED_FOR
        self._unconfirmed[lent.id] = (lent.camera.id, end)
        try:
            if await self._told(lent.id, why, within):
                return
            for up in going_on:
                self._cut(up, "the hub above did not confirm that a viewer is gone")
            while going_on and self._clock.monotonic() < end:
                await self._clock.sleep(TOLD_AGAIN)
                if await self._told(lent.id, why, within):
                    return
        finally:
            self._unconfirmed.pop(lent.id, None)

    async def _told(self, permit: str, why: str, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                return await self.tell(permit, why)
        except TimeoutError:
            log.warning("the hub above did not confirm the end of permit %s in time", permit)
            return False

    # Pushes

    def take(self, request: PushRequest) -> dict[str, str]:
        """A push begins; why some of its permits do not stand. Raises Refused."""
        if any(camera == request.camera for camera, _ in self._unconfirmed.values()):
            raise Refused(409, "unconfirmed", "the end of another look was not confirmed yet")
        standing, refused = self._stand(request)
        if not standing:
            raise Refused(404, "no_such_permit", "none of these permits stands here")
        camera = standing[0].camera
        for up in list(self._pushes.values()):  # the receiver drives recovery
            same = (up.camera.id, up.request.quality) == (camera.id, request.quality)
            if same or up.request.push == request.push:
                self._cut(up, "replaced by a new push")
        feed = self._feeds.get(camera, request.quality)
        up = Up(
            request=request,
            camera=camera,
            feed=feed,
            permitted=Permitted(),
            began=self._clock.monotonic(),
            rate=self.line.rate_of(camera.id, request.quality),
        )
        self._pushes[request.push] = up
        for lent in standing:
            self._join(up, lent)
        self._give_way(self.line.make_way(up))
        up.starting = self._supervisor.once(f"push {request.push} up", self._begin(up))
        return refused

    def join(self, permit: str) -> None:
        """One more viewer of the running pushes of its camera. Raises Refused."""
        lent = self._lent.get(permit)
        if lent is None:
            raise Refused(404, "no_such_permit", "nothing here stands on this permit")
        for up in self._pushes.values():
            if up.camera.id == lent.camera.id and _covers(lent.note, up.request.quality):
                self._join(up, lent)

    def stop(self, push: str) -> None:
        """Raises Refused."""
        up = self._pushes.get(push)
        if up is None:
            raise Refused(404, "no_such_push", "this push is not running")
        self._cut(up, "the hub above needs it no longer")

    def hurry(self, node: str) -> None:
        """A child is back: what it sends on is asked for at once."""
        for up in self._pushes.values():
            if up.camera.node == node:
                up.feed.changed.set()

    async def watch(self) -> None:
        """The job that ends what is permitted no longer."""
        while True:
            now = self._clock.monotonic()
            for permit in [each.id for each in self._lent.values() if each.ends_at <= now]:
                self.over(permit, "the permit ended")
            self._give_way(self.line.look())
            await self._clock.sleep(LOOK_EVERY)

    def fits(self, camera: CameraRow, purpose: Purpose, wanted: Quality) -> Quality | None:
        """The quality for which the line has room, for one more look."""
        return self.line.fits(camera, purpose, wanted)

    def _give_way(self, pushes: list[str]) -> None:
        for push in pushes:
            up = self._pushes.get(push)
            for permit in list(up.permitted.ends) if up is not None else ():
                self.over(permit, no_room().code)

    def close(self) -> None:
        for up in list(self._pushes.values()):
            self._cut(up, "the hub is stopping")
        for permit in list(self._lent):
            self.end(permit, "the hub is stopping")

    def _stand(self, request: PushRequest) -> tuple[list[Lent], dict[str, str]]:
        standing, refused = [], {}
        for note in request.permits:
            lent = self._lent.get(note.id)
            if lent is None or lent.camera.id != request.camera:
                refused[note.id] = "no_such_permit"
            elif not _covers(lent.note, request.quality):
                refused[note.id] = "quality"
            else:
                standing.append(lent)
        return standing, refused

    def _join(self, up: Up, lent: Lent) -> None:
        up.permitted.add(lent.note, lent.ends_at)
        if up.key(lent.id) not in up.feed.wanted:
            self._wanting.want(up.feed, up.key(lent.id), lent.note, lent.camera.node)

    async def _begin(self, up: Up) -> None:
        source = Source(
            quality=up.request.quality,
            video=up.feed.stream,
            audio=up.feed.audio,
            media=PushMedia(self._profile(up.camera, up.request.quality), self._audio(up.camera)),
        )
        try:
            sent = await send(
                source,
                up.request.to,
                http=self._http(),
                settings=self._settings,
                viewers=self.viewers,
                ended=lambda reason: self._cut(up, reason),
            )
        except SEND_ERRORS as error:
            self._cut(up, f"not connected: {error}")
            return
        if self._pushes.get(up.request.push) is up:
            up.sent = sent
        else:
            sent.cut("no longer wanted")

    def _cut(self, up: Up, reason: str) -> None:
        """Nothing of it leaves after this returns."""
        if self._pushes.get(up.request.push) is not up:
            return
        del self._pushes[up.request.push]
        log.info("push %s of camera %s up ends: %s", up.request.push, up.camera.id, reason)
        if up.starting is not None and not up.starting.done():
            up.starting.cancel()
        if up.sent is not None:
            up.sent.cut(reason)
        for permit in list(up.permitted.ends):
            up.permitted.end(permit, reason)
            up.feed.release(up.key(permit))

    def _standing_on(self, permit: str) -> list[Up]:
        return [up for up in self._pushes.values() if permit in up.permitted.ends]

    def _octets(self, camera: str) -> int:
        return sum(up.octets for up in self._pushes.values() if up.camera.id == camera)


def no_room() -> Refused:
    return Refused(409, "no_room", "the line to the hub above has no room for one more picture now")


def _covers(note: PermitNote, quality: Quality) -> bool:
    """A permit for `sub` gives no `main`."""
    return note.quality is Quality.MAIN or quality is Quality.SUB


async def _nobody(_permit: str, _why: str) -> bool:
    return False
