"""From a request's credentials to its caller: a session cookie, or one of the Bearer tokens."""

import hashlib
import logging
from collections.abc import Callable

from aiohttp import web

from village_core.calls import DIGEST, call_digest, check_call, content_digest
from village_core.clock import Clock
from village_core.permits import Action, Purpose
from village_core.tokens import LEEWAY, Claims, Kind, TokenError, Verifier, kind_of, said_claims
from village_hub.access.crossing import crosses
from village_hub.access.facts import Subject
from village_hub.access.identity import (
    KIOSK,
    Caller,
    HubCaller,
    MediaCaller,
    NodeCaller,
    PersonCaller,
    PublishCaller,
    subject_of_claims,
    subject_of_sign_in,
)
from village_hub.access.origin import SAFE, Source, check_same_origin
from village_hub.access.tickets import Tickets
from village_hub.access.token_keys import TokenKeys
from village_hub.catalogue import cameras, hubs, nodes, people
from village_hub.catalogue.rows import Capacity, HubRow, NodeRow, SignInRow
from village_hub.catalogue.store import Catalogue, Session
from village_hub.errors import Unauthorized

log = logging.getLogger(__name__)

COOKIE = "village"
SECURE_COOKIE = "__Host-village"  # the browser keeps it to this host, over TLS
SESSION_LIFE = 30 * 24 * 3600 * 1000  # ms; lives on while used (IDN-5)
DUTY_LIFE = 12 * 3600 * 1000  # ms; then it is over, however much used (IDN-5)
KIOSK_IDLE = 10 * 60 * 1000  # ms after which nothing can be done at a kiosk any more (IDN-12)
LOOKING = frozenset(
    {
        *("home", "camera_page", "cameras", "camera", "still", "media_token", "me"),
        *("sos_page", "sos_list"),
        "sign_out",
    }
)
"""Routes by name: what an idle kiosk shows by itself, or ends. All else is for who stands there."""
USED = web.RequestKey("USED", str)  # the secret of a session that lives on: so does its cookie
NOTED_EVERY = 3600 * 1000  # ms: that a session was used is written down this often


def digest(secret: str) -> str:
    """How a secret stands in the database. Headers may bring bytes that are no text."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def cookie_name(source: Source) -> str:
    return SECURE_COOKIE if source.secure else COOKIE


def set_cookie(response: web.StreamResponse, source: Source, secret: str, age: int) -> None:
    """Give the browser its session's secret for `age` seconds; 0 takes it away."""
    response.set_cookie(
        cookie_name(source),
        secret,
        max_age=age,
        httponly=True,
        secure=source.secure,
        samesite="Lax",
        path="/",
    )


class Credentials:
    """Verifies what requests bring."""

    def __init__(
        self, hub: str, catalogue: Catalogue, keys: TokenKeys, tickets: Tickets, clock: Clock
    ) -> None:
        self._hub = hub
        self._catalogue = catalogue
        self._keys = keys
        self._tickets = tickets
        self._clock = clock
        self.foreign: Callable[[Kind, str], Claims] | None = None  # by the county's trust list

    async def caller(
        self, request: web.Request, source: Source, *, expired_ok: bool
    ) -> Caller | None:
        """None: the request brings none. Raises Unauthorized for any that are not good."""
        header = request.headers.get("Authorization")
        if header is None:
            return await self._by_cookie(request, source)
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("the Authorization header is to be: Bearer <token>")
        try:
            caller = await self._by_token(request, token.strip(), expired_ok=expired_ok)
        except TokenError as error:
            log.info("a token was refused from %s: %s", source.address, error.code)
            raise Unauthorized("this token is not accepted") from error
        if isinstance(caller, PersonCaller) and caller.kiosk and not _only_looks(request):
            raise Unauthorized("this token is for looking only", code="kiosk_idle")
        return caller

    async def _by_cookie(self, request: web.Request, source: Source) -> PersonCaller | None:
        secret = request.cookies.get(cookie_name(source))
        if not secret:
            return None
        now = self._clock.utc_ms()
        found = await self._catalogue.read(people.sign_in_by_digest, digest(secret), now)
        if found is None:
            await self._refuse_kiosk(secret)
            return None
        check_same_origin(request, source)
        sign_in, who, duty = found
        if sign_in.kiosk:
            await self._at_kiosk(request, sign_in, now)
        elif now - sign_in.used > NOTED_EVERY:
            await self._note_used(request, sign_in, secret, now)
        subject = subject_of_sign_in(self._hub, who, duty)
        return PersonCaller(subject, sign_in.id, kiosk=sign_in.kiosk)

    async def _refuse_kiosk(self, secret: str) -> None:
        """Raises Unauthorized with the reason when it was a kiosk's."""
        if await self._catalogue.read(people.was_kiosk, digest(secret)):
            raise Unauthorized(
                "the shift is over: somebody on duty has to open this screen again",
                code="shift_over",
            )

    async def _note_used(
        self, request: web.Request, sign_in: SignInRow, secret: str, now: int
    ) -> None:
        """At home a session lives on while it is used; on duty it does not."""
        renewed = now + SESSION_LIFE if sign_in.capacity is Capacity.HOUSEHOLD else None
        await self._catalogue.write(people.use_sign_in, sign_in.id, now, renewed)
        if renewed is not None:
            request[USED] = secret

    async def _at_kiosk(self, request: web.Request, sign_in: SignInRow, now: int) -> None:
        """Looking goes on for the shift; whoever wants to do more must have done so just now.
        Raises Unauthorized."""
        if _only_looks(request):
            return
        if now - sign_in.used > KIOSK_IDLE:
            raise Unauthorized(
                "nobody used this screen for a while: open it again with your key",
                code="kiosk_idle",
            )
        if request.method in SAFE:  # pages ask again by themselves
            return
        await self._catalogue.write(people.use_sign_in, sign_in.id, now)

    async def _by_token(self, request: web.Request, token: str, *, expired_ok: bool) -> Caller:
        kind = kind_of(token)
        if kind is Kind.NODE:
            return await self._node(token)
        if kind is None:
            return await self._publisher(token)
        if kind is Kind.EXCHANGED:
            return await self._from_above(request, token)
        if kind not in (Kind.ACCESS, Kind.MEDIA, Kind.TICKET):
            raise TokenError("wrong_typ")
        claims = self._keys.verifier().verify(kind, token, expired_ok=expired_ok)
        if kind is Kind.TICKET:
            return self._tickets.read(claims)
        return await self._person(claims, expired_ok=expired_ok)

    async def _from_above(self, request: web.Request, token: str) -> PersonCaller:
        """Somebody of another hub, for this one call."""
        if self.foreign is None or not crosses(request):
            raise TokenError("wrong_typ")
        claims = self.foreign(Kind.EXCHANGED, token)
        body = request.headers.get(DIGEST)  # of a large one: its handler compares it
        if body is None:
            found = await request.read()
            body = content_digest(found) if found else ""
        said = call_digest(request.method, request.path_qs, request.headers, body)
        check_call(claims, said)
        subject = subject_of_claims(claims)
        if not subject.roles:
            raise TokenError("claim_missing")
        return PersonCaller(subject, f"{subject.issuer}.{subject.id}")

    async def _person(self, claims: Claims, *, expired_ok: bool) -> Caller:
        sign_in = claims.text("sid")
        now = self._clock.utc_ms()
        if not expired_ok:  # a session that ends what it opened may have ended itself
            living = await self._catalogue.read(people.living_sign_ins, frozenset({sign_in}), now)
            if not living:
                raise TokenError("signed_out")
        subject = subject_of_claims(claims)
        if claims.kind is Kind.ACCESS:
            return PersonCaller(subject, sign_in, kiosk=claims.more.get("client_id") == KIOSK)
        return _media(claims, subject, sign_in)

    async def _node(self, token: str) -> NodeCaller | HubCaller:
        said = said_claims(token).get("iss")
        row = await self._catalogue.read(_child, said) if isinstance(said, str) else None
        if row is None:
            raise TokenError("unknown_key")
        if row.revoked:
            raise TokenError("revoked")
        verifier = Verifier(
            self._hub,
            lambda issuer, kid: (
                row.key if issuer == row.id and kid == row.key.fingerprint else None
            ),
            self._clock,
            leeway=LEEWAY,
        )
        claims = verifier.verify(Kind.NODE, token)
        if claims.subject != row.id:
            raise TokenError("wrong_subject")
        return HubCaller(row) if isinstance(row, HubRow) else NodeCaller(row)

    async def _publisher(self, token: str) -> PublishCaller:
        found = await self._catalogue.read(cameras.publish_token, digest(token))
        if found is None:
            raise TokenError("unknown_key")
        return PublishCaller(*found)


def _child(session: Session, child: str) -> NodeRow | HubRow | None:
    return hubs.find(session, child) or nodes.find(session, child)


def _only_looks(request: web.Request) -> bool:
    return request.match_info.route.name in LOOKING


def _media(claims: Claims, subject: Subject, sign_in: str) -> MediaCaller:
    try:
        action, purpose = Action(claims.text("action")), Purpose(claims.text("purpose"))
    except ValueError as error:
        raise TokenError("claim_missing") from error
    camera, reason = claims.text("camera"), claims.text("reason")
    return MediaCaller(subject, sign_in, camera, action, purpose, reason)
