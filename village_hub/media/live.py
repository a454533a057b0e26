"""Live media of this node: who gets in, on which streams, until when (LiveService).

watch ──> Watching (viewer, session) ──wants──> Feed (stream) <──brings── Publishing (publisher)
                                                  └── Pulls: asks the child to push, stops it
"""

import asyncio
import hmac
import logging
from collections.abc import Iterator

from village_core.media.packet import Kind
from village_core.media.publisher import Publisher
from village_core.media.viewer import Viewer, ViewerEvents
from village_core.messages import StillRequest
from village_core.permits import Quality
from village_core.transport import (
    Certificate,
    Choice,
    MediaPort,
    Offer,
    PortSettings,
    PushSettings,
    sdp,
)
from village_core.transport.addresses import local_addresses
from village_core.transport.joining import receiving_of, sending_of
from village_core.transport.signalling import Reply, SessionUrl
from village_hub.access.facts import Permit
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.errors import (
    Conflict,
    HubError,
    NotFound,
    Overloaded,
    Unprocessable,
)
from village_hub.media.above import Above, Lent
from village_hub.media.admission import RETRY, must_be_there
from village_hub.media.counts import count
from village_hub.media.feed import Feed, Publishing
from village_hub.media.feeds import Feeds
from village_hub.media.pull import Pulls
from village_hub.media.pulse import Pulse
from village_hub.media.service import LiveNeeds, LiveSession, Opened
from village_hub.media.wanting import Wanting
from village_hub.media.watching import (
    Watching,
    choose_to_receive,
    choose_to_send,
    read_offer,
)

log = logging.getLogger(__name__)

MOST_SESSIONS = 2000  # of one process; each holds keys and buffers
STILL_WITHIN = 8.0  # seconds: a sleepy camera's snapshot takes some
LOOK_EVERY = 0.5  # seconds between looks at the permits' ends


async def open_live(needs: LiveNeeds) -> "Live":
    """Bind the media port, start the jobs. PortError: an address not ours, a port taken."""
    settings = needs.settings
    addresses = settings.addresses or await asyncio.to_thread(local_addresses)
    certificate = await asyncio.to_thread(Certificate.make)
    port = await MediaPort.open(
        PortSettings(addresses=addresses, advertised=settings.advertised, port=settings.port),
        certificate,
        needs.supervisor,
        needs.clock,
    )
    live = Live(port, certificate, needs)
    live.start()
    return live


class Live:
    """Implements LiveService. `start` its jobs; `close` ends every session and tells the peers."""

    def __init__(self, port: MediaPort, certificate: Certificate, needs: LiveNeeds) -> None:
        self._port = port
        self._children = needs.children
        self._uploads = needs.uploads
        self._views = needs.views
        self._supervisor = needs.supervisor
        self._clock = needs.clock
        self._pulls = Pulls(needs.url, needs.children, needs.tickets, needs.supervisor, needs.clock)
        self._pulls.on_refused = self._refused_at_home
        self._pulls.on_lost = self._lost_below
        self.lost: set[str] = set()
        self._pulse = Pulse(lambda: self._feeds, self._viewers, needs.clock)
        self._feeds = Feeds(needs.clock, self._pulse.soon)
        self._wanting = Wanting(self._pulls, needs.supervisor)
        self.above = Above(
            self._feeds,
            self._wanting,
            PushSettings(supervisor=needs.supervisor, certificate=certificate, clock=needs.clock),
            needs.above,
            profile=self._feeds.profile,
            audio=self._feeds.audio_codec,
            on_ended=needs.views.ended,
            supervisor=needs.supervisor,
            clock=needs.clock,
        )
        self._watching: dict[str, Watching] = {}
        self._publishing: dict[str, Publishing] = {}
        needs.children.on_change.append(self._child_changed)
        count(needs.registry, self._feeds, self._watching, self._publishing)

    def start(self) -> None:
        self._supervisor.start("media pulse", self._pulse.run)
        self._supervisor.start("permits' ends", self._watch_ends)
        self._supervisor.start("permits above", self.above.watch)

    # Watching

    async def watch(
        self, permit: Permit, camera: CameraRow, offer_text: str, credential: str
    ) -> Opened:
        self._must_have_room()
        must_be_there(camera, self._children, flowing=self.publishing(camera.id))
        offer = read_offer(offer_text)
        choices = self._choose(offer, camera, permit.quality)
        feeds = self._feeds.for_viewer(camera, permit.quality)
        viewer = self._new_viewer(feeds, choices, permit.quality)
        session = self._port.accept(offer, viewer, choices)
        viewer.attach(session)
        url = SessionUrl(session, offer, choices)
        watching = Watching(
            id=url.secret,
            credential=credential,
            permit=permit,
            ends_at=self._end_of(permit),
            node=camera.node,
            viewer=viewer,
            session=session,
            url=url,
        )
        self._watching[watching.id] = watching
        await self._begin(watching, camera, feeds[viewer.quality])
        log.info("camera %s session %s: %s watches", camera.id, session.id, permit.subject.id)
        answer = sdp.write_answer(offer, choices, session.description, "sendonly")
        return Opened(url.secret, answer, url.etag)

    async def _begin(self, watching: Watching, camera: CameraRow, feed: Feed) -> None:
        """Nothing is pulled for a view that is not in the log."""
        try:
            await self._views.started(watching.permit, camera)
        except HubError:
            watching.end("not written down")
            raise
        if watching.id not in self._watching:
            raise Conflict("the session ended while it began", retry_after=RETRY)
        self._want(watching, feed)

    def _new_viewer(
        self, feeds: dict[Quality, Feed], choices: list[Choice], quality: Quality
    ) -> Viewer:
        return Viewer(
            {each: feed.stream for each, feed in feeds.items()},
            {choice.kind: sending_of(choice) for choice in choices},
            self._clock,
            audio=next(iter(feeds.values())).audio,
            quality=quality,
            events=ViewerEvents(
                on_want=self._wants, on_settled=self._settled, on_ended=self._viewer_ended
            ),
        )

    def _want(self, watching: Watching, feed: Feed) -> None:
        watching.wants.add(feed)
        self._wanting.want(feed, watching.id, watching.permit.note(), watching.node)

    def _still_watched(self, watching: Watching) -> bool:
        """By others: the push goes on, without this permit. The last one's lingers."""
        camera = watching.permit.camera
        return any(other.permit.camera == camera for other in self._watching.values())

    def _wants(self, viewer: Viewer, quality: Quality) -> None:
        """The viewer is about to move to the other quality: have it pulled."""
        watching = self._of_viewer(viewer)
        feed = self._feeds.find(watching.permit.camera, quality) if watching else None
        if watching is not None and feed is not None:
            self._want(watching, feed)

    def _settled(self, viewer: Viewer, quality: Quality) -> None:
        watching = self._of_viewer(viewer)
        if watching is None:
            return
        for feed in [each for each in watching.wants if each.quality is not quality]:
            watching.wants.discard(feed)
            feed.release(watching.id)

    def _viewer_ended(self, viewer: Viewer, reason: str) -> None:
        watching = self._of_viewer(viewer)
        if watching is None:
            return
        del self._watching[watching.id]
        self._views.ended(watching.permit, viewer.stats().octets, reason)
        for feed in watching.wants:
            feed.release(watching.id)
        log.info(
            "camera %s session %s ended: %s", watching.permit.camera, watching.session.id, reason
        )
        if watching.node is not None and (watching.permit.outside or self._still_watched(watching)):
            self._wanting.say(watching.node, "DELETE", watching.permit.note())
        watching.session.close(reason)

    # Publishing

    async def publish(
        self,
        camera: CameraRow,
        quality: Quality,
        offer_text: str,
        credential: str,
        push: str | None = None,
    ) -> Opened:
        self._must_have_room()
        feed = self._feeds.get(camera, quality)
        if camera.kind is CameraKind.AGENT and (push is None or push != feed.push):
            raise Conflict("nobody needs this picture now", code="not_wanted")
        offer = read_offer(offer_text)
        choices = choose_to_receive(offer)
        publisher = self._new_publisher(feed, choices)
        session = self._port.accept(offer, publisher, choices)
        publisher.attach(session)
        url = SessionUrl(session, offer, choices)
        publishing = Publishing(
            id=url.secret,
            credential=credential,
            publisher=publisher,
            session=session,
            url=url,
            choices=choices,
            feed=feed,
        )
        self._publishing[publishing.id] = publishing
        feed.take(publishing)
        log.info("camera %s session %s: %s comes in", camera.id, session.id, quality)
        answer = sdp.write_answer(offer, choices, session.description, "recvonly")
        return Opened(url.secret, answer, url.etag)

    def _new_publisher(self, feed: Feed, choices: list[Choice]) -> Publisher:
        streams = {Kind.VIDEO: feed.stream, Kind.AUDIO: feed.audio}
        for choice in choices:
            streams[choice.kind].clock_rate = choice.codec.clock_rate
        return Publisher(
            streams,
            {choice.kind: receiving_of(choice) for choice in choices},
            self._clock,
            on_first=lambda _: feed.changed.set(),
            on_stalled=lambda _: feed.changed.set(),
            on_ended=lambda publisher, _: self._publisher_ended(feed, publisher),
            on_restless=self._pulse.soon,
        )

    def _publisher_ended(self, feed: Feed, publisher: Publisher) -> None:
        feed.lose(publisher)
        for publishing in [p for p in self._publishing.values() if p.publisher is publisher]:
            del self._publishing[publishing.id]
            publishing.session.close(publisher.ended or "ended")
        self._forget_idle(feed)

    # Sessions

    def session(self, session_id: str, credential: str) -> LiveSession:
        found = self._watching.get(session_id) or self._publishing.get(session_id)
        if found is None or not hmac.compare_digest(found.credential.encode(), credential.encode()):
            raise NotFound("there is no such session")
        return found

    async def patch(
        self, session: LiveSession, content_type: str, if_match: str | None, body: str
    ) -> Reply:
        return self._own(session).url.patch(content_type, if_match, body)

    async def end(self, session: LiveSession, reason: str) -> None:
        if isinstance(session, Lent):
            self.above.over(session.id, reason)
            return
        self._own(session).end(reason)

    async def pin(self, session: LiveSession, quality: Quality | None) -> None:
        watching = self._watching.get(session.id)
        if watching is None:
            raise Unprocessable("only a viewing session has a quality to hold")
        try:
            watching.viewer.pin(quality)
        except ValueError as error:
            raise Unprocessable(str(error), code="no_such_quality") from error

    def _own(self, session: LiveSession) -> Watching | Publishing:
        found = self._watching.get(session.id) or self._publishing.get(session.id)
        if found is None:
            raise NotFound("there is no such session")
        return found

    # Stills

    async def still(self, permit: Permit, camera: CameraRow) -> bytes:
        must_be_there(camera, self._children, flowing=self.publishing(camera.id))
        if camera.node is None:
            raise Conflict("this camera gives no still picture", code="no_still")
        async with self._uploads.expect(camera.id) as expected:
            request = StillRequest(camera=camera.id, to=expected.to, permit=permit.note())
            answer = await self._children.ask(camera.node, "POST", "/stills", request)
            if answer.status != 202:
                said = answer.body or {}
                detail = str(said.get("detail") or "the home gave no picture")
                raise Conflict(detail, code=str(said.get("code") or "no_still"), retry_after=RETRY)
            return await expected.picture(STILL_WITHIN)

    def awaited(self, camera_id: str) -> CameraRow | None:
        return next((feed.row for feed in self._feeds.of(camera_id) if feed.wanted), None)

    # Permits

    def publishing(self, camera_id: str) -> bool:
        return self._feeds.flowing(camera_id)

    def sessions(self) -> list[LiveSession]:
        return [*self._watching.values(), *self._publishing.values(), *self.above.sessions()]

    async def renewed(self, permit: Permit) -> None:
        standing = [w for w in self._watching.values() if w.permit.id == permit.id]
        for watching in standing:
            watching.permit = permit
            watching.ends_at = self._end_of(permit)
            for feed in watching.wants:
                feed.wanted[watching.id] = permit.note()
        for node in {w.node for w in standing if w.node is not None}:
            self._wanting.say(node, "PUT", permit.note())

    async def close(self) -> None:
        sessions: list[LiveSession] = [*self._watching.values(), *self._publishing.values()]
        for each in sessions:
            self._own(each).end("the hub is stopping")
        self.above.close()
        await self._port.close()

    # Inside

    async def _watch_ends(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY)
            now = self._clock.monotonic()
            for watching in [w for w in self._watching.values() if w.ends_at <= now]:
                watching.end("the permit ended")
            for feed in self._feeds:
                self._forget_idle(feed)

    def _end_of(self, permit: Permit) -> float:
        """On the monotonic clock, whatever the wall clock does from here on."""
        return self._clock.monotonic() + (permit.until - self._clock.utc_ms()) / 1000

    def _must_have_room(self) -> None:
        if len(self._watching) + len(self._publishing) >= MOST_SESSIONS:
            raise Overloaded("the hub serves as many as it can", retry_after=RETRY)

    def _choose(self, offer: Offer, camera: CameraRow, quality: Quality) -> list[Choice]:
        profile = self._feeds.profile(camera, quality)
        return choose_to_send(offer, profile, self._feeds.audio_codec(camera))

    def _forget_idle(self, feed: Feed) -> None:
        """A feed that nobody wants, brings or may still be sent by a lingering push."""
        if feed.wanted or feed.publishing is not None or self._pulls.busy(feed):
            return
        if not any(w.permit.camera == feed.camera for w in self._watching.values()):
            self._feeds.forget(feed)

    def _viewers(self) -> Iterator[Viewer]:
        for watching in self._watching.values():
            yield watching.viewer
        yield from tuple(self.above.viewers)

    def _refused_at_home(self, permits: frozenset[str]) -> None:
        """What the home itself does not show is shown to nobody by another's leave (PRM-21)."""
        for watching in [w for w in self._watching.values() if w.permit.id in permits]:
            watching.end("the home does not show it")
        for permit in permits:
            self.above.over(permit, "the home does not show it")

    def _lost_below(self, permits: frozenset[str]) -> None:
        self.lost |= permits
        self.above.lost(permits)

    def _of_viewer(self, viewer: Viewer) -> Watching | None:
        return next((w for w in self._watching.values() if w.viewer is viewer), None)

    def _child_changed(self, node: str, online: bool) -> None:  # noqa: FBT001 - a callback
        if not online:
            return
        self.above.hurry(node)
        for watching in self._watching.values():
            if watching.node == node:
                for feed in watching.wants:
                    feed.changed.set()
