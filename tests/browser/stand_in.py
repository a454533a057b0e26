"""The real pages on a scripted hub: for what a real one cannot be brought to say at will.

Flows with a real hub, agent and picture are in tests/flows; here the border is the hub's HTTP.
"""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import av
from aiohttp import web

from village_core.troubles import Trouble
from village_hub import pages
from village_hub.pages.render import BelowList, CameraCard
from village_hub.pages.views import error_page, to_sign_in, wants_page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CODE = "river-stone-42"
COOKIE = "session"


def picture(text_second: int = 0) -> bytes:
    """A JPEG of 640x360 of a moving test pattern, `text_second` seconds in."""
    with av.open(
        f"testsrc2=size=640x360:rate=1,trim=start={text_second}", format="lavfi"
    ) as source:
        frame = next(source.decode(video=0))
    out = io.BytesIO()
    with av.open(out, "w", format="mjpeg") as sink:
        stream = sink.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuvj420p"
        for packet in (*stream.encode(frame.reformat(format="yuvj420p")), *stream.encode()):
            sink.mux(packet)
    return out.getvalue()


def problem(status: int, code: str, **headers: str) -> web.Response:
    body = {"type": "about:blank", "title": code, "status": status, "code": code}
    return web.json_response(
        body, status=status, content_type="application/problem+json", headers=headers
    )


@dataclass
class Camera:
    id: str
    name: str
    online: bool = True
    trouble: Trouble | None = None
    audio: str | None = None
    still: bytes | None = None
    refuses_stills: bool = False
    opens: dict[str, bool] = field(default_factory=lambda: {"own_view": False})

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "online": self.online,
            "trouble": self.trouble,
            "audio": self.audio,
            "opens": [{"purpose": name, "reason": words} for name, words in self.opens.items()],
        }

    def card(self) -> CameraCard:
        return CameraCard(
            id=self.id,
            name=self.name,
            online=self.online,
            trouble=self.trouble,
            audio=self.audio is not None,
            sizes={"main": (1280, 720), "sub": (640, 360)},
            opens=self.opens,
        )


@dataclass
class ScriptedHub:
    """What the hub says, and what it was asked."""

    cameras: dict[str, Camera] = field(default_factory=dict)
    whep: Handler | None = None
    session: Handler | None = None
    pass_: dict[str, Any] = field(default_factory=lambda: {"token": "token-1", "expires_in": 240})
    asked: list[tuple[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)  # with each media token
    signed_in: bool = True
    sos: list[dict[str, Any]] = field(default_factory=list)

    def add(self, *cameras: Camera) -> None:
        self.cameras.update({camera.id: camera for camera in cameras})

    def count(self, method: str, start: str) -> int:
        return sum(1 for m, path in self.asked if m == method and path.startswith(start))

    async def all(self, request: web.Request) -> list[CameraCard]:
        return [camera.card() for camera in self.cameras.values()]

    async def below(self, request: web.Request, name: str) -> BelowList | None:
        return None

    async def one(self, request: web.Request, camera: str) -> CameraCard:
        return self.find(camera).card()

    def find(self, camera: str) -> Camera:
        if camera not in self.cameras:
            raise web.HTTPNotFound
        return self.cameras[camera]

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._doorkeeper])
        app[pages.CAMERAS] = self
        pages.setup(app)
        app.add_routes(pages.routes)
        app.add_routes(
            [
                web.post("/api/v1/sign-in", self._sign_in),
                web.post("/api/v1/sign-out", self._sign_out),
                web.get("/api/v1/me/sharing", self._sharing),
                web.get("/api/v1/sos", self._calls_for_help),
                web.get("/api/v1/sos/{sos}/calls", self._calls),
                web.get("/api/v1/cameras", self._cameras),
                web.get("/api/v1/cameras/{camera}", self._camera),
                web.get("/api/v1/cameras/{camera}/still", self._still),
                web.post("/api/v1/cameras/{camera}/media-token", self._pass),
                web.post("/api/v1/sessions/{session}/quality", self._quality),
                web.post("/whep/{camera}", self._whep),
                web.route("*", "/whep/{camera}/{session}", self._session),
            ]
        )
        return app

    @web.middleware
    async def _doorkeeper(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs))
        try:
            if self._stranger(request):
                return to_sign_in() if wants_page(request) else problem(401, "signed_out")
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            if wants_page(request):
                return error_page(request, error.status, "not_found")
            return problem(error.status, "not_found")

    def _stranger(self, request: web.Request) -> bool:
        route = request.match_info.route.name
        open_to_all = route in pages.PUBLIC or request.path == "/api/v1/sign-in"
        return not (self.signed_in or open_to_all or COOKIE in request.cookies)

    async def _sign_in(self, request: web.Request) -> web.Response:
        if (await request.json()).get("code") != CODE:
            return problem(401, "bad_code")
        response = web.json_response({})
        response.set_cookie(COOKIE, "1", httponly=True, samesite="Lax")
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        response = web.json_response({})
        response.del_cookie(COOKIE)
        return response

    async def _cameras(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"cameras": [camera.describe() for camera in self.cameras.values()]}
        )

    async def _sharing(self, request: web.Request) -> web.Response:
        homes = [{"household": "wang", "name": "王家"}, {"household": "li", "name": "李家"}]
        return web.json_response({"households": homes})

    async def _calls_for_help(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.sos, "next": None})

    async def _calls(self, request: web.Request) -> web.Response:
        calls = [{"name": "张婶", "state": "accepted"}, {"name": "派出所", "state": "let_go"}]
        return web.json_response({"state": "accepted", "calls": calls, "mine": True})

    async def _camera(self, request: web.Request) -> web.Response:
        return web.json_response(self.find(request.match_info["camera"]).describe())

    async def _still(self, request: web.Request) -> web.Response:
        camera = self.find(request.match_info["camera"])
        if camera.refuses_stills:
            return problem(403, "no_basis")
        if camera.still is None:
            return problem(409, "agent_offline")
        return web.Response(body=camera.still, content_type="image/jpeg")

    async def _pass(self, request: web.Request) -> web.Response:
        self.said.append(await request.json())
        return web.json_response(self.pass_)

    async def _quality(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.text())
        return web.json_response({})

    async def _whep(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.append(request.headers.get("Authorization", ""))
        if self.whep is None:
            return problem(409, "agent_offline", **{"Retry-After": "2"})
        return await self.whep(request)

    async def _session(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.append(request.headers.get("Authorization", ""))
        if self.session is None:
            return web.Response(status=200)
        return await self.session(request)
