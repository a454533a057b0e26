"""The owner node's answer to a look from another hub: its own decision, and the permit (IDN-8).

Who asks is known by the exchanged token alone; which hubs it went through does not matter.
"""

import logging
from dataclasses import replace

from village_core.clock import Clock
from village_core.exchange import LookGiven, read_look
from village_core.permits import Action, Quality
from village_core.tokens import Kind, TokenError
from village_core.uplink import Refused
from village_hub.access.facts import Permit
from village_hub.access.guard import Guard
from village_hub.access.identity import LookCaller, subject_of_claims
from village_hub.catalogue.rows import CameraKind, CameraRow
from village_hub.media.above import Above, Lent, no_room
from village_hub.media.admission import must_be_there
from village_hub.media.service import ViewListener
from village_hub.tiers.children import Children
from village_hub.tiers.trust import Trust

log = logging.getLogger(__name__)


class Lending:
    def __init__(
        self,
        guard: Guard,
        trust: Trust,
        children: Children,
        above: Above,
        *,
        views: ViewListener,
        clock: Clock,
    ) -> None:
        self._children = children
        self._guard = guard
        self._trust = trust
        self._above = above
        self._views = views
        self._clock = clock
        self._by_look: dict[tuple[str, str], str] = {}  # (issuer, its look) -> permit

    async def lend(self, token: str, camera: CameraRow) -> LookGiven:
        """Raises Refused, HubError (both audited by the guard where a decision was made)."""
        caller = self._caller(token)
        if caller.look.camera != camera.id:
            raise Refused(400, "token_elsewhere", "this token is for another camera")
        if caller.look.action is not Action.LIVE:
            raise Refused(403, "action", "only live pictures are shown to other hubs yet")
        if camera.kind is CameraKind.PUSH:
            raise Refused(409, "not_lent", "this camera is shown at its own hub alone")
        known = self._known(caller)
        permit = await self._guard.lend(caller, camera, again=known)
        must_be_there(camera, self._children, flowing=False)
        if known is None:
            permit = replace(permit, quality=self._room(camera, permit))
        lives_ms = max(permit.until - self._clock.utc_ms(), 0)
        if known is None:
            await self._views.started(permit, camera)
            self._remember(caller, permit)
        ends_at = self._clock.monotonic() + lives_ms / 1000
        self._above.give(Lent(note=permit.note(), camera=camera, ends_at=ends_at, permit=permit))
        note = permit.note().model_copy(update={"grant": ()})  # the household's word stays here
        return LookGiven(
            permit=note, lives_ms=lives_ms, main=camera.main, sub=camera.sub, audio=camera.audio
        )

    def _room(self, camera: CameraRow, permit: Permit) -> Quality:
        """Raises Refused."""
        fits = self._above.fits(camera, permit.purpose, permit.quality)
        if fits is None:
            raise no_room()
        return fits

    def _caller(self, token: str) -> LookCaller:
        try:
            claims = self._trust.verify(Kind.EXCHANGED, token)
            return LookCaller(subject_of_claims(claims), read_look(claims))
        except TokenError as error:
            log.warning("a look from another hub is not accepted: %s", error.code)
            raise Refused(
                403, "untrusted", "the hub that asks is not trusted to say this of its people"
            ) from error

    def _known(self, caller: LookCaller) -> Permit | None:
        """The permit of a look that is asked for again, while it lives."""
        permit = self._by_look.get((caller.subject.issuer, caller.look.id))
        lent = self._above.find(permit) if permit else None
        if lent is None or lent.permit is None:
            return None
        same = (lent.permit.subject.key, lent.permit.camera)
        if same != (caller.subject.key, caller.look.camera):
            raise Refused(409, "other_look", "this name stands for another look")
        return lent.permit

    def _remember(self, caller: LookCaller, permit: Permit) -> None:
        self._by_look = {
            look: known for look, known in self._by_look.items() if self._above.find(known)
        }
        self._by_look[caller.subject.issuer, caller.look.id] = permit.id
