"""The household's own page on the LAN: sign in, live, switch, who is watching. No hub needed.

Its view does not depend on the privacy switch: that is about what leaves the home, and the page
says so.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from home_agent import consent_view, lan_words
from home_agent.alarm_inputs import AlarmInputs
from home_agent.camera import Camera
from home_agent.household import CodeError, TooManyTriesError
from home_agent.lan_consent import LanConsent
from home_agent.lan_guard import LIFE, Guard, Sessions, no_noise, refused
from home_agent.lan_media import LAN_MEDIA_ERRORS, LanMedia
from home_agent.lan_network import OwnNetwork
from home_agent.lan_tls import context
from home_agent.state import StateError
from home_agent.stills import STILL_ERRORS
from village_core.permits import Quality
from village_core.transport import signalling

if TYPE_CHECKING:
    from home_agent.agent import Agent

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
STATIC = {
    "player.js": "text/javascript",
    "hold.js": "text/javascript",
    "lan.js": "text/javascript",
    "lan-consent.js": "text/javascript",
    "style.css": "text/css",
    "lan.css": "text/css",
    "icon.svg": "image/svg+xml",
}
BODIES = {"home": ("consent", "home", "records"), "sign_in": ("sign_in",)}
_PACKAGES = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGES / "templates", _PACKAGES / "village_hub" / "_templates")  # checkout, wheel
LAN_ERRORS = (StateError, OSError)


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=100, repr=False)


class Turn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    off: bool
    code: str = Field(default="", max_length=100, repr=False)


class LanPage:
    """Serves while `run` runs."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._config = agent.config.lan
        self._network = OwnNetwork(self._config.names, self._config.networks)
        self._sessions = Sessions(agent.household, agent.clock)
        self._guard = Guard(self._network, self._sessions, secure=self._config.tls)
        self.media = LanMedia(
            self._config,
            self._network,
            agent.certificate,
            agent.supervisor,
            agent.pace,
            agent.clock,
        )
        self._language_cookie = f"{'__Host-' if self._config.tls else ''}{lan_words.COOKIE}"
        self._files = _Files()
        self.port = 0  # TCP, once it serves

    def start(self) -> None:
        supervisor = self._agent.supervisor
        supervisor.start("LAN page", self.run, expected=LAN_ERRORS)
        supervisor.start("LAN media", self.media.run, expected=LAN_MEDIA_ERRORS)

    async def run(self) -> None:
        """Raises one of LAN_ERRORS when it cannot serve."""
        tls = None
        if self._config.tls:
            agent = self._agent
            tls = await asyncio.to_thread(
                context, agent.state, self._network.addresses, agent.clock
            )
        logging.getLogger("aiohttp.server").addFilter(no_noise)
        runner = web.AppRunner(self.app(), access_log=None, handle_signals=False)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(
                runner, self._config.host or None, self._config.port, ssl_context=tls
            )
            await site.start()
            self.port = runner.addresses[0][1]
            log.info("the LAN page is on port %d", self.port)
            await asyncio.get_running_loop().create_future()  # until cancelled

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard.middleware], client_max_size=LARGEST_BODY)
        app.router.add_get("/", self._page, name="page")
        app.router.add_get("/static/{name}", self._static, name="static")
        app.router.add_post("/language", self._language, name="language")
        app.router.add_post("/sign-in", self._sign_in, name="sign_in")
        app.router.add_post("/sign-out", self._sign_out, name="sign_out")
        app.router.add_post("/api/switch", self._turn, name="switch")
        app.router.add_get("/api/state", self._state, name="state")
        LanConsent(self._agent).add(app.router)
        app.router.add_get("/still/{camera}", self._still, name="still")
        app.router.add_post("/whep/{camera}", self._watch, name="whep")
        app.router.add_patch("/whep/sessions/{secret}", self._patch, name="patch")
        app.router.add_delete("/whep/sessions/{secret}", self._delete, name="delete")
        return app

    # The page

    async def _page(self, request: web.Request) -> web.Response:
        language = self._chosen(request)
        words = lan_words.WORDS[language]
        signed_in = self._guard.holder(request) is not None
        off = self._agent.switch.off
        text = self._files.page(
            words,
            body="home" if signed_in else "sign_in",
            lang=lan_words.LANGUAGES[language],
            other_lang="en" if language == "zh" else "zh",
            signed_in="yes" if signed_in else "no",
            off="yes" if off else "no",
            switch_words=words["is_off" if off else "is_on"],
        )
        return web.Response(text=text, content_type="text/html")

    def _chosen(self, request: web.Request) -> str:
        accept = request.headers.get("Accept-Language", "")
        return lan_words.choose(request.cookies.get(self._language_cookie), accept)

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in STATIC:
            return refused(404, "not_found", "there is no such file")
        body = self._files.static[name]
        headers = {"Cache-Control": "no-cache", "Content-Type": f"{STATIC[name]}; charset=utf-8"}
        return web.Response(body=body, headers=headers)

    async def _language(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return refused(415, "unsupported_media_type", "send a form")
        try:
            form = dict(parse_qsl((await request.read()).decode(), max_num_fields=10))
        except ValueError:  # UnicodeDecodeError is one
            return refused(400, "bad_form", "this is no form")
        chosen = form.get("lang")
        response = web.Response(status=303, headers={"Location": "/"})
        if chosen in lan_words.WORDS:
            response.set_cookie(
                self._language_cookie,
                chosen,
                max_age=365 * 24 * 3600,
                path="/",
                secure=self._config.tls,
                httponly=True,
                samesite="Strict",
            )
        return response

    async def _sign_in(self, request: web.Request) -> web.Response:
        body = await _json(request, Words)
        if isinstance(body, web.Response):
            return body
        if refusal := await self._check(body.code, request):
            return refusal
        response = web.Response(status=204)
        response.set_cookie(
            self._guard.cookie,
            self._sessions.begin(),
            max_age=int(LIFE),
            path="/",
            secure=self._config.tls,
            httponly=True,
            samesite="Strict",
        )
        log.info("the household signed in from %s", request.remote)
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        if holder := self._guard.holder(request):
            self.media.end(holder, "signed out")
        self._sessions.end(request.cookies.get(self._guard.cookie, ""))
        response = web.Response(status=204)
        response.del_cookie(self._guard.cookie, path="/", secure=self._config.tls)
        return response

    async def _check(self, code: str, request: web.Request) -> web.Response | None:
        try:
            await self._agent.household.check(code, request.remote or "")
        except TooManyTriesError as error:
            return _wait(error)
        except CodeError as error:
            log.warning("a wrong code at the LAN page, from %s", request.remote)
            return refused(403, "wrong_code", str(error))
        except StateError as error:
            return _damaged(error)
        return None

    # State and switch

    async def _turn(self, request: web.Request) -> web.Response:
        body = await _json(request, Turn)
        if isinstance(body, web.Response):
            return body
        switch, how = self._agent.switch, f"LAN page, {request.remote}"
        try:
            if body.off:
                await switch.turn_off(how)
            else:
                await switch.turn_on(body.code, request.remote or "", how)
        except TooManyTriesError as error:
            return _wait(error)
        except CodeError as error:
            log.warning("a wrong code at the switch, from %s", request.remote)
            return refused(403, "wrong_code", str(error))
        except StateError as error:
            return _damaged(error)
        return web.json_response({"privacy_off": switch.off})

    async def _state(self, _: web.Request) -> web.Response:
        agent = self._agent
        enrolment = agent.link.enrolment
        return web.json_response(
            {
                "privacy_off": agent.switch.off,
                "hub": enrolment.hub_name if enrolment else "",
                "connected": agent.link.connected,
                "cameras": [
                    {**_camera(camera), "alarm": _alarm(agent.alarms.of(camera))}
                    for camera in agent.cameras.values()
                ],
                "pushes": agent.watched(),
                "sos": consent_view.sos(agent),
            }
        )

    async def _still(self, request: web.Request) -> web.Response:
        camera = self._agent.cameras.get(request.match_info["camera"])
        if camera is None:
            return refused(404, "no_such_camera", "there is no such camera")
        try:
            picture = await self._agent.stills.take(camera, Quality.SUB)
        except STILL_ERRORS as error:
            return refused(409, "no_picture", str(error) or "there is no picture")
        return web.Response(body=picture, content_type="image/jpeg")

    # Live

    async def _watch(self, request: web.Request) -> web.Response:
        camera = self._agent.cameras.get(request.match_info["camera"])
        if camera is None:
            return refused(404, "no_such_camera", "there is no such camera")
        if said := signalling.post_type(request.headers.get("Content-Type", "")):
            return _said(said)
        quality = request.query.get("quality", Quality.MAIN)
        if quality not in tuple(Quality):
            return refused(400, "bad_quality", "quality is main or sub")
        try:
            offer = await request.text()
        except UnicodeDecodeError:
            return refused(400, "bad_sdp", "the offer is not text")
        holder = self._guard.holder(request) or ""
        return _said(self.media.watch(camera, Quality(quality), offer, holder))

    async def _patch(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session is None:
            return refused(404, "not_found", "there is no such session")
        kind = request.headers.get("Content-Type", "")
        try:
            body = await request.text()
        except UnicodeDecodeError:
            return refused(400, "bad_fragment", "the fragment is not text")
        return _said(session.patch(kind, request.headers.get("If-Match"), body))

    async def _delete(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session is None:
            return refused(404, "not_found", "there is no such session")
        return _said(session.delete())

    def _session(self, request: web.Request) -> signalling.SessionUrl | None:
        holder = self._guard.holder(request) or ""
        return self.media.session(request.match_info["secret"], holder)


class _Files:
    """Templates and static files, read once."""

    def __init__(self) -> None:
        folder = next((place for place in _PLACES if place.is_dir()), _PLACES[0])
        self.static = {name: (folder / "static" / name).read_bytes() for name in STATIC}
        self._templates = {
            name: Template((folder / "lan" / f"{name}.html").read_text(encoding="utf-8"))
            for name in ("page", *(part for parts in BODIES.values() for part in parts))
        }

    def page(
        self, words: Mapping[str, str], *, body: Literal["home", "sign_in"], **values: str
    ) -> str:
        """Words hold no markup, and values come from this module."""
        inner = "".join(self._templates[part].substitute(words) for part in BODIES[body])
        for_script = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
        return self._templates["page"].substitute(words, body=inner, words=for_script, **values)


def _camera(camera: Camera) -> dict[str, Any]:
    return {
        "id": camera.id,
        "name": camera.name,
        "online": camera.online,
        "trouble": camera.trouble,
        "audio": camera.audio_codec is not None,
    }


def _alarm(inputs: AlarmInputs | None) -> dict[str, Any] | None:
    return {"trouble": inputs.trouble, "inputs": inputs.shown()} if inputs is not None else None


async def _json(request: web.Request, kind: type[Any]) -> Any:
    """The body as `kind`, or what to answer when it is none."""
    if request.content_type != "application/json":
        return refused(415, "unsupported_media_type", "send JSON")
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError:
        return refused(400, "bad_body", "the body is not what this address takes")


def _damaged(error: StateError) -> web.Response:
    log.error("%s", error)
    return refused(500, "state", "the box's own folder cannot be used: look into its log")


def _wait(error: TooManyTriesError) -> web.Response:
    headers = {"Retry-After": str(max(1, round(error.retry_after)))}
    return refused(429, "too_many_tries", str(error), **headers)


def _said(said: signalling.Reply) -> web.Response:
    headers = dict(said.headers)
    if said.status >= 400:
        headers.pop("Content-Type", None)
        return refused(said.status, "session", said.detail, **headers)
    return web.Response(status=said.status, text=said.body or None, headers=headers)
