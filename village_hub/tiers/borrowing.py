"""Looks at cameras of hubs below: asked of the node that owns them, in the viewer's own name.

The owner node decides; this hub shows by its permit and no longer, and writes down itself who
looked (AUD-1). The viewer's sign-in is exchanged for one look (RFC 8693; IDN-7, IDN-8).
"""

import logging
from dataclasses import dataclass, replace

from village_core.clock import Clock
from village_core.exchange import Look, LookAsked, LookGiven, OnShift, exchange
from village_core.ids import new_id
from village_core.keys import SigningKey
from village_core.messages import Answer
from village_core.permits import Action, Purpose, Quality
from village_core.tokens import Issuer
from village_core.uplink import Refused as NotGiven
from village_hub.access import below
from village_hub.access.below import Shown
from village_hub.access.facts import Permit, Reason, Said, ShiftFacts, Subject
from village_hub.access.guard import Guard
from village_hub.access.identity import MediaCaller, claims_of
from village_hub.access.refusals import refused_for
from village_hub.catalogue.remote_find import Below
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import (
    BadChild,
    ChildOffline,
    ChildTimeout,
    Conflict,
    HubError,
    NotFound,
    Overloaded,
    Refused,
    Unprocessable,
)
from village_hub.tiers.children import Children
from village_hub.tiers.far import far_camera
from village_hub.tiers.from_above import read_given

log = logging.getLogger(__name__)

ASK_WITHIN = 8.0  # seconds: down and back through two hubs
RETRY = 5


@dataclass(frozen=True, slots=True)
class _Borrowed:
    look: Look
    remote: Below


class Borrowing:
    def __init__(
        self,
        hub: str,
        key: SigningKey,
        guard: Guard,
        catalogue: Catalogue,
        children: Children,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._issuer = Issuer(hub, key, clock)
        self._guard = guard
        self._catalogue = catalogue
        self._children = children
        self._clock = clock
        self._borrowed: dict[str, _Borrowed] = {}  # by permit
        self._asking: set[str] = set()

    async def find(self, subject: Subject, camera: str) -> Below | None:
        """None: there is none below, or the subject may not know of it."""
        now = self._clock.utc_ms()
        return await self._catalogue.read(below.find, self._hub, subject, camera, now)

    async def show(self, subject: Subject, camera: str) -> Shown | None:
        """The same with its state, and what it may likely be looked at for."""
        now = self._clock.utc_ms()
        return await self._catalogue.read(below.show, self._hub, subject, camera, now)

    async def permit(
        self, caller: MediaCaller, camera: str, quality: Quality, said: Said
    ) -> tuple[Permit, CameraRow]:
        """Audited here and at the owner node. Raises NotFound, Refused, ChildOffline and other
        HubErrors."""
        remote = await self.find(caller.subject, camera)
        if remote is None:
            raise NotFound("there is no such camera", code="no_such_camera")
        if said.purpose is None:
            raise await self.no_purpose(caller.subject, remote)
        shift = await self._shift(caller.subject)
        look = self._look(caller.action, remote, quality, said.purpose, said.reason, shift)
        try:
            given = await self._ask(remote, caller.subject, look)
        except Refused as error:
            await self._guard.refused_below(caller.subject, remote, error.code, look)
            raise
        permit = await self._guard.borrow(caller, remote, given)
        self._borrowed[permit.id] = _Borrowed(look, remote)
        return permit, far_camera(remote.id, remote.name, remote.child, given)

    async def no_purpose(self, subject: Subject, remote: Below) -> Refused:
        """The refusal of what there is no word for (PRM-15), written down."""
        await self._guard.refused_below(subject, remote, Reason.PURPOSE.value)
        return refused_for(Reason.PURPOSE)

    async def renew(self, permit: Permit) -> Permit | Reason | None:
        """The same for longer, or why not; None: nobody could be asked now, it lapses by itself."""
        held = self._borrowed.get(permit.id)
        if held is None or permit.id in self._asking:
            return None
        self._asking.add(permit.id)
        try:
            shift = await self._shift(permit.subject)
            look = held.look.model_copy(update={"shift": _on_shift(shift)})
            given = await self._ask(held.remote, permit.subject, look)
        except Refused as error:
            return Reason(error.code) if error.code in list(Reason) else Reason.NO_BASIS
        except HubError as error:
            log.info("permit %s is not renewed: %s", permit.id, error)
            return None
        finally:
            self._asking.discard(permit.id)
        if given.permit.id != permit.id:
            return Reason.NO_BASIS
        return replace(permit, until=self._clock.utc_ms() + given.lives_ms)

    def keep(self, permits: frozenset[str]) -> None:
        """Forget all but those that somebody still watches by."""
        self._borrowed = {name: each for name, each in self._borrowed.items() if name in permits}

    def lender(self, permit: str) -> str | None:
        """The child that a permit came from."""
        held = self._borrowed.get(permit)
        return held.remote.child if held else None

    async def _ask(self, remote: Below, subject: Subject, look: Look) -> LookGiven:
        token = exchange(self._issuer, remote.owner, subject.id, claims_of(subject), look)
        answer = await self._children.ask(
            remote.child,
            "POST",
            "/permits",
            LookAsked(camera=remote.id),
            authorization=token,
            deadline=ASK_WITHIN,
        )
        if answer.status != 200:
            raise why_not(answer)
        try:
            return read_given(answer.body, remote.id)
        except NotGiven as error:
            raise BadChild(str(error)) from error

    async def _shift(self, subject: Subject) -> ShiftFacts | None:
        now = self._clock.utc_ms()
        return await self._catalogue.read(below.shift, self._hub, subject, now)

    def _look(
        self,
        action: Action,
        remote: Below,
        quality: Quality,
        purpose: Purpose,
        reason: str,
        shift: ShiftFacts | None,
    ) -> Look:
        return Look(
            id=new_id(self._clock),
            camera=remote.id,
            quality=quality,
            action=action,
            purpose=purpose,
            reason=reason,
            shift=_on_shift(shift),
        )


def _on_shift(shift: ShiftFacts | None) -> OnShift | None:
    return OnShift(id=shift.id, ends=shift.ends) if shift else None


def why_not(answer: Answer) -> HubError:
    """The node's no, as the viewer is told it: the same words as for a camera of this hub."""
    said = answer.body or {}
    code, detail = str(said.get("code") or ""), str(said.get("detail") or "")[:300]
    if answer.status == 403:
        return refused_for(Reason(code)) if code in list(Reason) else Refused(detail, code=code)
    kinds: dict[int, type[HubError]] = {
        404: NotFound,
        409: Conflict,
        422: Unprocessable,
        503: Overloaded,
        504: ChildTimeout,
    }
    if code == ChildOffline.slug:
        return ChildOffline(detail, retry_after=RETRY)
    kind = kinds.get(answer.status)
    if kind is None or not code:
        return BadChild("the hub below gave an answer that makes no sense")
    return kind(detail, code=code, retry_after=RETRY)
