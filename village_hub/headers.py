"""Headers that every answer carries, whichever part of the hub it comes from.

Pages say more of their own (pages/views.py); here stands what holds for the rest, too: an answer
that is no page loads nothing, runs nothing, stands in no frame and is kept by nobody.
"""

from aiohttp import web

from village_hub.access.origin import SECURE
from village_hub.config import is_loopback

NOTHING = (
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
UNLESS_SAID = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": NOTHING,
    "Cross-Origin-Resource-Policy": "same-origin",  # asked with CORS, WHIP and WHEP answer all
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
TLS_ONLY = "max-age=31536000; includeSubDomains"  # RFC 6797: a year, counted anew by every answer


async def complete(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare."""
    response.headers["Server"] = "security-village"  # which versions run is nobody's business
    for name, value in UNLESS_SAID.items():
        response.headers.setdefault(name, value)
    if request.get(SECURE) and not is_loopback(request.url.host or ""):
        response.headers["Strict-Transport-Security"] = TLS_ONLY
