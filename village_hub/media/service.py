"""What the HTTP side asks of this node's live media; `media/live.py` is it.

Errors are HubErrors (village_hub/errors.py) with the status that MED names: NotFound for a session
that does not exist or is not the caller's, Conflict with a retry time when there is no publisher,
Unprocessable and BadRequest for an offer, Overloaded. Nothing half-done stays after an error.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from village_core.clock import Clock
from village_core.jobs import Supervisor
from village_core.permits import Quality
from village_core.transport.signalling import Reply
from village_hub.access.facts import Permit
from village_hub.access.tickets import Tickets
from village_hub.catalogue.rows import CameraRow
from village_hub.config import MediaConfig
from village_hub.media.above import Above
from village_hub.media.uploads import Uploads
from village_hub.tiers.children import Children


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened (MED-1, MED-2, MED-8)."""

    session_id: str  # at least 128 random bits: the last part of the session's URL
    answer: str  # SDP
    etag: str  # a strong entity-tag with its quotes


class LiveSession(Protocol):
    """A WHIP or WHEP session of this node."""

    @property
    def id(self) -> str: ...

    @property
    def credential(self) -> str:
        """Whoever may change or end it: what `watch` or `publish` was given."""
        ...

    @property
    def permit(self) -> Permit | None:
        """What a viewing session stands on; None for a publishing one."""
        ...


class LiveService(Protocol):
    @property
    def above(self) -> Above:
        """What the hub above is shown."""
        ...

    @property
    def lost(self) -> set[str]:
        """Permits that a node below knows no more, to be asked for anew and taken out of here."""
        ...

    async def watch(
        self, permit: Permit, camera: CameraRow, offer_text: str, credential: str
    ) -> Opened:
        """Open a viewing session (WHEP POST). `credential` is whoever may change or end it."""
        ...

    async def publish(
        self,
        camera: CameraRow,
        quality: Quality,
        offer_text: str,
        credential: str,
        push: str | None = None,
    ) -> Opened:
        """Open a publishing session (WHIP POST); it replaces the camera's earlier one. `push` is
        the ticket's: Conflict when it is not the one asked for last."""
        ...

    def awaited(self, camera_id: str) -> CameraRow | None:
        """The camera of a node below whose picture is asked for and may come in by a ticket."""
        ...

    def session(self, session_id: str, credential: str) -> LiveSession:
        """NotFound when there is none or it was opened with another credential (MED-2)."""
        ...

    async def patch(
        self, session: LiveSession, content_type: str, if_match: str | None, body: str
    ) -> Reply:
        """What the session's `SessionUrl.patch` says (MED-7)."""
        ...

    async def end(self, session: LiveSession, reason: str) -> None:
        """Free everything of it: ICE, DTLS (close_notify), legs (MED-6)."""
        ...

    async def pin(self, session: LiveSession, quality: Quality | None) -> None:
        """Hold a viewer's quality; None lets the hub choose again."""
        ...

    async def still(self, permit: Permit, camera: CameraRow) -> bytes:
        """One picture, image/jpeg."""
        ...

    def publishing(self, camera_id: str) -> bool:
        """Whether pictures of this camera are arriving now; a push camera's state."""
        ...

    def sessions(self) -> list[LiveSession]:
        """All that are open now. `access/renewal.py` renews their permits while sign-in and basis
        hold, and ends within seconds those for which they do not (MED-17)."""
        ...

    async def renewed(self, permit: Permit) -> None:
        """The same permit with a later `until`: to be passed on to whoever enforces it."""
        ...

    async def close(self) -> None:
        """End every session, telling peers (close_notify)."""
        ...


class ViewListener(Protocol):
    """Who watched what, from when until when: for the audit log."""

    async def started(self, permit: Permit, camera: CameraRow) -> None:
        """Before the viewer is answered. Raises Overloaded: this view may not begin."""
        ...

    def ended(self, permit: Permit, octets: int, why: str) -> None:
        """Once for each that started; `octets` of media were sent."""
        ...


@dataclass(frozen=True, slots=True)
class LiveNeeds:
    """What the media of a node is made with; `app.py` gives it."""

    settings: MediaConfig
    hub: str  # its id
    url: str  # how agents reach it, without a slash at the end
    clock: Clock
    supervisor: Supervisor
    children: Children  # ask(...), online(...), on_change
    tickets: Tickets  # for_push(camera, quality, push)
    uploads: Uploads  # expect(camera): a still on its way up
    registry: CollectorRegistry  # where its own counts go
    views: ViewListener
    above: Callable[[], ClientSession]  # to the hub above; raises ParentError: there is none


OpenLive = Callable[[LiveNeeds], Awaitable[LiveService]]
"""How the media is opened; raises OSError or PortError when its port cannot be."""
