"""Who may speak to the LAN page: the home's network, by the box's own name, from its own page."""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from home_agent.household import Household
from home_agent.lan_network import OwnNetwork
from home_agent.state import StateError
from village_core.clock import Clock
from village_core.ids import new_secret

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC = frozenset({"page", "static", "sign_in", "sign_out", "switch", "language"})
"""Routes without a signed-in session: turning the switch off needs nothing."""
LIFE = 30 * 24 * 3600.0  # seconds a household's browser stays signed in
MOST_SESSIONS = 200
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Server": "home-agent",  # which versions run is nobody's business
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form says Origin: null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def no_noise(record: logging.LogRecord) -> bool:
    """A log's filter: False for what is no HTTP, which anyone sends and which may hold a token."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def refused(status: int, code: str, detail: str, **headers: str) -> web.Response:
    """An error as RFC 9457 has it."""
    body = {"status": status, "code": code, "title": detail, "detail": detail}
    return web.json_response(
        body, status=status, content_type="application/problem+json", headers=headers
    )


class Sessions:
    """Signed-in browsers: hashes of their cookies, in memory. A new code ends all of them."""

    def __init__(self, household: Household, clock: Clock) -> None:
        self._household = household
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}

    def begin(self) -> str:
        """A new session; returns what its cookie holds."""
        if len(self._known) >= MOST_SESSIONS:
            self._known.pop(next(iter(self._known)))
        secret = new_secret()
        ends = self._clock.monotonic() + LIFE
        self._known[_digest(secret)] = (self._household.serial(), ends)
        return secret

    def holder(self, secret: str) -> str | None:
        """The session's name; None when it is none or has ended."""
        name = _digest(secret)
        serial, ends = self._known.get(name, (0, 0.0))
        if ends <= self._clock.monotonic():
            return None
        if serial != self._serial():
            del self._known[name]
            return None
        return name

    def _serial(self) -> int:
        try:
            return self._household.serial()
        except StateError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            return -1  # nobody is signed in while nobody's code is known

    def end(self, secret: str) -> None:
        self._known.pop(_digest(secret), None)


class Guard:
    """The one middleware. A request that passes has `holder` when it is signed in."""

    def __init__(self, network: OwnNetwork, sessions: Sessions, *, secure: bool) -> None:
        self._network = network
        self._sessions = sessions
        self._scheme = "https" if secure else "http"
        self.cookie = "__Host-home" if secure else "home"

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = self._refusal(request) or await self._answer(request, handler)
            response.headers.update(HEADERS)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guard

    def holder(self, request: web.Request) -> str | None:
        return self._sessions.holder(request.cookies.get(self.cookie, ""))

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                return error
            return refused(error.status, "http", error.reason)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._network.includes(request.remote or ""):
            log.warning("the LAN page refused %s: not of this network", request.remote)
            return refused(403, "not_at_home", "this page is for the home's own network")
        if not self._network.is_us(_host_of(request.host)):
            return refused(403, "wrong_host", "this box has no such name")
        if request.method not in SAFE and not self._is_own_page(request):
            return refused(403, "other_origin", "this request came from another page")
        name = request.match_info.route.name
        if name not in PUBLIC and self.holder(request) is None:
            return refused(401, "sign_in", "sign in with the household's code")
        return None

    def _is_own_page(self, request: web.Request) -> bool:
        own = f"{self._scheme}://{request.host}".lower()
        return request.headers.get("Origin", "").lower() == own


def _host_of(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
