"""What the hub above may ask for over the uplink, and nothing else.

    PUT    /trust             TrustNote     200 | 403 not by the county's root
    POST   /permits           LookAsked     200 LookGiven | 403 the reason's code | 404 | 409
    PUT    /permits/{permit}  PermitNote    200 (one more viewer of the camera's pushes) | 404
    DELETE /permits/{permit}                200 (nobody above watches by it any more)
    POST   /pushes            PushRequest   202 PushAnswer | 403 | 404 | 409
    DELETE /pushes/{push}                   200 | 404
    PUT    /lines             BookLines     200 BookTaken (what must arrive; books.py)

Of a camera of this node it decides (lending.py); of one below, the node that owns it does, and its
answer is passed on.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from pydantic import Field, ValidationError

from village_core.clock import Clock
from village_core.enrolment import KeyText
from village_core.exchange import LookAsked, LookGiven
from village_core.messages import Message, PushAnswer, PushRequest
from village_core.permits import PermitNote, Quality
from village_core.tokens import TokenError
from village_core.uplink import Call, Refused, Reply, Route
from village_hub.catalogue import cameras, remote_find
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import HubError
from village_hub.media.above import Above, Lent, no_room
from village_hub.tiers.children import Children
from village_hub.tiers.far import far_camera
from village_hub.tiers.lending import Lending
from village_hub.tiers.trust import Trust

log = logging.getLogger(__name__)

ASK_WITHIN = 5.0  # seconds for the way down and back
Work = Callable[[Call], Awaitable[Reply]]


class TrustNote(Message):
    """The county's list, as it signed it; and its root key, for a hub that joined this one before
    this one knew it."""

    list: str = Field(max_length=60_000)
    root: KeyText | None = None


class FromAbove:
    def __init__(
        self,
        catalogue: Catalogue,
        children: Children,
        lending: Lending,
        above: Above,
        trust: Trust,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._children = children
        self._lending = lending
        self._above = above
        self._trust = trust
        self._clock = clock

    @property
    def routes(self) -> Sequence[Route]:
        handlers: dict[tuple[str, str], Work] = {
            ("PUT", "/trust"): self._take_trust,
            ("POST", "/permits"): self._permit,
            ("PUT", "/permits/{permit}"): self._join,
            ("DELETE", "/permits/{permit}"): self._leave,
            ("POST", "/pushes"): self._push,
            ("DELETE", "/pushes/{push}"): self._stop,
        }
        return [
            Route(method, pattern, told(handler)) for (method, pattern), handler in handlers.items()
        ]

    async def _take_trust(self, call: Call) -> Reply:
        note = TrustNote.model_validate(call.body)
        try:
            await self._trust.take(note.list, note.root)
        except TokenError as error:
            raise Refused(403, "untrusted", f"the list is not accepted: {error.code}") from error
        return Reply(200)

    async def _permit(self, call: Call) -> Reply:
        asked = LookAsked.model_validate(call.body)
        if call.authorization is None:
            raise Refused(401, "no_token", "a look comes with its person's token")
        camera = await self._catalogue.read(cameras.find, asked.camera)
        if camera is not None:
            return Reply(200, await self._lending.lend(call.authorization, camera))
        return Reply(200, await self._passed_on(asked, call.authorization))

    async def _passed_on(self, asked: LookAsked, token: str) -> LookGiven:
        found = await self._catalogue.read(remote_find.where, asked.camera)
        if found is None:
            raise Refused(404, "no_such_camera", "there is no such camera here or below")
        answer = await self._children.ask(
            found.child, "POST", "/permits", asked, authorization=token, deadline=ASK_WITHIN
        )
        if answer.status != 200:
            said = answer.body or {}
            detail = str(said.get("detail") or "the hub below refused")
            raise Refused(answer.status, str(said.get("code") or "bad_child"), detail)
        given = read_given(answer.body, asked.camera)
        camera = far_camera(found.id, found.name, found.child, given)
        given = await self._narrowed(camera, given)
        ends_at = self._clock.monotonic() + given.lives_ms / 1000
        self._above.give(Lent(note=given.permit, camera=camera, ends_at=ends_at))
        return given

    async def _narrowed(self, camera: CameraRow, given: LookGiven) -> LookGiven:
        """As far as this hub's own line has room. Raises Refused."""
        note = given.permit
        known = self._above.find(note.id)
        if known is not None:
            quality: Quality | None = known.note.quality
        else:
            quality = self._above.fits(camera, note.purpose, note.quality)
        if quality is None:
            await self._children.ask(str(camera.node), "DELETE", f"/permits/{note.id}")
            raise no_room()
        return given.model_copy(update={"permit": note.model_copy(update={"quality": quality})})

    async def _join(self, call: Call) -> Reply:
        note = PermitNote.model_validate(call.body)
        if note.id != call.params["permit"]:
            raise Refused(400, "wrong_permit", "the path names another permit than the body")
        self._above.join(note.id)
        return Reply(200)

    async def _leave(self, call: Call) -> Reply:
        self._above.end(call.params["permit"], "the peer left")
        return Reply(200)

    async def _push(self, call: Call) -> Reply:
        return Reply(
            202, PushAnswer(refused=self._above.take(PushRequest.model_validate(call.body)))
        )

    async def _stop(self, call: Call) -> Reply:
        self._above.stop(call.params["push"])
        return Reply(200)


def read_given(body: object, camera: str) -> LookGiven:
    """Raises Refused."""
    try:
        given = LookGiven.model_validate(body)
    except ValidationError as error:
        log.warning("a hub below answered a look with something else: %s", error.error_count())
        raise Refused(
            502, "bad_child", "the hub below gave an answer that makes no sense"
        ) from error
    if given.permit.camera != camera:
        raise Refused(502, "bad_child", "the hub below gave a permit for another camera")
    return given


def told(handler: Work) -> Work:
    """This hub's own no, as the uplink says it."""

    async def answer(call: Call) -> Reply:
        try:
            return await handler(call)
        except HubError as error:
            raise Refused(error.status, error.code, str(error)) from error

    return answer
