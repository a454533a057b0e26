"""The one guard: who calls (every route), and may they (every camera).

`identify` turns every stranger away from every route but those in PUBLIC. `Guard.permit` and
`Guard.renew` are the only makers of a Permit.
"""

import logging
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from village_core.clock import Clock
from village_core.ids import new_id
from village_core.permits import Action, Purpose, Quality
from village_hub.access.audit import Audit, AuditFailed, Entry
from village_hub.access.credentials import SESSION_LIFE, USED, Credentials, set_cookie
from village_hub.access.identity import Caller, MediaCaller, PersonCaller, admission
from village_hub.access.origin import Source, Sources
from village_hub.access.rules import Basis, CameraFacts, Permit, Reason, Refusal, Subject, decide
from village_hub.catalogue import cameras, people
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
        "openapi",
        "vouch",
        "sign_in",
        "enrolment_claim",
        "enrolment_begin",
        "enrolment_reveal",
        "enrolment_result",
        "enrolment_refuse",
        "whip_preflight",
        "whep_preflight",
        "whip_session_preflight",
        "whep_session_preflight",
    }
)
TOKEN_NAMES = frozenset({"access_token", "authorization", "jwt", "token", "bearer"})

REFUSED = {
    Reason.NO_BASIS: "you may not see this camera",
    Reason.PURPOSE: "this camera cannot be seen for this purpose",
    Reason.SIGNED_OUT: "the sign-in this rested on has ended",
}


CREDENTIALS = web.AppKey("CREDENTIALS", Credentials)
SOURCES = web.AppKey("SOURCES", Sources)


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every request passes here; what a handler finds in request[CALLER] is of a kind it admits."""
    request[SOURCE] = source = request.app[SOURCES].of(request)
    _refuse_token_in_url(request)
    route = request.match_info.route.name
    if request.match_info.http_exception is None and route not in PUBLIC:
        wanted = admission(request)
        caller = await request.app[CREDENTIALS].caller(
            request, source, expired_ok=wanted.expired_ok
        )
        if caller is None or not isinstance(caller, wanted.kinds):
            raise Unauthorized("sign in, or bring the token that this address asks for")
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


class Guard:
    """Decides about cameras; holds no state of its own."""

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
        purpose: Purpose = Purpose.OWN_VIEW,
    ) -> Permit:
        """The permit, audited. Raises Refused(code), audited too."""
        basis = await self._basis(camera, quality, caller.sign_in)
        return await self._decide(caller.subject, camera, action, purpose, basis)

    async def may(self, caller: PersonCaller, camera: CameraRow) -> bool:
        """Whether the caller may know of the camera. Nothing is seen, so nothing is audited."""
        basis = await self._basis(camera, Quality.SUB, caller.sign_in)
        now = self._clock.utc_ms()
        verdict = decide(caller.subject, camera.facts, Action.LIVE, Purpose.OWN_VIEW, now, basis)
        return isinstance(verdict, Permit)

    async def renew(self, permits: Iterable[Permit]) -> dict[str, Permit | Reason]:
        """By permit id: the same permit for longer, while sign-in and basis hold, else why not."""
        asked = list(permits)
        if not asked:
            return {}
        now = self._clock.utc_ms()
        sign_ins = frozenset(permit.sign_in for permit in asked if permit.sign_in)
        living = await self._catalogue.read(people.living_sign_ins, sign_ins, now)
        watched = frozenset(permit.camera for permit in asked)
        owners = await self._catalogue.read(cameras.owners, watched)
        return {
            permit.id: self._renewed(permit, owners.get(permit.camera), now)
            if permit.sign_in in living
            else Reason.SIGNED_OUT
            for permit in asked
        }

    def _renewed(
        self, permit: Permit, owning: tuple[str, frozenset[str]] | None, now: int
    ) -> Permit | Reason:
        if owning is None:  # the camera is gone
            return Reason.NO_BASIS
        household, owners = owning
        basis = Basis(
            decision=permit.id,
            via=permit.via,
            quality=permit.quality,
            owners=frozenset((self._hub, owner) for owner in owners),
            sign_in=permit.sign_in,
        )
        facts = CameraFacts(permit.camera, household)
        verdict = decide(permit.subject, facts, permit.action, permit.purpose, now, basis)
        return verdict if isinstance(verdict, Permit) else verdict.reason

    async def _decide(
        self,
        subject: Subject,
        camera: CameraRow,
        action: Action,
        purpose: Purpose,
        basis: Basis,
    ) -> Permit:
        now = self._clock.utc_ms()
        verdict = decide(subject, camera.facts, action, purpose, now, basis)
        refused = verdict if isinstance(verdict, Refusal) else None
        allowed = verdict if isinstance(verdict, Permit) else None
        entry = Entry(
            decision=basis.decision,
            utc_ms=now,
            subject=subject,
            camera=camera.id,
            quality=basis.quality,
            action=action,
            purpose=purpose,
            basis=allowed.basis if allowed else None,
            via=self._hub,
            result=refused.reason.value if refused else "allowed",
        )
        await self._write(entry, outside=allowed is None or allowed.outside)
        if isinstance(verdict, Refusal):
            raise _refused(verdict.reason)
        return verdict

    async def _write(self, entry: Entry, *, outside: bool) -> None:
        try:
            await self._audit.write(entry)
        except AuditFailed as error:
            log.error("decision %s is not in the audit log: %s", entry.decision, error)  # noqa: TRY400
            if outside:  # AUD-2: the household's own view goes on
                raise Overloaded(
                    "nothing can be shown now", code="audit", retry_after=10
                ) from error

    async def _basis(self, camera: CameraRow, quality: Quality, sign_in: str) -> Basis:
        owners = await self._catalogue.read(people.owners, camera.household)
        return Basis(
            decision=new_id(self._clock),
            via=self._hub,
            quality=quality,
            owners=frozenset((self._hub, owner) for owner in owners),
            sign_in=sign_in,
        )


def _refused(reason: Reason) -> Refused:
    return Refused(REFUSED[reason], code=reason.value)
