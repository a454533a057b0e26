"""The page routes. Who may see them is the guard's matter; what they show comes from `CAMERAS`.

The application gives `app[CAMERAS]` before it starts, adds `routes` and calls `setup`; `problems`
renders failures for browsers with `error_page`. Strangers may see the routes named in `PUBLIC`.
"""

import asyncio
from typing import Final, Protocol
from urllib.parse import parse_qsl

from aiohttp import web

from village_hub.access.origin import SECURE
from village_hub.pages.render import (
    AccountPage,
    BelowList,
    CameraCard,
    CameraPage,
    CamerasPage,
    DevicePage,
    EnrolPage,
    ErrorPage,
    InvitationPage,
    Page,
    Renderer,
    SharingPage,
    SignInPage,
    SosPage,
)
from village_hub.pages.static import Statics
from village_hub.pages.words import LANGUAGES, Words, choose, read_words

LANGUAGE_COOKIE = "language"
COOKIE_AGE = 365 * 24 * 3600  # seconds
LONGEST_NAME = 40  # that is looked for
FORM_WITHIN = 10.0  # seconds
SIGN_IN = "/sign-in"
PUBLIC = frozenset({"sign_in_page", "enrol_page", "invitation_page", "language", "static"})

# Nothing but the hub's own files, and pictures that a script made from what it fetched.
POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",  # with no-referrer a form's Origin would be null
    "Vary": "Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
}


class Cameras(Protocol):
    """What the pages ask of the hub; both raise the hub's own errors."""

    async def all(self, request: web.Request) -> list[CameraCard]:
        """The cameras that the caller may know of, in the order to show them."""
        ...

    async def below(self, request: web.Request, name: str) -> BelowList | None:
        """Cameras of the hubs below, by a part of their name; None for who can have none."""
        ...

    async def one(self, request: web.Request, camera: str) -> CameraCard:
        """One of them, or the hub's "not found"."""
        ...


CAMERAS: Final = web.AppKey("CAMERAS", Cameras)
RENDERER: Final = web.AppKey("RENDERER", Renderer)
STATICS: Final = web.AppKey("STATICS", Statics)
WORDS: Final = web.AppKey("WORDS", dict[str, Words])

routes = web.RouteTableDef()


def setup(app: web.Application) -> None:
    """Read templates, catalogues and static files. Raises OSError when one is missing."""
    app[WORDS] = read_words()
    app[STATICS] = Statics()
    app[RENDERER] = Renderer(app[STATICS])


@routes.get("/", name="home")
async def cameras_page(request: web.Request) -> web.Response:
    """My cameras; the guard sends strangers to sign in."""
    cameras = await request.app[CAMERAS].all(request)
    name = request.query.get("name", "").strip()[:LONGEST_NAME]
    below = await request.app[CAMERAS].below(request, name if name.isprintable() else "")
    page = CamerasPage(path=request.path, cameras=tuple(cameras), below=below)
    return page_response(request, page)


@routes.get("/cameras/{camera}", name="camera_page")
async def camera_page(request: web.Request) -> web.Response:
    """One camera, live."""
    camera = await request.app[CAMERAS].one(request, request.match_info["camera"])
    return page_response(request, CameraPage(camera=camera))


@routes.get(SIGN_IN, name="sign_in_page")
async def sign_in_page(request: web.Request) -> web.Response:
    """Sign in with a one-time code: from the link's fragment, which no server sees, or typed."""
    return page_response(request, SignInPage(path=request.path))


@routes.get("/enrol", name="enrol_page")
async def enrol_page(request: web.Request) -> web.Response:
    """Add a key for duty, with the code in the link's fragment: whoever does is signed in nowhere
    yet."""
    return page_response(request, EnrolPage(path=request.path))


@routes.get("/account", name="account_page")
async def account_page(request: web.Request) -> web.Response:
    """My sessions, my keys, my shift; its script asks the API for them."""
    return page_response(request, AccountPage(path=request.path))


@routes.get("/sharing", name="sharing_page")
async def sharing_page(request: web.Request) -> web.Response:
    """Who can see my home; its script asks the API."""
    return page_response(request, SharingPage(path=request.path))


@routes.get("/sos", name="sos_page")
async def sos_page(request: web.Request) -> web.Response:
    """Call for help, and answer a call; its script asks the API."""
    return page_response(request, SosPage(path=request.path))


@routes.get("/invitation", name="invitation_page")
async def invitation_page(request: web.Request) -> web.Response:
    """For whoever was invited: public, the secret is in the fragment, which no server sees."""
    return page_response(request, InvitationPage())


@routes.get("/device", name="device_page")
async def device_page(request: web.Request) -> web.Response:
    """Open a shared screen for my shift."""
    return page_response(request, DevicePage())


@routes.post("/language", name="language")
async def language(request: web.Request) -> web.Response:
    """Keep the chosen language in a cookie and go back to where the switch was pressed."""
    form = await _form(request)
    chosen, back = form.get("language", ""), form.get("back", "")
    if chosen not in LANGUAGES:
        raise web.HTTPBadRequest(reason="language is not one of zh, en")
    response = web.Response(status=303, headers={"Location": _own_path(back)})
    response.set_cookie(
        language_cookie(request),
        chosen,
        max_age=COOKIE_AGE,
        httponly=True,
        samesite="Lax",
        secure=_secure(request),
        path="/",
    )
    return response


@routes.get("/static/{name}", name="static")
async def static(request: web.Request) -> web.Response:
    """A style, script or picture of the pages."""
    return request.app[STATICS].answer(request)


def language_cookie(request: web.Request) -> str:
    """Under TLS the browser keeps it to this host, as it does the session's."""
    return f"__Host-{LANGUAGE_COOKIE}" if _secure(request) else LANGUAGE_COOKIE


def words_for(request: web.Request) -> Words:
    """The words in the language of this browser."""
    accept = request.headers.get("Accept-Language", "")
    return request.app[WORDS][choose(request.cookies.get(language_cookie(request)), accept)]


def page_response(request: web.Request, page: Page, *, status: int = 200) -> web.Response:
    """A page with the headers that every page carries."""
    words = words_for(request)
    html = request.app[RENDERER].render(page, words)
    headers = {**HEADERS, "Content-Language": words.html_lang}
    return web.Response(text=html, content_type="text/html", headers=headers, status=status)


def error_page(
    request: web.Request, status: int, code: str, *, signed_in: bool = True
) -> web.Response:
    """Why not, in words, for a browser: the sentence of the problem's `code`, else of its kind."""
    words = words_for(request)
    named = next(key for key in _keys(status, code) if f"{key}.what" in words.texts)
    page = ErrorPage(
        path="/" if request.method != "GET" else request.path,
        what=words(f"{named}.what"),
        advice=words(f"{named}.do"),
        signed_in=signed_in,
    )
    return page_response(request, page, status=status)


def to_sign_in() -> web.Response:
    """Where a stranger who asked for a page is sent."""
    return web.Response(status=303, headers={"Location": SIGN_IN, "Cache-Control": "no-store"})


def wants_page(request: web.Request) -> bool:
    """Whether a failure is shown to a person (a page) or to a program (problem+json)."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


async def _form(request: web.Request) -> dict[str, str]:
    """A form as browsers send it, without files. Raises HTTPException."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(FORM_WITHIN):
            return dict(parse_qsl((await request.read()).decode(), max_num_fields=10))
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise web.HTTPBadRequest(reason="this is no form") from error


def _secure(request: web.Request) -> bool:
    """Whether the browser's own connection is TLS: the guard knows what a proxy hides."""
    return bool(request.get(SECURE, request.secure))


def _keys(status: int, code: str) -> list[str]:
    kind = "server" if status >= 500 else "unknown"
    return [f"problem.{code}", f"trouble.{code}", f"problem.{kind}"]


def _own_path(path: str) -> str:
    """`path` when it is one of this hub's own, else the first page: no open redirect."""
    own = path.startswith("/") and not path.startswith("//") and path.isascii()
    return path if own and path.isprintable() and "\\" not in path else "/"
