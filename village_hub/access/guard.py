"""The one guard: who calls (every route), and may they (every camera).

`identify` turns every stranger away from every route but those in PUBLIC. `Guard.permit` and
`Guard.renew` are the only makers of a Permit.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from village_core.clock import Clock
from village_core.exchange import Look, LookGiven
from village_core.ids import new_id
from village_core.permits import Action, Quality
from village_hub.access import across, basis, below
from village_hub.access.audit import CALLED_FROM, Audit, AuditFailed, CalledFrom
from village_hub.access.basis import Loaded
from village_hub.access.credentials import SESSION_LIFE, USED, Credentials, set_cookie
from village_hub.access.facts import (
    OWN_VIEW,
    Permit,
    Reason,
    Refusal,
    Said,
    Subject,
)
from village_hub.access.identity import (
    Caller,
    LookCaller,
    MediaCaller,
    PersonCaller,
    admission,
)
from village_hub.access.matrix import Column, Row
from village_hub.access.origin import SECURE, Source, Sources
from village_hub.access.questions import Question
from village_hub.access.refusals import refused_for
from village_hub.access.rules import Allowance, Opens, decide, decide_act, may_know, opens
from village_hub.access.throttle import Throttle
from village_hub.audit import making
from village_hub.audit.entry import ALLOWED, Entry, EntryKind, Who
from village_hub.audit.strangers import Strangers
from village_hub.catalogue import people
from village_hub.catalogue.remote_find import Below
from village_hub.catalogue.remote_search import Asked, RemoteRow
from village_hub.catalogue.rows import CameraRow
from village_hub.catalogue.store import Catalogue
from village_hub.errors import BadRequest, Overloaded, Refused, Unauthorized
from village_hub.pages import views

log = logging.getLogger(__name__)

CALLER: web.RequestKey[Caller] = web.RequestKey("CALLER")
SOURCE = web.RequestKey("SOURCE", Source)

# The routes that answer strangers, by name. Each says in its module why it may.
PUBLIC = views.PUBLIC | frozenset(
    {
        "healthz",
        "readyz",
        "jwks",
        "status_list",
        "openapi",
        "vouch",
        "sign_in",
        "join_by_invitation",
        "passkey_sign_in_begin",
        "passkey_sign_in_finish",
        "passkey_sign_in_choose",
        "passkey_enrol_begin",
        "passkey_enrol_finish",
        "device_authorize",
        "device_token",
        "file_objection",
        "objection_state",
        "withdraw_objection",
        "enrolment_claim",
        "enrolment_begin",
        "enrolment_reveal",
        "enrolment_result",
        "enrolment_refuse",
        "whip_preflight",
        "whep_preflight",
        "whip_session_preflight",
        "whep_session_preflight",
        "gateway_receipts",
        "gateway_keys",
        "public_summary",
    }
)
NEVER_TOO_MANY = frozenset(
    {"raise_sos", "stop_grant", "sign_out", "end_my_sign_in", "end_my_other_sign_ins"}
)
"""Routes by name: calling for help and taking rights away wait for nobody."""
TOKEN_NAMES = frozenset({"access_token", "authorization", "jwt", "token", "bearer"})


CREDENTIALS = web.AppKey("CREDENTIALS", Credentials)
SOURCES = web.AppKey("SOURCES", Sources)
CALLS = web.AppKey("CALLS", Throttle)
STRANGERS = web.AppKey("STRANGERS", Strangers)


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every request passes here; what a handler finds in request[CALLER] is of a kind it admits."""
    request[SOURCE] = source = request.app[SOURCES].of(request)
    request[SECURE] = source.secure
    CALLED_FROM.set(CalledFrom(source.address, request.headers.get("User-Agent", "")))
    _refuse_token_in_url(request)
    route = request.match_info.route.name
    if request.match_info.http_exception is None and route not in PUBLIC:
        wanted = admission(request)
        caller = await request.app[CREDENTIALS].caller(
            request, source, expired_ok=wanted.expired_ok
        )
        if caller is None or not isinstance(caller, wanted.kinds):
            request.app[STRANGERS].note(source.address)
            raise Unauthorized("sign in, or bring the token that this address asks for")
        if isinstance(caller, PersonCaller) and route not in NEVER_TOO_MANY:
            request.app[CALLS].spend(caller.sign_in)
        request[CALLER] = caller
    response = await handler(request)
    _prolong_cookie(request, response)
    return response


def _prolong_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """A session that lives on while it is used keeps its cookie (IDN-5)."""
    secret = request.get(USED)
    if secret is not None and not response.prepared and not response.cookies:
        set_cookie(response, request[SOURCE], secret, SESSION_LIFE // 1000)


def _refuse_token_in_url(request: web.Request) -> None:
    """MED-3: URLs end up in logs and histories."""
    if any(name.lower() in TOKEN_NAMES for name in request.query):
        raise BadRequest("a token belongs in the Authorization header", code="token_in_url")


def person(request: web.Request) -> PersonCaller:
    """The person signed in, on a route that admits nobody else. Raises Unauthorized."""
    caller = request[CALLER]
    if not isinstance(caller, PersonCaller):
        raise Unauthorized("sign in first")
    return caller


def by_hand(request: web.Request) -> PersonCaller:
    """The person signed in, on a device of their own: a kiosk has no rights of its own (IDN-12).
    Raises Unauthorized, Refused."""
    caller = person(request)
    if caller.kiosk:
        raise Refused("this is not done at a shared screen: use your own device", code="kiosk")
    return caller


@dataclass(frozen=True, slots=True)
class Known:
    """A camera that the caller may know of."""

    row: CameraRow
    _subject: Subject
    _loaded: Loaded
    _now: int

    def opens(self) -> tuple[Opens, ...]:
        """What they may look at it for just now: many decisions, for who shows them."""
        return opens(self._subject, self._loaded.camera, self._now, self._loaded.basis)


class Guard:
    """Decides about cameras and acts; holds no state of its own."""

    def __init__(self, hub: str, catalogue: Catalogue, audit: Audit, clock: Clock) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._audit = audit
        self._clock = clock

    async def permit(
        self,
        caller: PersonCaller | MediaCaller,
        camera: CameraRow,
        quality: Quality,
        action: Action,
        said: Said = OWN_VIEW,
    ) -> Permit:
        """The permit, audited. Raises Refused(code), audited too."""
        question = self._question(caller, camera.id, quality, said)
        loaded = await self._catalogue.read(basis.load, self._hub, question)
        if loaded is None:  # it went meanwhile
            raise refused_for(Reason.NO_BASIS)
        return await self._decide(caller.subject, loaded, camera.name, action, said)

    async def know(self, caller: PersonCaller, camera: CameraRow) -> Known | None:
        """None: the caller may not know of it. Nothing is seen, so nothing is audited."""
        question = self._question(caller, camera.id, Quality.SUB, OWN_VIEW)
        loaded = await self._catalogue.read(basis.load, self._hub, question)
        return self._known(caller, camera, loaded)

    async def known(self, caller: PersonCaller) -> list[Known]:
        """All cameras that the caller may know of. Nothing is seen, so nothing is audited."""
        ask = partial(self._question, caller, quality=Quality.SUB, said=OWN_VIEW)
        near = await self._catalogue.read(basis.near, self._hub, caller.subject)
        questions = [ask(camera.id) for camera in near]
        found = await self._catalogue.read(basis.load_all, self._hub, questions)
        each = [
            self._known(caller, camera, found[question.decision])
            for camera, question in zip(near, questions, strict=True)
        ]
        return [known for known in each if known is not None]

    async def known_below(self, caller: PersonCaller, asked: Asked) -> list[RemoteRow]:
        """Cameras of the hubs below that the caller may know of. Nothing is seen either."""
        now = self._clock.utc_ms()
        return await self._catalogue.read(below.search, self._hub, caller.subject, asked, now)

    def _known(
        self, caller: PersonCaller, camera: CameraRow, loaded: Loaded | None
    ) -> Known | None:
        if loaded is None:
            return None
        subject, now = caller.subject, self._clock.utc_ms()
        if not may_know(subject, loaded.camera, now, loaded.basis):
            return None
        return Known(camera, subject, loaded, now)

    async def allow(
        self, caller: PersonCaller, column: Column, relations: frozenset[Row] = frozenset()
    ) -> Allowance:
        """An act that concerns no picture: its conditions are the act's own service's to keep.
        `relations`: what the caller is to the household that it concerns. Raises Refused."""
        found = decide_act(caller.subject, column, relations)
        if isinstance(found, Refusal):
            tried, why = f"try.{column.name.lower()}", found.reason.value
            await self._write(making.act(self._clock, caller.subject, tried, why), outside=True)
            raise Refused("you may not do this", code=found.reason.value)
        return found

    async def lend(self, caller: LookCaller, camera: CameraRow, *, again: Permit | None) -> Permit:
        """For somebody whom another hub serves; audited as any other. `again`: the permit that is
        asked for once more, whose beginning is in the log. Raises Refused."""
        look, subject, now = caller.look, caller.subject, self._clock.utc_ms()
        question = across.question(caller, camera, now, again or new_id(self._clock))
        loaded = await self._catalogue.read(basis.load, self._hub, question)
        if loaded is None:
            raise refused_for(Reason.NO_BASIS)
        if again is None:
            said = Said(look.purpose, look.reason)
            permit = await self._decide(subject, loaded, camera.name, look.action, said)
            return replace(permit, shift=question.shift)
        verdict = decide(subject, loaded.camera, look.action, look.purpose, now, loaded.basis)
        if isinstance(verdict, Refusal) or self._audit.failing:
            raise refused_for(verdict.reason if isinstance(verdict, Refusal) else Reason.AUDIT)
        return replace(verdict, shift=question.shift)

    async def borrow(self, caller: MediaCaller, camera: Below, given: LookGiven) -> Permit:
        """What the node that owns the camera decided, written down here too, where the viewer is.
        Raises Overloaded when that cannot be done (AUD-2)."""
        permit = across.permit(self._hub, caller, camera, given, self._clock.utc_ms())
        about = making.of_permit(permit)
        entry = across.entry(self._clock, caller.subject, camera, ALLOWED, about)
        await self._write(entry, outside=True)
        return permit

    async def refused_below(
        self, subject: Subject, camera: Below, code: str, look: Look | None = None
    ) -> None:
        """The same, when it decided against it, or (no `look`) there was no such purpose."""
        about = across.asked(look) if look else {}
        await self._write(across.entry(self._clock, subject, camera, code, about), outside=True)

    async def renew(self, permits: Iterable[Permit]) -> dict[str, Permit | Reason]:
        """By permit id: the same permit for longer, while sign-in and basis hold, else why not."""
        asked = list(permits)
        if not asked:
            return {}
        now = self._clock.utc_ms()
        sign_ins = frozenset(permit.sign_in for permit in asked if permit.sign_in)
        living = await self._catalogue.read(people.living_sign_ins, sign_ins, now)
        here = [permit for permit in asked if permit.via == self._hub]
        gone = {permit.id for permit in here if permit.sign_in not in living}
        standing = [permit for permit in asked if permit.id not in gone and not permit.owner]
        questions = [_again(permit, now, self._hub) for permit in standing]
        loaded = await self._catalogue.read(basis.load_all, self._hub, questions)
        verdicts: dict[str, Permit | Reason] = dict.fromkeys(gone, Reason.SIGNED_OUT)
        verdicts |= await self._borrowed([p for p in here if p.owner and p.id not in gone], now)
        verdicts |= {
            permit.id: Reason.AUDIT
            if permit.outside and self._audit.failing  # AUD-3: at the next renewal it ends
            else _renewed(permit, loaded[permit.id], now)
            for permit in standing
        }
        return verdicts

    async def _borrowed(self, permits: Sequence[Permit], now: int) -> dict[str, Permit | Reason]:
        """Whether what the other node cannot see of them still holds: this log, the shift."""
        if self._audit.failing:
            return {permit.id: Reason.AUDIT for permit in permits}
        return {
            permit.id: await self._catalogue.read(across.stands, self._hub, permit, now)
            for permit in permits
        }

    def _question(
        self, caller: PersonCaller | MediaCaller, camera: str, quality: Quality, said: Said
    ) -> Question:
        return Question(
            decision=new_id(self._clock),
            subject=caller.subject,
            camera=camera,
            quality=quality,
            now=self._clock.utc_ms(),
            sign_in=caller.sign_in,
            reason=said.reason,
            footage=said.footage,
            second=said.second,
        )

    async def _decide(
        self, subject: Subject, loaded: Loaded, name: str, action: Action, said: Said
    ) -> Permit:
        now = self._clock.utc_ms()
        verdict = decide(subject, loaded.camera, action, said.purpose, now, loaded.basis)
        found = making.of_permit(verdict) if isinstance(verdict, Permit) else _asked(loaded, said)
        entry = making.act(
            self._clock,
            subject,
            action.value,
            verdict.reason.value if isinstance(verdict, Refusal) else ALLOWED,
            id=loaded.basis.decision,
            kind=EntryKind.DECISION,
            camera_name=name,
            household=loaded.camera.household,
            second=Who(issuer=said.second[0], id=said.second[1]) if said.second else None,
            **found,
        )
        await self._write(entry, outside=isinstance(verdict, Refusal) or verdict.outside)
        if isinstance(verdict, Refusal):
            raise refused_for(verdict.reason)
        return verdict

    async def _write(self, entry: Entry, *, outside: bool) -> None:
        try:
            await self._audit.write(entry)
        except AuditFailed as error:
            if not outside:  # AUD-2: the household's own view goes on
                self._audit.keep(entry)
                return
            unseen = {"result": Reason.AUDIT.value} if entry.allowed else {}
            self._audit.keep(entry.model_copy(update=unseen))
            raise Overloaded(
                "nothing can be shown now", code=Reason.AUDIT.value, retry_after=10
            ) from error


def _asked(loaded: Loaded, said: Said) -> dict[str, Any]:
    """What an entry says of a look that was refused."""
    begin, end = said.footage or (None, None)
    return {
        "camera": loaded.camera.id,
        "quality": loaded.basis.quality.value,
        "purpose": said.purpose.value if said.purpose else "",
        "reason": said.reason,
        "permit": loaded.basis.decision,
        "footage_from": begin,
        "footage_to": end,
    }


def _again(permit: Permit, now: int, hub: str) -> Question:
    return Question(
        decision=permit.id,
        subject=permit.subject,
        camera=permit.camera,
        quality=permit.quality,
        now=now,
        sign_in=permit.sign_in,
        reason=permit.reason,
        footage=permit.footage,
        via="" if permit.via == hub else permit.via,
        shift=permit.shift,
    )


def _renewed(permit: Permit, loaded: Loaded | None, now: int) -> Permit | Reason:
    if loaded is None:  # the camera is gone
        return Reason.NO_BASIS
    verdict = decide(
        permit.subject, loaded.camera, permit.action, permit.purpose, now, loaded.basis
    )
    return verdict if isinstance(verdict, Permit) else verdict.reason
